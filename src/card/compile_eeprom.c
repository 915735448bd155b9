/* SPDX-License-Identifier: Apache-2.0 */

/* What an EEPROM holds at first: words, this NIC's address, a sum. */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { MAC_WORDS = 3, MACS_MAX = 8 };

struct contents {
	const struct reg *reg;
	const struct node **owners; /* who said what a word holds */
};

static bool own(struct draft *draft, const struct node *node, const struct contents *contents,
		unsigned at)
{
	if (at >= contents->reg->count) {
		wrong(draft, node, "word %u: the EEPROM has %u, from 0 on", at,
		      contents->reg->count);
		return false;
	}
	if (contents->owners[at]) {
		wrong(draft, node, "word %u is given in %s already", at,
		      node_line(draft, node, contents->owners[at]));
		return false;
	}
	contents->owners[at] = node;
	return true;
}

static void read_word(struct draft *draft, const struct node *node, const struct contents *contents)
{
	uint64_t at, value;

	if (node_number(draft, node, "at", UINT64_MAX, &at) &&
	    own(draft, node, contents, (unsigned)at) &&
	    node_number(draft, node, "value", UINT64_MAX, &value))
		draft->reset_words[contents->reg->word + at] = value;
}

/* Word I of an address that stands SHIFT bits up: those bits of the word that are its. */
static struct mac_part mac_part(uint16_t word, unsigned i, unsigned shift, bool big)
{
	uint64_t mask = i == 0 ? 0xffff << shift : i == MAC_WORDS ? 0xffff >> (16 - shift) : 0xffff;

	return (struct mac_part){word, (int8_t)((int)i * 16 - (int)shift), big, mask & 0xffff};
}

static void read_crc(struct draft *draft, const struct node *node, const struct contents *contents)
{
	bool whole = node_choice(node, "bytes") == 1;
	uint64_t at;

	if (node_number(draft, node, "word", UINT64_MAX, &at) &&
	    own(draft, node, contents, (unsigned)at) &&
	    (!whole || own(draft, node, contents, (unsigned)at + 1)))
		draft->card->crc = (struct crc_part){contents->reg->word, (uint16_t)at, whole};
}

static void read_mac(struct draft *draft, const struct node *node, const struct contents *contents,
		     struct mac_part *macs)
{
	struct card *card = draft->card;
	unsigned first, last;
	bool big = node_choice(node, "order") == 1;
	uint64_t shift = 0;

	if (big)
		node_useless(draft, node, "shift", "with order=\"big\"");
	if (!text_span(node_get(node, "words"), &first, &last))
		return;
	node_number(draft, node, "shift", UINT64_MAX, &shift);
	if (last != first + MAC_WORDS - 1 + (shift != 0)) {
		wrong(draft, node, "words=\"%s\": an address fills %d words",
		      node_get(node, "words"), MAC_WORDS + (shift != 0));
		return;
	}
	if (card->macs_count > (MACS_MAX - 1) * MAC_WORDS) {
		wrong(draft, node, "more than %d <mac>", MACS_MAX);
		return;
	}
	for (unsigned i = first; i <= last; i++) {
		if (!own(draft, node, contents, i))
			return;
		macs[card->macs_count++] = mac_part((uint16_t)(contents->reg->word + i), i - first,
						    (unsigned)shift, big);
	}
}

static void read_sum(struct draft *draft, const struct node *node, const struct contents *contents,
		     struct sum_part *sum)
{
	uint64_t at, total;

	if (!node_number(draft, node, "word", UINT64_MAX, &at) ||
	    !node_number(draft, node, "total", UINT64_MAX, &total) ||
	    !own(draft, node, contents, (unsigned)at))
		return;
	*sum = (struct sum_part){contents->reg->word, (uint16_t)(at + 1),
				 (uint16_t)(contents->reg->word + at), (uint16_t)total,
				 node_choice(node, "of") == 1};
	if (sum->exclusive && total > 0xff)
		wrong(draft, node, "total=\"%s\": the exclusive or of bytes is one of them",
		      node_get(node, "total"));
	draft->card->sums_count = 1;
}

void compile_eeprom(struct draft *draft)
{
	const struct node *eeprom = node_first(draft->root->child, "eeprom");
	struct mac_part *macs = draft_take(draft, struct mac_part, (MACS_MAX + 1) * MAC_WORDS);
	struct sum_part *sums = draft_take(draft, struct sum_part, 1);
	struct contents contents = {0};

	draft->card->macs = macs;
	draft->card->sums = sums;
	for_each_symbol(symbol, draft)
	{
		if (symbol->reg && symbol->node == eeprom)
			contents.reg = symbol->reg;
	}
	if (!contents.reg || eeprom->broken)
		return;
	contents.owners = draft_take(draft, const struct node *, contents.reg->count);
	for_each_node(child, eeprom, "mac") read_mac(draft, child, &contents, macs);
	for_each_node(child, eeprom, "crc") read_crc(draft, child, &contents);
	for_each_node(child, eeprom, "sum") read_sum(draft, child, &contents, sums);
	for_each_node(child, eeprom, "word") read_word(draft, child, &contents);
}
