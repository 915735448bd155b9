/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

static int bank_named(struct draft *draft, const struct node *node, const char *attribute)
{
	const char *name = node_get(node, attribute);

	for (unsigned i = 0; name && i < draft->card->banks_count; i++) {
		if (!strcmp(draft->card->banks[i].name, name))
			return (int)i;
	}
	wrong(draft, node, "%s=\"%s\": no bank has this name", attribute, name ?: "");
	return -1;
}

static void read_window(struct draft *draft, const struct node *node, struct window *window)
{
	int to = bank_named(draft, node, "to");
	const char *when = node_get(node, "read-when") ?: node_get(node, "write-when");
	struct target trigger;
	char name[64];

	expr_read(draft, node, "index", &window->index);
	expr_read(draft, node, "chip", &window->chip);
	expr_read(draft, node, "data", &window->data);
	target_text(draft, node, node_get(node, "data"), &window->data_target);
	expr_read(draft, node, "read-when", &window->read_when);
	expr_read(draft, node, "write-when", &window->write_when);
	expr_read(draft, node, "after", &window->after);
	actions_read(draft, node, "done", &window->done);
	if (to >= 0)
		window->to = (uint16_t)to;
	if (!when) {
		wrong(draft, node, "a window needs read-when=, write-when= or both");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(when, ".[ "), when);
	if (target_text(draft, node, name, &trigger)) {
		window->trigger = trigger.word;
		window->trigger_count = 1;
	}
}

/* One array of 16-bit words from 0 on, which is what the shifter counts in. */
static bool is_words(const struct bank *bank)
{
	return bank->regs_count == 1 && bank->regs->at == 0 && bank->regs->bytes == 2 &&
	       bank->regs->stride == 2;
}

static void read_pins(struct draft *draft, const struct node *node, struct pins *pins)
{
	static const char *const names[] = {"clock", "select", "in", "out"};
	uint8_t *const bits[] = {&pins->clock, &pins->select, &pins->in, &pins->out};
	int to = bank_named(draft, node, "to");
	uint64_t address_bits = 6;
	struct target target;

	if (to >= 0)
		pins->to = (uint16_t)to;
	if (to >= 0 && !is_words(&draft->card->banks[to]))
		wrong(draft, node, "to=\"%s\": expected the words of an <eeprom>",
		      node_get(node, "to"));
	if (target_text(draft, node, node_get(node, "of"), &target))
		pins->word = target.word;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t bit = 0;

		node_number(draft, node, names[i], 63, &bit);
		*bits[i] = (uint8_t)bit;
	}
	node_number(draft, node, "address-bits", 12, &address_bits);
	if (address_bits < 2)
		wrong(draft, node, "address-bits is 2 to 12");
	pins->address_bits = (uint8_t)address_bits;
	expr_read(draft, node, "when", &pins->when);
}

static void unplain(struct draft *draft, uint16_t word)
{
	for (unsigned i = 0; i < draft->symbols_count; i++) {
		struct reg *reg = draft->symbols[i].reg;

		if (reg && word >= reg->word && word < reg->word + reg->count)
			reg->plain = false;
	}
}

/* ---- reset lists ---- */

static bool listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list ?: ""; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		bool stem = word && at[word - 1] == '*';

		if (stem ? !strncmp(at, name, word - 1) : word == length && !memcmp(at, name, word))
			return true;
		at += word;
	}
	return false;
}

static void check_names(struct draft *draft, const struct node *node, const char *attribute)
{
	for (const char *at = node_get(node, attribute) ?: ""; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		if (at[word - 1] != '*' && !symbol_find(draft, at, word))
			wrong(draft, node, "%s: nothing has the name \"%.*s\"", attribute,
			      (int)word, at);
		at += word;
	}
}

static void read_reset(struct draft *draft, const struct node *node, struct reset *reset)
{
	const char *clears = node_get(node, "clears"), *keeps = node_get(node, "keeps");
	uint16_t *words = draft_take(draft, uint16_t, draft->words + 1u);

	check_names(draft, node, "clears");
	check_names(draft, node, "keeps");
	reset->words = words;
	for (unsigned i = 0; i < draft->symbols_count; i++) {
		const struct symbol *symbol = &draft->symbols[i];
		const char *bank;

		if (symbol->kind == SYMBOL_RING && listed(clears, symbol->name))
			reset->rings |= 1u << symbol->index;
		if (symbol->kind != SYMBOL_REGISTER || node_get(symbol->node, "alias"))
			continue;
		bank = draft->card->banks[symbol->bank].name;
		if ((!listed(clears, bank) && !listed(clears, symbol->name)) ||
		    listed(keeps, symbol->name) || !strcmp(symbol->node->word, "eeprom"))
			continue;
		for (unsigned k = 0; k < symbol->reg->count; k++)
			words[reset->words_count++] = (uint16_t)(symbol->reg->word + k);
	}
	actions_read(draft, node, "do", &reset->actions);
}

/* ---- EEPROM contents ---- */

static bool range(struct draft *draft, const struct node *node, const char *text, unsigned limit,
		  unsigned *first, unsigned *last)
{
	if (sscanf(text, "%u-%u", first, last) == 2 && *first <= *last && *last < limit)
		return true;
	wrong(draft, node, "\"%s\": expected FIRST-LAST within the %u words", text, limit);
	return false;
}

enum { MACS_MAX = 8 };

static void read_eeprom(struct draft *draft, const struct node *node, struct mac_part *macs,
			struct sum_part *sums)
{
	struct symbol *symbol = symbol_find(draft, node_get(node, "name") ?: "eeprom",
					    strlen(node_get(node, "name") ?: "eeprom"));
	struct card *card = draft->card;
	unsigned first, last;
	uint64_t value, at;

	if (!symbol || !symbol->reg)
		return;
	for_each_node(child, node, "word")
	{
		if (node_number(draft, child, "at", symbol->reg->count - 1u, &at) &&
		    node_number(draft, child, "value", 0xffff, &value))
			draft->reset_words[symbol->reg->word + at] = value;
	}
	for_each_node(child, node, "mac")
	{
		if (!range(draft, child, node_get(child, "words"), symbol->reg->count, &first,
			   &last))
			continue;
		if (card->macs_count + 3 > MACS_MAX) {
			wrong(draft, child, "more than %d words of <mac>", MACS_MAX);
			return;
		}
		for (unsigned i = first; i <= last && i < first + 3; i++)
			macs[card->macs_count++] =
				(struct mac_part){(uint16_t)(symbol->reg->word + i),
						  (uint8_t)((i - first) * 16), 0xffff};
	}
	for_each_node(child, node, "sum")
	{
		if (!node_number(draft, child, "word", symbol->reg->count - 1u, &at) ||
		    !node_number(draft, child, "total", 0xffff, &value))
			continue;
		sums[0] = (struct sum_part){symbol->reg->word, (uint16_t)(at + 1),
					    (uint16_t)(symbol->reg->word + at), (uint16_t)value};
		card->sums_count = 1;
	}
}

static void read_eeproms(struct draft *draft)
{
	struct mac_part *macs = draft_take(draft, struct mac_part, MACS_MAX);
	struct sum_part *sums = draft_take(draft, struct sum_part, 1);

	draft->card->macs = macs;
	draft->card->sums = sums;
	for_each_node(node, draft->root, "eeprom") read_eeprom(draft, node, macs, sums);
}

/* ---- counters ---- */

static const char *const counted_names[COUNTED] = {
	[COUNT_TX_FRAMES] = "tx.frames",
	[COUNT_TX_BYTES] = "tx.bytes",
	[COUNT_TX_BROADCAST] = "tx.broadcast",
	[COUNT_TX_MULTICAST] = "tx.multicast",
	[COUNT_TX_64] = "tx.64",
	[COUNT_TX_127] = "tx.127",
	[COUNT_TX_255] = "tx.255",
	[COUNT_TX_511] = "tx.511",
	[COUNT_TX_1023] = "tx.1023",
	[COUNT_TX_MAX] = "tx.max",
	[COUNT_TX_SEGMENTED] = "tx.segmented",
	[COUNT_TX_FAULTS] = "tx.faults",
	[COUNT_RX_FRAMES] = "rx.good",
	[COUNT_RX_BYTES] = "rx.bytes",
	[COUNT_RX_BROADCAST] = "rx.broadcast",
	[COUNT_RX_MULTICAST] = "rx.multicast",
	[COUNT_RX_64] = "rx.64",
	[COUNT_RX_127] = "rx.127",
	[COUNT_RX_255] = "rx.255",
	[COUNT_RX_511] = "rx.511",
	[COUNT_RX_1023] = "rx.1023",
	[COUNT_RX_MAX] = "rx.max",
	[COUNT_RX_NO_ROOM] = "rx.no-room",
	[COUNT_RX_FILTERED] = "rx.filtered",
	[COUNT_RX_TOO_LONG] = "rx.too-long",
	[COUNT_RX_TOO_SHORT] = "rx.too-short",
	[COUNT_RX_TOTAL_FRAMES] = "rx.total",
	[COUNT_RX_TOTAL_BYTES] = "rx.total-bytes",
	[COUNT_RX_STOPPED] = "rx.stopped",
};

static void read_counter(struct draft *draft, struct symbol *symbol)
{
	const struct node *node = symbol->node;
	const char *counts = node_get(node, "counts"), *overflow = node_get(node, "on-overflow");
	const char *high = node_get(node, "high");
	struct counter *counter;
	struct target target;
	unsigned event = 0;

	if (!counts)
		return;
	while (event < COUNTED && strcmp(counted_names[event], counts))
		event++;
	if (event == COUNTED) {
		wrong(draft, node, "counts=\"%s\": no such event", counts);
		return;
	}
	counter = (struct counter *)&draft->card->counters[draft->card->counters_count++];
	*counter = (struct counter){.event = (uint8_t)event,
				    .word = symbol->reg->word,
				    .limit = symbol->reg->valid,
				    .high = 0xffff,
				    .stick = overflow && !strcmp(overflow, "stick")};
	if (high && target_text(draft, node, high, &target)) {
		counter->high = target.word;
		for (unsigned i = 0; i < draft->symbols_count; i++) {
			if (draft->symbols[i].reg && draft->symbols[i].reg->word == target.word) {
				draft->symbols[i].reg->clears_also = symbol->reg->word;
				draft->symbols[i].reg->plain = false;
			}
		}
	}
}

static void read_counters(struct draft *draft)
{
	draft->card->counters = draft_take(draft, struct counter, draft->symbols_count);
	for (unsigned i = 0; i < draft->symbols_count; i++) {
		if (!strcmp(draft->symbols[i].node->word, "counter") && draft->symbols[i].reg)
			read_counter(draft, &draft->symbols[i]);
	}
}

static void read_timer(struct draft *draft, const struct node *node, struct card_timer *timer)
{
	timer->name = node_get(node, "name");
	timer->repeat = node_get(node, "every") != NULL;
	expr_read(draft, node, timer->repeat ? "every" : "after", &timer->period);
	expr_read(draft, node, "when", &timer->when);
	actions_read(draft, node, "do", &timer->actions);
}

static void read_event(struct draft *draft, const struct node *node, struct on_event *event)
{
	if (strcmp(node_get(node, "event"), "link"))
		wrong(draft, node, "event=\"%s\": expected link", node_get(node, "event"));
	event->event = EVENT_LINK;
	actions_read(draft, node, "do", &event->actions);
}

void compile_parts(struct draft *draft)
{
	struct card *card = draft->card;
	unsigned i = 0, k;

	for_each_node(node, draft->root, "window")
		read_window(draft, node, (struct window *)&card->windows[i++]);
	i = 0;
	for_each_node(node, draft->root, "pins")
	{
		read_pins(draft, node, (struct pins *)&card->pins[i]);
		unplain(draft, card->pins[i++].word);
	}
	for_each_node(node, draft->root, "reset")
	{
		for (k = 0; strcmp(card->resets[k].name, node_get(node, "name")); k++)
			;
		read_reset(draft, node, (struct reset *)&card->resets[k]);
	}
	i = 0;
	for_each_node(node, draft->root, "timer")
		read_timer(draft, node, (struct card_timer *)&card->timers[i++]);
	i = 0;
	for_each_node(node, draft->root, "on")
		read_event(draft, node, (struct on_event *)&card->events[i++]);
	read_eeproms(draft);
	read_counters(draft);
}
