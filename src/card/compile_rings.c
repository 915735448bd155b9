/* SPDX-License-Identifier: Apache-2.0 */
#include "card/rings.h"

#include <string.h>

static const char *const kinds[] = {"array", "chain", "registers", "stream"};

static void read_vlan(struct draft *draft, const struct node *node, struct ring *ring)
{
	const struct node *vlan = node_first(node->child, "vlan");

	if (!vlan)
		return;
	ring->vlan_present = true;
	expr_read(draft, vlan, "when", &ring->vlan_when);
	expr_read(draft, vlan, "tci", &ring->vlan_tci);
	expr_read(draft, vlan, "type", &ring->vlan_type);
	if (ring->direction == RING_RECEIVE)
		node_useless(draft, vlan, "tci", "where a tag is removed");
	else if (!node_get(vlan, "tci"))
		wrong(draft, vlan, "to insert a tag, tci= must say which");
}

static void read_check(struct draft *draft, const struct node *node, struct ring *ring)
{
	struct expr *check = node_choice(node, "of") == 0 ? &ring->check_ip : &ring->check_l4;

	if (ring->direction == RING_TRANSMIT)
		wrong(draft, node,
		      "<checksum> in a ring verifies; to fill one in it stands in <use>");
	else if (node_choice(node, "of") >= 0 && check->count)
		wrong(draft, node, "a second <checksum of=\"%s\">", node_get(node, "of"));
	else
		expr_read(draft, node, "when", check);
}

static void transmit_only(struct draft *draft, const struct node *node, const struct ring *ring,
			  const char *word)
{
	const struct node *child = node_first(node->child, word);

	if (child && ring->direction == RING_RECEIVE)
		wrong(draft, child, "<%s> has no meaning in a ring for receive", word);
}

static void read_offloads(struct draft *draft, const struct node *node, struct ring *ring)
{
	read_vlan(draft, node, ring);
	for_each_node(child, node, "checksum") read_check(draft, child, ring);
	for_each_node(child, node, "sum")
	{
		if (ring->direction == RING_TRANSMIT)
			wrong(draft, child, "<sum> has no meaning in a ring for transmit");
		else
			expr_read(draft, child, "start", &ring->sum_from);
	}
	transmit_only(draft, node, ring, "pad");
	transmit_only(draft, node, ring, "loop");
	for_each_node(child, node, "pad")
	{
		expr_read(draft, child, "to", &ring->pad_to);
		expr_read(draft, child, "when", &ring->pad_when);
	}
	for_each_node(child, node, "loop")
	{
		ring->loop_present = true;
		expr_read(draft, child, "when", &ring->loop_when);
	}
	draft->speaks |= ring->direction == RING_RECEIVE ? SPEAKS_FRAME : 0;
	for_each_node(child, node, "fcs")
	{
		ring->fcs_present = true;
		expr_read(draft, child, "when", &ring->fcs_when);
	}
}

/* Beside the <use>s, slots of several layouts are meant. */
enum slots { SLOTS_OF_FRAMES, SLOTS_WITH_RESULTS, SLOTS_ALL };

static void speak_of(struct draft *draft, const struct ring *ring, const struct layout **layouts,
		     enum slots which)
{
	draft->slot = NULL;
	draft->alike_count = 0;
	for (unsigned i = 0; i < ring->uses_count; i++) {
		const struct use *use = &ring->uses[i];

		if (!layouts[i] || (which == SLOTS_WITH_RESULTS && use->completes_count) ||
		    (which == SLOTS_OF_FRAMES &&
		     (use->as == USE_CONTEXT || use->as == USE_COMMAND)))
			continue;
		if (!draft->slot)
			draft->slot = layouts[i];
		else
			draft->alike[draft->alike_count++] = layouts[i];
	}
}

/* Those that a frame may begin with. */
static void first_of(struct draft *draft, const struct ring *ring, const struct layout **layouts)
{
	draft->firsts_count = 0;
	for (unsigned i = 0; i < ring->uses_count; i++) {
		if (layouts[i] && ring->uses[i].as == USE_DATA && !ring->uses[i].completes_count)
			draft->firsts[draft->firsts_count++] = layouts[i];
	}
}

static void check_direction(struct draft *draft, const struct node *node, const struct ring *ring)
{
	if (ring->next >= NEXT_REGISTERS && node_choice(node, "for") >= 0 &&
	    (ring->next == NEXT_STREAM) != (ring->direction == RING_RECEIVE))
		wrong(draft, node, "next=\"%s\" has no meaning in a ring for %s", kinds[ring->next],
		      node_get(node, "for"));
	if (ring->direction == RING_TRANSMIT)
		node_useless(draft, node, "hold", "in a ring for transmit");
}

static void check_counted(struct draft *draft, const struct node *node, const struct ring *ring)
{
	if (!ring->counted)
		return;
	if (ring->next != NEXT_ARRAY)
		wrong(draft, node, "count= has no meaning but with next=\"array\"");
	if (ring->end == END_BIT)
		wrong(draft, node, "the length of one of many rings is known when it is opened");
	node_useless(draft, node, "when", "with count=");
	node_useless(draft, node, "cursor", "with count=");
}

static void completion_only(struct draft *draft, const struct node *node, const struct ring *ring)
{
	static const char *const words[] = {"phase", "vector", "after"};

	for (unsigned i = 0; i < 3 && ring->direction != RING_COMPLETION; i++)
		node_useless(draft, node, words[i], "but in a ring for completion");
}

static void read_ring(struct draft *draft, const struct node *node, struct ring *ring)
{
	const struct layout *layouts[CARD_USE_MAX] = {0};

	ring->name = node_get(node, "name");
	ring->direction = node_choice(node, "for") == 1	  ? RING_RECEIVE
			  : node_choice(node, "for") == 3 ? RING_COMPLETION
							  : RING_TRANSMIT;
	ring->commands = node_choice(node, "for") == 2;
	draft->context = NULL;
	draft->slot_unknown = false;
	read_geometry(draft, node, ring);
	check_counted(draft, node, ring);
	completion_only(draft, node, ring);
	if (ring->direction == RING_COMPLETION) {
		read_completion(draft, node, ring);
		return;
	}
	check_direction(draft, node, ring);
	read_uses(draft, node, ring, layouts);
	read_stream(draft, node, ring, layouts);
	speak_of(draft, ring, layouts, SLOTS_ALL);
	read_walk(draft, node, ring);
	speak_of(draft, ring, layouts, SLOTS_OF_FRAMES);
	draft->speaks = ring->direction == RING_TRANSMIT ? SPEAKS_FIRST : 0;
	read_offloads(draft, node, ring);
	speak_of(draft, ring, layouts, SLOTS_WITH_RESULTS);
	if (ring->next == NEXT_STREAM)
		draft->slot = layouts[0];
	first_of(draft, ring, layouts);
	read_completes(draft, node, ring, &ring->completes, &ring->completes_count);
	draft->firsts_count = 0;
	draft->slot = draft->context = NULL;
	draft->alike_count = 0;
	draft->slot_unknown = false;
	actions_read(draft, node, "empty", &ring->empty);
	ring->empty_holds = node_yes(node, "hold");
}

void compile_rings(struct draft *draft)
{
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind != SYMBOL_RING)
			continue;
		draft->ring = symbol->index;
		draft->always = node_get(symbol->node, "count") ? SPEAKS_INDEX : 0;
		read_ring(draft, symbol->node, (struct ring *)&draft->card->rings[symbol->index]);
		draft->always = 0;
	}
	draft->ring = -1;
}
