/* SPDX-License-Identifier: Apache-2.0 */

/* Action lists: "verb operands [if condition]; …", or "PLACE = expression". */
#include "card/draft.h"
#include "card/parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CARD_ACTIONS_MAX = 32768 };

static const char *skip(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static size_t trimmed(const char *text, size_t length)
{
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	return length;
}

static char *copy(struct draft *draft, const char *text, size_t length)
{
	const char *from = skip(text);

	length = length > (size_t)(from - text) ? length - (size_t)(from - text) : 0;
	return arena_text(&draft->arena, from, trimmed(from, length));
}

static bool operand(struct draft *draft, const struct node *node, const char *name,
		    enum symbol_kind kind, struct action *action)
{
	static const char *const kinds[] = {"register",	  "ring", "timer",
					    "reset list", "bank", "memory"};
	struct symbol *symbol = symbol_kind_find(draft, name, strlen(name), kind);

	if (symbol) {
		action->operand = symbol->index;
		return true;
	}
	wrong(draft, node, "no %s has the name \"%s\"%s", kinds[kind], name,
	      symbol_hint(draft, name, strlen(name), (int)kind));
	return false;
}

/* COUNT elements from here on, within the array the text names. */
static bool copy_place(struct draft *draft, const struct node *node, const char *text,
		       unsigned count, struct target *target)
{
	struct symbol *symbol = symbol_kind_find(draft, text, name_length(text), SYMBOL_REGISTER);
	uint64_t first;

	if (!target_text(draft, node, text, target))
		return false;
	if (target->mask != symbol->reg->valid ||
	    (target->index.count && !target->index.constant)) {
		wrong(draft, node, "\"%s\": copy takes whole registers, elements by number", text);
		return false;
	}
	first = target->index.count ? target->index.ops[0].value : 0;
	target->word = (uint16_t)(target->word + first);
	target->index = (struct expr){0};
	if (first + count <= symbol->reg->count)
		return true;
	wrong(draft, node, "\"%s\": %u elements from there are more than %s has", text, count,
	      symbol->name);
	return false;
}

/* A to B [count N] */
static bool copy_action(struct draft *draft, const struct node *node, const char *text,
			struct action *action)
{
	const char *to = strstr(text, " to "), *counted = to ? strstr(to, " count ") : NULL;
	struct target source;
	uint64_t count = 1;

	if (!to || (counted &&
		    (!text_number(skip(counted + 7), &count) || !count || count > UINT16_MAX))) {
		wrong(draft, node, "\"copy %s\": expected A[k] to B[k] count N", text);
		return false;
	}
	to += 4;
	if (!copy_place(draft, node, copy(draft, text, (size_t)(to - 4 - text)), (unsigned)count,
			&source) ||
	    !copy_place(draft, node, copy(draft, to, counted ? (size_t)(counted - to) : strlen(to)),
			(unsigned)count, &action->target))
		return false;
	action->source = source.word;
	action->count = (uint16_t)count;
	return true;
}

/* RECORD at EXPR */
static bool record_action(struct draft *draft, const struct node *node, const char *word,
			  const char *text, struct action *action)
{
	const char *at = strstr(text, " at ");
	const struct layout *layout;
	char *name;

	if (!at) {
		wrong(draft, node, "\"%s %s\": expected %s RECORD at ADDRESS", word, text, word);
		return false;
	}
	if (draft->no_memory) {
		wrong(draft, node, "%s has no meaning %s", word, draft->no_memory);
		return false;
	}
	name = copy(draft, text, (size_t)(at - text));
	layout = layout_named(draft, node, word, name);
	if (!layout)
		return false;
	if (layout->completes) {
		wrong(draft, node, "record %s is put into rings", layout->name);
		return false;
	}
	action->operand = (uint16_t)(layout - draft->layouts);
	return expr_text(draft, node, skip(at + 4), &action->value);
}

/* RING [at EXPR] */
static bool start_action(struct draft *draft, const struct node *node, const char *text,
			 struct action *action)
{
	const char *at = strstr(text, " at ");
	const char *name = at ? copy(draft, text, (size_t)(at - text)) : text;

	if (!operand(draft, node, name, SYMBOL_RING, action))
		return false;
	if (draft->card->rings[action->operand].counted) {
		wrong(draft, node, "%s has count=: it is opened rather than started", name);
		return false;
	}
	draft->starts |= 1u << action->operand;
	return !at || expr_text(draft, node, skip(at + 4), &action->value);
}

/* NAME [with EXPR] */
static bool call_action(struct draft *draft, const struct node *node, const char *word,
			const char *text, struct action *action)
{
	const char *with = strstr(text, " with ");
	const char *name = with ? copy(draft, text, (size_t)(with - text)) : text;
	struct card *card = draft->card;

	if (!draft->module) {
		wrong(draft, node, "\"%s %s\": the card has no <module>", word, name);
		return false;
	}
	if (action->verb == VERB_COMMAND && draft->no_memory) {
		wrong(draft, node, "%s has no meaning %s", word, draft->no_memory);
		return false;
	}
	if (name_length(name) != strlen(name)) {
		wrong(draft, node, "\"%s %s\": expected %s NAME with VALUE", word, text, word);
		return false;
	}
	draft->verbs |= action->verb == VERB_CALL   ? CALLS_CALL
			: action->verb == VERB_KICK ? CALLS_KICK
						    : CALLS_COMMAND;
	while (action->operand < card->called_count && strcmp(draft->called[action->operand], name))
		action->operand++;
	if (action->operand == CARD_CALLED_MAX) {
		wrong(draft, node, "more than %d names of call, kick and command", CARD_CALLED_MAX);
		return false;
	}
	if (action->operand == card->called_count)
		draft->called[card->called_count++] = name;
	return !with || expr_text(draft, node, skip(with + 6), &action->value);
}

/* RING, or RING[EXPR] of a counted one */
static bool ring_action(struct draft *draft, const struct node *node, const char *text,
			struct action *action)
{
	const struct symbol *symbol = ring_text(draft, node, text, &action->value);

	if (!symbol)
		return false;
	action->operand = symbol->index;
	if (node_get(symbol->node, "count") || action->verb == VERB_WAKE)
		return true;
	wrong(draft, node, "%s has no count=: it is neither opened nor closed", symbol->name);
	return false;
}

/* RECORD in RING */
static bool produce_action(struct draft *draft, const struct node *node, const char *text,
			   struct action *action)
{
	const char *in = strstr(text, " in ");

	if (!in) {
		wrong(draft, node, "\"produce %s\": expected produce RECORD in RING", text);
		return false;
	}
	if (draft->no_memory) {
		wrong(draft, node, "produce has no meaning %s", draft->no_memory);
		return false;
	}
	action->produced =
		produced_text(draft, node, copy(draft, text, (size_t)(in - text)), skip(in + 4));
	return action->produced;
}

/* vector EXPR [after EXPR] */
static bool message_action(struct draft *draft, const struct node *node, const char *text,
			   struct action *action)
{
	const char *after = strstr(text, " after ");
	struct expr *until;

	if (!after || action->verb != VERB_MESSAGE)
		return expr_text(draft, node, text, &action->value);
	action->after = until = draft_take(draft, struct expr, 1);
	return expr_text(draft, node, copy(draft, text, (size_t)(after - text)), &action->value) &&
	       expr_text(draft, node, skip(after + 7), until);
}

enum {
	OPERAND_PLACE = -1,
	OPERAND_COPY = -2,
	OPERAND_RECORD = -3,
	OPERAND_START = -4,
	OPERAND_RING = -5,
	OPERAND_PRODUCE = -6,
	OPERAND_VECTOR = -7,
	OPERAND_CALL = -8,
};

static const struct verb_word {
	const char *word;
	uint8_t verb;
	int8_t kind; /* of its operand */
} verb_words[] = {
	{"set", VERB_SET, OPERAND_PLACE},	    {"clear", VERB_CLEAR, OPERAND_PLACE},
	{"raise", VERB_RAISE, OPERAND_PLACE},	    {"reset", VERB_RESET, SYMBOL_RESET},
	{"wake", VERB_WAKE, OPERAND_RING},	    {"start", VERB_START, OPERAND_START},
	{"stop", VERB_STOP, SYMBOL_RING},	    {"arm", VERB_ARM, SYMBOL_TIMER},
	{"cancel", VERB_CANCEL, SYMBOL_TIMER},	    {"copy", VERB_COPY, OPERAND_COPY},
	{"negotiate", VERB_NEGOTIATE, SYMBOL_BANK}, {"load", VERB_LOAD, OPERAND_RECORD},
	{"store", VERB_STORE, OPERAND_RECORD},	    {"produce", VERB_PRODUCE, OPERAND_PRODUCE},
	{"open", VERB_OPEN, OPERAND_RING},	    {"close", VERB_CLOSE, OPERAND_RING},
	{"mask", VERB_MASK, OPERAND_VECTOR},	    {"unmask", VERB_UNMASK, OPERAND_VECTOR},
	{"call", VERB_CALL, OPERAND_CALL},	    {"kick", VERB_KICK, OPERAND_CALL},
	{"command", VERB_COMMAND, OPERAND_CALL},
};

static const char *vector_text(const char *text)
{
	return strncmp(text, "vector ", 7) ? NULL : skip(text + 7);
}

static bool verb_read(struct draft *draft, const struct node *node, const struct verb_word *verb,
		      const char *rest, struct action *action)
{
	const char *vector = vector_text(rest);

	action->verb = verb->verb;
	if (verb->verb == VERB_RAISE && vector) {
		action->verb = VERB_MESSAGE;
		return message_action(draft, node, vector, action);
	}
	if (!*rest) {
		wrong(draft, node, "\"%s\" of what?", verb->word);
		return false;
	}
	if (verb->kind == OPERAND_VECTOR && vector)
		return message_action(draft, node, vector, action);
	if (verb->kind == OPERAND_VECTOR) {
		wrong(draft, node, "\"%s %s\": expected %s vector NUMBER", verb->word, rest,
		      verb->word);
		return false;
	}
	if (verb->kind == OPERAND_RING)
		return ring_action(draft, node, rest, action);
	if (verb->kind == OPERAND_PRODUCE)
		return produce_action(draft, node, rest, action);
	if (verb->kind == OPERAND_COPY)
		return copy_action(draft, node, rest, action);
	if (verb->kind == OPERAND_START)
		return start_action(draft, node, rest, action);
	if (verb->kind == OPERAND_RECORD)
		return record_action(draft, node, verb->word, rest, action);
	if (verb->kind == OPERAND_CALL)
		return call_action(draft, node, verb->word, rest, action);
	if (verb->kind == OPERAND_PLACE)
		return target_text(draft, node, rest, &action->target);
	if (!operand(draft, node, rest, (enum symbol_kind)verb->kind, action))
		return false;
	if (verb->verb == VERB_ARM)
		draft->arms |= 1ull << action->operand;
	return true;
}

/* The number that is written must fit where it goes. */
static bool fits(struct draft *draft, const struct node *node, const char *text,
		 const struct expr *value, uint64_t mask)
{
	if (!value->constant || value->ops[0].value <= mask)
		return true;
	wrong(draft, node, "\"%s\": the number does not fit, 0x%llx is the highest", text,
	      (unsigned long long)mask);
	return false;
}

static bool assign_read(struct draft *draft, const struct node *node, const char *text,
			struct action *action)
{
	const char *equals = strstr(text, " = ");

	action->verb = VERB_ASSIGN;
	return target_text(draft, node, copy(draft, text, (size_t)(equals - text)),
			   &action->target) &&
	       expr_text(draft, node, skip(equals + 3), &action->value) &&
	       fits(draft, node, text, &action->value, action->target.mask >> action->target.shift);
}

static bool item_read(struct draft *draft, const struct node *node, const char *text,
		      struct action *action)
{
	size_t length = name_length(text);
	struct nearest nearest;

	for (unsigned i = 0; i < sizeof(verb_words) / sizeof(*verb_words); i++) {
		const struct verb_word *verb = &verb_words[i];

		if (strlen(verb->word) == length && !memcmp(verb->word, text, length))
			return verb_read(draft, node, verb, skip(text + length), action);
	}
	if (strstr(text, " = "))
		return assign_read(draft, node, text, action);
	nearest = nearest_to(draft, text, length);
	for (unsigned i = 0; i < sizeof(verb_words) / sizeof(*verb_words); i++)
		nearest_offer(&nearest, verb_words[i].word);
	wrong(draft, node, "\"%s\" is neither a verb with its operand nor PLACE = value%s", text,
	      nearest_hint(draft, &nearest));
	return false;
}

static bool item(struct draft *draft, const struct node *node, const char *text, size_t length,
		 struct action *action)
{
	char *whole = copy(draft, text, length), *condition = strstr(whole, " if ");
	bool good = true;

	if (condition) {
		*condition = 0;
		good = expr_text(draft, node, condition + 4, &action->when);
	}
	return item_read(draft, node, copy(draft, whole, strlen(whole)), action) && good;
}

/* So many that no card is meant; said once. */
static bool too_many(struct draft *draft, const struct node *node)
{
	if (draft->actions == CARD_ACTIONS_MAX)
		wrong(draft, node, "more than %d actions in one card", CARD_ACTIONS_MAX);
	return draft->actions++ >= CARD_ACTIONS_MAX;
}

bool actions_read(struct draft *draft, const struct node *node, const char *attribute,
		  struct actions *actions)
{
	struct action list[CARD_LIST_MAX] = {0};
	const char *text = node_get(node, attribute);
	unsigned count = 0;

	if (!text || text == broken)
		return false;
	for (text = skip(text); *text; text = skip(text)) {
		size_t length = strcspn(text, ";");

		if (count == CARD_LIST_MAX) {
			wrong(draft, node, "more than %d actions in %s=", CARD_LIST_MAX, attribute);
			return false;
		}
		if (too_many(draft, node))
			return false;
		if (!trimmed(text, length))
			wrong(draft, node, "%s= has nothing between two ;", attribute);
		else if (item(draft, node, text, length, &list[count]))
			count++;
		text += length + (text[length] == ';');
	}
	actions->list =
		memcpy(draft_take(draft, struct action, count), list, count * sizeof(*list));
	actions->count = (uint16_t)count;
	return true;
}

/* ---- write="FIELD = expression; …" ---- */

static bool write_read(struct draft *draft, const struct node *node, const char *text,
		       struct write_field *write)
{
	const char *equals = strstr(text, " = ");
	size_t length = name_length(text);
	const struct layout_field *field;
	bool failed = false;

	if (!equals || trimmed(text, (size_t)(equals - text)) != length) {
		wrong(draft, node, "\"%s\": expected FIELD = value", text);
		return false;
	}
	field = slot_field_find(draft, node, text, length, &failed);
	if (!field) {
		struct nearest nearest = nearest_to(draft, text, length);

		for (unsigned i = 0; draft->slot && i < draft->slot->fields_count; i++)
			nearest_offer(&nearest, draft->slot->fields[i].name);
		if (draft->slot)
			wrong(draft, node, "\"%s\": record %s has no field %.*s%s", text,
			      draft->slot->name, (int)length, text, nearest_hint(draft, &nearest));
		return false;
	}
	write->bit = field->low;
	write->width = field->width;
	return expr_text(draft, node, skip(equals + 3), &write->value) && !failed &&
	       fits(draft, node, text, &write->value, ones(field->width));
}

void writes_read(struct draft *draft, const struct node *node, const char *attribute,
		 struct complete *complete)
{
	struct write_field list[CARD_LIST_MAX] = {0};
	const char *text = node_get(node, attribute);
	unsigned count = 0;

	if (!text || text == broken)
		return;
	for (text = skip(text); *text; text = skip(text)) {
		size_t length = strcspn(text, ";");

		if (count == CARD_LIST_MAX) {
			wrong(draft, node, "more than %d fields in %s=", CARD_LIST_MAX, attribute);
			return;
		}
		if (!trimmed(text, length))
			wrong(draft, node, "%s= has nothing between two ;", attribute);
		else if (write_read(draft, node, copy(draft, text, length), &list[count]))
			count++;
		text += length + (text[length] == ';');
	}
	complete->writes =
		memcpy(draft_take(draft, struct write_field, count), list, count * sizeof(*list));
	complete->writes_count = (uint8_t)count;
}
