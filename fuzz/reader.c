/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The whole reader under libFuzzer: text, scan, nodes, words, compile, freeze.
 * What loads is plugged in and used (guest.c); what does not must have said why.
 */
#include "fuzz.h"

#include "card/reader.h"
#include "instance/catalog.h"

#include <stdlib.h>
#include <string.h>

size_t fuzz_text(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);

	return end ? (size_t)(end - data) : size;
}

static bool find_shipped(void *context, const char *name, struct found_card *found)
{
	(void)context;
	for (unsigned i = 0; i < shipped_cards_count; i++) {
		const struct shipped_card *card = &shipped_cards[i];

		if (strcmp(card->name, name))
			continue;
		*found = (struct found_card){.built_in = true, .length = card->length};
		strncpy(found->path, card->name, sizeof(found->path) - 1);
		found->text = malloc(card->length);
		if (found->text)
			memcpy(found->text, card->text, card->length);
		return found->text != NULL;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct finder finder = {.find = find_shipped};
	struct mistakes mistakes = {0};
	size_t length = fuzz_text(data, size);
	char *text = malloc(length + 1); /* of its very size, so that a byte too far is seen */
	struct card *card;

	memcpy(text, data, length);
	text = realloc(text, length ? length : 1);
	card = card_read_text_among("fuzzed.xml", text, length, &finder, &mistakes);
	free(text);
	if (!card == !mistakes.count)
		abort(); /* refused without a word, or taken with a mistake */
	for (unsigned i = 0; i < mistakes.count; i++) {
		if (!mistakes.list[i].text[0])
			abort();
	}
	mistakes_free(&mistakes);
	if (card && length < size)
		guest_run(card, data + length + 1, size - length - 1);
	else if (card)
		guest_run(card, NULL, 0);
	card_free(card);
	return 0;
}
