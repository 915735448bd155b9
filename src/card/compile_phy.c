/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A <phy> with id= has the registers that clause 22 of 802.3 gives every PHY. They
 * are written down here as a description would, read like one, and added to the
 * nodes of the card; a register that the card describes itself, at the same offset,
 * stands in for the one from here. NAME_ in capitals goes before each name.
 */
#include "card/draft.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REGISTERS = 32, TEXT_MAX = 16384 };
enum { EXTENDED = 15, GIGABIT_CONTROL = 9, GIGABIT_STATUS = 10 };

static const struct speed {
	const char *name;
	uint16_t status, advertise, gigabit, control; /* bits of BMSR, ANAR, ESTATUS, GBCR */
} speeds[] = {
	{"10-half", 0x0800, 0x0020, 0, 0},	  {"10-full", 0x1000, 0x0040, 0, 0},
	{"100-half", 0x2000, 0x0080, 0, 0},	  {"100-full", 0x4000, 0x0100, 0, 0},
	{"100-t4", 0x8000, 0x0200, 0, 0},	  {"1000-half", 0x0100, 0, 0x1000, 0x0100},
	{"1000-full", 0x0100, 0, 0x2000, 0x0200},
};

struct phy_text {
	const char *name, *prefix;
	uint32_t id;
	struct speed all; /* of its speeds together */
	uint16_t link_word;
	char text[TEXT_MAX];
	size_t length;
};

static bool listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t here = strcspn(at, " ");

		if (here == length && !memcmp(at, word, length))
			return true;
		at += here;
	}
	return false;
}

__attribute__((format(printf, 2, 3))) static void put(struct phy_text *phy, const char *format, ...)
{
	size_t room = sizeof(phy->text) - phy->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(phy->text + phy->length, room, format, args);
	va_end(args);
	if (length > 0 && (size_t)length < room)
		phy->length += (size_t)length;
}

static void put_control(struct phy_text *phy)
{
	unsigned speed = phy->all.gigabit ? 0x0040 : phy->all.advertise & 0x0380 ? 0x2000 : 0;
	unsigned full = (phy->all.advertise & 0x0140) || (phy->all.gigabit & 0x2000) ? 0x0100 : 0;

	put(phy,
	    "<register name='%s_BMCR' at='0' reset='0x%x'>"
	    "<field name='SPEED1000' bits='6'/><field name='TEST' bits='7'/>"
	    "<field name='DUPLEX' bits='8'/>"
	    "<field name='RESTART' bits='9' access='self-clear' do='negotiate %s'/>"
	    "<field name='ISOLATE' bits='10'/><field name='POWERDOWN' bits='11'/>"
	    "<field name='ANENABLE' bits='12' do='negotiate %s' do-on='change'/>"
	    "<field name='SPEED100' bits='13'/><field name='LOOP' bits='14'/>"
	    "<field name='RESET' bits='15' access='self-clear' do='reset %s-registers'/>"
	    "</register>",
	    phy->prefix, 0x1000 | speed | full, phy->name, phy->name, phy->name);
}

static void put_status(struct phy_text *phy)
{
	put(phy,
	    "<register name='%s_BMSR' at='2' access='ro' reset='0x%x'>"
	    "<field name='LINK' bits='2' access='latch' shows='link.up'/>"
	    "<field name='ANDONE' bits='5' shows='link.up and %s_BMCR.ANENABLE'/></register>"
	    "<register name='%s_PHYID1' at='4' access='ro' reset='0x%x'/>"
	    "<register name='%s_PHYID2' at='6' access='ro' reset='0x%x'/>",
	    phy->prefix, 0x004d | phy->all.status, phy->prefix, phy->prefix, phy->id >> 16,
	    phy->prefix, phy->id & 0xffff);
}

static void put_negotiation(struct phy_text *phy)
{
	put(phy,
	    "<register name='%s_ANAR' at='8' reset='0x%x' mask='0x2fe0'/>"
	    "<register name='%s_ANLPAR' at='10' access='ro' shows='choose(link.up, 0, "
	    "choose(link.speed >= 100, 0x%x, 0x%x))'/>"
	    "<register name='%s_ANER' at='12' access='ro' shows='link.up'/>"
	    "<register name='%s_ANNPTR' at='14' reset='0x2001'/>"
	    "<register name='%s_ANNPRR' at='16' access='ro'/>",
	    phy->prefix, phy->all.advertise | 1, phy->prefix, phy->link_word & ~0x0380u,
	    phy->link_word, phy->prefix, phy->prefix, phy->prefix);
	if (!phy->all.gigabit)
		return;
	put(phy,
	    "<register name='%s_GBCR' at='18' reset='0x%x' mask='0xff00'/>"
	    "<register name='%s_GBSR' at='20' access='ro' "
	    "shows='choose(link.up and link.speed >= 1000, 0, 0x%x)'/>"
	    "<register name='%s_ESTATUS' at='30' access='ro' reset='0x%x'/>",
	    phy->prefix, phy->all.control, phy->prefix,
	    0x7000 | (phy->all.gigabit & 0x2000 ? 0x0800 : 0) |
		    (phy->all.gigabit & 0x1000 ? 0x0400 : 0),
	    phy->prefix, phy->all.gigabit);
}

/* What the maker put behind the standard ones: it holds what is written. */
static void put_others(struct phy_text *phy)
{
	for (unsigned i = 9; i < REGISTERS; i++) {
		bool gigabit = i == GIGABIT_CONTROL || i == GIGABIT_STATUS || i == EXTENDED;

		if (!gigabit || !phy->all.gigabit)
			put(phy, "<register name='%s_R%u' at='%u'/>", phy->prefix, i, i * 2);
	}
}

static void all_mine(struct node *node, const struct node *owner)
{
	for (; node; node = node->next) {
		node->file = owner->file;
		node->line = owner->line;
		node->inherited = owner->inherited;
		all_mine(node->child, owner);
	}
}

static bool has_register(const struct node *owner, const struct node *node)
{
	uint64_t at, other;

	for (const struct node *child = owner->child; child; child = child->next) {
		if (text_number(node_get(node, "at") ?: "", &at) &&
		    text_number(node_get(child, "at") ?: "", &other) && at == other)
			return true;
	}
	return false;
}

static void add_registers(struct node *owner, struct node *added)
{
	struct node **last = &owner->child, *next;

	while (*last)
		last = &(*last)->next;
	for (; added; added = next) {
		next = added->next;
		added->next = NULL;
		if (has_register(owner, added))
			continue;
		*last = added;
		last = &added->next;
	}
}

static struct node *parsed(struct draft *draft, struct phy_text *phy, const struct node *owner)
{
	struct node *root;

	put(phy, "</card>");
	root = xml_nodes(draft, "a standard PHY", phy->text, phy->length);
	phy->length = 0;
	put(phy, "<card>");
	if (root)
		all_mine(root->child, owner);
	return root ? root->child : NULL;
}

static void phy_add(struct draft *draft, struct node *owner, struct phy_text *phy)
{
	struct node *reset;

	phy->length = 0;
	put(phy, "<card>");
	put_control(phy);
	put_status(phy);
	put_negotiation(phy);
	put_others(phy);
	add_registers(owner, parsed(draft, phy, owner));
	put(phy, "<reset name='%s-registers' clears='%s' do='negotiate %s'/>", phy->name, phy->name,
	    phy->name);
	reset = parsed(draft, phy, owner);
	if (!reset)
		return;
	reset->next = owner->next;
	owner->next = reset;
}

static char *capitals(struct draft *draft, const char *name)
{
	char *text = arena_text(&draft->arena, name, strlen(name));

	for (char *at = text; *at; at++)
		*at = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
	return text;
}

static void phy_standard(struct draft *draft, struct node *node, uint64_t id)
{
	const char *list = node_get(node, "speeds") ?: "10-half 10-full 100-half 100-full";
	struct phy_text *phy = draft_take(draft, struct phy_text, 1);
	uint64_t word;

	phy->name = node_get(node, "name") ?: "phy";
	phy->prefix = capitals(draft, phy->name);
	phy->id = (uint32_t)id;
	for (unsigned i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
		if (!listed(list, speeds[i].name))
			continue;
		phy->all.status |= speeds[i].status;
		phy->all.advertise |= speeds[i].advertise;
		phy->all.gigabit |= speeds[i].gigabit;
		phy->all.control |= speeds[i].control;
	}
	/* the other side: full duplex, what this one can, and it has heard us */
	phy->link_word = (uint16_t)(0x4001 | (phy->all.advertise & 0x01e0));
	if (text_number(node_get(node, "link-word") ?: "", &word) && word <= UINT16_MAX)
		phy->link_word = (uint16_t)word;
	phy_add(draft, node, phy);
}

/* Others are reported later; they must not be taken for a part of what is put here. */
static bool good_name(const char *name)
{
	size_t length = strlen(name);

	for (const char *at = name; *at; at++) {
		if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
			return false;
	}
	return length && length <= 32 && isalpha((unsigned char)*name);
}

/* Before words are checked: a value that is wrong is reported there. */
void phy_expand(struct draft *draft)
{
	for (struct node *node = draft->root->child; node; node = node->next) {
		uint64_t id;

		if (!strcmp(node->word, "phy") && good_name(node_get(node, "name") ?: "phy") &&
		    text_number(node_get(node, "id") ?: "", &id))
			phy_standard(draft, node, id);
	}
}

static void read_negotiation(struct draft *draft, const struct node *node)
{
	struct phy *phy = &draft->card->phy;

	if (!node_get(node, "negotiate"))
		return;
	if (phy->negotiate.count) {
		wrong(draft, node, "negotiate= stands in another <phy> already");
		return;
	}
	expr_read(draft, node, "negotiate", &phy->negotiate);
}

void compile_phy(struct draft *draft)
{
	for_each_node(node, draft->root, "phy")
	{
		read_negotiation(draft, node);
		if (!node_get(node, "id")) {
			node_useless(draft, node, "speeds", "without id=");
			node_useless(draft, node, "link-word", "without id=");
		}
	}
}
