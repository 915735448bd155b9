/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Completion rings, and what is put into them. A record is compiled once for
 * each place that produces it, since its values may speak of the slot there:
 * what is constant becomes an image, the rest a list of fields to be written.
 */
#include "card/rings.h"

#include <string.h>

/* RING, or RING[EXPR] of a counted one. */
const struct symbol *ring_text(struct draft *draft, const struct node *node, const char *text,
			       struct expr *which)
{
	size_t length = name_length(text), whole = strlen(text);
	struct symbol *symbol = symbol_kind_find(draft, text, length, SYMBOL_RING);
	bool counted, chosen = text[length] == '[' && text[whole - 1] == ']';

	if (!symbol) {
		wrong(draft, node, "no ring has the name \"%.*s\"%s", (int)length, text,
		      symbol_hint(draft, text, length, SYMBOL_RING));
		return NULL;
	}
	if (text[length] && !chosen) {
		wrong(draft, node, "\"%s\" is not a ring, or one of many as NAME[NUMBER]", text);
		return NULL;
	}
	counted = node_get(symbol->node, "count");
	if (counted == chosen)
		return !chosen || expr_text(draft, node,
					    arena_text(&draft->arena, text + length + 1,
						       whole - length - 2),
					    which)
			       ? symbol
			       : NULL;
	wrong(draft, node,
	      counted ? "there are many %s: which one is meant?"
		      : "\"%s\": there is one such ring, without a number",
	      text);
	return NULL;
}

static void produced_field(struct draft *draft, const struct node *node, unsigned size,
			   uint8_t *image, struct produced *produced, struct write_field *writes)
{
	unsigned low = 0, width = 1;
	struct expr value = {0};

	if (node_get(node, "to"))
		wrong(draft, node, "to= has no meaning in what is put into a ring");
	if (node->broken || !node_bits(draft, node, size * 8, &low, &width) ||
	    !expr_read(draft, node, "value", &value))
		return;
	if (!value.constant) {
		writes[produced->writes_count++] =
			(struct write_field){(uint16_t)low, (uint8_t)width, value};
		return;
	}
	if (value.ops[0].value > ones(width))
		wrong(draft, node, "value=\"%s\" does not fit into %u bits",
		      node_get(node, "value"), width);
	for (unsigned i = 0; i < width; i++)
		image[(low + i) / 8] |= (uint8_t)((value.ops[0].value >> i & 1) << (low + i) % 8);
}

static void produced_fields(struct draft *draft, const struct layout *layout,
			    struct produced *produced)
{
	uint8_t *image = draft_take(draft, uint8_t, layout->size + 1u);
	struct write_field *writes;
	unsigned room = 0;

	for_each_node(child, layout->node, "field") room++;
	writes = draft_take(draft, struct write_field, room);
	produced->image = image;
	produced->writes = writes;
	draft->bare_hidden = true;
	for_each_node(child, layout->node, "field")
	{
		if (node_get(child, "value") && produced->writes_count < UINT8_MAX)
			produced_field(draft, child, layout->size, image, produced, writes);
	}
	draft->bare_hidden = false;
	if (node_first(layout->node->child, "list") || node_get(layout->node, "order"))
		wrong(draft, layout->node,
		      "record %s is put into a ring: it has no lists and no order=", layout->name);
}

/* The phase is at one place in all records of a ring. */
static void check_phase(struct draft *draft, const struct node *node, const struct symbol *symbol,
			const struct layout *layout)
{
	struct ring *ring = (struct ring *)&draft->card->rings[symbol->index];
	const char *phase = node_get(symbol->node, "phase");
	const struct layout_field *field;

	if (!phase || phase == broken || layout->node->broken)
		return;
	field = layout_field(layout, phase, strlen(phase));
	if (!field || field->width != 1) {
		wrong(draft, node, "record %s has no field %s of one bit, the phase of ring %s",
		      layout->name, phase, symbol->name);
		return;
	}
	if (ring->phased && ring->phase_bit != field->low)
		wrong(draft, node, "%s is bit %u in record %s, and bit %u in another of ring %s",
		      phase, field->low, layout->name, ring->phase_bit, symbol->name);
	ring->phased = true;
	ring->phase_bit = field->low;
}

/* Slots of a ring without a stride are as long as its records, all of which are. */
static void check_size(struct draft *draft, const struct node *node, const struct symbol *symbol,
		       const struct layout *layout)
{
	struct ring *ring = (struct ring *)&draft->card->rings[symbol->index];
	const char *next = node_get(symbol->node, "next");

	if (layout->size > CARD_SLOT_MAX)
		wrong(draft, node, "a slot has at most %d bytes, record %s %u", CARD_SLOT_MAX,
		      layout->name, layout->size);
	if (!next || strcmp(next, "array"))
		return;
	if (!ring->slot_size)
		ring->slot_size = layout->size;
	if (ring->slot_size != layout->size && !layout->node->broken)
		wrong(draft, node, "the slots of a ring have one size: %u bytes, not %u",
		      ring->slot_size, layout->size);
}

const struct produced *produced_text(struct draft *draft, const struct node *node,
				     const char *record, const char *ring)
{
	struct produced *produced = draft_take(draft, struct produced, 1);
	const struct layout *layout = layout_named(draft, node, "record", record);
	const struct symbol *symbol = ring_text(draft, node, ring, &produced->which);

	if (!layout || !symbol)
		return NULL;
	if (node_choice(symbol->node, "for") >= 0 && node_choice(symbol->node, "for") != 3) {
		wrong(draft, node, "%s is no ring for completion", symbol->name);
		return NULL;
	}
	produced->ring = draft->card->rings[symbol->index].first;
	produced->count = draft->card->rings[symbol->index].count;
	produced->size = (uint8_t)(layout->size > CARD_SLOT_MAX ? CARD_SLOT_MAX : layout->size);
	check_size(draft, node, symbol, layout);
	produced_fields(draft, layout, produced);
	check_phase(draft, node, symbol, layout);
	return produced;
}

/* Of a <complete>: to= and record= */
const struct produced *produced_read(struct draft *draft, const struct node *node)
{
	const char *to = node_get(node, "to"), *record = node_get(node, "record");

	if (to && !record)
		wrong(draft, node, "to= needs record=");
	if (!to)
		node_useless(draft, node, "record", "without to=");
	if (!to || !record || to == broken || record == broken)
		return NULL;
	return produced_text(draft, node, record, to);
}

static void read_tell(struct draft *draft, const struct node *node, struct ring *ring)
{
	read_completes(draft, node, ring, &ring->completes, &ring->completes_count);
	expr_read(draft, node, "vector", &ring->vector);
	expr_read(draft, node, "after", &ring->after);
	if (!node_get(node, "vector"))
		node_useless(draft, node, "after", "without vector=");
}

static const struct symbol *symbol_of(struct draft *draft, const struct node *node)
{
	const char *name = node_get(node, "name");

	return symbol_kind_find(draft, name, strlen(name), SYMBOL_RING);
}

/* A record that somebody else than the description puts in. */
static void read_result(struct draft *draft, const struct node *node, const struct symbol *symbol)
{
	static const char *const others[] = {"when", "key", "first", "last", "do"};
	const struct layout *layout = layout_read(draft, node, "record");

	if (node_choice(node, "as") >= 0 && node_choice(node, "as") != 4)
		wrong(draft, node, "as=\"%s\" has no meaning in a ring for completion",
		      node_get(node, "as"));
	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
		node_useless(draft, node, others[i], "in a ring for completion");
	if (node->child)
		wrong(draft, node->child, "<%s> has no meaning in a ring for completion",
		      node->child->word);
	if (!layout || !symbol)
		return;
	check_size(draft, node, symbol, layout);
	check_phase(draft, node, symbol, layout);
}

void read_completion(struct draft *draft, const struct node *node, struct ring *ring)
{
	static const char *const others[] = {"cursor", "empty", "hold"};

	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
		node_useless(draft, node, others[i], "in a ring for completion");
	if (ring->next != NEXT_ARRAY)
		wrong(draft, node, "a ring for completion is an array");
	for (const struct node *child = node->child; child; child = child->next) {
		if (!strcmp(child->word, "use"))
			read_result(draft, child, symbol_of(draft, node));
		else if (strcmp(child->word, "complete"))
			wrong(draft, child, "<%s> has no meaning in a ring for completion",
			      child->word);
	}
	/* two laps of it tell the phase; what it is read by is in its records */
	if (node_get(node, "phase")) {
		static const struct op phased = {.code = OP_CONST, .value = 1};

		ring->phase = (struct expr){&phased, 1, true, FORM_CODE};
	}
	read_free_running(draft, node, ring);
	read_tell(draft, node, ring);
}
