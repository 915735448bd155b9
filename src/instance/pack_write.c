/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/pack.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pack_draft {
	char *path, *made; /* made: beside it, until it is whole */
	sqlite3 *db;
	sqlite3_stmt *card, *file;
};

static int failed(struct pack_draft *draft, struct error *err)
{
	return error_set(err, -EIO, "%s: %s", draft->path, sqlite3_errmsg(draft->db));
}

static int tables_make(struct pack_draft *draft, struct error *err)
{
	char pragmas[128];

	snprintf(pragmas, sizeof(pragmas),
		 "PRAGMA journal_mode = OFF; PRAGMA application_id = %d; PRAGMA user_version = %d; "
		 "BEGIN",
		 PACK_APPLICATION, PACK_VERSION);
	if (sqlite3_exec(draft->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return failed(draft, err);
	for (unsigned i = 0; i < 3; i++) {
		if (sqlite3_exec(draft->db, pack_tables[i], NULL, NULL, NULL) != SQLITE_OK)
			return failed(draft, err);
	}
	if (sqlite3_prepare_v2(draft->db, "INSERT INTO card VALUES(?, ?, ?, ?, ?, ?)", -1,
			       &draft->card, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(draft->db, "INSERT INTO file VALUES(?, ?, ?)", -1, &draft->file,
			       NULL) != SQLITE_OK)
		return failed(draft, err);
	return 0;
}

struct pack_draft *pack_create(const char *path, struct error *err)
{
	struct pack_draft *draft = calloc(1, sizeof(*draft));

	if (!draft || !(draft->path = strdup(path)) ||
	    asprintf(&draft->made, "%s.%d", path, (int)getpid()) < 0) {
		error_set(err, -ENOMEM, "no memory");
	} else {
		unlink(draft->made);
		if (sqlite3_open_v2(draft->made, &draft->db,
				    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
			failed(draft, err);
		else if (tables_make(draft, err) == 0)
			return draft;
	}
	pack_abandon(draft);
	return NULL;
}

static int insert(struct pack_draft *draft, sqlite3_stmt *statement, struct error *err)
{
	int result = sqlite3_step(statement);

	sqlite3_reset(statement);
	return result == SQLITE_DONE ? 0 : failed(draft, err);
}

int pack_put_card(struct pack_draft *draft, const char *name, const struct identity *identity,
		  struct error *err)
{
	sqlite3_bind_text(draft->card, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int(draft->card, 2, identity->vendor);
	sqlite3_bind_int(draft->card, 3, identity->device);
	sqlite3_bind_int(draft->card, 4, identity->subsystem_vendor);
	sqlite3_bind_int(draft->card, 5, identity->subsystem);
	sqlite3_bind_int(draft->card, 6, identity->revision);
	return insert(draft, draft->card, err);
}

int pack_put_file(struct pack_draft *draft, const char *card, const char *name, const void *data,
		  size_t length, struct error *err)
{
	sqlite3_bind_text(draft->file, 1, card, -1, SQLITE_STATIC);
	sqlite3_bind_text(draft->file, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(draft->file, 3, data, length, SQLITE_STATIC);
	return insert(draft, draft->file, err);
}

int pack_finish(struct pack_draft *draft, struct error *err)
{
	int result = 0;

	if (sqlite3_exec(draft->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		result = failed(draft, err);
	else if (rename(draft->made, draft->path) < 0)
		result = error_set(err, -errno, "%s: %s", draft->path, strerror(errno));
	pack_abandon(draft);
	return result;
}

void pack_abandon(struct pack_draft *draft)
{
	if (!draft)
		return;
	sqlite3_finalize(draft->card);
	sqlite3_finalize(draft->file);
	sqlite3_close(draft->db);
	if (draft->made)
		unlink(draft->made); /* gone already where it is in its place */
	free(draft->made);
	free(draft->path);
	free(draft);
}
