/* SPDX-License-Identifier: Apache-2.0 */

/* The words of the language as a dictionary for libFuzzer, from the reader's own table. */
#include "card/words.h"

#include <stdio.h>
#include <string.h>

static const char *const spoken[] = {"set ",
				     "clear ",
				     "raise ",
				     "copy ",
				     " to ",
				     " count ",
				     "reset ",
				     "wake ",
				     "start ",
				     " at ",
				     "stop ",
				     "arm ",
				     "cancel ",
				     "load ",
				     "store ",
				     " if ",
				     "array",
				     "array stride ",
				     "chain ",
				     "registers",
				     "stream",
				     "bytes ",
				     "entries ",
				     "bit ",
				     "none",
				     "until ",
				     "always",
				     "slot.",
				     "first.",
				     "context[0].",
				     ".state",
				     ".ready",
				     ".entries",
				     ".index",
				     "new",
				     "old",
				     "here",
				     "frame.next",
				     "frame.length",
				     "frame.put",
				     "frame.first",
				     "frame.last",
				     "frame.destination",
				     "frame.match.exact",
				     "frame.tci",
				     "frame.vlan",
				     "frame.type",
				     "frame.l4",
				     "frame.ok.ip",
				     "frame.checked.l4",
				     "link.up",
				     "card.mac",
				     "choose(",
				     "min(",
				     "max(",
				     "any(",
				     "swap16(",
				     "swap32(",
				     "crc(",
				     "crcle(",
				     "ticks(",
				     " and ",
				     " or ",
				     "not ",
				     "==",
				     "!=",
				     "<<",
				     ">>",
				     "[",
				     "]",
				     "[7:0]",
				     ":",
				     "us",
				     "ms",
				     "0xffffffffffffffff",
				     "-1",
				     "64",
				     "4096"};

static void choices(const char *list)
{
	while (list && *list) {
		size_t length = strcspn(list, " ");

		printf("\"%.*s\"\n", (int)length, list);
		list += length + strspn(list + length, " ");
	}
}

int main(void)
{
	for_each_word(word)
	{
		const struct attribute_word *at = word->attributes;

		printf("\"<%s \"\n\"</%s>\"\n", word->name, word->name);
		for (; at->name; at++) {
			printf("\" %s=\\\"\"\n", at->name);
			choices(at->choices);
		}
	}
	for (unsigned i = 0; i < sizeof(spoken) / sizeof(*spoken); i++)
		printf("\"%s\"\n", spoken[i]);
	return 0;
}
