/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <string.h>

static void read_layouts(struct draft *draft)
{
	for_each_node(node, draft->root, "record")
	{
		uint64_t size = 0;

		if (draft->layouts_count == 32) {
			wrong(draft, node, "more than 32 records");
			return;
		}
		if (node_number(draft, node, "size", 64, &size) && !size)
			wrong(draft, node, "size=\"0\": a record has 1 to 64 bytes");
		draft->layouts[draft->layouts_count++] =
			(struct layout){node_get(node, "name"), (uint16_t)size, node};
		for_each_node(child, node, "field")
		{
			unsigned low, width;

			node_bits(draft, child, "bits", (unsigned)size * 8, &low, &width);
		}
	}
}

static void read_completes(struct draft *draft, const struct node *node,
			   const struct complete **completes, uint8_t *count)
{
	struct complete *list = draft_take(draft, struct complete, 8);

	*completes = list;
	for_each_node(child, node, "complete")
	{
		struct complete *complete = &list[*count];
		const char *at = node_get(child, "at");

		if (*count == 8) {
			wrong(draft, child, "more than 8 results in one place");
			return;
		}
		complete->at_last = at && !strcmp(at, "last");
		expr_read(draft, child, "when", &complete->when);
		writes_read(draft, child, "write", complete);
		actions_read(draft, child, "do", &complete->actions);
		++*count;
	}
}

static void read_checksum(struct draft *draft, const struct node *node, struct use *use)
{
	struct checksum *checksum = &use->checksums[use->checksums_count];
	const char *seed = node_get(node, "seed");

	if (use->checksums_count == 3) {
		wrong(draft, node, "more than 3 checksums of one frame");
		return;
	}
	expr_read(draft, node, "when", &checksum->when);
	expr_read(draft, node, "start", &checksum->start);
	expr_read(draft, node, "put", &checksum->put);
	expr_read(draft, node, "end", &checksum->end);
	if (!checksum->start.count || !checksum->put.count)
		wrong(draft, node, "a checksum needs start= and put=");
	checksum->given = seed && !strcmp(seed, "given");
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

static void read_use(struct draft *draft, const struct node *node, struct ring *ring)
{
	const struct layout *layout = layout_find(draft, node_get(node, "record"));
	const char *as = node_get(node, "as");
	struct use *use = &ring->uses[ring->uses_count];

	if (!layout) {
		wrong(draft, node, "record=\"%s\": no record has this name",
		      node_get(node, "record"));
		return;
	}
	if (ring->uses_count == CARD_USE_MAX) {
		wrong(draft, node, "more than %d kinds of slot", CARD_USE_MAX);
		return;
	}
	if (ring->uses_count && ring->slot_size != layout->size)
		wrong(draft, node, "the records of a ring have one size, here %u bytes",
		      ring->slot_size);
	ring->uses_count++;
	ring->slot_size = layout->size;
	draft->slot = draft->first = layout;
	use->as = !strcmp(as, "context") ? USE_CONTEXT : !strcmp(as, "room") ? USE_ROOM : USE_DATA;
	if (use->as == USE_CONTEXT)
		draft->context[0] = layout;
	expr_read(draft, node, "when", &use->when);
	expr_read(draft, node, "key", &use->key);
	expr_read(draft, node, "last", &use->last);
	for_each_node(child, node, "buffer")
	{
		expr_read(draft, child, "address", &use->address);
		expr_read(draft, child, "length", &use->length);
		expr_read(draft, child, "skip", &use->skip);
	}
	if (use->as != USE_CONTEXT && (!use->address.count || !use->length.count))
		wrong(draft, node, "a %s slot needs a <buffer address= length=>", as);
	for_each_node(child, node, "segment") read_segment(draft, child, use);
	for_each_node(child, node, "checksum") read_checksum(draft, child, use);
	read_completes(draft, node, &use->completes, &use->completes_count);
}

/* end="bytes EXPR" or "entries EXPR"; ready="until EXPR" */
static bool keyword(struct draft *draft, const struct node *node, const char *attribute,
		    const char *word, struct expr *expr)
{
	const char *text = node_get(node, attribute);
	size_t length = strlen(word);

	return text && !strncmp(text, word, length) && text[length] == ' ' &&
	       expr_text(draft, node, text + length + 1, expr);
}

static void read_geometry(struct draft *draft, const struct node *node, struct ring *ring)
{
	struct target cursor;

	expr_read(draft, node, "when", &ring->when);
	expr_read(draft, node, "base", &ring->base);
	if (keyword(draft, node, "end", "bytes", &ring->end_value))
		ring->end = END_BYTES;
	else if (keyword(draft, node, "end", "entries", &ring->end_value))
		ring->end = END_ENTRIES;
	else
		wrong(draft, node, "end=\"%s\": expected \"bytes EXPR\" or \"entries EXPR\"",
		      node_get(node, "end"));
	if (!keyword(draft, node, "ready", "until", &ring->until))
		wrong(draft, node, "ready=\"%s\": expected \"until EXPR\"",
		      node_get(node, "ready"));
	if (target_text(draft, node, node_get(node, "cursor"), &cursor)) {
		ring->cursor_word = cursor.word;
		ring->cursor_mask = cursor.mask;
	}
}

static void read_offloads(struct draft *draft, const struct node *node, struct ring *ring)
{
	for_each_node(child, node, "vlan")
	{
		ring->vlan_present = true;
		expr_read(draft, child, "when", &ring->vlan_when);
		expr_read(draft, child, "tci", &ring->vlan_tci);
		expr_read(draft, child, "type", &ring->vlan_type);
		if (ring->direction == RING_TRANSMIT && !ring->vlan_tci.count)
			wrong(draft, child, "to insert a tag, tci= must say which");
	}
	for_each_node(child, node, "fcs")
	{
		ring->fcs_present = true;
		expr_read(draft, child, "when", &ring->fcs_when);
	}
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
	for_each_node(child, node, "checksum")
	{
		const char *of = node_get(child, "of") ?: "";

		expr_read(draft, child, "when",
			  !strcmp(of, "ip") ? &ring->check_ip : &ring->check_l4);
	}
}

static void read_ring(struct draft *draft, const struct node *node, struct ring *ring)
{
	const char *direction = node_get(node, "for"), *empty = node_get(node, "empty");

	ring->name = node_get(node, "name");
	ring->direction = !strcmp(direction, "receive") ? RING_RECEIVE : RING_TRANSMIT;
	draft->slot = draft->first = draft->context[0] = NULL;
	read_geometry(draft, node, ring);
	for_each_node(child, node, "use") read_use(draft, child, ring);
	if (!ring->uses_count)
		wrong(draft, node, "a ring needs a <use> that says what its slots are");
	read_offloads(draft, node, ring);
	read_completes(draft, node, &ring->completes, &ring->completes_count);
	if (empty)
		actions_read(draft, node, "empty", &ring->empty);
	ring->empty_holds = node_yes(node, "hold");
	draft->slot = draft->first = draft->context[0] = NULL;
}

void compile_rings(struct draft *draft)
{
	struct ring *rings = (struct ring *)draft->card->rings;
	unsigned i = 0;

	read_layouts(draft);
	for_each_node(node, draft->root, "ring")
	{
		draft->ring = (int)i;
		read_ring(draft, node, &rings[i++]);
	}
	draft->ring = -1;
}
