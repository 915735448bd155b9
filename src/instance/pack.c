/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/pack.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEAD = 100, /* of every SQLite file */
	VERSION_AT = 60,
	APPLICATION_AT = 68,
	STEPS = 10000, /* of a query before it is looked at */
	LOOKS = 2000,  /* times: then it is too much */
};

const char *const pack_tables[3] = {
	"CREATE TABLE card(name TEXT NOT NULL PRIMARY KEY, vendor INTEGER NOT NULL, "
	"device INTEGER NOT NULL, subsystem_vendor INTEGER NOT NULL, subsystem INTEGER NOT NULL, "
	"revision INTEGER NOT NULL) WITHOUT ROWID",
	"CREATE INDEX card_identity ON card(vendor, device, subsystem_vendor, subsystem, revision)",
	("CREATE TABLE file(card TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, "
	 "PRIMARY KEY(card, name)) WITHOUT ROWID"),
};

struct pack {
	char *path;
	sqlite3 *db;
	unsigned looks;
};

bool pack_name_right(const char *name)
{
	for (const char *at = name; *at; at++) {
		if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
			return false;
	}
	return *name && strlen(name) < PACK_NAME;
}

static int damaged(struct pack *pack, struct error *err)
{
	return error_set(err, -EBADMSG, "%s: not a sound pack: %s", pack->path,
			 sqlite3_errmsg(pack->db));
}

static int too_long(void *context)
{
	struct pack *pack = context;

	return ++pack->looks > LOOKS;
}

/* ---- opening ---- */

static uint32_t big(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int head_check(const char *path, const unsigned char *data, size_t length, struct error *err)
{
	if (length < HEAD || memcmp(data, "SQLite format 3", 16) ||
	    big(data + APPLICATION_AT) != PACK_APPLICATION)
		return error_set(err, -EBADMSG, "%s: not a pack of cards", path);
	if (big(data + VERSION_AT) != PACK_VERSION)
		return error_set(err, -EBADMSG, "%s: a pack of version %u, expected %d", path,
				 big(data + VERSION_AT), PACK_VERSION);
	return 0;
}

/* sqlite3_deserialize() takes memory of its own kind. */
static unsigned char *whole_file(const char *path, size_t *length, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char *data = NULL;
	struct stat file;
	ssize_t got = -1;

	if (fd < 0 || fstat(fd, &file) < 0) {
		error_set(err, -errno, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(file.st_mode) || file.st_size > PACK_BYTES) {
		error_set(err, -EBADMSG, "%s: not a pack of cards", path);
	} else if ((data = sqlite3_malloc64((sqlite3_uint64)file.st_size + 1))) {
		got = read(fd, data, (size_t)file.st_size);
		if (got < 0)
			error_set(err, -errno, "%s: %s", path, strerror(errno));
	} else {
		error_set(err, -ENOMEM, "no memory");
	}
	if (fd >= 0)
		close(fd);
	*length = got > 0 ? (size_t)got : 0;
	if (got >= 0)
		return data;
	sqlite3_free(data);
	return NULL;
}

/* Nothing of what a schema can do is needed. */
static void restrain(struct pack *pack)
{
	const struct {
		int id, value;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, PACK_FILE_BYTES + 4096},
		{SQLITE_LIMIT_SQL_LENGTH, 4096},
		{SQLITE_LIMIT_COLUMN, 16},
		{SQLITE_LIMIT_EXPR_DEPTH, 16},
		{SQLITE_LIMIT_COMPOUND_SELECT, 2},
		{SQLITE_LIMIT_VDBE_OP, 10000},
		{SQLITE_LIMIT_FUNCTION_ARG, 8},
		{SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 1},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (unsigned i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		sqlite3_limit(pack->db, limits[i].id, limits[i].value);
	sqlite3_db_config(pack->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(pack->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(pack->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(pack->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_exec(pack->db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
	sqlite3_progress_handler(pack->db, STEPS, too_long, pack);
}

static int schema_check(struct pack *pack, struct error *err)
{
	sqlite3_stmt *query = NULL;
	unsigned found = 0, others = 0;
	int result = sqlite3_prepare_v2(pack->db, "SELECT sql FROM sqlite_schema ORDER BY name", -1,
					&query, NULL);

	while (result == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(query, 0);

		if (found < 3 && sql && !strcmp(sql, pack_tables[found]))
			found++;
		else
			others++;
	}
	if (result == SQLITE_OK)
		result = sqlite3_finalize(query);
	if (result != SQLITE_OK)
		return damaged(pack, err);
	if (found != 3 || others)
		return error_set(err, -EBADMSG, "%s: not a sound pack: its tables are others",
				 pack->path);
	return 0;
}

static int load(struct pack *pack, struct error *err)
{
	size_t length;
	unsigned char *data = whole_file(pack->path, &length, err);

	if (!data)
		return -EIO;
	if (head_check(pack->path, data, length, err) < 0) {
		sqlite3_free(data);
		return -EBADMSG;
	}
	if (sqlite3_open_v2(":memory:", &pack->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY,
			    NULL) != SQLITE_OK) {
		sqlite3_free(data);
		return error_set(err, -ENOMEM, "%s: %s", pack->path, sqlite3_errmsg(pack->db));
	}
	restrain(pack);
	/* takes the memory, also if it fails */
	if (sqlite3_deserialize(
		    pack->db, "main", data, (sqlite3_int64)length, (sqlite3_int64)length,
		    SQLITE_DESERIALIZE_READONLY | SQLITE_DESERIALIZE_FREEONCLOSE) != SQLITE_OK)
		return damaged(pack, err);
	return schema_check(pack, err);
}

struct pack *pack_open(const char *path, struct error *err)
{
	struct pack *pack = calloc(1, sizeof(*pack));

	if (!pack || !(pack->path = strdup(path)))
		error_set(err, -ENOMEM, "no memory");
	else if (load(pack, err) == 0)
		return pack;
	pack_close(pack);
	return NULL;
}

void pack_close(struct pack *pack)
{
	if (!pack)
		return;
	sqlite3_close(pack->db);
	free(pack->path);
	free(pack);
}

/* ---- reading ---- */

static bool column_number(sqlite3_stmt *query, int column, sqlite3_int64 limit, uint16_t *number)
{
	sqlite3_int64 value = sqlite3_column_int64(query, column);

	*number = (uint16_t)value;
	return sqlite3_column_type(query, column) == SQLITE_INTEGER && value >= 0 && value <= limit;
}

static bool row_read(sqlite3_stmt *query, struct pack_card *card)
{
	struct identity *identity = &card->identity;
	const char *name = (const char *)sqlite3_column_text(query, 0);
	uint16_t revision;

	*card = (struct pack_card){0};
	if (!name || !pack_name_right(name) ||
	    (int)strlen(name) != sqlite3_column_bytes(query, 0) ||
	    !column_number(query, 1, 0xffff, &identity->vendor) ||
	    !column_number(query, 2, 0xffff, &identity->device) ||
	    !column_number(query, 3, 0xffff, &identity->subsystem_vendor) ||
	    !column_number(query, 4, 0xffff, &identity->subsystem) ||
	    !column_number(query, 5, 0xff, &revision))
		return false;
	snprintf(card->name, sizeof(card->name), "%s", name);
	identity->revision = (uint8_t)revision;
	card->files = (unsigned)sqlite3_column_int(query, 6);
	card->bytes = (uint64_t)sqlite3_column_int64(query, 7);
	return true;
}

int pack_cards(struct pack *pack, struct pack_card **cards, unsigned *count, struct error *err)
{
	static const char text[] =
		"SELECT name, vendor, device, subsystem_vendor, subsystem, revision, "
		"(SELECT count(*) FROM file WHERE card = card.name), "
		"(SELECT total(length(data)) FROM file WHERE card = card.name) "
		"FROM card ORDER BY name";
	sqlite3_stmt *query = NULL;
	bool sound = true;

	*count = 0;
	*cards = calloc(PACK_CARDS, sizeof(**cards));
	if (!*cards)
		return error_set(err, -ENOMEM, "no memory");
	if (sqlite3_prepare_v2(pack->db, text, -1, &query, NULL) == SQLITE_OK) {
		while (sound && sqlite3_step(query) == SQLITE_ROW)
			sound = *count < PACK_CARDS && row_read(query, &(*cards)[(*count)++]);
	}
	if (sqlite3_finalize(query) == SQLITE_OK && sqlite3_errcode(pack->db) == SQLITE_OK && sound)
		return 0;
	free(*cards);
	*cards = NULL;
	*count = 0;
	if (!sound)
		return error_set(err, -EBADMSG, "%s: not a sound pack: a card is none", pack->path);
	return damaged(pack, err);
}

char *pack_file(struct pack *pack, const char *card, const char *name, size_t *length,
		struct error *err)
{
	static const char text[] = "SELECT data FROM file WHERE card = ? AND name = ?";
	sqlite3_stmt *query = NULL;
	char *data = NULL;
	int result = sqlite3_prepare_v2(pack->db, text, -1, &query, NULL);

	if (result == SQLITE_OK) {
		sqlite3_bind_text(query, 1, card, -1, SQLITE_STATIC);
		sqlite3_bind_text(query, 2, name, -1, SQLITE_STATIC);
		result = sqlite3_step(query);
	}
	if (result == SQLITE_ROW) {
		const void *blob = sqlite3_column_blob(query, 0);

		*length = (size_t)sqlite3_column_bytes(query, 0);
		data = calloc(1, *length + 1);
		if (data && blob)
			memcpy(data, blob, *length);
	} else if (result != SQLITE_DONE) {
		damaged(pack, err);
	}
	sqlite3_finalize(query);
	return data;
}
