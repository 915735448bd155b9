/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Changes that leave most of a description whole: a line is lost, doubled or
 * moved, a quoted value gives way to another. Else what libFuzzer does.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

struct span {
	size_t at, length;
};

static unsigned draw(unsigned *seed, size_t below)
{
	*seed = *seed * 1103515245 + 12345;
	return below ? (*seed >> 8) % (unsigned)below : 0;
}

/* The line that the byte AT is in, with its end. */
static struct span line_of(const uint8_t *text, size_t size, size_t at)
{
	size_t from = at, to = at;

	while (from > 0 && text[from - 1] != '\n')
		from--;
	while (to < size && text[to] != '\n')
		to++;
	return (struct span){from, to - from + (to < size)};
}

/* The first quoted value from AT on, without quotes. */
static bool value_of(const uint8_t *text, size_t size, size_t at, struct span *value)
{
	const uint8_t *from = memchr(text + at, '"', size - at), *to;

	if (!from)
		return false;
	from++;
	to = memchr(from, '"', size - (size_t)(from - text));
	if (!to)
		return false;
	*value = (struct span){(size_t)(from - text), (size_t)(to - from)};
	return true;
}

/* The bytes of GONE give way to those of OTHER, which was copied. */
static size_t replace(uint8_t *data, size_t size, size_t room, struct span gone,
		      const uint8_t *other, size_t length)
{
	size_t behind = size - gone.at - gone.length;

	if (size - gone.length + length > room)
		return size;
	memmove(data + gone.at + length, data + gone.at + gone.length, behind);
	if (length)
		memcpy(data + gone.at, other, length);
	return size - gone.length + length;
}

static size_t mutate_line(uint8_t *data, size_t size, size_t text, size_t room, unsigned *seed)
{
	static uint8_t kept[4096];
	struct span from = line_of(data, text, draw(seed, text));
	struct span to = line_of(data, text, draw(seed, text));

	if (from.length > sizeof(kept))
		return size;
	memcpy(kept, data + from.at, from.length);
	switch (draw(seed, 3)) {
	case 0:
		return replace(data, size, room, from, NULL, 0);
	case 1:
		return replace(data, size, room, to, kept, from.length);
	default:
		return replace(data, size, room, (struct span){to.at, 0}, kept, from.length);
	}
}

static size_t mutate_value(uint8_t *data, size_t size, size_t text, size_t room, unsigned *seed)
{
	static uint8_t kept[4096];
	struct span from, to;

	if (!value_of(data, text, draw(seed, text), &from) ||
	    !value_of(data, text, draw(seed, text), &to) || from.length > sizeof(kept))
		return size;
	memcpy(kept, data + from.at, from.length);
	return replace(data, size, room, to, kept, from.length);
}

/* Within one value, as libFuzzer does it: with the words of the language. */
static size_t mutate_within(uint8_t *data, size_t size, size_t text, size_t room, unsigned *seed)
{
	static uint8_t kept[4096];
	struct span value;
	size_t length;

	if (!value_of(data, text, draw(seed, text), &value) || value.length > sizeof(kept) / 2)
		return size;
	memcpy(kept, data + value.at, value.length);
	length = LLVMFuzzerMutate(kept, value.length, sizeof(kept));
	return replace(data, size, room, value, kept, length);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
	size_t text = fuzz_text(data, size);

	switch (text ? draw(&seed, 8) : 7) {
	case 0:
	case 1:
		return mutate_line(data, size, text, room, &seed);
	case 2:
	case 3:
		return mutate_value(data, size, text, room, &seed);
	case 4:
	case 5:
		return mutate_within(data, size, text, room, &seed);
	case 6: /* what happens to the card */
		if (size - text < room - text && size > text)
			return text + 1 +
			       LLVMFuzzerMutate(data + text + 1, size - text - 1, room - text - 1);
		return LLVMFuzzerMutate(data, size, room);
	default:
		return LLVMFuzzerMutate(data, size, room);
	}
}
