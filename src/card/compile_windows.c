/* SPDX-License-Identifier: Apache-2.0 */

/* Command windows: what stands in front of an EEPROM or a PHY. */
#include "card/draft.h"

#include <string.h>

enum { WINDOWS_MAX = 32, NOWHERE = UINT16_MAX };

static unsigned count_limited(struct draft *draft, const char *word, unsigned limit)
{
	unsigned count = 0;

	for_each_node(node, draft->root, word)
	{
		if (count++ == limit)
			wrong(draft, node, "more than %u <%s>", limit, word);
	}
	return count < limit ? count : limit;
}

/* The first register a condition looks at: writing it is what starts the transfer. */
static bool trigger_of(struct draft *draft, const struct node *node, const char *attribute,
		       const struct expr *when, int *trigger)
{
	int word = -1;

	for (unsigned i = 0; i < when->count && word < 0; i++) {
		if (when->ops[i].code == OP_STATE)
			word = when->ops[i].word;
	}
	if (!when->count)
		return true;
	if (word < 0)
		wrong(draft, node, "%s= names no register whose write would start the transfer",
		      attribute);
	else if (*trigger >= 0 && *trigger != word)
		wrong(draft, node, "read-when= and write-when= begin with two different registers");
	*trigger = word;
	return word >= 0;
}

static void read_trigger(struct draft *draft, const struct node *node, struct window *window)
{
	int trigger = -1;

	expr_read(draft, node, "read-when", &window->read_when);
	expr_read(draft, node, "write-when", &window->write_when);
	trigger_of(draft, node, "read-when", &window->read_when, &trigger);
	trigger_of(draft, node, "write-when", &window->write_when, &trigger);
	if (trigger < 0)
		return;
	window->trigger = (uint16_t)trigger;
	window->trigger_count = 1;
}

/* Index and data: every register that shares the data's word leads to the bank. */
static void read_port(struct draft *draft, const struct node *node, struct window *window)
{
	const struct target *data = &window->data_target;
	unsigned bits = data->mask ? 64 - (unsigned)__builtin_clzll(data->mask) : 0;

	node_useless(draft, node, "after", "without read-when= or write-when=");
	if (!bits)
		return;
	if (data->shift || bits % 8) {
		wrong(draft, node,
		      "data=\"%s\": without read-when= and write-when= it is whole bytes, from bit "
		      "0 on",
		      node_get(node, "data"));
		return;
	}
	window->data_bits = (uint8_t)bits;
	for_each_symbol(symbol, draft)
	{
		struct reg *reg = symbol->kind == SYMBOL_REGISTER ? symbol->reg : NULL;

		if (!reg || data->word < reg->word || data->word >= reg->word + reg->count)
			continue;
		if (reg->through || reg->count > 1)
			wrong(draft, node, "data=\"%s\" is %s", node_get(node, "data"),
			      reg->through ? "the data of another window" : "an array");
		reg->through = (uint8_t)(window - draft->card->windows + 1);
		reg->plain = false;
	}
}

static void read_window(struct draft *draft, const struct node *node, struct window *window)
{
	int to = bank_read_name(draft, node, "to");
	uint64_t unit;

	window->to = to < 0 ? NOWHERE : (uint16_t)to;
	expr_read(draft, node, "index", &window->index);
	expr_read(draft, node, "chip", &window->chip);
	if (node_number(draft, node, "unit", UINT64_MAX, &unit))
		window->unit = (uint16_t)unit;
	if (place_read(draft, node, "data", false, &window->data_target))
		expr_read(draft, node, "data", &window->data);
	if (!node_get(node, "read-when") && !node_get(node, "write-when"))
		read_port(draft, node, window);
	else
		read_trigger(draft, node, window);
	expr_read(draft, node, "after", &window->after);
	actions_read(draft, node, "done", &window->done);
}

/* A transfer that starts a transfer could go on for ever. */
static void check_nesting(struct draft *draft, const struct node *node, const struct window *window)
{
	const struct bank *bank = &draft->card->banks[window->to];

	if (window->to == NOWHERE)
		return;
	for (unsigned i = 0; i < draft->card->windows_count; i++) {
		const struct window *other = &draft->card->windows[i];

		for (unsigned k = 0; k < bank->regs_count && other->trigger_count; k++) {
			const struct reg *reg = &bank->regs[k];

			if (other->trigger < reg->word || other->trigger >= reg->word + reg->count)
				continue;
			wrong(draft, node,
			      "bank %s has %s, which starts a window: windows do not nest",
			      bank->name, reg->name);
			return;
		}
	}
}

void compile_windows(struct draft *draft)
{
	struct card *card = draft->card;
	struct window *windows;
	unsigned i = 0, count = count_limited(draft, "window", WINDOWS_MAX);

	card->windows = windows = draft_take(draft, struct window, count);
	card->windows_count = (uint8_t)count;
	for (const struct node *node = node_first(draft->root->child, "window"); node && i < count;
	     node = node_first(node->next, "window"))
		read_window(draft, node, &windows[i++]);
	i = 0;
	for (const struct node *node = node_first(draft->root->child, "window"); node && i < count;
	     node = node_first(node->next, "window"))
		check_nesting(draft, node, &windows[i++]);
}
