/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"
#include "card/parser.h"

#include <string.h>

static const char *const counted_names[COUNTED] = {
	[COUNT_TX_FRAMES] = "tx.frames",
	[COUNT_TX_BYTES] = "tx.bytes",
	[COUNT_TX_BROADCAST] = "tx.broadcast",
	[COUNT_TX_MULTICAST] = "tx.multicast",
	[COUNT_TX_64] = "tx.64",
	[COUNT_TX_127] = "tx.127",
	[COUNT_TX_255] = "tx.255",
	[COUNT_TX_511] = "tx.511",
	[COUNT_TX_1023] = "tx.1023",
	[COUNT_TX_MAX] = "tx.max",
	[COUNT_TX_SEGMENTED] = "tx.segmented",
	[COUNT_TX_FAULTS] = "tx.faults",
	[COUNT_TX_ERRORS] = "tx.errors",
	[COUNT_RX_FRAMES] = "rx.good",
	[COUNT_RX_BYTES] = "rx.bytes",
	[COUNT_RX_BROADCAST] = "rx.broadcast",
	[COUNT_RX_MULTICAST] = "rx.multicast",
	[COUNT_RX_64] = "rx.64",
	[COUNT_RX_127] = "rx.127",
	[COUNT_RX_255] = "rx.255",
	[COUNT_RX_511] = "rx.511",
	[COUNT_RX_1023] = "rx.1023",
	[COUNT_RX_MAX] = "rx.max",
	[COUNT_RX_NO_ROOM] = "rx.no-room",
	[COUNT_RX_FILTERED] = "rx.filtered",
	[COUNT_RX_TOO_LONG] = "rx.too-long",
	[COUNT_RX_TOO_SHORT] = "rx.too-short",
	[COUNT_RX_TOTAL_FRAMES] = "rx.total",
	[COUNT_RX_TOTAL_BYTES] = "rx.total-bytes",
	[COUNT_RX_STOPPED] = "rx.stopped",
	[COUNT_RX_ERRORS] = "rx.errors",
};

/* The table has the same names, in the same order; this is what ties them to the engine. */
static unsigned event_of(const char *name)
{
	unsigned event = 0;

	while (event < COUNTED && strcmp(counted_names[event], name))
		event++;
	return event;
}

/* The place with the bits above; of a whole register, reading clears both. */
static void read_high(struct draft *draft, const struct node *node, const struct reg *low,
		      struct counter *counter)
{
	const char *name = node_get(node, "high");
	struct symbol *high;
	struct target target;

	if (!place_read(draft, node, "high", false, &target))
		return;
	high = symbol_kind_find(draft, name, name_length(name), SYMBOL_REGISTER);
	if (high->reg == low || high->reg->count > 1) {
		wrong(draft, node, "high=\"%s\": expected another register, no array", name);
	} else if (low->bytes == 8 || target.mask == UINT64_MAX) {
		wrong(draft, node, "high=\"%s\": more than 64 bits in all", name);
	} else {
		counter->high = target.word;
		counter->high_shift = target.shift;
		counter->high_mask = target.mask >> target.shift;
		if (target.mask != high->reg->valid)
			return;
		high->reg->clears_also = low->word;
		high->reg->plain = false;
	}
}

/* Bits that are set when so much was counted. */
static void read_raise(struct draft *draft, const struct node *node, struct counter *counter)
{
	struct target target;
	uint64_t most = counter->limit;

	if (counter->high_mask)
		most = counter->high_mask * (counter->limit + 1) + counter->limit;
	if (!node_get(node, "raise"))
		node_useless(draft, node, "reaches", "without raise=");
	if (!place_read(draft, node, "raise", false, &target))
		return;
	counter->raise = target.word;
	counter->raise_mask = target.mask;
	counter->reaches = most;
	if (!node->broken)
		node_number(draft, node, "reaches", most, &counter->reaches);
}

static void read_counter(struct draft *draft, const struct symbol *symbol, struct counter *counter)
{
	const struct node *node = symbol->node;
	const char *counts = node_get(node, "counts");

	if (!counts) {
		node_useless(draft, node, "on-overflow", "without counts=");
		node_useless(draft, node, "high", "without counts=");
		node_useless(draft, node, "raise", "without counts=");
		return;
	}
	if (counts == broken)
		return;
	if (event_of(counts) == COUNTED) {
		wrong(draft, node, "counts=\"%s\": the engine has no such event", counts);
		return;
	}
	*counter = (struct counter){.event = (uint8_t)event_of(counts),
				    .word = symbol->reg->word,
				    .limit = symbol->reg->valid,
				    .stick = node_choice(node, "on-overflow") == 1};
	read_high(draft, node, symbol->reg, counter);
	read_raise(draft, node, counter);
	draft->card->counters_count++;
}

void compile_counters(struct draft *draft)
{
	struct counter *counters = draft_take(draft, struct counter, draft->registers);

	draft->card->counters = counters;
	for_each_symbol(symbol, draft)
	{
		if (symbol->reg && !strcmp(symbol->node->word, "counter"))
			read_counter(draft, symbol, &counters[draft->card->counters_count]);
	}
}
