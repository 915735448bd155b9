/* SPDX-License-Identifier: Apache-2.0 */

/* Reset lists, timers and events. */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 64, STEMS_MAX = 16, RESETS_ROOM = 256 };

enum { UNTOUCHED, CLEARED, KEPT };

struct marks {
	uint8_t *words; /* per state word */
	uint64_t banks; /* of the list at hand */
	uint32_t rings;
};

static void mark(const struct symbol *symbol, struct marks *marks, uint8_t what)
{
	if (symbol->kind == SYMBOL_RING && what == CLEARED)
		marks->rings |= 1u << symbol->index;
	if (symbol->kind == SYMBOL_REGISTER && !symbol->alias)
		memset(marks->words + symbol->reg->word, what, symbol->reg->count);
}

static void mark_bank(struct draft *draft, unsigned bank, struct marks *marks, uint8_t what)
{
	if (marks->banks >> bank & 1)
		return;
	marks->banks |= 1ull << bank;
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind == SYMBOL_REGISTER && symbol->bank == bank)
			mark(symbol, marks, what);
	}
}

static bool may_stand(struct draft *draft, const struct node *node, const char *attribute,
		      const struct symbol *symbol)
{
	bool clears = *attribute == 'c';

	if (!strcmp(symbol->node->word, "eeprom"))
		wrong(draft, node, "%s=: %s keeps its contents in any case", attribute,
		      symbol->name);
	else if (symbol->kind == SYMBOL_TIMER || symbol->kind == SYMBOL_MEMORY ||
		 (!clears && symbol->kind == SYMBOL_RING))
		wrong(draft, node, "%s=: %s is neither a bank nor a register%s", attribute,
		      symbol->name, clears ? " nor a ring" : "");
	else
		return true;
	return false;
}

/* STEM*: every register and ring whose name begins so. */
static void mark_stem(struct draft *draft, const struct node *node, const char *attribute,
		      const char *stem, size_t length, struct marks *marks, uint8_t what)
{
	unsigned found = 0;

	for_each_symbol(symbol, draft)
	{
		if (symbol->kind > SYMBOL_RING || strncmp(symbol->name, stem, length))
			continue;
		mark(symbol, marks, what);
		found++;
	}
	if (!found)
		wrong(draft, node, "%s=: no name begins with \"%.*s\"", attribute, (int)length,
		      stem);
}

static void mark_name(struct draft *draft, const struct node *node, const char *attribute,
		      const char *name, size_t length, struct marks *marks, uint8_t what)
{
	struct symbol *symbol = symbol_find(draft, name, length);

	if (!symbol)
		wrong(draft, node, "%s=: nothing has the name \"%.*s\"%s", attribute, (int)length,
		      name, symbol_hint(draft, name, length, -1));
	else if (!may_stand(draft, node, attribute, symbol))
		return;
	else if (symbol->kind == SYMBOL_BANK)
		mark_bank(draft, symbol->index, marks, what);
	else
		mark(symbol, marks, what);
}

static void read_list(struct draft *draft, const struct node *node, const char *attribute,
		      struct marks *marks, uint8_t what)
{
	const char *list = node_get(node, attribute);
	unsigned stems = 0;

	marks->banks = 0;
	if (!list || list == broken)
		return;
	for (const char *at = list + strspn(list, " "); *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		if (at[length - 1] == '*' && stems++ == STEMS_MAX)
			wrong(draft, node, "%s=: more than %d names with *", attribute, STEMS_MAX);
		else if (at[length - 1] == '*' && stems <= STEMS_MAX)
			mark_stem(draft, node, attribute, at, length - 1, marks, what);
		else if (at[length - 1] != '*')
			mark_name(draft, node, attribute, at, length, marks, what);
		at += length;
	}
}

static void read_reset(struct draft *draft, const struct node *node, struct reset *reset)
{
	struct marks marks = {.words = calloc(draft->words + 1u, 1)};
	unsigned count = 0;
	uint16_t *words;

	if (!marks.words)
		abort();
	if (!node_get(node, "clears"))
		node_useless(draft, node, "keeps", "without clears=");
	read_list(draft, node, "clears", &marks, CLEARED);
	read_list(draft, node, "keeps", &marks, KEPT);
	for (unsigned i = 0; i < draft->words; i++)
		count += marks.words[i] == CLEARED;
	reset->words_count = 0;
	reset->words = words = draft_take(draft, uint16_t, count);
	for (unsigned i = 0; i < draft->words; i++) {
		if (marks.words[i] == CLEARED)
			words[reset->words_count++] = (uint16_t)i;
	}
	free(marks.words);
	reset->rings = marks.rings;
	draft->no_memory = "in a reset list";
	actions_read(draft, node, "do", &reset->actions);
	draft->no_memory = NULL;
}

enum { ROUND = UINT32_MAX, UNKNOWN = 0 };

/* Actions of a list with those of the lists it names; ROUND: it comes back to itself. */
static uint32_t expanded(const struct card *card, unsigned from, uint32_t *known)
{
	const struct actions *actions = &card->resets[from].actions;
	uint32_t count = 1;

	if (known[from] != UNKNOWN)
		return known[from];
	known[from] = ROUND; /* while it is being looked at */
	for (unsigned i = 0; i < actions->count && count != ROUND; i++) {
		uint32_t more = 1;

		if (actions->list[i].verb == VERB_RESET)
			more = expanded(card, actions->list[i].operand, known);
		count = more == ROUND ? ROUND : count + more < 1 << 20 ? count + more : 1 << 20;
	}
	known[from] = count;
	return count;
}

static void check_rounds(struct draft *draft)
{
	uint32_t known[RESETS_ROOM] = {UNKNOWN};

	for_each_symbol(symbol, draft)
	{
		uint32_t count;

		if (symbol->kind != SYMBOL_RESET)
			continue;
		count = expanded(draft->card, symbol->index, known);
		if (count != ROUND && count <= CARD_LIST_MAX + 1)
			continue;
		wrong(draft, symbol->node,
		      count == ROUND ? "reset %s resets itself, directly or by others"
				     : "reset %s does more than %d things with the lists it names",
		      symbol->name, CARD_LIST_MAX);
		return;
	}
}

void compile_resets(struct draft *draft)
{
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind == SYMBOL_RESET && symbol->node != draft->root)
			read_reset(draft, symbol->node,
				   (struct reset *)&draft->card->resets[symbol->index]);
	}
	check_rounds(draft);
}

static void read_timer(struct draft *draft, const struct node *node, struct card_timer *timer)
{
	const char *every = node_get(node, "every");

	if (!every == !node_get(node, "after"))
		wrong(draft, node, "<timer> needs every= or after=, one of them");
	timer->name = node_get(node, "name");
	timer->repeat = every != NULL;
	expr_read(draft, node, every ? "every" : "after", &timer->period);
	if (timer->period.constant && !timer->period.ops[0].value)
		wrong(draft, node, "a timer takes some time");
	expr_read(draft, node, "when", &timer->when);
	if (!node_get(node, "do") && !draft->module)
		wrong(draft, node, "<timer> needs do= where there is no <module>");
	actions_read(draft, node, "do", &timer->actions);
}

/* A module may arm what no action does. What is wrong elsewhere may have been just that action. */
void compile_arms(struct draft *draft)
{
	if (draft->module || draft->mistakes->count)
		return;
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind == SYMBOL_TIMER && !(draft->arms >> symbol->index & 1))
			wrong(draft, symbol->node, "nothing arms %s, so it never happens",
			      symbol->name);
	}
}

void compile_timers(struct draft *draft)
{
	struct card *card = draft->card;
	struct on_event *events = draft_take(draft, struct on_event, EVENTS_MAX);

	for_each_symbol(symbol, draft)
	{
		if (symbol->kind == SYMBOL_TIMER)
			read_timer(draft, symbol->node,
				   (struct card_timer *)&card->timers[symbol->index]);
	}
	card->events = events;
	for_each_node(node, draft->root, "on")
	{
		if (card->events_count == EVENTS_MAX) {
			wrong(draft, node, "more than %d <on>", EVENTS_MAX);
			return;
		}
		events[card->events_count].event = EVENT_LINK;
		actions_read(draft, node, "do", &events[card->events_count++].actions);
	}
}
