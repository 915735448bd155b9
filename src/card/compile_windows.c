/* SPDX-License-Identifier: Apache-2.0 */

/* Command windows and serial pins: what stands in front of an EEPROM or a PHY. */
#include "card/draft.h"

#include <string.h>

enum { WINDOWS_MAX = 32, PINS_MAX = 8, NOWHERE = UINT16_MAX };

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

/* Index/data form: each register with these bits is a way to the bank. */
static void read_through(struct draft *draft, const struct node *node, struct window *window)
{
	struct target data;

	window->through = true;
	node_useless(draft, node, "after", "without read-when= or write-when=");
	node_useless(draft, node, "done", "without read-when= or write-when=");
	if (!place_read(draft, node, "data", true, &data))
		return;
	for_each_symbol(symbol, draft)
	{
		struct reg *reg = symbol->kind == SYMBOL_REGISTER ? symbol->reg : NULL;

		if (!reg || data.word < reg->word || data.word >= reg->word + reg->count)
			continue;
		if (reg->window || reg->count > 1)
			wrong(draft, node, "data=\"%s\" is %s", node_get(node, "data"),
			      reg->window ? "the data of another window" : "an array");
		reg->window = (uint8_t)(window - draft->card->windows + 1);
		reg->plain = false;
	}
}

static void read_window(struct draft *draft, const struct node *node, struct window *window)
{
	int to = bank_read_name(draft, node, "to");

	window->to = to < 0 ? NOWHERE : (uint16_t)to;
	expr_read(draft, node, "index", &window->index);
	expr_read(draft, node, "chip", &window->chip);
	if (!node_get(node, "read-when") && !node_get(node, "write-when")) {
		read_through(draft, node, window);
		return;
	}
	if (place_read(draft, node, "data", false, &window->data_target))
		expr_read(draft, node, "data", &window->data);
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

static void check_wires(struct draft *draft, const struct node *node, const struct reg *reg)
{
	static const char *const names[] = {"clock", "select", "in", "out"};
	uint64_t bits[4] = {64, 64, 64, 64};

	for (unsigned i = 0; i < 4; i++) {
		node_number(draft, node, names[i], reg->bytes * 8u - 1, &bits[i]);
		for (unsigned k = 0; k < i; k++) {
			if (bits[i] == bits[k] && bits[i] < 64)
				wrong(draft, node, "%s= and %s= are the same bit", names[k],
				      names[i]);
		}
	}
}

static struct reg *reg_of(struct draft *draft, const struct node *node, const char *attribute)
{
	const char *text = node_get(node, attribute);
	struct symbol *symbol = symbol_kind_find(draft, text, strcspn(text, ".["), SYMBOL_REGISTER);

	return symbol ? symbol->reg : NULL;
}

static void read_wires(struct draft *draft, const struct node *node, struct pins *pins)
{
	struct reg *reg = reg_of(draft, node, "of");
	uint64_t clock = 0, select = 0, in = 0, out = 0;

	node_number(draft, node, "clock", UINT64_MAX, &clock);
	node_number(draft, node, "select", UINT64_MAX, &select);
	node_number(draft, node, "in", UINT64_MAX, &in);
	node_number(draft, node, "out", UINT64_MAX, &out);
	pins->clock = (uint8_t)clock;
	pins->select = (uint8_t)select;
	pins->in = (uint8_t)in;
	pins->out = (uint8_t)out;
	if (!reg)
		return;
	check_wires(draft, node, reg);
	reg->plain = false;
	for_each_symbol(symbol, draft)
	{
		if (symbol->reg && pins->word >= symbol->reg->word &&
		    pins->word < symbol->reg->word + symbol->reg->count)
			symbol->reg->plain = false; /* its aliases */
	}
}

static void read_pins(struct draft *draft, const struct node *node, struct pins *pins)
{
	const struct node *eeprom = node_first(draft->root->child, "eeprom");
	int to = bank_read_name(draft, node, "to");
	uint64_t address_bits = 6;
	struct target target;

	if (place_read(draft, node, "of", true, &target)) {
		pins->word = target.word;
		read_wires(draft, node, pins);
	}
	node_number(draft, node, "address-bits", UINT64_MAX, &address_bits);
	pins->address_bits = (uint8_t)address_bits;
	expr_read(draft, node, "when", &pins->when);
	if (to < 0)
		return;
	pins->to = (uint16_t)to;
	if (!eeprom || strcmp(node_get(eeprom, "name") ?: "eeprom", node_get(node, "to")))
		wrong(draft, node, "to=\"%s\" is not the <eeprom>", node_get(node, "to"));
	else if (!eeprom->broken && draft->card->banks[to].regs[0].count > 1u << address_bits)
		wrong(draft, node, "address-bits= do not reach the %u words of the EEPROM",
		      draft->card->banks[to].regs[0].count);
}

void compile_windows(struct draft *draft)
{
	struct card *card = draft->card;
	struct window *windows;
	struct pins *pins;
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
	i = 0;
	count = count_limited(draft, "pins", PINS_MAX);
	card->pins = pins = draft_take(draft, struct pins, count);
	card->pins_count = (uint8_t)count;
	for (const struct node *node = node_first(draft->root->child, "pins"); node && i < count;
	     node = node_first(node->next, "pins"))
		read_pins(draft, node, &pins[i++]);
}
