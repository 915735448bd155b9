/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include "cli/cli.h"
#include "instance/catalog.h"

#include <stdio.h>
#include <string.h>

enum { CODES_AT = 25 }; /* the column of a field's codes */

static void show_part(const struct card *card, unsigned index, const struct bar *bar,
		      const struct bar_part *part)
{
	const char *what =
		part->memory ? card->memories[part->memory - 1].name : card->banks[part->bank].name;

	printf("  BAR%u %s %llu bytes: %s%s", index, bar->io ? "I/O" : "memory",
	       (unsigned long long)bar->size, what,
	       part->index_at != part->data_at ? " by index and data" : "");
	if (part->at)
		printf(" at 0x%x", part->at);
	printf("%s\n", part->when.count ? ", at times" : "");
}

const char *const show_classes[] = {"all", "broadcast", "multicast", "exact", "hash", "vlan"};

static void show_identity(const struct card *card)
{
	printf("%s: %s\n", card->name, card->title);
	printf("  %04x:%04x subsystem %04x:%04x revision %02x class %06x", card->vendor,
	       card->device, card->subsystem_vendor, card->subsystem, card->revision,
	       card->class_code);
	if (card->interrupt_pin)
		printf(" INT%c", 'A' + card->interrupt_pin - 1);
	putchar('\n');
	if (node_get(card->description, "drivers"))
		printf("  drivers %s\n", node_get(card->description, "drivers"));
	for (unsigned i = 0; i < 6; i++) {
		const struct bar *bar = &card->bars[i];

		for (unsigned k = 0; k < bar->parts_count; k++)
			show_part(card, i, bar, &bar->parts[k]);
	}
	for (unsigned i = 0; i < card->memories_count; i++)
		printf("  memory %s, %u bytes\n", card->memories[i].name, card->memories[i].size);
}

const char *show_access(const struct reg *reg, uint64_t mask)
{
	const struct {
		uint64_t bits;
		const char *word;
	} words[] = {
		{reg->self_clear, "self-clear"},
		{reg->read_clear & reg->w1c, "rc w1c"},
		{reg->read_clear, "rc"},
		{reg->w1c, "w1c"},
		{reg->w1s, "w1s"},
		{reg->w0c, "w0c"},
		{reg->write_only, "wo"},
		{reg->rw, "rw"},
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (words[i].bits & mask)
			return words[i].word;
	}
	return "ro";
}

uint64_t show_mask(const struct field *field)
{
	return (field->width >= 64 ? ~0ull : (1ull << field->width) - 1) << field->shift;
}

static bool is_register(const struct node *node)
{
	return !strcmp(node->word, "register") || !strcmp(node->word, "counter");
}

const struct node *show_register_node(const struct card *card, const char *bank, const char *name)
{
	for (const struct node *in = card->description->child; in; in = in->next) {
		const char *own = node_get(in, "name") ?: in->word;

		if (show_is_part(in) || (bank && strcmp(own, bank)))
			continue;
		for (const struct node *node = in->child; node; node = node->next) {
			const char *called = is_register(node) ? node_get(node, "name") : NULL;

			if (called && !strcmp(called, name))
				return node;
		}
	}
	return NULL;
}

const struct node *show_field_node(const struct node *reg, const char *name)
{
	for (const struct node *node = reg ? reg->child : NULL; node; node = node->next) {
		const char *called = node_get(node, "name");

		if (called && !strcmp(node->word, "field") && !strcmp(called, name))
			return node;
	}
	return NULL;
}

/* What is behind it, and where the datasheet says so. */
static void show_notes(const struct node *node)
{
	/* told already */
	static const char *const told[] = {"name",  "at",    "bits",  "width", "access",
					   "reset", "count", "every", "size",  NULL};

	if (node)
		show_attributes(node, told);
	putchar('\n');
}

static void show_field(const struct reg *reg, const struct field *field, const struct node *node)
{
	char bits[16];

	if (field->width > 1)
		snprintf(bits, sizeof(bits), "%u:%u", field->shift + field->width - 1,
			 field->shift);
	else
		snprintf(bits, sizeof(bits), "%u", field->shift);
	printf("             %7s  %-10s %s", bits, field->name, show_access(reg, show_mask(field)));
	show_notes(node);
	for (const struct node *code = node ? node->child : NULL; code; code = code->next)
		show_node(code, CODES_AT);
}

static void show_register(const struct card *card, const char *bank, const struct reg *reg)
{
	const struct node *node = show_register_node(card, bank, reg->name);

	printf("    %05x  %-10s", reg->at, reg->name);
	if (reg->count > 1)
		printf("[%u]", reg->count);
	printf("  %u bits, %s", reg->bytes * 8, show_access(reg, reg->valid));
	if (reg->reset)
		printf(", reset 0x%llx", (unsigned long long)reg->reset);
	show_notes(node);
	for (unsigned i = reg->fields_count; i-- > 0;)
		show_field(reg, &reg->fields[i], show_field_node(node, reg->fields[i].name));
}

static void show_banks(const struct card *card)
{
	for (unsigned i = 0; i < card->banks_count; i++) {
		const struct bank *bank = &card->banks[i];

		printf("  registers %s, %u bytes\n", bank->name, bank->size);
		for (unsigned k = 0; k < bank->regs_count; k++)
			show_register(card, bank->name, &bank->regs[k]);
	}
}

const char *show_direction(const struct ring *ring)
{
	return ring->direction == RING_RECEIVE	    ? "receive"
	       : ring->direction == RING_COMPLETION ? "completion"
	       : ring->commands			    ? "command"
						    : "transmit";
}

static void show_rings(const struct card *card)
{
	for (unsigned i = 0; i < card->rings_count; i++) {
		const struct ring *ring = &card->rings[i];

		printf("  ring %s: %s", ring->name, show_direction(ring));
		if (ring->counted)
			printf(", %u of them", ring->count);
		if (ring->slot_size)
			printf(", slots of %u bytes", ring->slot_size);
		if (ring->uses_count)
			printf(", %u kind%s", ring->uses_count, ring->uses_count == 1 ? "" : "s");
		putchar('\n');
	}
}

static void show_filter(const struct card *card)
{
	printf("  accepts:");
	for (unsigned i = 0; i < card->filter.count; i++) {
		const struct accept *accept = &card->filter.accepts[i];

		printf(" %s", show_classes[accept->class]);
		if (accept->class == ACCEPT_EXACT)
			printf("(%u)", accept->entries);
		else if (accept->words)
			printf("(%u bits)", accept->words * accept->bits);
		if (accept->must)
			printf("(must)");
	}
	putchar('\n');
}

static void show_code(const struct card *card)
{
	const struct node *node = node_first(card->description->child, "module");

	if (node)
		printf("  code: %s %s\n", node_get(node, "kind"), node_get(node, "file"));
	else
		printf("  code: none\n");
}

static void show_card(const struct card *card)
{
	show_identity(card);
	show_banks(card);
	show_rings(card);
	show_filter(card);
	show_parts(card);
	show_code(card);
}

int show_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"cards", required_argument, NULL, 'd'},
		CLI_ALLOW,
		{"json", no_argument, NULL, 'j'},
		{"like", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct mistakes mistakes = {0};
	const char *folder = NULL, *which = NULL;
	struct card *card;
	bool json = false;
	int name;

	while ((name = cli_option(argc, argv, "", names)) != -1) {
		if (name == 'j')
			json = true;
		else if (name == 'd' && cli_cards(argv[0], optarg))
			folder = optarg;
		else if (name == 'l')
			which = cli_like(optarg);
		else
			return CLI_USAGE;
	}
	if (optind + !which != argc)
		return cli_wrong(argv[0], "one CARD is needed");
	card = catalog_find(which ?: argv[optind], folder, &mistakes);
	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	if (!card)
		return CLI_FAILED;
	if (json)
		show_json(card, stdout);
	else
		show_card(card);
	card_free(card);
	return CLI_OK;
}
