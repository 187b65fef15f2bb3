/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_stage.c -- rows on their way into the staging tables.
 *
 * Hundreds go into one statement as one JSON object, numbered by its keys;
 * json_each of an object is what both engines have in common.  Each batch
 * is a transaction of its own and holds the claim, so that a runner that
 * lost it stops.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "service/import_internal.h"

#define BATCH		500
#define BATCH_BYTES	(4 << 20)
#define HOLD_MS		(5 * CLOCK_MINUTE)
#define MAP_START	1024
#define FNV_START	0xcbf29ce484222325u
#define FNV_PRIME	0x100000001b3u

enum { STAGE_ROWS, STAGE_FAULTS, STAGE_HOLD, STAGE_SQL_MAX };

#define TEXT(k)		", value ->> '" k "'"
#define NUMBER(k)	", CAST(value ->> '" k "' AS BIGINT)"

static struct stmt stage_sql[] = {
	[STAGE_ROWS] = { RW, 3, NULL,
	    "INSERT INTO import_row (community_id, import_id, id, part,"
	    " line, up, key, a_id, thing_id, verdict, body, before, phone,"
	    " phone_index, id_number, id_index, need)"
	    " SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)"
	    NUMBER("i") TEXT("p") NUMBER("l") NUMBER("u") TEXT("k")
	    NUMBER("a") NUMBER("t") TEXT("v") TEXT("b") TEXT("w")
	    TEXT("f") TEXT("fi") TEXT("d") TEXT("di") TEXT("n")
	    " FROM json_each($3)", NULL, 0 },
	[STAGE_FAULTS] = { RW, 3, NULL,
	    "INSERT INTO import_fault (community_id, import_id, id, line,"
	    " label, detail)"
	    " SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)"
	    NUMBER("i") NUMBER("l") TEXT("c") TEXT("d")
	    " FROM json_each($3)", NULL, 0 },
	[STAGE_HOLD] = { RW, 4, NULL,
	    "UPDATE import SET claimed_until = $3 WHERE community_id = $1"
	    " AND id = $2 AND claim = $4", NULL, 0 },
};

void
import_stage_register(void)
{
	db_register(stage_sql, STAGE_SQL_MAX);
}

/* ---- maps ---- */

uint64_t
import_hash(uint64_t h, const char *s)
{
	if (h == 0)
		h = FNV_START;
	for (; *s != '\0'; s++) {
		h ^= (unsigned char)*s;
		h *= FNV_PRIME;
	}
	/* An end, so that "ab","c" and "a","bc" differ. */
	h ^= 0xff;
	h *= FNV_PRIME;
	return h != 0 ? h : 1;
}

uint64_t
import_hash_int(uint64_t h, int64_t v)
{
	char	text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	return import_hash(h, text);
}

void
import_map_free(struct import_map *m)
{
	free(m->spots);
	memset(m, 0, sizeof(*m));
}

/* The spot of this hash or the free one where it belongs. */
static struct import_spot *
spot_of(const struct import_map *m, uint64_t hash)
{
	size_t	i = (hash ^ hash >> 29) & (m->size - 1);

	while (m->spots[i].hash != 0 && m->spots[i].hash != hash)
		i = (i + 1) & (m->size - 1);
	return &m->spots[i];
}

static void
grow(struct import_map *m)
{
	struct import_map	 old = *m;
	size_t			 i;

	m->size = old.size > 0 ? old.size * 2 : MAP_START;
	m->spots = calloc(m->size, sizeof(*m->spots));
	if (m->spots == NULL) {
		log_error("event=out_of_memory import_map=%zu", m->size);
		abort();
	}
	for (i = 0; i < old.size; i++)
		if (old.spots[i].hash != 0)
			*spot_of(m, old.spots[i].hash) = old.spots[i];
	free(old.spots);
}

struct import_spot *
import_map_at(struct import_map *m, uint64_t hash, bool *ret_new)
{
	struct import_spot	*s;

	if ((m->used + 1) * 2 > m->size)
		grow(m);
	s = spot_of(m, hash);
	*ret_new = s->hash == 0;
	if (*ret_new) {
		s->hash = hash;
		m->used++;
	}
	return s;
}

struct import_spot *
import_map_find(const struct import_map *m, uint64_t hash)
{
	struct import_spot	*s;

	if (m->size == 0)
		return NULL;
	s = spot_of(m, hash);
	return s->hash != 0 ? s : NULL;
}

/* ---- batches ---- */

/* A new member of the batch's object, under a number of its own. */
static void
open_member(struct buf *b, struct json *j, int *n)
{
	char	key[16];

	if (*n == 0) {
		buf_clear(b);
		json_init(j, b);
		json_open(j);
	}
	snprintf(key, sizeof(key), "%d", (*n)++);
	json_key(j, key);
	json_open(j);
}

static void
put_text(struct json *j, const char *key, const char *text)
{
	if (text != NULL)
		json_put_text(j, key, text);
}

int64_t
import_add(struct import *im, const struct import_item *it)
{
	struct json	*j = &im->item_json;

	open_member(&im->items, j, &im->nitems);
	json_put_int(j, "i", ++im->item_id);
	json_put_text(j, "p", it->part);
	json_put_int(j, "l", it->line);
	if (it->up != 0)
		json_put_int(j, "u", it->up);
	json_put_text(j, "k", it->key);
	if (it->a_id != VIEW_NULL_INT)
		json_put_int(j, "a", it->a_id);
	json_put_int(j, "t", it->thing_id);
	json_put_text(j, "v", it->verdict != NULL ? it->verdict : "add");
	json_put_text(j, "b", it->body);
	put_text(j, "w", it->before);
	put_text(j, "f", it->phone);
	put_text(j, "fi", it->phone_index);
	put_text(j, "d", it->id_number);
	put_text(j, "di", it->id_index);
	put_text(j, "n", it->need);
	json_close(j);
	if (im->nitems >= BATCH)
		import_flush(im);
	return im->item_id;
}

void
import_fault(struct import *im, int line, const char *label,
    const char *fmt, ...)
{
	struct json	*j = &im->fault_json;
	va_list		 ap;

	im->fault_count++;
	if (im->fault_id >= IMPORT_FAULTS_KEPT)
		return;
	open_member(&im->faults, j, &im->nfaults);
	json_put_int(j, "i", ++im->fault_id);
	json_put_int(j, "l", line);
	put_text(j, "c", label);
	va_start(ap, fmt);
	json_put_text(j, "d", arena_vfmt(im->row, fmt, ap));
	va_end(ap);
	json_close(j);
	if (im->nfaults >= BATCH)
		import_flush(im);
}

static enum err
hold(struct import *im)
{
	int64_t		n;
	enum err	e;

	e = db_run(im->rq->db, &stage_sql[STAGE_HOLD],
	    WITH(V(im->community_id), V(im->id), V(clock_now() + HOLD_MS),
	    V(im->claim)), &n);
	if (e != OK)
		return e;
	return n == 1 ? OK : ERR_CONFLICT;
}

static enum err
write_batch(void *arg)
{
	struct import	*im = arg;
	enum err	 e;

	if ((e = hold(im)) != OK)
		return e;
	if (im->nitems > 0 && (e = db_run(im->rq->db,
	    &stage_sql[STAGE_ROWS], WITH(V(im->community_id), V(im->id),
	    V(buf_text(&im->items))), NULL)) != OK)
		return e;
	if (im->nfaults > 0)
		e = db_run(im->rq->db, &stage_sql[STAGE_FAULTS],
		    WITH(V(im->community_id), V(im->id),
		    V(buf_text(&im->faults))), NULL);
	return e;
}

enum err
import_flush(struct import *im)
{
	if (im->nitems > 0)
		json_close(&im->item_json);
	if (im->nfaults > 0)
		json_close(&im->fault_json);
	if (im->err == OK && (im->items.over || im->faults.over))
		im->err = ERR_INTERNAL;
	if (im->err == OK)
		im->err = db_transact(im->rq->db, 20, write_batch, im);
	im->nitems = im->nfaults = 0;
	buf_clear(&im->items);
	buf_clear(&im->faults);
	return im->err;
}

const char *
import_object(struct import *im, int n, const char *const *keys,
    const char *const *texts, const int64_t *numbers)
{
	struct json	 j;
	struct buf	 b;
	const char	*s;
	int		 i;

	buf_init(&b, BATCH_BYTES);
	json_init(&j, &b);
	json_open(&j);
	for (i = 0; i < n; i++) {
		json_key(&j, keys[i]);
		if (texts[i] != NULL)
			json_text(&j, texts[i]);
		else if (numbers != NULL && numbers[i] != VIEW_NULL_INT)
			json_int(&j, numbers[i]);
		else
			json_nil(&j);
	}
	json_close(&j);
	s = arena_copy(im->row, b.data, b.len);
	buf_free(&b);
	return s;
}
