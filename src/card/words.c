/* SPDX-License-Identifier: Apache-2.0 */

/* Every word of the language: where it may stand, and what it may and must say. */
#include "card/draft.h"

#include <string.h>

static const struct word {
	const char *name, *parents, *attributes; /* "!": must be there */
} words[] = {
	{"card", "", "name! title! drivers"},
	{"pci", "card", "vendor! device! subsystem-vendor subsystem revision class! interrupt"},
	{"bar", "card", "index! space! size! bank"},
	{"index-data", "bar", "index! data! register! bank!"},
	{"bank", "card", "name! width"},
	{"phy", "card", "name width"},
	{"eeprom", "card", "name words!"},
	{"mac", "eeprom", "words!"},
	{"word", "eeprom", "at! value! doc"},
	{"sum", "eeprom", "word! total!"},
	{"register", "bank phy",
	 "name! at size count stride access reset mask when writable-when shows stored do do-on "
	 "do-read alias effects doc"},
	{"counter", "bank phy", "name! at! size counts on-overflow access high doc"},
	{"field", "register record", "name! bits! access reset shows do do-on doc"},
	{"value", "field", "is! name do!"},
	{"window", "card", "to! index! chip data! read-when write-when after done"},
	{"pins", "card", "of! to! clock! select! in! out! address-bits when"},
	{"record", "card", "name! size!"},
	{"ring", "card", "name! for! when base! end! ready! cursor! empty hold next!"},
	{"use", "ring", "record! as! when key last"},
	{"buffer", "use", "address! length! skip"},
	{"segment", "use", "when mss! header! payload"},
	{"checksum", "use ring", "of! when start put end seed"},
	{"vlan", "ring", "tci when type"},
	{"fcs", "ring", "when"},
	{"pad", "ring", "to! when"},
	{"loop", "ring", "when!"},
	{"complete", "ring use", "at when write do"},
	{"receive", "card", "rings! max when"},
	{"accept", "receive", "class! when table entries valid index must"},
	{"interrupt", "card", "line! cause! mask! enable"},
	{"moderate", "interrupt", "cause record when interval idle limit"},
	{"reset", "card", "name! clears keeps do"},
	{"timer", "card", "name! every after when do!"},
	{"on", "card", "event! do!"},
};

static const struct word *find(const char *name)
{
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(words[i].name, name))
			return &words[i];
	}
	return NULL;
}

/* Is NAME in the list? MUST tells whether it has to be there. */
static bool in_list(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		if (word - (at[word - 1] == '!') == length && !memcmp(at, name, length))
			return true;
		at += word;
	}
	return false;
}

static void check_attributes(struct draft *draft, const struct node *node, const struct word *word)
{
	for (unsigned i = 0; i < node->attributes_count; i++) {
		if (!in_list(word->attributes, node->attributes[i].name))
			wrong(draft, node, "<%s> has no attribute %s=; it may have: %s", node->word,
			      node->attributes[i].name, word->attributes);
	}
	for (const char *at = word->attributes; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		char name[40];

		snprintf(name, sizeof(name), "%.*s", (int)length - 1, at);
		if (at[length - 1] == '!' && !node_get(node, name))
			wrong(draft, node, "<%s> needs %s=", node->word, name);
		at += length;
	}
}

static void check(struct draft *draft, const struct node *node, const char *parent)
{
	const struct word *word = find(node->word);

	if (!word) {
		wrong(draft, node, "<%s> is not a word of the language", node->word);
		return;
	}
	if (parent ? !in_list(word->parents, parent) : *word->parents)
		wrong(draft, node, "<%s> stands in <%s>, not in <%s>", node->word,
		      *word->parents ? word->parents : "nothing", parent ?: "nothing");
	check_attributes(draft, node, word);
	for (const struct node *child = node->child; child; child = child->next)
		check(draft, child, node->word);
}

bool words_check(struct draft *draft, const struct node *root)
{
	unsigned before = draft->mistakes->count;

	check(draft, root, NULL);
	return draft->mistakes->count == before;
}
