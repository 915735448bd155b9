/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { INTERRUPTS_MAX = 32 };

static void moderate_record(struct draft *draft, const struct node *node)
{
	const char *name = node_get(node, "record");
	struct nearest nearest;

	if (!name || name == broken)
		return;
	if (!node_get(node, "when"))
		wrong(draft, node, "record= has no meaning without when=");
	draft->slot = layout_find(draft, name);
	if (draft->slot)
		return;
	nearest = nearest_to(draft, name, strlen(name));
	for (unsigned i = 0; i < draft->layouts_count; i++)
		nearest_offer(&nearest, draft->layouts[i].name);
	wrong(draft, node, "record=\"%s\": no record has this name%s", name,
	      nearest_hint(draft, &nearest));
}

static void check_times(struct draft *draft, const struct node *node)
{
	if (node_get(node, "cause")) {
		node_useless(draft, node, "interval", "with cause=");
		if (!node_get(node, "idle") && !node_get(node, "limit"))
			wrong(draft, node, "moderation of a cause needs idle= or limit=");
		return;
	}
	node_useless(draft, node, "idle", "without cause=");
	node_useless(draft, node, "limit", "without cause=");
	node_useless(draft, node, "frames", "without cause=");
	node_useless(draft, node, "when", "without cause=");
	if (!node_get(node, "interval"))
		wrong(draft, node, "moderation of an interrupt needs interval=");
}

/* One that the interrupt tells of, by its cause= or by a <cause>. */
static bool is_cause(const struct interrupt *interrupt, const struct target *place)
{
	if (interrupt->cause_bits && place->word == interrupt->cause_word &&
	    !(place->mask & ~interrupt->cause_bits))
		return true;
	for (unsigned i = 0; i < interrupt->causes_count; i++) {
		const struct cause *cause = &interrupt->causes[i];

		if (place->word == cause->word && !(place->mask & ~cause->bits))
			return true;
	}
	return false;
}

static void read_moderate(struct draft *draft, const struct node *node, struct interrupt *interrupt)
{
	struct moderate *moderate = &interrupt->moderate[interrupt->moderate_count];
	struct target cause;

	if (interrupt->moderate_count == MODERATE_MAX) {
		wrong(draft, node, "more than %d <moderate>", MODERATE_MAX);
		return;
	}
	interrupt->moderate_count++;
	if (place_read(draft, node, "cause", false, &cause)) {
		moderate->word = cause.word;
		moderate->mask = cause.mask;
		if ((interrupt->cause_bits || interrupt->causes_count) &&
		    !is_cause(interrupt, &cause))
			wrong(draft, node, "cause=\"%s\" is none of this interrupt",
			      node_get(node, "cause"));
	}
	check_times(draft, node);
	moderate_record(draft, node);
	if (draft->slot || !node_get(node, "record"))
		expr_read(draft, node, "when", &moderate->when);
	draft->slot = NULL;
	expr_read(draft, node, "interval", &moderate->interval);
	expr_read(draft, node, "idle", &moderate->idle);
	expr_read(draft, node, "limit", &moderate->limit);
	expr_read(draft, node, "frames", &moderate->frames);
}

static void check_line(struct draft *draft, const struct node *node)
{
	const struct node *pci = node_first(draft->root->child, "pci");
	int line = node_choice(node, "line");

	if (!pci || line < 0)
		return;
	if (!node_get(pci, "interrupt"))
		wrong(draft, node, "line=\"%s\": <pci> has no interrupt=", node_get(node, "line"));
	else if (node_choice(pci, "interrupt") >= 0 && node_choice(pci, "interrupt") != line)
		wrong(draft, node, "line=\"%s\": the interrupt of <pci> is %s",
		      node_get(node, "line"), node_get(pci, "interrupt"));
}

static void read_cause(struct draft *draft, const struct node *node, struct interrupt *interrupt)
{
	struct cause *cause = &interrupt->causes[interrupt->causes_count];
	struct target of, mask;
	uint64_t bits;

	if (interrupt->causes_count == CAUSES_MAX) {
		wrong(draft, node, "more than %d <cause>", CAUSES_MAX);
		return;
	}
	interrupt->causes_count++;
	if (place_read(draft, node, "of", false, &of)) {
		cause->word = of.word;
		cause->bits = of.mask;
		cause->shift = of.shift;
		if (node_number(draft, node, "bits", of.mask >> of.shift, &bits))
			cause->bits &= bits << of.shift;
	}
	if (!node_get(node, "mask"))
		node_useless(draft, node, "mask-is", "without mask=");
	if (!place_read(draft, node, "mask", false, &mask))
		return;
	cause->masked = true;
	cause->disables = node_choice(node, "mask-is") == 1;
	cause->mask_word = mask.word;
	cause->mask_bits = mask.mask;
	cause->mask_shift = mask.shift;
}

static unsigned vectors_of(const struct card *card)
{
	unsigned vectors = 0;

	for (unsigned i = 0; i < card->capabilities_count; i++) {
		if (card->capabilities[i].kind >= CAPABILITY_MSI &&
		    card->capabilities[i].vectors > vectors)
			vectors = card->capabilities[i].vectors;
	}
	return vectors;
}

/* Messages that are raised one by one, rather than by a cause. */
static void read_events(struct draft *draft, const struct node *node, struct interrupt *interrupt)
{
	unsigned past = interrupt->vector + interrupt->vectors;

	interrupt->events = true;
	if (past > CARD_VECTORS_MAX)
		wrong(draft, node, "vector=\"%s\": those without causes are below %d",
		      node_get(node, "vector"), CARD_VECTORS_MAX);
	else if (past > draft->card->vectors)
		draft->card->vectors = (uint16_t)past;
	if (node_choice(node, "on-send") == 1)
		wrong(draft, node, "there is no cause to clear");
}

static void read_vector(struct draft *draft, const struct node *node, struct interrupt *interrupt)
{
	const char *text = node_get(node, "vector");
	unsigned vectors = vectors_of(draft->card), first, last;

	if (!node_get(node, "line") == !node_get(node, "vector"))
		wrong(draft, node, "<interrupt> needs line= or vector=, one of them");
	if (node_get(node, "line"))
		node_useless(draft, node, "on-send", "with line=");
	interrupt->on_send =
		(uint8_t)(node_choice(node, "on-send") < 0 ? SEND_KEEP
							   : node_choice(node, "on-send"));
	if (!text || text == broken)
		return;
	if (!text_span(text, &first, &last))
		first = last = (unsigned)strtoul(text, NULL, 0);
	interrupt->is_vector = true;
	interrupt->vector = (uint16_t)first;
	interrupt->vectors = (uint16_t)(last - first + 1);
	if (last >= vectors)
		wrong(draft, node, "vector=\"%s\": the capabilities have %u vectors", text,
		      vectors);
	if (!node_get(node, "cause") && !node_first(node->child, "cause"))
		read_events(draft, node, interrupt);
	else if (last != first && !node_get(node, "number"))
		wrong(draft, node, "vector=\"%s\": a cause has one message, or number= says which",
		      text);
}

/* Which of its messages: registers say, so causes change theirs while they run. */
static void read_number(struct draft *draft, const struct node *node, struct interrupt *interrupt)
{
	if (!interrupt->is_vector || interrupt->events)
		node_useless(draft, node, "number", "without causes that have messages");
	expr_read(draft, node, "number", &interrupt->number);
}

static void read_interrupt(struct draft *draft, const struct node *node,
			   struct interrupt *interrupt)
{
	struct target cause, mask;

	check_line(draft, node);
	read_vector(draft, node, interrupt);
	if (place_read(draft, node, "cause", false, &cause)) {
		interrupt->cause_word = cause.word;
		interrupt->cause_bits = cause.mask;
	}
	if (place_read(draft, node, "mask", true, &mask))
		interrupt->mask_word = mask.word;
	if (!node_get(node, "cause") != !node_get(node, "mask"))
		wrong(draft, node, "cause= and mask= stand together");
	else if (!node_get(node, "cause") && !node_first(node->child, "cause") &&
		 !interrupt->events && node_get(node, "vector") != broken)
		wrong(draft, node, "an interrupt needs cause= and mask=, or a <cause>");
	for_each_node(child, node, "cause") read_cause(draft, child, interrupt);
	draft->always = interrupt->events ? SPEAKS_INDEX : 0;
	expr_read(draft, node, "enable", &interrupt->enable);
	read_number(draft, node, interrupt);
	for_each_node(child, node, "moderate")
	{
		if (interrupt->events && (interrupt->moderate_count || node_get(child, "cause")))
			wrong(draft, child, "messages without causes have one <moderate>, of all");
		read_moderate(draft, child, interrupt);
	}
	draft->always = 0;
}

void compile_interrupts(struct draft *draft)
{
	struct interrupt *interrupts = draft_take(draft, struct interrupt, INTERRUPTS_MAX);

	draft->card->interrupts = interrupts;
	for_each_node(node, draft->root, "interrupt")
	{
		if (draft->card->interrupts_count == INTERRUPTS_MAX) {
			wrong(draft, node, "more than %d <interrupt>", INTERRUPTS_MAX);
			return;
		}
		read_interrupt(draft, node, &interrupts[draft->card->interrupts_count++]);
	}
}
