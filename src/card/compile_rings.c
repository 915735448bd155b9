/* SPDX-License-Identifier: Apache-2.0 */
#include "card/rings.h"

#include <string.h>

static const char *const kinds[] = {"array", "registers", "stream"};

/* What a ring of this kind cannot do without. */
static bool needed(struct draft *draft, const struct node *node, const char *attribute)
{
	const char *text = node_get(node, attribute);

	if (!text)
		wrong(draft, node, "<ring> needs %s=", attribute);
	return text && text != broken;
}

/* end="bytes EXPR" or "entries EXPR"; ready="until EXPR" */
static bool keyword(struct draft *draft, const struct node *node, const char *attribute,
		    const char *word, struct expr *expr)
{
	const char *text = node_get(node, attribute);
	size_t length = strlen(word);

	if (strncmp(text, word, length) || text[length] != ' ')
		return false;
	expr_text(draft, node, text + length + 1, expr);
	return true;
}

static void read_cursor(struct draft *draft, const struct node *node, struct ring *ring)
{
	struct target cursor;
	bool sole = ring->next == NEXT_REGISTERS && ring->end_value.constant &&
		    ring->end_value.ops[0].value == 1;

	if ((node_get(node, "cursor") || !sole) && !needed(draft, node, "cursor"))
		return;
	if (!place_read(draft, node, "cursor", false, &cursor))
		return;
	if (cursor.shift)
		wrong(draft, node, "cursor=\"%s\" does not begin at bit 0 of its register",
		      node_get(node, "cursor"));
	ring->cursor_word = cursor.word;
	ring->cursor_mask = cursor.mask;
}

static void read_end(struct draft *draft, const struct node *node, struct ring *ring)
{
	if (!needed(draft, node, "end"))
		return;
	if (ring->next != NEXT_REGISTERS && keyword(draft, node, "end", "bytes", &ring->end_value))
		ring->end = END_BYTES;
	else if (ring->next != NEXT_STREAM &&
		 keyword(draft, node, "end", "entries", &ring->end_value))
		ring->end = END_ENTRIES;
	else
		wrong(draft, node, "end=\"%s\": expected %s", node_get(node, "end"),
		      ring->next == NEXT_ARRAY	  ? "\"bytes EXPR\" or \"entries EXPR\""
		      : ring->next == NEXT_STREAM ? "\"bytes EXPR\""
						  : "\"entries EXPR\"");
}

/* ready= of an array is a slot that is not, of registers what holds for one that is */
static void read_ready(struct draft *draft, const struct node *node, struct ring *ring)
{
	if (ring->next == NEXT_STREAM) {
		node_useless(draft, node, "ready", "in a stream");
		return;
	}
	if (!needed(draft, node, "ready"))
		return;
	draft->speaks = ring->next == NEXT_REGISTERS ? SPEAKS_INDEX : 0;
	if (ring->next == NEXT_REGISTERS) {
		ring->ready = READY_CONDITION;
		expr_read(draft, node, "ready", &ring->until);
	} else if (!keyword(draft, node, "ready", "until", &ring->until)) {
		ring->ready = READY_CONDITION;
		expr_read(draft, node, "ready", &ring->until);
	}
	draft->speaks = 0;
}

static void read_geometry(struct draft *draft, const struct node *node, struct ring *ring)
{
	expr_read(draft, node, "when", &ring->when);
	if (ring->next == NEXT_ARRAY)
		needed(draft, node, "base");
	expr_read(draft, node, "base", &ring->base);
	if (ring->next == NEXT_REGISTERS)
		node_useless(draft, node, "base", "where slots are registers");
	read_end(draft, node, ring);
	if (ring->next != NEXT_ARRAY)
		read_ready(draft, node, ring);
	read_cursor(draft, node, ring);
}

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

/* Beside the <use>s, slots of several layouts are meant: data and room, or all. */
static void speak_of(struct draft *draft, const struct ring *ring, const struct layout **layouts,
		     bool results)
{
	draft->slot = NULL;
	draft->alike_count = 0;
	for (unsigned i = 0; i < ring->uses_count; i++) {
		const struct use *use = &ring->uses[i];

		if (!layouts[i] || (results ? use->completes_count
					    : use->as == USE_CONTEXT || use->as == USE_COMMAND))
			continue;
		if (!draft->slot)
			draft->slot = layouts[i];
		else
			draft->alike[draft->alike_count++] = layouts[i];
	}
}

static void read_ring(struct draft *draft, const struct node *node, struct ring *ring)
{
	const struct layout *layouts[CARD_USE_MAX] = {0};

	ring->name = node_get(node, "name");
	ring->direction = node_choice(node, "for") == 1 ? RING_RECEIVE : RING_TRANSMIT;
	ring->commands = node_choice(node, "for") == 2;
	ring->next =
		node_choice(node, "next") < 0 ? NEXT_ARRAY : (uint8_t)node_choice(node, "next");
	draft->context = NULL;
	draft->slot_unknown = false;
	read_geometry(draft, node, ring);
	if (ring->next != NEXT_ARRAY && node_choice(node, "for") >= 0 &&
	    (ring->next == NEXT_STREAM) != (ring->direction == RING_RECEIVE))
		wrong(draft, node, "next=\"%s\" has no meaning in a ring for %s", kinds[ring->next],
		      node_get(node, "for"));
	read_uses(draft, node, ring, layouts);
	read_stream(draft, node, ring, layouts);
	speak_of(draft, ring, layouts, false);
	if (ring->next == NEXT_ARRAY)
		read_ready(draft, node, ring);
	draft->speaks = ring->direction == RING_TRANSMIT ? SPEAKS_FIRST : 0;
	read_offloads(draft, node, ring);
	speak_of(draft, ring, layouts, true);
	if (ring->next == NEXT_STREAM)
		draft->slot = layouts[0];
	read_completes(draft, node, ring, &ring->completes, &ring->completes_count);
	draft->slot = draft->context = NULL;
	draft->alike_count = 0;
	draft->slot_unknown = false;
	actions_read(draft, node, "empty", &ring->empty);
	ring->empty_holds = node_yes(node, "hold");
	if (ring->direction == RING_TRANSMIT)
		node_useless(draft, node, "hold", "in a ring for transmit");
}

void compile_rings(struct draft *draft)
{
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind != SYMBOL_RING)
			continue;
		draft->ring = symbol->index;
		read_ring(draft, symbol->node, (struct ring *)&draft->card->rings[symbol->index]);
	}
	draft->ring = -1;
}
