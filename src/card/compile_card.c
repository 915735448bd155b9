/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <string.h>

static unsigned count_nodes(const struct draft *draft, const char *word)
{
	unsigned count = 0;

	for_each_node(node, draft->root, word) count++;
	return count;
}

/* How many a card may have of what it counts in a byte; rings are bits of a word, too. */
bool counts_check(struct draft *draft)
{
	unsigned before = draft->mistakes->count;
	static const struct {
		const char *word;
		unsigned most;
	} counts[] = {{"ring", 32}, {"timer", 64}, {"window", 64},    {"pins", 64},
		      {"on", 64},   {"reset", 64}, {"interrupt", 64}, {"receive", 1}};

	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		if (count_nodes(draft, counts[i].word) > counts[i].most)
			wrong(draft, draft->root, "more than %u <%s>", counts[i].most,
			      counts[i].word);
	}
	return draft->mistakes->count == before;
}

/* Names of rings, timers and reset lists, so that lists may name what follows them. */
static void name_all(struct draft *draft)
{
	struct card *card = draft->card;
	struct reset *resets;

	card->rings_count = (uint8_t)count_nodes(draft, "ring");
	card->rings = draft_take(draft, struct ring, card->rings_count);
	card->timers_count = (uint8_t)count_nodes(draft, "timer");
	card->timers = draft_take(draft, struct card_timer, card->timers_count);
	card->windows_count = (uint8_t)count_nodes(draft, "window");
	card->windows = draft_take(draft, struct window, card->windows_count);
	card->pins_count = (uint8_t)count_nodes(draft, "pins");
	card->pins = draft_take(draft, struct pins, card->pins_count);
	card->events_count = (uint8_t)count_nodes(draft, "on");
	card->events = draft_take(draft, struct on_event, card->events_count);
	resets = draft_take(draft, struct reset, count_nodes(draft, "reset") + 2);
	card->resets = resets;
	resets[card->resets_count++].name = "power";
	resets[card->resets_count++].name = "function";
	symbol_add(draft, draft->root, "power", SYMBOL_RESET, 0);
	symbol_add(draft, draft->root, "function", SYMBOL_RESET, 1);
	for_each_node(node, draft->root, "reset")
	{
		const char *name = node_get(node, "name");

		if (!strcmp(name, "power") || !strcmp(name, "function"))
			continue;
		symbol_add(draft, node, name, SYMBOL_RESET, card->resets_count);
		resets[card->resets_count++].name = name;
	}
	unsigned i = 0;

	for_each_node(node, draft->root, "ring")
		symbol_add(draft, node, node_get(node, "name"), SYMBOL_RING, i++);
	i = 0;
	for_each_node(node, draft->root, "timer")
		symbol_add(draft, node, node_get(node, "name"), SYMBOL_TIMER, i++);
}

static void read_index_data(struct draft *draft, const struct node *node, struct bar_part *part)
{
	struct target index;
	uint64_t at = 0, data = 0;

	node_number(draft, node, "index", 0xffff, &at);
	node_number(draft, node, "data", 0xffff, &data);
	part->index_at = (uint32_t)at;
	part->data_at = (uint32_t)data;
	if (at == data)
		wrong(draft, node, "index= and data= are two places");
	if (target_text(draft, node, node_get(node, "register"), &index))
		part->index_word = index.word;
}

static void read_bar(struct draft *draft, const struct node *node)
{
	struct bar_part *part = draft_take(draft, struct bar_part, 1);
	uint64_t index = 0, size = 0;
	const char *bank = node_get(node, "bank");
	struct bar *bar;

	node_number(draft, node, "index", 5, &index);
	node_number(draft, node, "size", 1ull << 32, &size);
	bar = &draft->card->bars[index];
	if (bar->size)
		wrong(draft, node, "BAR %u is described twice", (unsigned)index);
	if (size & (size - 1) || size < 4) {
		wrong(draft, node, "size=\"%s\" is not a power of two of at least 4",
		      node_get(node, "size"));
		return;
	}
	*bar = (struct bar){.size = size,
			    .io = !strcmp(node_get(node, "space"), "io"),
			    .parts = part,
			    .parts_count = 1};
	part->size = (uint32_t)size;
	for_each_node(child, node, "index-data")
	{
		read_index_data(draft, child, part);
		bank = node_get(child, "bank");
	}
	for (unsigned i = 0; i < draft->card->banks_count; i++) {
		if (bank && !strcmp(draft->card->banks[i].name, bank)) {
			part->bank = (uint16_t)i;
			return;
		}
	}
	wrong(draft, node, "bank=\"%s\": no bank has this name", bank ?: "");
}

static void read_pci(struct draft *draft, const struct node *node)
{
	struct card *card = draft->card;
	const struct {
		const char *name;
		uint64_t limit;
		void *to;
		unsigned bytes;
	} numbers[] = {
		{"vendor", 0xffff, &card->vendor, 2},
		{"device", 0xffff, &card->device, 2},
		{"subsystem-vendor", 0xffff, &card->subsystem_vendor, 2},
		{"subsystem", 0xffff, &card->subsystem, 2},
		{"revision", 0xff, &card->revision, 1},
		{"class", 0xffffff, &card->class_code, 4},
	};
	const char *interrupt = node_get(node, "interrupt");

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint64_t value;

		if (node_number(draft, node, numbers[i].name, numbers[i].limit, &value))
			memcpy(numbers[i].to, &value, numbers[i].bytes);
	}
	if (!interrupt)
		return;
	if (strlen(interrupt) != 4 || strncmp(interrupt, "INT", 3) || interrupt[3] < 'A' ||
	    interrupt[3] > 'D')
		wrong(draft, node, "interrupt=\"%s\": expected INTA to INTD", interrupt);
	else
		card->interrupt_pin = (uint8_t)(interrupt[3] - 'A' + 1);
}

void compile_function(struct draft *draft)
{
	if (count_nodes(draft, "pci") != 1)
		wrong(draft, draft->root, "a card has exactly one <pci>");
	for_each_node(node, draft->root, "pci") read_pci(draft, node);
	for_each_node(node, draft->root, "bar") read_bar(draft, node);
	name_all(draft);
}

/* ---- receive filter ---- */

static const char *const classes[] = {"all", "broadcast", "multicast", "exact", "hash", "vlan"};

static void read_table(struct draft *draft, const struct node *node, struct accept *accept)
{
	const char *table = node_get(node, "table");
	struct symbol *symbol;
	uint64_t entries = 1;

	if (accept->class < ACCEPT_EXACT)
		return;
	if (!table) {
		wrong(draft, node, "class %s needs a table=", classes[accept->class]);
		return;
	}
	if (accept->class == ACCEPT_EXACT) {
		node_number(draft, node, "entries", 4096, &entries);
		accept->entries = (uint16_t)entries;
		expr_read(draft, node, "table", &accept->table);
		expr_read(draft, node, "valid", &accept->valid);
		return;
	}
	symbol = symbol_find(draft, table, strlen(table));
	if (!symbol || symbol->kind != SYMBOL_REGISTER) {
		wrong(draft, node, "table=\"%s\": no register has this name", table);
		return;
	}
	accept->word = symbol->reg->word;
	accept->words = symbol->reg->count;
	accept->bits = (uint8_t)(symbol->reg->bytes * 8);
	if (!expr_read(draft, node, "index", &accept->index))
		wrong(draft, node, "class %s needs an index=", classes[accept->class]);
}

static void read_accept(struct draft *draft, const struct node *node, struct accept *accept)
{
	const char *class = node_get(node, "class");
	unsigned i = 0;

	while (i < 6 && strcmp(classes[i], class))
		i++;
	if (i == 6) {
		wrong(draft, node,
		      "class=\"%s\": expected all, broadcast, multicast, exact, hash "
		      "or vlan",
		      class);
		return;
	}
	accept->class = (uint8_t)i;
	accept->must = node_yes(node, "must");
	expr_read(draft, node, "when", &accept->when);
	read_table(draft, node, accept);
}

void compile_receive(struct draft *draft)
{
	struct filter *filter = &draft->card->filter;

	for_each_node(node, draft->root, "receive")
	{
		struct accept *accepts = draft_take(draft, struct accept, 32);

		filter->accepts = accepts;
		expr_read(draft, node, "max", &filter->max);
		expr_read(draft, node, "when", &filter->when);
		for_each_node(child, node, "accept")
		{
			if (filter->count < 32)
				read_accept(draft, child, &accepts[filter->count++]);
		}
	}
}

/* ---- interrupts ---- */

static void read_moderate(struct draft *draft, const struct node *node, struct interrupt *interrupt)
{
	struct moderate *moderate = &interrupt->moderate[interrupt->moderate_count];
	struct target cause;

	if (interrupt->moderate_count == MODERATE_MAX) {
		wrong(draft, node, "more than %d moderations", MODERATE_MAX);
		return;
	}
	interrupt->moderate_count++;
	if (node_get(node, "cause") && target_text(draft, node, node_get(node, "cause"), &cause)) {
		moderate->word = cause.word;
		moderate->mask = cause.mask;
	}
	for (unsigned i = 0; i < draft->layouts_count && node_get(node, "record"); i++) {
		if (!strcmp(draft->layouts[i].name, node_get(node, "record")))
			draft->slot = &draft->layouts[i];
	}
	expr_read(draft, node, "when", &moderate->when);
	draft->slot = NULL;
	expr_read(draft, node, "interval", &moderate->interval);
	expr_read(draft, node, "idle", &moderate->idle);
	expr_read(draft, node, "limit", &moderate->limit);
}

void compile_interrupts(struct draft *draft)
{
	struct interrupt *interrupts =
		draft_take(draft, struct interrupt, count_nodes(draft, "interrupt"));

	draft->card->interrupts = interrupts;
	for_each_node(node, draft->root, "interrupt")
	{
		struct interrupt *interrupt = &interrupts[draft->card->interrupts_count++];
		struct target cause, mask;

		if (target_text(draft, node, node_get(node, "cause"), &cause) &&
		    target_text(draft, node, node_get(node, "mask"), &mask)) {
			interrupt->cause_word = cause.word;
			interrupt->cause_bits = cause.mask;
			interrupt->mask_word = mask.word;
		}
		expr_read(draft, node, "enable", &interrupt->enable);
		for_each_node(child, node, "moderate") read_moderate(draft, child, interrupt);
	}
}
