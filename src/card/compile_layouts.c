/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <string.h>

enum { FIELDS_MAX = 256 };

static bool within(const struct layout_field *inner, const struct layout_field *outer)
{
	return inner->low >= outer->low && inner->low + inner->width <= outer->low + outer->width;
}

/* A field may be a part of a wider one; sharing some bits only is a slip. */
static void check_field(struct draft *draft, const struct node *node, const struct layout *layout,
			const struct layout_field *field)
{
	for (unsigned i = 0; i < layout->fields_count; i++) {
		const struct layout_field *other = &layout->fields[i];

		if (!strcmp(other->name, field->name)) {
			wrong(draft, node, "record %s has a field %s already", layout->name,
			      field->name);
			return;
		}
		if (field->low >= other->low + other->width ||
		    other->low >= field->low + field->width)
			continue;
		if ((within(field, other) || within(other, field)) && field->width != other->width)
			continue;
		wrong(draft, node, "field %s overlaps %s", field->name, other->name);
		return;
	}
}

void layout_fields(struct draft *draft, struct layout *layout)
{
	unsigned low, width;

	layout->fields = draft_take(draft, struct layout_field, FIELDS_MAX);
	for_each_node(child, layout->node, "field")
	{
		const char *name = node_get(child, "name");
		unsigned bits = layout->node->broken ? UINT16_MAX : layout->size * 8u;
		bool good = node_bits(draft, child, bits, &low, &width);
		struct layout_field field = {name, (uint16_t)low, (uint8_t)width, 0};

		if (layout->fields_count == FIELDS_MAX) {
			wrong(draft, child, "more than %d fields in one record", FIELDS_MAX);
			return;
		}
		if (name == broken)
			continue;
		if (!name && !node_get(child, "to") && !node_get(child, "value"))
			wrong(draft, child, "<field> needs name=, to= or value=");
		if (!name)
			continue;
		if (good)
			check_field(draft, child, layout, &field);
		layout_add(layout, &field);
	}
}

/* For people and modules, who name them while the card runs. */
static struct slot_names layout_names(struct draft *draft, const struct layout *layout)
{
	struct slot_field *fields = draft_take(draft, struct slot_field, layout->fields_count);

	for (unsigned i = 0; i < layout->fields_count; i++)
		fields[i] = (struct slot_field){layout->fields[i].name, layout->fields[i].low,
						layout->fields[i].width};
	return (struct slot_names){layout->name, fields, (uint16_t)layout->fields_count};
}

static void mark_completes(struct draft *draft, const struct node *node)
{
	for_each_node(complete, node, "complete")
	{
		const char *record = node_get(complete, "record");
		struct layout *layout = record ? layout_find(draft, record) : NULL;

		if (layout)
			layout->completes = true;
	}
}

/* Records whose values are read where they are put into a ring: see compile_completions.c */
static void find_completes(struct draft *draft)
{
	for_each_node(ring, draft->root, "ring")
	{
		mark_completes(draft, ring);
		for_each_node(use, ring, "use") mark_completes(draft, use);
	}
}

void compile_layouts(struct draft *draft)
{
	struct slot_names *names = draft_take(draft, struct slot_names, LAYOUTS_MAX);

	draft->card->layouts = names;
	for_each_node(node, draft->root, "record")
	{
		const char *name = node_get(node, "name");
		struct layout *layout = layout_find(draft, name);
		uint64_t size = 64;

		if (layout && name != broken) {
			wrong(draft, node, "record %s is in %s already", name,
			      node_line(draft, node, layout->node));
			continue;
		}
		if (draft->layouts_count == LAYOUTS_MAX) {
			wrong(draft, node, "more than %d records", LAYOUTS_MAX);
			return;
		}
		node_number(draft, node, "size", UINT64_MAX, &size);
		layout = &draft->layouts[draft->layouts_count++];
		*layout = (struct layout){.name = name, .size = (uint16_t)size, .node = node};
		layout_fields(draft, layout);
		names[draft->card->layouts_count++] = layout_names(draft, layout);
	}
	find_completes(draft);
}
