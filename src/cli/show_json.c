/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static void put_text(json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

static void put_number(json_object *to, const char *key, uint64_t number)
{
	json_object_object_add(to, key, json_object_new_uint64(number));
}

static json_object *bars_of(const struct card *card)
{
	json_object *bars = json_object_new_array();

	for (unsigned i = 0; i < 6; i++) {
		const struct bar *bar = &card->bars[i];

		for (unsigned k = 0; k < bar->parts_count; k++) {
			const struct bar_part *part = &bar->parts[k];
			json_object *one = json_object_new_object();

			put_number(one, "index", i);
			put_text(one, "space", bar->io ? "io" : "memory");
			put_number(one, "size", bar->size);
			put_text(one, "bank", card->banks[part->bank].name);
			json_object_object_add(
				one, "index_data",
				json_object_new_boolean(part->index_at != part->data_at));
			json_object_array_add(bars, one);
		}
	}
	return bars;
}

static void put_doc(json_object *to, const struct node *node)
{
	if (node && node_get(node, "doc"))
		put_text(to, "doc", node_get(node, "doc"));
}

static json_object *fields_of(const struct reg *reg, const struct node *node)
{
	json_object *fields = json_object_new_array();

	for (unsigned i = 0; i < reg->fields_count; i++) {
		const struct field *field = &reg->fields[i];
		json_object *one = json_object_new_object();

		put_text(one, "name", field->name);
		put_number(one, "low", field->shift);
		put_number(one, "width", field->width);
		put_text(one, "access", show_access(reg, show_mask(field)));
		put_doc(one, show_field_node(node, field->name));
		json_object_array_add(fields, one);
	}
	return fields;
}

static json_object *registers_of(const struct card *card, const struct bank *bank)
{
	json_object *registers = json_object_new_array();

	for (unsigned i = 0; i < bank->regs_count; i++) {
		const struct reg *reg = &bank->regs[i];
		const struct node *node = show_register_node(card, bank->name, reg->name);
		json_object *one = json_object_new_object();

		put_text(one, "name", reg->name);
		put_number(one, "at", reg->at);
		put_number(one, "bytes", reg->bytes);
		put_number(one, "count", reg->count);
		put_number(one, "stride", reg->stride);
		put_text(one, "access", show_access(reg, reg->valid));
		put_number(one, "reset", reg->reset);
		put_doc(one, node);
		json_object_object_add(one, "fields", fields_of(reg, node));
		json_object_array_add(registers, one);
	}
	return registers;
}

static json_object *banks_of(const struct card *card)
{
	json_object *banks = json_object_new_array();

	for (unsigned i = 0; i < card->banks_count; i++) {
		json_object *one = json_object_new_object();

		put_text(one, "name", card->banks[i].name);
		put_number(one, "size", card->banks[i].size);
		json_object_object_add(one, "registers", registers_of(card, &card->banks[i]));
		json_object_array_add(banks, one);
	}
	return banks;
}

static json_object *rings_of(const struct card *card)
{
	json_object *rings = json_object_new_array();

	for (unsigned i = 0; i < card->rings_count; i++) {
		const struct ring *ring = &card->rings[i];
		json_object *one = json_object_new_object();

		put_text(one, "name", ring->name);
		put_text(one, "for", show_direction(ring));
		put_number(one, "count", ring->count);
		put_number(one, "slot_size", ring->slot_size);
		put_number(one, "kinds", ring->uses_count);
		json_object_array_add(rings, one);
	}
	return rings;
}

static json_object *accepts_of(const struct filter *filter)
{
	json_object *accepts = json_object_new_array();

	for (unsigned i = 0; i < filter->count; i++) {
		const struct accept *accept = &filter->accepts[i];
		json_object *one = json_object_new_object();

		put_text(one, "class", show_classes[accept->class]);
		json_object_object_add(one, "must", json_object_new_boolean(accept->must));
		if (accept->class == ACCEPT_EXACT)
			put_number(one, "entries", accept->entries);
		else if (accept->words)
			put_number(one, "bits", accept->words * accept->bits);
		json_object_array_add(accepts, one);
	}
	return accepts;
}

static json_object *records_of(const struct card *card)
{
	json_object *records = json_object_new_array();

	for_each_node(record, card->description, "record")
	{
		json_object *one = json_object_new_object(), *fields = json_object_new_array();
		const char *size = node_get(record, "size");

		put_text(one, "name", node_get(record, "name"));
		put_number(one, "size", size ? strtoul(size, NULL, 0) : 0);
		for_each_node(field, record, "field")
		{
			json_object *part = json_object_new_object();
			const char *bits = node_get(field, "bits");
			unsigned low, high;

			if (node_get(field, "name"))
				put_text(part, "name", node_get(field, "name"));
			if (node_get(field, "to"))
				put_text(part, "to", node_get(field, "to"));
			if (bits && text_bits(bits, &low, &high)) {
				put_number(part, "low", low);
				put_number(part, "width", high - low + 1);
			}
			put_doc(part, field);
			json_object_array_add(fields, part);
		}
		json_object_object_add(one, "fields", fields);
		json_object_array_add(records, one);
	}
	return records;
}

static json_object *interrupts_of(const struct card *card)
{
	json_object *interrupts = json_object_new_array();

	for (unsigned i = 0; i < card->interrupts_count; i++) {
		const struct interrupt *interrupt = &card->interrupts[i];
		const struct reg *reg = show_causes(card, interrupt);
		json_object *one = json_object_new_object(), *causes = json_object_new_array();

		for (unsigned k = 0; reg && k < reg->fields_count; k++) {
			const struct field *field = &reg->fields[k];
			json_object *cause;

			if (!(show_mask(field) & interrupt->cause_bits))
				continue;
			cause = json_object_new_object();
			put_text(cause, "name", field->name);
			put_number(cause, "low", field->shift);
			json_object_array_add(causes, cause);
		}
		if (reg)
			put_text(one, "register", reg->name);
		json_object_object_add(one, "causes", causes);
		json_object_array_add(interrupts, one);
	}
	return interrupts;
}

/* In the words of the description. */
static json_object *part_of(const struct node *node)
{
	json_object *one = json_object_new_object(), *attributes = json_object_new_object();
	json_object *parts = node->child ? json_object_new_array() : NULL;

	put_text(one, "word", node->word);
	for (unsigned i = 0; i < node->attributes_count; i++)
		put_text(attributes, node->attributes[i].name, node->attributes[i].value);
	json_object_object_add(one, "attributes", attributes);
	for (const struct node *child = node->child; child; child = child->next)
		json_object_array_add(parts, part_of(child));
	if (parts)
		json_object_object_add(one, "parts", parts);
	return one;
}

static json_object *parts_of(const struct card *card)
{
	json_object *parts = json_object_new_array();

	for (const struct node *node = card->description->child; node; node = node->next) {
		if (show_is_part(node) && strcmp(node->word, "record"))
			json_object_array_add(parts, part_of(node));
	}
	return parts;
}

void show_json(const struct card *card, FILE *out)
{
	json_object *top = json_object_new_object();
	char text[16];

	put_text(top, "name", card->name);
	put_text(top, "title", card->title);
	snprintf(text, sizeof(text), "%04x:%04x", card->vendor, card->device);
	put_text(top, "identity", text);
	snprintf(text, sizeof(text), "%04x:%04x", card->subsystem_vendor, card->subsystem);
	put_text(top, "subsystem", text);
	put_number(top, "revision", card->revision);
	put_number(top, "class", card->class_code);
	if (node_get(card->description, "drivers"))
		put_text(top, "drivers", node_get(card->description, "drivers"));
	json_object_object_add(top, "bars", bars_of(card));
	json_object_object_add(top, "banks", banks_of(card));
	json_object_object_add(top, "rings", rings_of(card));
	json_object_object_add(top, "accepts", accepts_of(&card->filter));
	json_object_object_add(top, "records", records_of(card));
	json_object_object_add(top, "interrupts", interrupts_of(card));
	json_object_object_add(top, "parts", parts_of(card));
	fprintf(out, "%s\n", json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY));
	json_object_put(top);
}
