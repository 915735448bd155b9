/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What load and store do with a record: fields that go to registers, fields
 * that are written, and lists of elements. Those that only have a name are of
 * interest to rings and to other fields.
 */
#include "card/draft.h"

#include <string.h>

enum { LISTS_MAX = 8 };

static void read_field(struct draft *draft, const struct node *node, unsigned bytes,
		       struct record_field *field)
{
	const char *to = node_get(node, "to"), *value = node_get(node, "value");
	unsigned low = 0, width = 1;

	if (!node->broken)
		node_bits(draft, node, bytes * 8, &low, &width);
	field->bit = low;
	field->width = (uint8_t)width;
	if (to && to != broken)
		field->loads = target_text(draft, node, to, &field->to);
	field->stores = value && !to;
	expr_read(draft, node, "value", &field->value);
	if (field->stores && field->value.constant && field->value.ops[0].value > ones(width))
		wrong(draft, node, "value=\"%s\" does not fit into %u bits", value, width);
}

/* Fields that only have a name are left out: nothing is done with them. */
static const struct record_field *read_fields(struct draft *draft, const struct node *node,
					      unsigned bytes, uint16_t *count)
{
	struct record_field *fields;
	unsigned room = 0;

	for_each_node(child, node, "field") room++;
	fields = draft_take(draft, struct record_field, room);
	for_each_node(child, node, "field")
	{
		if (node_get(child, "to") || node_get(child, "value"))
			read_field(draft, child, bytes, &fields[(*count)++]);
	}
	return fields;
}

static void read_count(struct draft *draft, const struct node *node, struct record_list *list)
{
	list->in_bytes = node_get(node, "bytes") != NULL;
	if (list->in_bytes && node_get(node, "count"))
		wrong(draft, node, "count= and bytes= say the same twice");
	expr_read(draft, node, list->in_bytes ? "bytes" : "count", &list->count);
}

static bool stores(const struct record_list *list)
{
	for (unsigned i = 0; i < list->fields_count; i++) {
		if (list->fields[i].stores)
			return true;
	}
	return false;
}

static void check_reach(struct draft *draft, const struct node *node, const struct record *record,
			struct record_list *list)
{
	uint32_t end = list->at + (uint32_t)list->size * list->max;

	if (end > RECORD_BYTES)
		wrong(draft, node, "a record with its lists has at most %d bytes, not %u",
		      RECORD_BYTES, end);
	else if (end > record->size && stores(list))
		wrong(draft, node, "what is stored lies within the %u bytes of the record",
		      record->size);
	else
		return;
	list->max = 1;
}

static void read_list(struct draft *draft, const struct node *node, const struct record *record,
		      struct record_list *list)
{
	struct layout element = {.name = record->name, .node = node};
	uint64_t at = 0, size = 1, max = 1;

	node_number(draft, node, "at", UINT64_MAX, &at);
	node_number(draft, node, "size", UINT64_MAX, &size);
	node_number(draft, node, "max", UINT64_MAX, &max);
	list->at = (uint16_t)at;
	list->size = (uint16_t)size;
	list->max = (uint16_t)max;
	read_count(draft, node, list);
	element.size = list->size;
	layout_fields(draft, &element);
	draft->slot = &element;
	draft->speaks |= SPEAKS_INDEX;
	list->fields = read_fields(draft, node, list->size, &list->fields_count);
	draft->no_memory = "in a list";
	actions_read(draft, node, "do", &list->actions);
	draft->no_memory = NULL;
	draft->speaks &= ~(unsigned)SPEAKS_INDEX;
	if (!node->broken)
		check_reach(draft, node, record, list);
}

static void read_order(struct draft *draft, const struct node *node, struct record *record)
{
	static const struct op always = {.code = OP_CONST, .value = 1};
	const char *order = node_get(node, "order");
	uint64_t unit = 4;

	if (!order)
		node_useless(draft, node, "unit", "without order=");
	node_number(draft, node, "unit", UINT64_MAX, &unit);
	if (unit & (unit - 1))
		wrong(draft, node, "unit=\"%s\" is neither 2, 4 nor 8", node_get(node, "unit"));
	record->unit = (uint8_t)unit;
	if (!order || !strcmp(order, "little"))
		return;
	if (!strcmp(order, "big"))
		record->order = (struct expr){&always, 1, true, FORM_CODE};
	else
		expr_read(draft, node, "order", &record->order);
}

static void read_record(struct draft *draft, const struct layout *layout, struct record *record)
{
	const struct node *node = layout->node;
	struct record_list *lists = draft_take(draft, struct record_list, LISTS_MAX);

	record->name = layout->name;
	record->size = layout->size;
	record->lists = lists;
	read_order(draft, node, record);
	if (layout->completes) /* by whoever puts it into a ring */
		return;
	draft->slot = layout;
	record->fields = read_fields(draft, node, record->size, &record->fields_count);
	for_each_node(child, node, "list")
	{
		if (record->lists_count == LISTS_MAX) {
			wrong(draft, child, "more than %d lists in one record", LISTS_MAX);
			break;
		}
		draft->slot = layout;
		read_list(draft, child, record, &lists[record->lists_count++]);
	}
	draft->slot = NULL;
}

void compile_records(struct draft *draft)
{
	struct record *records = draft_take(draft, struct record, draft->layouts_count);

	draft->card->records = records;
	draft->speaks = 0;
	for (unsigned i = 0; i < draft->layouts_count; i++)
		read_record(draft, &draft->layouts[i], &records[i]);
}
