/* SPDX-License-Identifier: Apache-2.0 */

/*
 * anynic pack create PACK DIR…: each DIR is the folder of a card, or a folder of
 * such folders. Every description is read before it goes in, and once more from
 * the pack, so that a card whose base is not there does not get out.
 */
#include "instance/pack.h"
#include "cli/cli.h"
#include "instance/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 256 };

static int tell(const struct error *err)
{
	fprintf(stderr, "anynic: error: %s\n", err->text);
	return CLI_FAILED;
}

static bool ends_in_pack(const char *path)
{
	size_t length = strlen(path);

	return length > 5 && !strcmp(path + length - 5, ".pack");
}

/* ---- create ---- */

struct making {
	struct pack_draft *draft;
	struct error err;
	unsigned cards, files;
};

static int put_file(struct making *making, const char *card, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat found;
	size_t length = 0;
	int result;
	FILE *file;
	char *data;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (lstat(path, &found) < 0 || !S_ISREG(found.st_mode))
		return 0;
	if (found.st_size > PACK_FILE_BYTES)
		return error_set(&making->err, -EFBIG, "%s: larger than %d MiB", path,
				 PACK_FILE_BYTES >> 20);
	file = fopen(path, "re");
	data = malloc((size_t)found.st_size + 1);
	if (!file || !data) {
		result = error_set(&making->err, -errno, "%s: %s", path, strerror(errno));
	} else {
		length = fread(data, 1, (size_t)found.st_size, file);
		result = pack_put_file(making->draft, card, name, data, length, &making->err);
	}
	if (file)
		fclose(file);
	free(data);
	making->files++;
	return result;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int put_files(struct making *making, const char *card, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, visible, alphasort), result = 0;

	if (count < 0)
		return error_set(&making->err, -errno, "%s: %s", folder, strerror(errno));
	if (count > FILES_MAX)
		result = error_set(&making->err, -EFBIG, "%s: more than %d files", folder,
				   FILES_MAX);
	for (int i = 0; i < count; i++) {
		if (result == 0)
			result = put_file(making, card, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return result;
}

static int put_card(struct making *making, const char *folder, const char *file)
{
	struct finder finder = catalog_finder(NULL);
	struct mistakes mistakes = {0};
	char whole[PATH_MAX];
	const char *name = realpath(folder, whole) ? strrchr(whole, '/') + 1 : "";
	struct identity identity;
	struct card *card;

	if (!pack_name_right(name))
		return error_set(&making->err, -EINVAL,
				 "%s: its folder's name is no name of a card", folder);
	card = card_read_file_among(file, &finder, &mistakes);
	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	if (!card)
		return error_set(&making->err, -EINVAL, "%s does not go into a pack", name);
	identity = identity_of_card(card);
	card_free(card);
	making->cards++;
	return pack_put_card(making->draft, name, &identity, &making->err)
		       ?: put_files(making, name, folder);
}

static int put_folder(struct making *making, const char *folder, bool nested)
{
	struct dirent **entries;
	unsigned before = making->cards;
	char path[PATH_MAX];
	int count, result = 0;

	snprintf(path, sizeof(path), "%s/card.xml", folder);
	if (access(path, F_OK) == 0)
		return put_card(making, folder, path);
	if (nested)
		return 0;
	count = scandir(folder, &entries, visible, alphasort);
	if (count < 0)
		return error_set(&making->err, -errno, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (result == 0)
			result = put_folder(making, path, true);
		free(entries[i]);
	}
	free(entries);
	if (result == 0 && making->cards == before)
		return error_set(&making->err, -ENOENT, "%s: no card.xml in it", folder);
	return result;
}

static int read_again(const char *path, struct error *err)
{
	struct pack *pack = pack_open(path, err);
	struct mistakes mistakes = {0};
	struct pack_card *cards = NULL;
	unsigned count = 0;

	catalog_allow_programs(); /* they ran from their folders already */
	if (pack && pack_cards(pack, &cards, &count, err) == 0) {
		for (unsigned i = 0; i < count; i++)
			card_free(pack_card_read(pack, path, cards[i].name, NULL, &mistakes));
	}
	mistakes_print(&mistakes, stderr);
	if (mistakes.count)
		error_set(err, -EINVAL, "%s: not every card can be read from it", path);
	mistakes_free(&mistakes);
	free(cards);
	pack_close(pack);
	return err->code;
}

static int create(const char *path, char **folders)
{
	struct making making = {0};
	int result = 0;

	if (!ends_in_pack(path))
		return cli_wrong("pack", "%s: the name of a pack ends in .pack", path);
	making.draft = pack_create(path, &making.err);
	if (!making.draft)
		return tell(&making.err);
	for (; *folders && result == 0; folders++)
		result = put_folder(&making, *folders, false);
	if (result < 0) {
		pack_abandon(making.draft);
		return tell(&making.err);
	}
	if (pack_finish(making.draft, &making.err) < 0 || read_again(path, &making.err) < 0)
		return tell(&making.err);
	printf("%s: %u cards, %u files\n", path, making.cards, making.files);
	return CLI_OK;
}

/* ---- list ---- */

/* What a row is of: a card, or as much of one as can be told without it. */
struct shown {
	char *title, *wrong; /* or NULL */
};

static void shown_make(struct shown *shown, struct pack *pack, const char *path, const char *name)
{
	struct mistakes mistakes = {0};
	struct card *card = pack_card_read(pack, path, name, NULL, &mistakes);
	struct error err = {0};
	size_t length;
	char *text = pack_file(pack, name, "card.xml", &length, &err);

	shown->title = text ? card_text_title(text, length) : NULL;
	shown->wrong = card ? NULL : mistakes_line(&mistakes, 0);
	free(text);
	card_free(card);
	mistakes_free(&mistakes);
}

static void put_row(json_object *list, const struct pack_card *row, const struct shown *shown)
{
	json_object *one = json_object_new_object();
	char text[32];

	json_object_object_add(one, "name", json_object_new_string(row->name));
	snprintf(text, sizeof(text), "%04x:%04x", row->identity.vendor, row->identity.device);
	json_object_object_add(one, "identity", json_object_new_string(text));
	snprintf(text, sizeof(text), "%04x:%04x", row->identity.subsystem_vendor,
		 row->identity.subsystem);
	json_object_object_add(one, "subsystem", json_object_new_string(text));
	json_object_object_add(one, "revision", json_object_new_int(row->identity.revision));
	json_object_object_add(one, "files", json_object_new_int((int)row->files));
	json_object_object_add(one, "bytes", json_object_new_uint64(row->bytes));
	json_object_object_add(one, "title",
			       shown->title ? json_object_new_string(shown->title) : NULL);
	if (shown->wrong)
		json_object_object_add(one, "wrong", json_object_new_string(shown->wrong));
	json_object_array_add(list, one);
}

static void print_row(const struct pack_card *row, const struct shown *shown)
{
	const struct identity *identity = &row->identity;

	printf("%-16s %04x:%04x %04x:%04x rev %02x  %u files, %llu bytes  %s%s%s\n", row->name,
	       identity->vendor, identity->device, identity->subsystem_vendor, identity->subsystem,
	       identity->revision, row->files, (unsigned long long)row->bytes,
	       shown->title ?: "broken", shown->wrong ? "; " : "", shown->wrong ?: "");
}

static int list(const char *path, bool json)
{
	struct error err = {0};
	struct pack *pack = pack_open(path, &err);
	json_object *all = json_object_new_array();
	struct pack_card *rows = NULL;
	unsigned count = 0;

	if (pack)
		pack_cards(pack, &rows, &count, &err);
	for (unsigned i = 0; i < count; i++) {
		struct shown shown;

		shown_make(&shown, pack, path, rows[i].name);
		if (json)
			put_row(all, &rows[i], &shown);
		else
			print_row(&rows[i], &shown);
		free(shown.title);
		free(shown.wrong);
	}
	if (json && !err.code)
		puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
	free(rows);
	pack_close(pack);
	return err.code ? tell(&err) : CLI_OK;
}

int pack_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	bool json = false;
	int name;

	while ((name = cli_option(argc, argv, "", names)) != -1) {
		if (name != 'j')
			return CLI_USAGE;
		json = true;
	}
	argc -= optind;
	argv += optind;
	if (argc == 2 && !strcmp(argv[0], "list"))
		return list(argv[1], json);
	if (argc >= 3 && !strcmp(argv[0], "create") && !json)
		return create(argv[1], argv + 2);
	return cli_wrong("pack", "expected create PACK DIR… or list PACK");
}
