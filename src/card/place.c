/* SPDX-License-Identifier: Apache-2.0 */

/* Places: REG, REG.FIELD, REG[k], REG[k].FIELD, REG[HIGH:LOW]. */
#include "card/draft.h"
#include "card/parser.h"

#include <string.h>

static bool place_field(struct draft *draft, const struct node *node, const struct reg *reg,
			const char *name, struct target *target)
{
	size_t length = strlen(name);
	const struct field *field = reg_field(reg, name, length);

	if (!field) {
		wrong(draft, node, "%s has no field \"%s\"%s", reg->name, name,
		      field_hint(draft, reg, name, length));
		return false;
	}
	target->shift = field->shift;
	target->mask = ones(field->width) << field->shift;
	return true;
}

static bool place_bits(struct draft *draft, const struct node *node, const struct reg *reg,
		       const char *text, struct target *target)
{
	size_t length = strlen(text);
	unsigned high, low;
	char bits[12];

	target->mask = reg->valid;
	if (!*text)
		return true;
	if (*text == '.')
		return place_field(draft, node, reg, text + 1, target);
	snprintf(bits, sizeof(bits), "%.*s", (int)(length > 2 ? length - 2 : 0), text + 1);
	if (*text != '[' || text[length - 1] != ']' || length > 13 ||
	    !text_bits(bits, &low, &high) || high < low || high >= reg->bytes * 8u) {
		wrong(draft, node, "\"%s\" is not a part of %s", text, reg->name);
		return false;
	}
	target->shift = (uint8_t)low;
	target->mask = ones(high - low + 1) << low;
	return true;
}

/* What is behind the bracket that closes the one at TEXT; NULL: none does. */
static const char *behind_bracket(const char *text)
{
	unsigned open = 0;

	for (; *text; text++) {
		open += *text == '[';
		if (*text == ']' && !--open)
			return text + 1;
	}
	return NULL;
}

static bool place_element(struct draft *draft, const struct node *node, const struct symbol *symbol,
			  const char **rest, struct target *target)
{
	const char *behind = **rest == '[' ? behind_bracket(*rest) : NULL;
	const struct expr *index = &target->index;

	if (!behind) {
		wrong(draft, node, "%s is an array: which element is meant?", symbol->name);
		return false;
	}
	target->count = symbol->reg->count;
	if (!expr_text(draft, node,
		       arena_text(&draft->arena, *rest + 1, (size_t)(behind - *rest - 2)),
		       &target->index))
		return false;
	if (index->constant && index->ops[0].value >= symbol->reg->count) {
		wrong(draft, node, "%s has %u elements, from 0 on", symbol->name,
		      symbol->reg->count);
		return false;
	}
	*rest = behind;
	return true;
}

bool target_text(struct draft *draft, const struct node *node, const char *text,
		 struct target *target)
{
	size_t length = name_length(text);
	struct symbol *symbol = symbol_kind_find(draft, text, length, SYMBOL_REGISTER);
	const char *rest = text + length;

	*target = (struct target){.count = 1};
	if (!symbol) {
		wrong(draft, node, "\"%s\" is not a register or a part of one%s", text,
		      symbol_hint(draft, text, length, SYMBOL_REGISTER));
		return false;
	}
	if (symbol->node->broken)
		return false;
	target->word = symbol->reg->word;
	if (symbol->reg->count > 1 && !place_element(draft, node, symbol, &rest, target))
		return false;
	return place_bits(draft, node, symbol->reg, rest, target);
}

bool place_read(struct draft *draft, const struct node *node, const char *attribute, bool whole,
		struct target *target)
{
	const char *text = node_get(node, attribute);

	if (!text || text == broken || !target_text(draft, node, text, target))
		return false;
	if (target->index.count && !target->index.constant) {
		wrong(draft, node, "%s=\"%s\": the element must be a number", attribute, text);
		return false;
	}
	if (whole && strpbrk(text, ".:")) {
		wrong(draft, node, "%s=\"%s\": expected a whole register", attribute, text);
		return false;
	}
	if (target->index.count)
		target->word = (uint16_t)(target->word + target->index.ops[0].value);
	target->index = (struct expr){0};
	target->count = 1;
	return true;
}
