/* SPDX-License-Identifier: Apache-2.0 */

/* Capabilities in configuration space. */
#include "card/draft.h"

#include <string.h>

enum { CAPABILITIES_MAX = 8, TABLE_ENTRY = 16, VECTORS_DEFAULT = 1 };

static const char *const own[] = {"wide", "bar", "table", "pending", "vectors"};

/* Attributes that only some kinds have. */
static void check_own(struct draft *draft, const struct node *node, unsigned kind)
{
	static const char *const kinds[] = {"power", "express", "msi", "msi-x"};
	static const uint8_t has[] = {0, 0, 0x11, 0x1e};
	char why[24];

	snprintf(why, sizeof(why), "for %s", kinds[kind]);
	for (unsigned i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (!(has[kind] >> i & 1))
			node_useless(draft, node, own[i], why);
	}
}

static void read_table(struct draft *draft, const struct node *node, struct capability *capability)
{
	uint64_t bar = 0, table = 0, pending = 0, bytes = capability->vectors * TABLE_ENTRY;
	uint64_t bits = (capability->vectors + 63) / 64 * 8;

	if (!node_get(node, "bar") || !node_get(node, "table") || !node_get(node, "pending")) {
		wrong(draft, node, "msi-x needs bar=, table= and pending=");
		return;
	}
	if (!node_number(draft, node, "bar", UINT64_MAX, &bar) ||
	    !node_number(draft, node, "table", UINT64_MAX, &table) ||
	    !node_number(draft, node, "pending", UINT64_MAX, &pending))
		return;
	capability->bar = (uint8_t)bar;
	capability->table = (uint32_t)table;
	capability->pending = (uint32_t)pending;
	if (table % 8 || pending % 8)
		wrong(draft, node, "table= and pending= are multiples of 8");
	else if (table < pending + bits && pending < table + bytes)
		wrong(draft, node, "table= and pending= overlap");
	else if (table + bytes > draft->card->bars[bar].size ||
		 pending + bits > draft->card->bars[bar].size || draft->card->bars[bar].io)
		wrong(draft, node, "table= or pending= lies beyond the memory of BAR %u",
		      (unsigned)bar);
}

static void read_capability(struct draft *draft, const struct node *node)
{
	struct card *card = draft->card;
	struct capability *capability =
		(struct capability *)&card->capabilities[card->capabilities_count];
	int kind = node_choice(node, "kind");
	uint64_t vectors = VECTORS_DEFAULT;

	if (kind < 0)
		return;
	for (unsigned i = 0; i < card->capabilities_count; i++) {
		if (card->capabilities[i].kind == kind) {
			wrong(draft, node, "kind=\"%s\" is there already", node_get(node, "kind"));
			return;
		}
	}
	card->capabilities_count++;
	check_own(draft, node, (unsigned)kind);
	node_number(draft, node, "vectors", UINT64_MAX, &vectors);
	capability->kind = (uint8_t)kind;
	capability->wide = node_choice(node, "wide") != 1;
	capability->vectors = (uint16_t)vectors;
	if (kind == CAPABILITY_MSI && (vectors > 32 || vectors & (vectors - 1)))
		wrong(draft, node, "vectors=\"%s\": msi has a power of two up to 32",
		      node_get(node, "vectors"));
	if (kind == CAPABILITY_MSIX)
		read_table(draft, node, capability);
}

void compile_capabilities(struct draft *draft)
{
	draft->card->capabilities = draft_take(draft, struct capability, CAPABILITIES_MAX);
	for_each_node(node, draft->root, "capability") read_capability(draft, node);
}
