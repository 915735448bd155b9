/* SPDX-License-Identifier: Apache-2.0 */

/* Serial buses: Microwire to an EEPROM, MDIO to a PHY. */
#include "card/draft.h"

#include <string.h>

enum { PINS_MAX = 8, WIRES = 5, IN = 2, OUT = 3 };

static const char *const wires[WIRES] = {"clock", "select", "in", "out", "direction"};

static void check_wires(struct draft *draft, const struct node *node, const struct reg *reg,
			bool mdio)
{
	uint64_t bits[WIRES] = {64, 64, 64, 64, 64};

	for (unsigned i = 0; i < WIRES; i++) {
		node_number(draft, node, wires[i], reg->bytes * 8u - 1, &bits[i]);
		for (unsigned k = 0; k < i; k++) {
			if (bits[i] != bits[k] || bits[i] == 64 || (mdio && k == IN && i == OUT))
				continue;
			wrong(draft, node, "%s= and %s= are the same bit", wires[k], wires[i]);
		}
	}
}

/* The wires that inverted= lists, as a mask of WIRES. */
static unsigned inverted_wires(struct draft *draft, const struct node *node)
{
	const char *text = node_get(node, "inverted");
	unsigned listed = 0;

	for (unsigned i = 0; text && text != broken && i < WIRES; i++) {
		size_t length = strlen(wires[i]);

		for (const char *at = strstr(text, wires[i]); at; at = strstr(at + 1, wires[i])) {
			if ((at == text || at[-1] == ' ') && (!at[length] || at[length] == ' '))
				listed |= 1u << i;
		}
		if (listed >> i & 1 && !node_get(node, wires[i]))
			wrong(draft, node, "inverted=\"%s\": there is no %s=", text, wires[i]);
	}
	return listed;
}

/* The register and its aliases show what comes over the wires. */
static void show_wires(struct draft *draft, uint16_t word)
{
	for_each_symbol(symbol, draft)
	{
		if (symbol->reg && word >= symbol->reg->word &&
		    word < symbol->reg->word + symbol->reg->count)
			symbol->reg->plain = false;
	}
}

static void read_wires(struct draft *draft, const struct node *node, struct pins *pins)
{
	uint8_t *const to[WIRES] = {&pins->clock, &pins->select, &pins->in, &pins->out,
				    &pins->direction};
	const char *of = node_get(node, "of");
	struct symbol *symbol = symbol_kind_find(draft, of, strcspn(of, ".["), SYMBOL_REGISTER);
	unsigned inverted = inverted_wires(draft, node);

	for (unsigned i = 0; i < WIRES; i++) {
		uint64_t bit = NO_WIRE;

		node_number(draft, node, wires[i], UINT64_MAX, &bit);
		*to[i] = (uint8_t)bit;
		if (inverted >> i & 1 && bit < 64)
			pins->inverted |= 1ull << bit;
	}
	if (!symbol)
		return;
	check_wires(draft, node, symbol->reg, pins->mdio);
	symbol->reg->plain = false;
	show_wires(draft, pins->word);
}

static const struct node *node_called(struct draft *draft, const char *word, const char *name)
{
	for_each_node(node, draft->root, word)
	{
		if (!strcmp(node_get(node, "name") ?: word, name))
			return node;
	}
	return NULL;
}

static void read_microwire(struct draft *draft, const struct node *node, struct pins *pins, int to)
{
	const struct node *eeprom = node_called(draft, "eeprom", node_get(node, "to"));
	uint64_t address_bits = 6, dummy = 0;

	node_number(draft, node, "address-bits", UINT64_MAX, &address_bits);
	node_number(draft, node, "dummy", UINT64_MAX, &dummy);
	pins->address_bits = (uint8_t)address_bits;
	pins->dummy = (uint8_t)dummy;
	pins->lsb = node_choice(node, "order") == 1;
	node_useless(draft, node, "direction", "for an <eeprom>");
	if (!node_get(node, "select"))
		wrong(draft, node, "<pins> of an <eeprom> need select=");
	if (!eeprom)
		wrong(draft, node, "to=\"%s\" is neither the <eeprom> nor a <phy>",
		      node_get(node, "to"));
	else if (!eeprom->broken && draft->card->banks[to].regs[0].count > 1u << address_bits)
		wrong(draft, node, "address-bits= do not reach the %u words of the EEPROM",
		      draft->card->banks[to].regs[0].count);
}

static void read_mdio(struct draft *draft, const struct node *node, const struct node *phy,
		      struct pins *pins)
{
	static const char *const useless[] = {"select", "address-bits", "dummy", "order"};
	uint64_t chip = 1;

	node_number(draft, phy, "address", UINT64_MAX, &chip);
	pins->chip = (uint8_t)chip;
	for (unsigned i = 0; i < sizeof(useless) / sizeof(*useless); i++)
		node_useless(draft, node, useless[i], "for a <phy>");
	if (node_get(node, "in") != broken && node_get(node, "out") != broken &&
	    !strcmp(node_get(node, "in"), node_get(node, "out")) && !node_get(node, "direction"))
		wrong(draft, node, "in= and out= are one wire: direction= must say who drives it");
}

static void read_pins(struct draft *draft, const struct node *node, struct pins *pins)
{
	int to = bank_read_name(draft, node, "to");
	const struct node *phy = to < 0 ? NULL : node_called(draft, "phy", node_get(node, "to"));
	struct target target;

	pins->mdio = phy != NULL;
	if (place_read(draft, node, "of", true, &target)) {
		pins->word = target.word;
		read_wires(draft, node, pins);
	}
	expr_read(draft, node, "when", &pins->when);
	if (to < 0)
		return;
	pins->to = (uint16_t)to;
	if (phy)
		read_mdio(draft, node, phy, pins);
	else
		read_microwire(draft, node, pins, to);
}

void compile_pins(struct draft *draft)
{
	struct pins *list = draft_take(draft, struct pins, PINS_MAX);

	draft->card->pins = list;
	for_each_node(node, draft->root, "pins")
	{
		if (draft->card->pins_count == PINS_MAX) {
			wrong(draft, node, "more than %d <pins>", PINS_MAX);
			return;
		}
		read_pins(draft, node, &list[draft->card->pins_count++]);
	}
}
