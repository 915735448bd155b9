/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The module of a description: loaded while it is a draft still, so that what is
 * wrong with it is a mistake like any other, and so that its configure() can add
 * to the nodes. What it adds is laid over what there is, as a card over the one it
 * extends; words, values and references are checked afterwards, all alike.
 */
#include "card/draft.h"
#include "module/module.h"
#include "nic/service.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTES_MAX = 64, TEXT_MAX = CARD_FILE_MAX, TEXT_COSTS = 512 };

static struct draft *draft_of(struct anynic_draft *draft)
{
	return (struct draft *)draft;
}

/* A text of the module's, copied; NULL: there is too much of it by now. */
static char *keep(struct draft *draft, const char *text)
{
	size_t length = strlen(text);

	draft->configured += length + 1;
	return draft->configured <= CARD_FILE_MAX ? arena_text(&draft->arena, text, length) : NULL;
}

static int32_t too_much(struct draft *draft)
{
	if (draft->configured != SIZE_MAX / 2)
		wrong(draft, draft->configuring,
		      "the module describes more than the %d KiB a description may have",
		      CARD_FILE_MAX >> 10);
	draft->configured = SIZE_MAX / 2; /* and no more of it is taken */
	return ANYNIC_FULL;
}

/* ---- services of a draft ---- */

int32_t service_draft_element(struct anynic_draft *self, const char *word, const char *file,
			      uint32_t line)
{
	struct draft *draft = draft_of(self);
	struct node *node;

	draft->configured += sizeof(*node);
	if (draft->open_count == CONFIGURE_DEPTH)
		return ANYNIC_FULL;
	node = draft_take(draft, struct node, 1);
	node->word = keep(draft, word);
	node->file = keep(draft, file);
	node->line = line;
	if (!node->word || !node->file)
		return too_much(draft);
	if (draft->open_count) {
		*draft->open_last[draft->open_count - 1] = node;
		draft->open_last[draft->open_count - 1] = &node->next;
	}
	draft->open[draft->open_count] = node;
	draft->open_last[draft->open_count++] = &node->child;
	return ANYNIC_OK;
}

int32_t service_draft_attribute(struct anynic_draft *self, const char *name, const char *value)
{
	struct draft *draft = draft_of(self);
	struct node *node = draft->open_count ? draft->open[draft->open_count - 1] : NULL;
	struct attribute attribute = {.choice = -1};

	if (!node || node_get(node, name))
		return ANYNIC_INVALID;
	if (node->attributes_count == ATTRIBUTES_MAX / 2)
		return ANYNIC_FULL;
	if (!node->attributes) /* with room for what the table may add */
		node->attributes = draft_take(draft, struct attribute, ATTRIBUTES_MAX);
	attribute.name = keep(draft, name);
	attribute.value = keep(draft, value);
	if (!attribute.name || !attribute.value)
		return too_much(draft);
	node->attributes[node->attributes_count++] = attribute;
	return ANYNIC_OK;
}

int32_t service_draft_number(struct anynic_draft *self, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	return service_draft_attribute(self, name, text);
}

int32_t service_draft_end(struct anynic_draft *self)
{
	struct draft *draft = draft_of(self);

	if (!draft->open_count)
		return ANYNIC_INVALID;
	if (!--draft->open_count)
		lay_over(draft, draft->open[0]);
	return ANYNIC_OK;
}

static void move_lines(struct node *node, unsigned by)
{
	node->line += by;
	for (struct node *child = node->child; child; child = child->next)
		move_lines(child, by);
}

int32_t service_draft_text(struct anynic_draft *self, const char *text, const char *file,
			   uint32_t line)
{
	struct draft *draft = draft_of(self);
	struct mistakes *mistakes = draft->mistakes;
	const char *name = keep(draft, file);
	size_t length = strlen(text);
	unsigned before = mistakes->count;
	struct node *root;

	draft->configured += length + TEXT_COSTS;
	if (!name || draft->configured > TEXT_MAX)
		return too_much(draft);
	if (draft->open_count)
		return ANYNIC_INVALID;
	root = xml_nodes(draft, name, text, length);
	for (unsigned i = before; i < mistakes->count; i++)
		mistakes->list[i].line += line - 1;
	if (!root)
		return ANYNIC_INVALID;
	move_lines(root, line - 1);
	if (strcmp(root->word, "card")) {
		wrong(draft, root, "expected a <card>, not a <%s>", root->word);
		return ANYNIC_INVALID;
	}
	lay_card_over(draft, root);
	return ANYNIC_OK;
}

int32_t service_draft_get(struct anynic_draft *self, const char *name, char *to, uint32_t room)
{
	const char *value = node_get(draft_of(self)->root, name);

	if (!value)
		return ANYNIC_NONE;
	if (strlen(value) >= room)
		return ANYNIC_FULL;
	strcpy(to, value);
	return (int32_t)strlen(value);
}

int32_t service_draft_wrong(struct anynic_draft *self, const char *file, uint32_t line,
			    const char *text)
{
	mistake(draft_of(self)->mistakes, file, line, "%s", text);
	return ANYNIC_OK;
}

/* ---- its files ---- */

static bool file_name_sound(const char *name)
{
	return *name && !strchr(name, '/') && *name != '.';
}

/* Beside the description in which the element stands, wherever that is. */
static bool find_beside(void *context, const char *path, const char *name, struct module_file *file)
{
	const struct draft *draft = context;
	const struct finder *finder = draft->finder;
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	struct found_card found = {0};

	if (!file_name_sound(name))
		return false;
	if (finder && finder->beside && finder->beside(finder->context, path, name, &found)) {
		snprintf(file->path, sizeof(file->path), "%s", found.path);
		file->bytes = found.text;
		file->length = found.length;
		file->foreign = found.foreign;
		return true;
	}
	snprintf(file->path, sizeof(file->path), "%.*s%s", folder, path, name);
	mistakes_file(draft->mistakes, file->path);
	return module_file_read(file);
}

static struct module *load(struct draft *draft, const struct node *node)
{
	struct module_source source = {
		.kind = node_get(node, "kind"),
		.name = node_get(node, "file"),
		.compiler = node_get(node, "compiler"),
		.command = node_get(node, "command"),
		.description = node->file,
		.beside = find_beside,
		.context = draft,
	};
	struct error err = {0};
	struct module *module;

	source.memory = MODULE_MEMORY;
	node_number(draft, node, "memory", UINT64_MAX, &source.memory);
	if (!file_name_sound(source.name)) {
		wrong(draft, node, "file=\"%s\" is not the name of a file beside the description",
		      source.name);
		return NULL;
	}
	module = module_open(&source, &err);
	if (!module && *err.file)
		mistake(draft->mistakes, err.file, err.line, "%s", err.text);
	else if (!module)
		wrong(draft, node, "%s", err.text);
	return module;
}

static void run(struct draft *draft, const struct node *node, struct module *module)
{
	unsigned before = draft->mistakes->count;
	struct error err = {0};
	int result;

	draft->configuring = node;
	lay_begin(draft);
	result = module_configure(module, (struct anynic_draft *)draft, &err);
	if (draft->open_count)
		wrong(draft, draft->open[draft->open_count - 1],
		      "<%s> was begun by configure() and not ended",
		      draft->open[draft->open_count - 1]->word);
	else if (result < 0 && draft->mistakes->count == before)
		wrong(draft, node, "%s", err.text);
	draft->open_count = 0;
	draft->configuring = NULL;
}

void configure(struct draft *draft)
{
	struct node *node = (struct node *)node_first(draft->root->child, "module");

	if (!node)
		return;
	draft->module = node;
	words_check_one(draft, node);
	if (node->broken || node_choice(node, "kind") < 0 || node_get(node, "file") == broken)
		return;
	draft->card->module = load(draft, node);
	if (draft->card->module)
		run(draft, node, draft->card->module);
}

/* ---- what the description wants of it, when all is read ---- */

static void wants(struct draft *draft, const char *hook, bool there, const char *what)
{
	if (!there)
		wrong(draft, draft->module, "%s has no hook %s(), which %s",
		      node_get(draft->module, "file"), hook, what);
}

void compile_module(struct draft *draft)
{
	struct card *card = draft->card;
	const struct anynic_module *has;
	bool reads = false, writes = false, timers = false;

	card->called = memcpy(draft_take(draft, const char *, card->called_count), draft->called,
			      card->called_count * sizeof(*draft->called));
	if (!card->module)
		return;
	has = module_hooks(card->module);
	for_each_symbol(symbol, draft)
	{
		reads |= symbol->kind == SYMBOL_REGISTER && symbol->reg->module_reads;
		writes |= symbol->kind == SYMBOL_REGISTER && symbol->reg->module_writes;
	}
	for (unsigned i = 0; i < card->timers_count; i++)
		timers |= !card->timers[i].actions.count;
	wants(draft, "read", has->read || !reads, "a register with module=\"read\" needs");
	wants(draft, "write", has->write || !writes, "a register with module=\"write\" needs");
	wants(draft, "timer", has->timer || !timers, "a timer without do= needs");
	wants(draft, "call", has->call || !(draft->verbs & CALLS_CALL), "an action needs");
	wants(draft, "kick", has->kick || !(draft->verbs & CALLS_KICK), "an action needs");
	wants(draft, "command", has->command || !(draft->verbs & CALLS_COMMAND), "an action needs");
}
