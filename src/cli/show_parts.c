/* SPDX-License-Identifier: Apache-2.0 */

/* What a card does with its registers, in the words of its description. */
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 100 };

static const char *const keys[] = {"name", "to", "of", "record", "class", "line", "event"};

/* What tells one <word> from the next; NULL: nothing does. */
static const char *key_of(const struct node *node)
{
	for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (node_get(node, keys[i]))
			return keys[i];
	}
	return NULL;
}

static unsigned width_of(const struct node *node)
{
	size_t width = strlen(node->word) + 4;

	for (unsigned i = 0; i < node->attributes_count; i++)
		width += strlen(node->attributes[i].name) + strlen(node->attributes[i].value) + 4;
	return (unsigned)width;
}

/* A value may go over several lines of the file. */
void show_text(const char *value)
{
	for (; *value; value++) {
		bool blank = *value == ' ' || *value == '\n' || *value == '\t' || *value == '\r';

		if (!blank)
			putchar(*value);
		else if (value[1] && !strchr(" \n\t\r", value[1]))
			putchar(' ');
	}
}

void show_node(const struct node *node, unsigned indent)
{
	const char *key = key_of(node);
	bool wide = indent + width_of(node) > WIDE;

	printf("%*s%s%s%s", (int)indent, "", node->word, key ? " " : "",
	       key ? node_get(node, key) : "");
	for (unsigned i = 0; i < node->attributes_count; i++) {
		const struct attribute *at = &node->attributes[i];

		if (key && !strcmp(at->name, key))
			continue;
		if (wide)
			printf("\n%*s%-8s ", (int)indent + 6, "", at->name);
		else
			printf("  %s: ", at->name);
		show_text(at->value);
	}
	putchar('\n');
	for (const struct node *child = node->child; child; child = child->next)
		show_node(child, indent + 4);
}

const struct reg *show_causes(const struct card *card, const struct interrupt *interrupt)
{
	for (unsigned i = 0; i < card->banks_count && interrupt->cause_bits; i++) {
		for (unsigned k = 0; k < card->banks[i].regs_count; k++) {
			const struct reg *reg = &card->banks[i].regs[k];

			if (reg->word == interrupt->cause_word && reg->fields_count)
				return reg;
		}
	}
	return NULL;
}

void show_attributes(const struct node *node, const char *const *except)
{
	for (unsigned i = 0; i < node->attributes_count; i++) {
		const struct attribute *at = &node->attributes[i];
		const char *const *word = except;

		while (*word && strcmp(*word, at->name))
			word++;
		if (*word)
			continue;
		printf("  %s: ", at->name);
		show_text(at->value);
	}
}

static void print_causes(const struct card *card, const struct interrupt *interrupt)
{
	const struct reg *reg = show_causes(card, interrupt);

	for (unsigned i = 0; reg && i < reg->fields_count; i++) {
		const struct field *field = &reg->fields[i];
		const struct node *node;

		if (!(show_mask(field) & interrupt->cause_bits))
			continue;
		node = show_field_node(show_register_node(card, NULL, reg->name), field->name);
		printf("      cause %2u  %s.%s", field->shift, reg->name, field->name);
		if (node && node_get(node, "doc"))
			printf("  %s", node_get(node, "doc"));
		putchar('\n');
	}
}

bool show_is_part(const struct node *node)
{
	static const char *const elsewhere[] = {"pci", "bar", "bank", "phy"};

	for (unsigned i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		if (!strcmp(node->word, elsewhere[i]))
			return false;
	}
	return true;
}

void show_parts(const struct card *card)
{
	unsigned interrupts = 0;

	for (const struct node *node = card->description->child; node; node = node->next) {
		if (!show_is_part(node))
			continue;
		if (!strcmp(node->word, "record")) {
			show_record(node);
			continue;
		}
		show_node(node, 2);
		if (!strcmp(node->word, "interrupt") && interrupts < card->interrupts_count)
			print_causes(card, &card->interrupts[interrupts++]);
	}
}
