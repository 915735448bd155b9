/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a ring goes from slot to slot: next=, base=, end=, ready=, cursor=, <stop>.
 * What of that speaks of the slots is read once their layouts are known.
 */
#include "card/rings.h"

#include <string.h>

/* What a ring of this kind cannot do without. */
static bool needed(struct draft *draft, const struct node *node, const char *attribute)
{
	const char *text = node_get(node, attribute);

	if (!text)
		wrong(draft, node, "<ring> needs %s=", attribute);
	return text && text != broken;
}

/* What stands behind WORD, if the text begins with it; "" where nothing does. */
static const char *behind(const char *text, const char *word)
{
	size_t length = strlen(word);

	if (!text || text == broken || strncmp(text, word, length))
		return NULL;
	if (!text[length])
		return text + length;
	return text[length] == ' ' ? text + length + 1 : NULL;
}

/* end="bytes EXPR" and the like */
static bool keyword(struct draft *draft, const struct node *node, const char *attribute,
		    const char *word, struct expr *expr)
{
	const char *rest = behind(node_get(node, attribute), word);

	if (!rest || !*rest)
		return false;
	expr_text(draft, node, rest, expr);
	return true;
}

static void read_next(struct draft *draft, const struct node *node, struct ring *ring)
{
	static const char *const words[] = {"array", "chain", "registers", "stream"};
	const char *text = node_get(node, "next"), *rest;

	ring->next = NEXT_ARRAY;
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		rest = behind(text, words[i]);
		if (!rest || (*rest && i > NEXT_CHAIN) || (!*rest && i == NEXT_CHAIN))
			continue;
		ring->next = (uint8_t)i;
		if (i == NEXT_ARRAY && *rest &&
		    !keyword(draft, node, "next", "array stride", &ring->stride))
			break;
		return;
	}
	if (text && text != broken)
		wrong(draft, node,
		      "next=\"%s\": expected array, \"array stride EXPR\", \"chain EXPR; EXPR if "
		      "CONDITION\", registers or stream",
		      text);
}

static void read_cursor(struct draft *draft, const struct node *node, struct ring *ring)
{
	struct target cursor;
	bool sole = ring->next == NEXT_REGISTERS && ring->end_value.constant &&
		    ring->end_value.ops[0].value == 1;

	if (!node_get(node, "cursor") && (ring->next <= NEXT_CHAIN || sole))
		return;
	if (!needed(draft, node, "cursor") || !place_read(draft, node, "cursor", false, &cursor))
		return;
	if (cursor.shift)
		wrong(draft, node, "cursor=\"%s\" does not begin at bit 0 of its register",
		      node_get(node, "cursor"));
	ring->cursor_word = cursor.word;
	ring->cursor_mask = cursor.mask;
}

static void wrong_end(struct draft *draft, const struct node *node, const struct ring *ring)
{
	static const char *const expected[] = {
		"\"bytes EXPR\" or \"entries EXPR\", \"bit FIELD\" or none",
		"none",
		"\"entries EXPR\"",
		"\"bytes EXPR\"",
	};

	wrong(draft, node, "end=\"%s\": expected %s", node_get(node, "end"), expected[ring->next]);
}

/* "bit EXPR" is read later: see read_walk() */
static void read_end(struct draft *draft, const struct node *node, struct ring *ring)
{
	const char *text = node_get(node, "end");
	const char *bit = behind(text, "bit"), *none = behind(text, "none");
	bool array = ring->next == NEXT_ARRAY, chain = ring->next == NEXT_CHAIN;

	ring->end = chain ? END_NONE : END_BYTES;
	if ((chain && !text) || !needed(draft, node, "end"))
		return;
	if (none && !*none && (array || chain))
		ring->end = END_NONE;
	else if (bit && *bit && array)
		ring->end = END_BIT;
	else if ((array || ring->next == NEXT_STREAM) &&
		 keyword(draft, node, "end", "bytes", &ring->end_value))
		ring->end = END_BYTES;
	else if ((array || ring->next == NEXT_REGISTERS) &&
		 keyword(draft, node, "end", "entries", &ring->end_value))
		ring->end = END_ENTRIES;
	else
		wrong_end(draft, node, ring);
	if (ring->next == NEXT_REGISTERS && ring->end_value.count && !ring->end_value.constant)
		wrong(draft, node, "end=\"%s\": of registers there are so many: expected a number",
		      text);
}

/* The bytes of a slot that say whether it is ready, as words that are written at once. */
static void ready_span(struct ring *ring)
{
	unsigned first = ring->slot_size, end = 0;

	for (unsigned i = 0; i < ring->until.count; i++) {
		const struct op *op = &ring->until.ops[i];

		if (op->code != OP_SLOT)
			continue;
		first = op->shift / 8u < first ? op->shift / 8u : first;
		end = (op->shift + op->width + 7u) / 8 > end ? (op->shift + op->width + 7u) / 8
							     : end;
	}
	if (!end)
		return;
	first &= ~3u;
	end = (end + 3) & ~3u;
	ring->ready_at = (uint8_t)first;
	ring->ready_bytes = (uint8_t)((end < ring->slot_size ? end : ring->slot_size) - first);
}

/* EXPR, or EXPR free-running: it counts in its own width. */
static void read_until(struct draft *draft, const struct node *node, const char *text,
		       struct ring *ring)
{
	static const char suffix[] = " free-running";
	size_t length = strlen(text), cut = sizeof(suffix) - 1;
	bool running = length > cut && !strcmp(text + length - cut, suffix);
	unsigned width = 64;

	ring->ready = READY_UNTIL;
	if (running)
		text = arena_text(&draft->arena, text, length - cut);
	if (!expr_wide(draft, node, text, &ring->until, &width) || !running)
		return;
	if (ring->next != NEXT_ARRAY || ring->end >= END_BIT)
		wrong(draft, node, "free-running has no meaning but in an array with a length");
	ring->until_mask = ones(width);
}

/* phase FIELD [until EXPR] */
static bool read_phase(struct draft *draft, const struct node *node, struct ring *ring)
{
	const char *text = behind(node_get(node, "ready"), "phase"), *until;

	if (!text || !*text)
		return false;
	until = strstr(text, " until ");
	ring->ready = READY_ALWAYS;
	if (!expr_text(draft, node,
		       until ? arena_text(&draft->arena, text, (size_t)(until - text)) : text,
		       &ring->phase)) {
		draft->slot_unknown = true;
		return true;
	}
	if (ring->phase.count != 1 || ring->phase.ops[0].code != OP_SLOT ||
	    ring->phase.ops[0].width != 1)
		wrong(draft, node, "ready=\"%s\": the phase is a field of one bit",
		      node_get(node, "ready"));
	if (ring->end >= END_BIT)
		wrong(draft, node, "a phase has no meaning but in an array with a length");
	if (until)
		read_until(draft, node, until + 7, ring);
	return true;
}

void read_free_running(struct draft *draft, const struct node *node, struct ring *ring)
{
	const char *text = node_get(node, "ready"), *until = behind(text, "until");

	if (!text || text == broken)
		return;
	if (until && *until)
		read_until(draft, node, until, ring);
	if (!ring->until_mask)
		wrong(draft, node,
		      "ready=\"%s\": expected \"until EXPR free-running\", which slots are free",
		      text);
}

/* Of registers: what holds for slot i. In memory: until a place, always, or what a slot says. */
static void read_ready(struct draft *draft, const struct node *node, struct ring *ring)
{
	const char *always = behind(node_get(node, "ready"), "always");

	if (ring->next == NEXT_STREAM) {
		node_useless(draft, node, "ready", "in a stream");
		return;
	}
	if (!needed(draft, node, "ready"))
		return;
	draft->speaks = ring->next == NEXT_REGISTERS ? SPEAKS_INDEX : 0;
	if (ring->next == NEXT_ARRAY && read_phase(draft, node, ring)) {
		draft->speaks = 0;
		return;
	}
	ring->ready = READY_CONDITION;
	if (ring->next == NEXT_REGISTERS && behind(node_get(node, "ready"), "until"))
		wrong(draft, node, "ready= of registers is what holds for slot i");
	else if (ring->next == NEXT_REGISTERS)
		expr_read(draft, node, "ready", &ring->until);
	else if (always && !*always)
		ring->ready = READY_ALWAYS;
	else if (behind(node_get(node, "ready"), "until"))
		read_until(draft, node, behind(node_get(node, "ready"), "until"), ring);
	else if (expr_read(draft, node, "ready", &ring->until))
		ready_span(ring);
	else
		draft->slot_unknown = true;
	if (ring->next <= NEXT_CHAIN && ring->ready == READY_CONDITION && !ring->ready_bytes &&
	    !draft->slot_unknown)
		wrong(draft, node,
		      "ready=\"%s\": expected \"until EXPR\", always, or what a field of the slot "
		      "says",
		      node_get(node, "ready"));
	draft->speaks = 0;
}

/* chain EXPR [if CONDITION]; … */
static void read_links(struct draft *draft, const struct node *node, struct ring *ring)
{
	enum { LINKS_MAX = 4 };
	struct chain_link *links = draft_take(draft, struct chain_link, LINKS_MAX);

	ring->links = links;
	draft->speaks = SPEAKS_HERE;
	for (const char *at = behind(node_get(node, "next"), "chain"); at && *at;) {
		size_t length = strcspn(at, ";");
		char *text = arena_text(&draft->arena, at, length), *when = strstr(text, " if ");

		at += length + (at[length] == ';');
		if (ring->links_count == LINKS_MAX) {
			wrong(draft, node, "next=: more than %d ways to go on", LINKS_MAX);
			break;
		}
		if (when) {
			*when = 0;
			expr_text(draft, node, when + 4, &links[ring->links_count].when);
		}
		expr_text(draft, node, text, &links[ring->links_count++].address);
	}
	draft->speaks = 0;
}

static void read_stops(struct draft *draft, const struct node *node, struct ring *ring)
{
	enum { STOPS_MAX = 4 };
	static const uint8_t states[] = {RING_STOPPED, RING_STARVED, RING_SUSPENDED};
	struct stop *stops = draft_take(draft, struct stop, STOPS_MAX);

	ring->stops = stops;
	for_each_node(child, node, "stop")
	{
		struct stop *stop = &stops[ring->stops_count];
		int as = node_choice(child, "as");

		if (ring->next > NEXT_CHAIN)
			wrong(draft, child, "<stop> has no meaning but with slots in guest memory");
		if (ring->stops_count == STOPS_MAX) {
			wrong(draft, child, "more than %d <stop> in one ring", STOPS_MAX);
			break;
		}
		draft->speaks = SPEAKS_HERE;
		expr_read(draft, child, "when", &stop->when);
		stop->as = as < 0 ? RING_STOPPED : states[as];
		actions_read(draft, child, "do", &stop->actions);
		ring->stops_count++;
	}
	draft->speaks = 0;
}

void read_geometry(struct draft *draft, const struct node *node, struct ring *ring)
{
	read_next(draft, node, ring);
	expr_read(draft, node, "when", &ring->when);
	if (ring->next == NEXT_ARRAY)
		needed(draft, node, "base");
	expr_read(draft, node, "base", &ring->base);
	if (ring->next == NEXT_REGISTERS)
		node_useless(draft, node, "base", "where slots are registers");
	read_end(draft, node, ring);
	read_cursor(draft, node, ring);
	if (ring->next == NEXT_CHAIN && !node_get(node, "base") && !node_get(node, "cursor"))
		wrong(draft, node, "a chain begins at base= or at its cursor=");
}

/* Of an address: bits that mask= of its register leaves out are 0, whatever a link says. */
static uint64_t address_bits(struct draft *draft, const struct node *node, uint64_t bits)
{
	const char *text = node_get(node, "cursor");
	const struct symbol *symbol =
		symbol_kind_find(draft, text, name_length(text), SYMBOL_REGISTER);

	if (!symbol || !node_get(symbol->node, "mask") || !(symbol->reg->rw & bits))
		return bits;
	return symbol->reg->rw & bits;
}

void read_walk(struct draft *draft, const struct node *node, struct ring *ring)
{
	bool array = ring->next == NEXT_ARRAY, unknown = draft->slot_unknown;

	read_ready(draft, node, ring);
	if (ring->end == END_BIT)
		keyword(draft, node, "end", "bit", &ring->end_value);
	if (ring->next == NEXT_CHAIN)
		read_links(draft, node, ring);
	read_stops(draft, node, ring);
	draft->slot_unknown = unknown;
	ring->by_address = ring->next == NEXT_CHAIN || (array && ring->end >= END_BIT);
	if (ring->by_address && ring->cursor_mask)
		ring->cursor_mask = address_bits(draft, node, ring->cursor_mask);
	ring->walked =
		ring->by_address ||
		(array && (ring->ready != READY_UNTIL || ring->stride.count || ring->stops_count ||
			   !ring->cursor_mask || ring->until_mask || ring->phase.count));
}

/* Known when all actions are. */
void compile_starts(struct draft *draft)
{
	struct ring *rings = (struct ring *)draft->card->rings;

	for (unsigned i = 0; i < draft->card->rings_count; i++)
		rings[i].starts = draft->starts >> i & 1;
}
