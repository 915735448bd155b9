/* SPDX-License-Identifier: Apache-2.0 */

/* What stands in configuration space behind its header: registers, and capabilities. */
#include "card/draft.h"

#include <string.h>

enum {
	CAPABILITIES_MAX = 16,
	PARTS_MAX = 16,
	VENDOR_BYTES = 0x39,
	TABLE_ENTRY = 16,
	VECTORS_DEFAULT = 1,
	FIRST = 0x40,
	END = 0x100,
};

static const char *const own[] = {"wide", "bar", "table", "pending", "vectors", "bytes"};

/* Attributes that only some kinds have. */
static void check_own(struct draft *draft, const struct node *node, unsigned kind)
{
	static const char *const kinds[] = {"power", "express", "msi", "msi-x", "vendor"};
	static const uint8_t has[] = {0, 0, 0x11, 0x1e, 0x20};
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

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pairs of digits, with blanks between them or not. */
static void read_bytes(struct draft *draft, const struct node *node, struct capability *capability)
{
	uint8_t *bytes = draft_take(draft, uint8_t, VENDOR_BYTES);
	const char *text = node_get(node, "bytes"), *at = text;

	capability->bytes = bytes;
	if (!text) {
		wrong(draft, node, "vendor needs bytes=");
		return;
	}
	for (at += strspn(at, " "); at && *at; at += strspn(at, " ")) {
		int high = digit(at[0]), low = high < 0 ? -1 : digit(at[1]);

		if (low < 0) {
			wrong(draft, node, "bytes=: expected pairs of digits 0 to 9, a to f");
			return;
		}
		if (capability->length == VENDOR_BYTES) {
			wrong(draft, node, "bytes=: more than %d", VENDOR_BYTES);
			return;
		}
		bytes[capability->length++] = (uint8_t)(high << 4 | low);
		at += 2;
	}
}

static unsigned bytes_of(const struct capability *capability)
{
	static const uint8_t bytes[] = {8, 0x3c, 16, 12};

	if (capability->kind == CAPABILITY_VENDOR)
		return (capability->length + 6u) & ~3u;
	return capability->kind == CAPABILITY_MSI && !capability->wide ? 12
								       : bytes[capability->kind];
}

/* Who has which byte; NULL: nobody. */
struct space {
	const struct node *owners[END];
};

static bool claim(struct draft *draft, const struct node *node, struct space *space, unsigned at,
		  unsigned size)
{
	if (size > END - at) {
		wrong(draft, node, "%u bytes from 0x%x on lie beyond configuration space", size,
		      at);
		return false;
	}
	for (unsigned i = 0; i < size; i++) {
		if (!space->owners[at + i])
			continue;
		wrong(draft, node, "it overlaps what %s puts in configuration space",
		      node_line(draft, node, space->owners[at + i]));
		return false;
	}
	for (unsigned i = 0; i < size; i++)
		space->owners[at + i] = node;
	return true;
}

static bool room_at(const struct space *space, unsigned at, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		if (at + i >= END || space->owners[at + i])
			return false;
	}
	return true;
}

/* Where there is room: the last of the list comes first. */
static void place(struct draft *draft, const struct node *node, struct space *space,
		  struct capability *capability)
{
	unsigned at = FIRST, size = bytes_of(capability);

	while (at < END && !room_at(space, at, size))
		at += 4;
	if (at == END)
		wrong(draft, node, "there is no room left in configuration space");
	else if (claim(draft, node, space, at, size))
		capability->at = (uint8_t)at;
}

static void read_place(struct draft *draft, const struct node *node, struct space *space,
		       struct capability *capability)
{
	uint64_t at;

	if (!node_number(draft, node, "at", UINT64_MAX, &at))
		return;
	if (at % 4)
		wrong(draft, node, "at=\"%s\" is not a multiple of 4", node_get(node, "at"));
	else if (claim(draft, node, space, (unsigned)at, bytes_of(capability)))
		capability->at = (uint8_t)at;
}

static bool is_there(struct draft *draft, const struct node *node, int kind)
{
	const struct card *card = draft->card;

	for (unsigned i = 0; i < card->capabilities_count; i++) {
		if (card->capabilities[i].kind != kind || kind == CAPABILITY_VENDOR)
			continue;
		wrong(draft, node, "kind=\"%s\" is there already", node_get(node, "kind"));
		return true;
	}
	if (card->capabilities_count == CAPABILITIES_MAX)
		wrong(draft, node, "more than %d <capability>", CAPABILITIES_MAX);
	return card->capabilities_count == CAPABILITIES_MAX;
}

static void read_capability(struct draft *draft, const struct node *node,
			    struct capability *capability)
{
	int kind = node_choice(node, "kind");
	uint64_t vectors = VECTORS_DEFAULT;

	draft->card->capabilities_count++;
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
	if (kind == CAPABILITY_VENDOR)
		read_bytes(draft, node, capability);
}

static void read_parts(struct draft *draft, struct space *space)
{
	struct config_part *parts = draft_take(draft, struct config_part, PARTS_MAX);
	const struct node *pci = node_first(draft->root->child, "pci");

	draft->card->config_parts = parts;
	for_each_node(node, pci, "part")
	{
		int bank = bank_read_name(draft, node, "bank");
		uint64_t at = FIRST, size = 1;

		if (draft->card->config_parts_count == PARTS_MAX) {
			wrong(draft, node, "more than %d <part> in <pci>", PARTS_MAX);
			return;
		}
		if (!node_number(draft, node, "at", UINT64_MAX, &at) ||
		    !node_number(draft, node, "size", UINT64_MAX, &size) || bank < 0 ||
		    !claim(draft, node, space, (unsigned)at, (unsigned)size))
			continue;
		parts[draft->card->config_parts_count++] =
			(struct config_part){(uint8_t)at, (uint8_t)size, (uint16_t)bank};
	}
}

void compile_capabilities(struct draft *draft)
{
	struct capability *list = draft_take(draft, struct capability, CAPABILITIES_MAX);
	const struct node *nodes[CAPABILITIES_MAX];
	struct space space = {0};

	draft->card->capabilities = list;
	if (node_first(draft->root->child, "pci"))
		read_parts(draft, &space);
	for_each_node(node, draft->root, "capability")
	{
		unsigned index = draft->card->capabilities_count;

		if (node_choice(node, "kind") < 0 ||
		    is_there(draft, node, node_choice(node, "kind")))
			continue;
		nodes[index] = node;
		read_capability(draft, node, &list[index]);
		read_place(draft, node, &space, &list[index]);
	}
	for (unsigned i = draft->card->capabilities_count; i-- > 0;) {
		if (!node_get(nodes[i], "at"))
			place(draft, nodes[i], &space, &list[i]);
	}
}
