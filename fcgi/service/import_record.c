/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_record.c -- what is kept of an import, and how it is begun.
 *
 * The digest tells afterwards which file it was, when that is gone.
 */
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "service/import_internal.h"
#include "service/place_tree.h"

const char *const import_kinds[] = { "territory", "grids", "roster", NULL };

static const char *const import_states[] = { "uploaded", "checked",
    "faulty", "applying", "applied", "undoing", "undone", "failed", NULL };

static const struct view_column import_record_columns[] = {
	C_ID(import_record, id),
	C_CODE(import_record, kind, import_kinds),
	C_TEXT(import_record, name, .about = "of the file"),
	C_INT(import_record, bytes),
	C_CODE(import_record, state, import_states),
	C_BOOL(import_record, partial,
	    .about = "faulty rows are left out instead of stopping all"),
	C_INT(import_record, rows),
	C_INT(import_record, added, .about = "things, of all parts"),
	C_INT(import_record, changed),
	C_INT(import_record, same),
	C_INT(import_record, faults),
	C_ARRAY(import_record, counts, &import_part_view,
	    .about = "the same by part"),
	C_TEXT(import_record, detail, .flags = VIEW_NULL,
	    .about = "why it came to nothing"),
	C_ID(import_record, by_id, .flags = VIEW_NULL,
	    .about = "null for the console"),
	C_TIME(import_record, created_at),
	C_TIME(import_record, checked_at, .flags = VIEW_NULL),
	C_TIME(import_record, applied_at, .flags = VIEW_NULL),
	C_TIME(import_record, undone_at, .flags = VIEW_NULL),
	C_TEXT(import_record, sha256),
	C_BOOL(import_record, kept,
	    .about = "the file is there, to give the faulty rows back"),
	C_END
};
const struct view import_view = {
	.name = "Import", .size = sizeof(struct import_record),
	.columns = import_record_columns
};

static const struct view_column import_count_columns[] = {
	C_INT(import_count, n),
	C_END
};
const struct view import_count_view = VIEW(import_count, "ImportCount");

enum { RECORD_BEGIN, RECORD_GET, RECORD_COMMUNITY, RECORD_SQL_MAX };

static struct stmt record_sql[] = {
	[RECORD_BEGIN] = { RW, 12, NULL,
	    "INSERT INTO import (community_id, id, kind, name, sha256,"
	    " bytes, partial, by_id, claim, claimed_until, kept, created_at,"
	    " state, rows, added, changed, same, faults, counts)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
	    " 'uploaded', 0, 0, 0, 0, 0, '[]')", NULL, 0 },
	[RECORD_GET] = { RO, 2, &import_view,
	    "SELECT " IMPORT_COLUMNS " FROM import WHERE community_id = $1"
	    " AND id = $2",
	    NULL, 0 },
	[RECORD_COMMUNITY] = { RO, 1, &import_count_view,
	    "SELECT community_id AS n FROM import WHERE id = $1", NULL, 0 },
};

void
import_record_register(void)
{
	db_register(record_sql, RECORD_SQL_MAX);
}

void
import_engine_register(void)
{
	import_record_register();
	import_step_register();
	import_tally_register();
	import_check_register();
	import_apply_register();
	import_faulty_register();
	import_forget_register();
	import_stage_register();
	import_read_register();
	import_territory_register();
	import_grids_register();
	import_roster_register();
	place_tree_register();
}

const char *
import_path(struct req *rq, int64_t id)
{
	return arena_fmt(rq->arena, "%s/imports/%lld.csv", rq->conf->dir,
	    (long long)id);
}

enum err
import_begin(struct req *rq, int64_t community_id, int64_t id,
    enum import_kind kind, const char *name, const char *path, bool partial,
    int64_t by_id, int64_t claim)
{
	char	sha256[CRYPT_HEX_MAX] = "";
	int64_t	bytes = 0;

	/* A pipe has no size; it is read all the same. */
	crypt_sha256_file(path, sha256, &bytes);
	return db_run(rq->db, &record_sql[RECORD_BEGIN], WITH(V(community_id),
	    V(id), V(import_kinds[kind]), V(name), V(sha256), V(bytes),
	    V(partial), V(by_id), V(claim),
	    V(claim != 0 ? rq->now + CLOCK_HOUR : 0), V(by_id != 0),
	    V(rq->now)), NULL);
}

enum err
import_get(struct req *rq, int64_t community_id, int64_t id,
    struct import_record *ret)
{
	return db_one(rq->db, rq->arena, &record_sql[RECORD_GET],
	    WITH(V(community_id), V(id)), ret);
}

enum import_kind
import_kind_of(const struct import_record *r)
{
	int	i = 0;

	while (strcmp(import_kinds[i], r->kind) != 0)
		i++;
	return (enum import_kind)i;
}

enum err
import_community(struct req *rq, int64_t id, int64_t *ret)
{
	struct import_count	row = { 0 };
	enum err		e;

	e = db_one(rq->db, rq->arena, &record_sql[RECORD_COMMUNITY],
	    WITH(V(id)), &row);
	*ret = row.n;
	return e;
}
