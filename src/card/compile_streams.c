/* SPDX-License-Identifier: Apache-2.0 */

/* Rings without slots: next="stream". */
#include "card/rings.h"

#include <string.h>

static void read_layout(struct draft *draft, const struct node *node, struct ring *ring,
			const struct layout **header)
{
	uint64_t unit = 1, align;

	node_number(draft, node, "unit", UINT64_MAX, &unit);
	align = unit;
	node_number(draft, node, "align", UINT64_MAX, &align);
	ring->stream.unit = (uint32_t)unit;
	ring->stream.align = (uint32_t)align;
	if (align % unit)
		wrong(draft, node, "align= is not a multiple of unit=");
	*header = layout_read(draft, node, "header");
	draft->slot_unknown |= !*header;
	if (!*header)
		return;
	ring->slot_size = (*header)->size;
	if ((*header)->size > align && !(*header)->node->broken)
		wrong(draft, node, "the header of %u bytes could be cut in two: align= is %u",
		      (*header)->size, (unsigned)align);
}

void read_stream(struct draft *draft, const struct node *node, struct ring *ring,
		 const struct layout **header)
{
	const struct node *child = node_first(node->child, "stream");
	const struct node *use = node_first(node->child, "use");
	int memory;

	if (ring->next != NEXT_STREAM) {
		if (child)
			wrong(draft, child, "<stream> has no meaning but with next=\"stream\"");
		if (!use)
			wrong(draft, node, "<ring> needs at least one <use>");
		return;
	}
	if (use)
		wrong(draft, use, "<use> has no meaning in a stream");
	ring->stream.unit = ring->stream.align = 1;
	if (!child) {
		wrong(draft, node, "next=\"stream\" needs a <stream>");
		return;
	}
	memory = memory_read_name(draft, child, "in");
	ring->stream.memory = memory < 0 ? 0 : (uint16_t)(memory + 1);
	read_layout(draft, child, ring, header);
	expr_read(draft, child, "from", &ring->stream.from);
	expr_read(draft, child, "read", &ring->stream.read);
	expr_read(draft, child, "wraps", &ring->stream.wraps);
}
