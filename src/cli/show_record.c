/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A record as datasheets draw it: 32 bits in a row, the highest on the left, two
 * columns a bit. Where fields lie within one another the narrowest is drawn. A
 * name that does not fit gets a letter; those, and fields that hold others, are
 * told below.
 *
 *        31                           16 15                            0
 *       +-------------------------------+---------------+-+-+-----------+
 *     8 |             checksum          |     start     |a|b|           |
 */
#include "cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 256, ROW = 32, COLUMNS = 2 * ROW + 1, LETTERS = 52 };

struct part {
	const struct node *node;
	const char *name;
	unsigned low, high;
	char letter; /* 0: its name is drawn, or it is not there at all */
	int order;   /* of its letter */
	bool drawn;  /* somewhere */
};

struct drawing {
	struct part parts[FIELDS_MAX];
	unsigned count, letters, bits;
	char above[COLUMNS + 1]; /* the row before */
};

static void parts_read(struct drawing *drawing, const struct node *record)
{
	for_each_node(field, record, "field")
	{
		struct part *part = &drawing->parts[drawing->count];
		const char *bits = node_get(field, "bits");

		if (drawing->count == FIELDS_MAX || !bits ||
		    !text_bits(bits, &part->low, &part->high))
			continue;
		part->node = field;
		part->name = node_get(field, "name") ?: node_get(field, "to") ?: "";
		drawing->count++;
	}
}

/* The narrowest field there; NULL: none. */
static struct part *part_at(struct drawing *drawing, unsigned bit)
{
	struct part *best = NULL;

	for (unsigned i = 0; i < drawing->count; i++) {
		struct part *part = &drawing->parts[i];

		if (bit >= part->low && bit <= part->high &&
		    (!best || part->high - part->low < best->high - best->low))
			best = part;
	}
	return best;
}

static char letter_of(unsigned index)
{
	if (index >= LETTERS)
		return '*';
	return (char)(index < 26 ? 'a' + (int)index : 'A' + (int)index - 26);
}

static void label_put(struct drawing *drawing, char *cell, unsigned width, struct part *part)
{
	size_t length = strlen(part->name);

	part->drawn = true;
	if (!part->letter && length <= width) {
		memcpy(cell + (width - length) / 2, part->name, length);
		return;
	}
	if (!part->letter) {
		part->order = (int)drawing->letters;
		part->letter = letter_of(drawing->letters++);
	}
	cell[width / 2] = part->letter;
}

/* Corners where the row above or the one below has a border. */
static void edge_draw(struct drawing *drawing, char *edge, const char *text)
{
	for (unsigned i = 0; i < COLUMNS; i++) {
		if (text[i] == '|' || drawing->above[i] == '|')
			edge[i] = '+';
	}
	memcpy(drawing->above, text, COLUMNS);
	printf("       %s\n", edge);
}

/* Bits [row, row + 32); a cell for each run of bits of one field. */
static void row_draw(struct drawing *drawing, unsigned row)
{
	char edge[COLUMNS + 1], text[COLUMNS + 1];
	unsigned past = row + ROW < drawing->bits ? row + ROW : drawing->bits;
	/* where the highest bit begins, here or in the row above */
	unsigned first = row ? 0 : 2 * (ROW - past);

	memset(edge, ' ', sizeof(edge));
	memset(text, ' ', sizeof(text));
	memset(edge + first, '-', COLUMNS - first);
	edge[COLUMNS] = text[COLUMNS] = 0;
	for (unsigned high = past; high > row;) {
		struct part *part = part_at(drawing, high - 1);
		unsigned low = high - 1, column = 2 * (row + ROW - high);

		while (low > row && part_at(drawing, low - 1) == part)
			low--;
		text[column] = '|';
		if (part)
			label_put(drawing, text + column + 1, 2 * (high - low) - 1, part);
		high = low;
	}
	text[COLUMNS - 1] = '|';
	edge_draw(drawing, edge, text);
	printf("  %4u %s\n", row / 8, text);
}

static void scale_draw(void)
{
	printf("       ");
	for (unsigned bit = ROW; bit-- > 0;)
		printf(bit % 8 == 7 || bit % 8 == 0 ? "%2u" : "  ", bit);
	putchar('\n');
}

/* Below the last row, which may be shorter than the one before. */
static void frame_end(struct drawing *drawing)
{
	unsigned last = (drawing->bits - 1) % ROW + 1;
	char edge[COLUMNS + 1], none[COLUMNS];

	memset(edge, ' ', sizeof(edge));
	memset(none, ' ', sizeof(none));
	memset(edge + 2 * (ROW - last), '-', 2 * last + 1);
	edge[COLUMNS] = 0;
	edge_draw(drawing, edge, none);
}

/* In the order of the letters; what has none and is not drawn contains others. */
static int by_letter(const void *a, const void *b)
{
	const struct part *left = a, *right = b;

	if (!left->letter != !right->letter)
		return left->letter ? -1 : 1;
	return left->order - right->order;
}

static void legend(struct drawing *drawing)
{
	static const char *const told[] = {"name", "bits", NULL};
	static const char *const nameless[] = {"to", "bits", NULL}; /* called by what it is for */

	qsort(drawing->parts, drawing->count, sizeof(*drawing->parts), by_letter);
	for (unsigned i = 0; i < drawing->count; i++) {
		const struct part *part = &drawing->parts[i];
		bool named = node_get(part->node, "name");
		unsigned more = part->node->attributes_count - 2;
		char bits[32];

		if (!part->letter && part->drawn && !more)
			continue;
		snprintf(bits, sizeof(bits), part->high > part->low ? "%u:%u" : "%u", part->high,
			 part->low);
		printf("       %c %7s  %s", part->letter ? part->letter : ' ', bits, part->name);
		show_attributes(part->node, named ? told : nameless);
		putchar('\n');
	}
}

static bool row_empty(struct drawing *drawing, unsigned row)
{
	for (unsigned i = 0; i < drawing->count; i++) {
		if (drawing->parts[i].low < row + ROW && drawing->parts[i].high >= row)
			return false;
	}
	return true;
}

/* Of rows without a field, one stands for all. */
static void rows_draw(struct drawing *drawing)
{
	for (unsigned row = 0; row < drawing->bits; row += ROW) {
		bool empty = row && row_empty(drawing, row) && row_empty(drawing, row - ROW);

		if (!empty)
			row_draw(drawing, row);
	}
}

void show_record(const struct node *record)
{
	struct drawing *drawing = calloc(1, sizeof(*drawing));
	static const char *const told[] = {"name", "size", NULL};
	const char *size = node_get(record, "size");

	if (!drawing)
		return;
	drawing->bits = size ? 8 * (unsigned)strtoul(size, NULL, 0) : 0;
	parts_read(drawing, record);
	printf("  record %s, %u bytes", node_get(record, "name"), drawing->bits / 8);
	show_attributes(record, told);
	putchar('\n');
	if (!drawing->bits) {
		free(drawing);
		return;
	}
	scale_draw();
	rows_draw(drawing);
	frame_end(drawing);
	legend(drawing);
	for (const struct node *node = record->child; node; node = node->next) {
		if (strcmp(node->word, "field"))
			show_node(node, 6);
	}
	free(drawing);
}
