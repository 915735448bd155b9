/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Action lists: "verb operands [if condition]; …", or "PLACE = expression".
 * A place is REG, REG.FIELD, REG[k], REG[k].FIELD or REG[HIGH:LOW].
 */
#include "card/draft.h"

#include <ctype.h>
#include <string.h>

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

static size_t word_length(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) || text[length] == '_' || text[length] == '-')
		length++;
	return length;
}

static const char *rest_copy(struct draft *draft, const char *text, size_t length)
{
	const char *begin = skip(text);

	length -= (size_t)(begin - text) < length ? (size_t)(begin - text) : length;
	return arena_text(&draft->arena, begin, length);
}

static bool target_bits(struct draft *draft, const struct node *node, const struct reg *reg,
			const char *text, struct target *target)
{
	unsigned shift = 0, width = reg->bytes * 8, high, low;
	const struct field *field;
	int end = 0, one = 0;

	if (*text == '.') {
		field = reg_field(reg, text + 1, word_length(text + 1));
		if (!field) {
			wrong(draft, node, "%s has no field %s", reg->name, text + 1);
			return false;
		}
		shift = field->shift;
		width = field->width;
	} else if (sscanf(text, "[%u:%u]%n", &high, &low, &end) == 2 && end && !text[end] &&
		   high >= low && high < width) {
		shift = low;
		width = high - low + 1;
	} else if (sscanf(text, "[%u]%n", &high, &one) == 1 && one && !text[one] && high < width) {
		shift = high;
		width = 1;
	} else if (*text) {
		wrong(draft, node, "\"%s\" is not a part of %s", text, reg->name);
		return false;
	}
	target->shift = (uint8_t)shift;
	target->mask = (width == 64 ? UINT64_MAX : (1ull << width) - 1) << shift;
	return true;
}

bool target_text(struct draft *draft, const struct node *node, const char *text,
		 struct target *target)
{
	size_t length = word_length(text);
	struct symbol *symbol = symbol_find(draft, text, length);
	const char *rest = text + length;

	*target = (struct target){.count = 1};
	if (!symbol || symbol->kind != SYMBOL_REGISTER) {
		wrong(draft, node, "\"%s\" is not a register or a part of one", text);
		return false;
	}
	target->word = symbol->reg->word;
	if (symbol->reg->count > 1) {
		const char *close = *rest == '[' ? strchr(rest, ']') : NULL;

		if (!close) {
			wrong(draft, node, "%s is an array: \"%s\" must say which element",
			      symbol->name, text);
			return false;
		}
		target->count = symbol->reg->count;
		if (!expr_text(draft, node, rest_copy(draft, rest + 1, (size_t)(close - rest - 1)),
			       &target->index))
			return false;
		rest = close + 1;
	}
	return target_bits(draft, node, symbol->reg, rest, target);
}

static bool operand(struct draft *draft, const struct node *node, const char *name,
		    enum symbol_kind kind, struct action *action)
{
	static const char *const kinds[] = {"register", "ring", "timer", "reset list", "bank"};

	for (unsigned i = 0; i < draft->symbols_count; i++) {
		if (draft->symbols[i].kind == kind && !strcmp(draft->symbols[i].name, name)) {
			action->operand = draft->symbols[i].index;
			return true;
		}
	}
	wrong(draft, node, "no %s has the name \"%s\"", kinds[kind], name);
	return false;
}

static bool copy_action(struct draft *draft, const struct node *node, const char *text,
			struct action *action)
{
	char from[64], to[64];
	unsigned count = 1;
	struct target source;

	if (sscanf(text, "%63s to %63s count %u", from, to, &count) < 2 || !count ||
	    !target_text(draft, node, from, &source) ||
	    !target_text(draft, node, to, &action->target)) {
		wrong(draft, node, "\"copy %s\": expected A[k] to B[k] count N", text);
		return false;
	}
	if ((source.index.count && !source.index.constant) ||
	    (action->target.index.count && !action->target.index.constant)) {
		wrong(draft, node, "\"copy %s\": elements are given by numbers", text);
		return false;
	}
	action->source = source.word;
	if (source.index.count)
		action->source = (uint16_t)(source.word + source.index.ops[0].value);
	if (action->target.index.count)
		action->target.word =
			(uint16_t)(action->target.word + action->target.index.ops[0].value);
	action->count = (uint16_t)count;
	if (action->source + count > draft->words || action->target.word + count > draft->words) {
		wrong(draft, node, "\"copy %s\" goes beyond the registers", text);
		return false;
	}
	return true;
}

static const struct verb_word {
	const char *word;
	uint8_t verb;
	int8_t kind; /* of its operand; -1: a place */
} verb_words[] = {
	{"set", VERB_SET, -1},
	{"clear", VERB_CLEAR, -1},
	{"raise", VERB_RAISE, -1},
	{"reset", VERB_RESET, SYMBOL_RESET},
	{"wake", VERB_WAKE, SYMBOL_RING},
	{"start", VERB_START, SYMBOL_RING},
	{"stop", VERB_STOP, SYMBOL_RING},
	{"arm", VERB_ARM, SYMBOL_TIMER},
	{"cancel", VERB_CANCEL, SYMBOL_TIMER},
	{"copy", VERB_COPY, -2},
};

static bool item_read(struct draft *draft, const struct node *node, const char *text,
		      struct action *action)
{
	size_t length = word_length(text);
	const char *equals;

	for (unsigned i = 0; i < sizeof(verb_words) / sizeof(*verb_words); i++) {
		const struct verb_word *verb = &verb_words[i];
		const char *rest = skip(text + length);

		if (strlen(verb->word) != length || memcmp(verb->word, text, length))
			continue;
		action->verb = verb->verb;
		if (verb->kind == -2)
			return copy_action(draft, node, rest, action);
		if (verb->kind == -1)
			return target_text(draft, node, rest, &action->target);
		return operand(draft, node, rest, (enum symbol_kind)verb->kind, action);
	}
	equals = strstr(text, " = ");
	if (!equals) {
		wrong(draft, node, "\"%s\" is neither a verb with its operand nor PLACE = value",
		      text);
		return false;
	}
	action->verb = VERB_ASSIGN;
	return target_text(draft, node,
			   rest_copy(draft, text, trimmed(text, (size_t)(equals - text))),
			   &action->target) &&
	       expr_text(draft, node, equals + 3, &action->value);
}

static bool item(struct draft *draft, const struct node *node, const char *text, size_t length,
		 struct action *action)
{
	char *copy = arena_text(&draft->arena, text, trimmed(text, length));
	char *condition = strstr(copy, " if ");

	if (condition) {
		*condition = 0;
		if (!expr_text(draft, node, condition + 4, &action->when))
			return false;
	}
	return item_read(draft, node, copy, action);
}

bool actions_read(struct draft *draft, const struct node *node, const char *attribute,
		  struct actions *actions)
{
	struct action list[CARD_LIST_MAX] = {0};
	const char *text = node_get(node, attribute);
	unsigned count = 0;

	if (!text)
		return false;
	for (text = skip(text); *text; text = skip(text)) {
		size_t length = strcspn(text, ";");

		if (count == CARD_LIST_MAX) {
			wrong(draft, node, "more than %d actions in one list", CARD_LIST_MAX);
			return false;
		}
		if (trimmed(text, length) && item(draft, node, text, length, &list[count]))
			count++;
		text += length + (text[length] == ';');
	}
	actions->list =
		memcpy(draft_take(draft, struct action, count), list, count * sizeof(*list));
	actions->count = (uint16_t)count;
	return true;
}

void writes_read(struct draft *draft, const struct node *node, const char *attribute,
		 struct complete *complete)
{
	struct write_field list[CARD_LIST_MAX] = {0};
	const char *text = node_get(node, attribute);
	unsigned count = 0, low, width;

	for (text = text ? skip(text) : ""; *text; text = skip(text)) {
		size_t length = strcspn(text, ";"), name = word_length(text);
		const char *copy = arena_text(&draft->arena, text, trimmed(text, length));
		const char *equals = strstr(copy, " = ");

		text += length + (text[length] == ';');
		if (!equals || !layout_field(draft->slot, copy, name, &low, &width)) {
			wrong(draft, node, "\"%s\": expected FIELD = value, FIELD of the record",
			      copy);
			continue;
		}
		if (count == CARD_LIST_MAX ||
		    !expr_text(draft, node, equals + 3, &list[count].value))
			continue;
		list[count].bit = (uint16_t)low;
		list[count++].width = (uint8_t)width;
	}
	complete->writes =
		memcpy(draft_take(draft, struct write_field, count), list, count * sizeof(*list));
	complete->writes_count = (uint8_t)count;
}
