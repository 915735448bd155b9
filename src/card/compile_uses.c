/* SPDX-License-Identifier: Apache-2.0 */

/* What the slots of a ring are. */
#include "card/rings.h"

#include <string.h>

static const char *const directions[] = {"transmit", "receive", "completion"};

/* What follows records of a batch has no slot. */
static void check_telling(struct draft *draft, const struct node *node)
{
	static const char *const others[] = {"at", "when", "write", "to", "record"};

	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
		node_useless(draft, node, others[i], "in a ring for completion");
}

static void read_complete(struct draft *draft, const struct node *node, struct ring *ring,
			  struct complete *complete)
{
	if (ring->direction == RING_COMPLETION)
		check_telling(draft, node);
	complete->at_first = node_choice(node, "at") == 2;
	complete->at_last = node_choice(node, "at") == 1;
	if (node_get(node, "to") && ring->direction == RING_TRANSMIT && ring->next <= NEXT_CHAIN)
		draft->speaks |= SPEAKS_FIRST;
	expr_read(draft, node, "when", &complete->when);
	writes_read(draft, node, "write", complete);
	complete->produced = produced_read(draft, node);
	ring->produces |= complete->produced != NULL;
	draft->speaks &= ~(unsigned)SPEAKS_FIRST;
	actions_read(draft, node, "do", &complete->actions);
	if (!node_get(node, "write") && !node_get(node, "do") && !node_get(node, "to"))
		wrong(draft, node, "<complete> needs write=, to= or do=");
}

void read_completes(struct draft *draft, const struct node *node, struct ring *ring,
		    const struct complete **completes, uint8_t *count)
{
	enum { COMPLETES_MAX = 8 };
	struct complete *list = draft_take(draft, struct complete, COMPLETES_MAX);

	*completes = list;
	draft->speaks = SPEAKS_HERE | (ring->direction == RING_RECEIVE ? SPEAKS_FRAME : 0) |
			(ring->next == NEXT_REGISTERS ? SPEAKS_INDEX : 0);
	if (ring->direction == RING_COMPLETION)
		draft->speaks = 0;
	for_each_node(child, node, "complete")
	{
		struct complete *complete = &list[*count];

		if (*count == COMPLETES_MAX) {
			wrong(draft, child, "more than %d <complete> in one place", COMPLETES_MAX);
			break;
		}
		complete->at_first = node_choice(child, "at") == 2;
		complete->at_last = node_choice(child, "at") == 1;
		read_complete(draft, child, ring, complete);
		++*count;
	}
	draft->speaks = 0;
}

static void read_checksum(struct draft *draft, const struct node *node, struct use *use)
{
	struct checksum *checksum = &use->checksums[use->checksums_count];

	if (use->checksums_count == sizeof(use->checksums) / sizeof(*use->checksums)) {
		wrong(draft, node, "more than %u checksums of one frame", use->checksums_count);
		return;
	}
	static const char *const places[] = {"start", "put", "end", "seed"};

	checksum->of =
		node_choice(node, "of") < 0 ? CHECKSUM_RANGE : (uint8_t)node_choice(node, "of");
	for (unsigned i = 0; i < 4; i++) {
		if (checksum->of != CHECKSUM_RANGE)
			node_useless(draft, node, places[i], "but of a range");
		else if (i < 2 && !node_get(node, places[i]) && node_choice(node, "of") >= 0)
			wrong(draft, node, "<checksum> of a range needs %s=", places[i]);
	}
	expr_read(draft, node, "when", &checksum->when);
	expr_read(draft, node, "start", &checksum->start);
	expr_read(draft, node, "put", &checksum->put);
	expr_read(draft, node, "end", &checksum->end);
	checksum->given = node_choice(node, "seed") == 1;
	use->checksums_count++;
}

static void read_segment(struct draft *draft, const struct node *node, struct use *use)
{
	use->segment_present = true;
	expr_read(draft, node, "when", &use->segment.when);
	expr_read(draft, node, "mss", &use->segment.mss);
	expr_read(draft, node, "header", &use->segment.header);
	expr_read(draft, node, "payload", &use->segment.payload);
}

static void read_array(struct draft *draft, const struct node *node, struct piece *piece)
{
	const struct layout *slot = draft->slot, *record = layout_read(draft, node, "record");

	piece->array = true;
	expr_read(draft, node, "when", &piece->when);
	expr_read(draft, node, "at", &piece->at);
	expr_read(draft, node, "count", &piece->count);
	draft->slot = record;
	piece->size = record ? record->size : 1;
	if (record && record->size > CARD_SLOT_MAX)
		wrong(draft, node, "one of an array has at most %d bytes, record %s %u",
		      CARD_SLOT_MAX, record->name, record->size);
	expr_read(draft, node, "address", &piece->address);
	expr_read(draft, node, "length", &piece->length);
	expr_read(draft, node, "last", &piece->last);
	draft->slot = slot;
}

static void read_more(struct draft *draft, const struct node *node, struct piece *piece)
{
	node_useless(draft, node, "skip", "but in the first <buffer>");
	node_useless(draft, node, "in", "but in the first <buffer>");
	expr_read(draft, node, "when", &piece->when);
	expr_read(draft, node, "address", &piece->address);
	expr_read(draft, node, "length", &piece->length);
}

/* What follows the first <buffer>, in the order of the file. */
static void read_pieces(struct draft *draft, const struct node *node, struct use *use)
{
	enum { PIECES_MAX = 8 };
	struct piece *pieces = draft_take(draft, struct piece, PIECES_MAX);
	const struct node *first = node_first(node->child, "buffer");

	use->pieces = pieces;
	for (const struct node *child = node->child; child; child = child->next) {
		bool array = !strcmp(child->word, "buffers");

		if (child == first || (!array && strcmp(child->word, "buffer")))
			continue;
		if (use->pieces_count == PIECES_MAX) {
			wrong(draft, child, "more than %d pieces of one slot", PIECES_MAX + 1);
			return;
		}
		if (array && use->as == USE_ROOM)
			wrong(draft, child, "<buffers> has no meaning in what is received");
		if (array)
			read_array(draft, child, &pieces[use->pieces_count++]);
		else
			read_more(draft, child, &pieces[use->pieces_count++]);
	}
}

static void read_buffer(struct draft *draft, const struct node *node, struct use *use)
{
	int memory;

	node_useless(draft, node, "when", "in the first <buffer>");
	expr_read(draft, node, "address", &use->address);
	expr_read(draft, node, "length", &use->length);
	expr_read(draft, node, "skip", &use->skip);
	if (use->as != USE_ROOM)
		node_useless(draft, node, "skip", "in what is sent");
	memory = memory_read_name(draft, node, "in");
	use->memory = memory < 0 ? 0 : (uint16_t)(memory + 1);
	if (use->as == USE_ROOM)
		node_useless(draft, node, "in", "in what is received");
}

static void check_parts(struct draft *draft, const struct node *node, const struct use *use)
{
	static const char *const parts[] = {"buffer", "buffers", "segment", "checksum"};
	static const char *const as[] = {"data", "context", "room", "command"};
	bool memory = use->as == USE_DATA || use->as == USE_ROOM;

	for (unsigned i = 0; i < 4; i++) {
		const struct node *part = node_first(node->child, parts[i]);

		if (part && (!memory || (i && use->as == USE_ROOM)))
			wrong(draft, part, "<%s> has no meaning in a slot of kind %s", parts[i],
			      as[use->as]);
	}
	if (memory && !node_first(node->child, "buffer"))
		wrong(draft, node, "a slot of kind %s needs a <buffer>", as[use->as]);
	if (use->as != USE_CONTEXT)
		node_useless(draft, node, "key", "but in a context");
	if (use->as != USE_DATA)
		node_useless(draft, node, "last", "but in data");
	if (use->as != USE_DATA)
		node_useless(draft, node, "first", "but in data");
	if (use->as != USE_COMMAND)
		node_useless(draft, node, "do", "but in a command");
	if (use->key.constant && use->key.ops[0].value >= CARD_CONTEXTS)
		wrong(draft, node, "key= is 0 to %d", CARD_CONTEXTS - 1);
}

static void read_use(struct draft *draft, const struct node *node, struct ring *ring,
		     const struct layout *layout, struct use *use)
{
	static const uint8_t kinds[] = {USE_DATA, USE_CONTEXT, USE_ROOM, USE_COMMAND, USE_DATA};
	int as = node_choice(node, "as");

	draft->slot = layout;
	use->names = layout ? &draft->card->layouts[layout - draft->layouts] : NULL;
	draft->speaks = ring->next == NEXT_REGISTERS	   ? SPEAKS_INDEX
			: ring->direction == RING_TRANSMIT ? SPEAKS_FIRST
							   : 0;
	use->as = as < 0 ? USE_DATA : kinds[as];
	if (as >= 0 && (as == 4 || (use->as == USE_ROOM) != (ring->direction == RING_RECEIVE))) {
		wrong(draft, node, "as=\"%s\" has no meaning in a ring for %s",
		      node_get(node, "as"), directions[ring->direction]);
		as = -1;
	}
	if (as >= 0 && ring->commands && use->as != USE_COMMAND)
		wrong(draft, node, "the slots of a ring for command are commands");
	expr_read(draft, node, "when", &use->when);
	expr_read(draft, node, "key", &use->key);
	expr_read(draft, node, "first", &use->first);
	expr_read(draft, node, "last", &use->last);
	draft->speaks |= SPEAKS_HERE;
	if (node_first(node->child, "buffer"))
		read_buffer(draft, node_first(node->child, "buffer"), use);
	read_pieces(draft, node, use);
	if (use->as == USE_COMMAND)
		actions_read(draft, node, "do", &use->actions);
	for_each_node(child, node, "segment") read_segment(draft, child, use);
	for_each_node(child, node, "checksum") read_checksum(draft, child, use);
	if (as >= 0)
		check_parts(draft, node, use);
	draft->speaks = 0;
	read_completes(draft, node, ring, &use->completes, &use->completes_count);
	draft->slot = NULL;
}

const struct layout *layout_read(struct draft *draft, const struct node *node,
				 const char *attribute)
{
	return layout_named(draft, node, attribute, node_get(node, attribute));
}

static const struct layout *use_layout(struct draft *draft, const struct node *node,
				       const struct ring *ring)
{
	if (ring->next == NEXT_REGISTERS) {
		node_useless(draft, node, "record", "where slots are registers");
		if (node_choice(node, "as") == 1)
			wrong(draft, node, "registers are data: there is no context to keep");
		return NULL;
	}
	if (node_get(node, "record"))
		return layout_read(draft, node, "record");
	wrong(draft, node, "<use> needs record=");
	return NULL;
}

/* Layouts first: a slot may speak of the context that stands behind it. */
static void read_layouts(struct draft *draft, const struct node *node, struct ring *ring,
			 const struct layout **layouts)
{
	unsigned i = 0;

	for_each_node(child, node, "use")
	{
		if (i == CARD_USE_MAX) {
			wrong(draft, child, "more than %d kinds of slot", CARD_USE_MAX);
			return;
		}
		layouts[i] = use_layout(draft, child, ring);
		draft->slot_unknown |= !layouts[i] && ring->next <= NEXT_CHAIN;
		if (layouts[i] && layouts[i]->size > CARD_SLOT_MAX)
			wrong(draft, child, "a slot has at most %d bytes, record %s %u",
			      CARD_SLOT_MAX, layouts[i]->name, layouts[i]->size);
		if (layouts[i] && (!ring->slot_size || (ring->next == NEXT_CHAIN &&
							ring->slot_size < layouts[i]->size)))
			ring->slot_size = layouts[i]->size;
		if (ring->next != NEXT_CHAIN && layouts[i] && layouts[i]->size != ring->slot_size &&
		    !layouts[i]->node->broken)
			wrong(draft, child, "the slots of a ring have one size: %u bytes, not %u",
			      ring->slot_size, layouts[i]->size);
		if (layouts[i] && node_choice(child, "as") == 1) {
			if (draft->context && draft->context != layouts[i])
				wrong(draft, child, "the contexts of a ring have one record");
			draft->context = layouts[i];
		}
		i++;
	}
}

void read_uses(struct draft *draft, const struct node *node, struct ring *ring,
	       const struct layout **layouts)
{
	const struct node *open = NULL; /* took every slot that came so far */
	struct use *uses;
	unsigned room = 0;

	for_each_node(child, node, "use") room++;
	ring->uses = uses =
		draft_take(draft, struct use, room < CARD_USE_MAX ? room : CARD_USE_MAX);
	read_layouts(draft, node, ring, layouts);
	for_each_node(child, node, "use")
	{
		if (ring->uses_count == CARD_USE_MAX)
			return;
		if (open)
			wrong(draft, child, "no slot gets here: the <use> in %s has no when=",
			      node_line(draft, child, open));
		read_use(draft, child, ring, layouts[ring->uses_count], &uses[ring->uses_count]);
		ring->uses_count++;
		if (!node_get(child, "when"))
			open = child;
	}
}
