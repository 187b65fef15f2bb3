/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_pgsql_stmt.c -- PostgreSQL behind db.h: statements and rows.
 *
 * Statement n is prepared on the server as s<n>, with the types that the
 * server infers; values and columns travel as text.  A result comes as a
 * whole, so a list must have a LIMIT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "store/db_pgsql_internal.h"

#define NUMBER_MAX	24	/* -9223372036854775808 and NUL */

/* The values of one call as libpq wants them. */
struct bound {
	const char	*v[DB_ARGS_MAX];
	char		 numbers[DB_ARGS_MAX][NUMBER_MAX];
};

static const char *
column_name(void *arg, int i)
{
	const char *name = PQfname(arg, i);

	return name != NULL ? name : "";
}

/* Write `v` in decimal at the end of `out` and return where it starts. */
static const char *
decimal(int64_t v, char out[NUMBER_MAX])
{
	uint64_t	 u = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char		*p = out + NUMBER_MAX - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + u % 10);
	} while ((u /= 10) != 0);
	if (v < 0)
		*--p = '-';
	return p;
}

static void
bind(struct bound *b, struct values values)
{
	for (int i = 0; i < values.n; i++) {
		const struct value *v = &values.v[i];

		if (v->kind == VALUE_INT)
			b->v[i] = decimal(v->i, b->numbers[i]);
		else
			b->v[i] = v->kind == VALUE_TEXT ? v->s : NULL;
	}
}

/* Prepare under `name` and compare with the row. */
static enum err
prepare(struct pgsql *pg, const struct stmt *stmt, const char *name)
{
	const char	*sql = db_text(&pg->db, stmt);
	PGresult	*res;
	enum err	 e;

	if (stmt->nargs < 0 || stmt->nargs > DB_ARGS_MAX) {
		db_complain(&pg->db, sql, "too many parameters");
		return ERR_INTERNAL;
	}
	res = pgsql_answer(pg, PQsendPrepare(pg->conn, name, sql, 0, NULL));
	e = pgsql_error(pg, res, sql);
	PQclear(res);
	if (e != OK)
		return e;
	res = pgsql_answer(pg, PQsendDescribePrepared(pg->conn, name));
	if ((e = pgsql_error(pg, res, sql)) == OK &&
	    !db_check(&pg->db, stmt, PQnparams(res), PQnfields(res),
	    column_name, res))
		e = ERR_INTERNAL;
	PQclear(res);
	return e;
}

/* The name of a statement on the server, prepared now if it is not. */
static enum err
name_of(struct pgsql *pg, const struct stmt *stmt, char name[NUMBER_MAX])
{
	enum err e;

	if (stmt->id > pg->nready) {
		db_complain(&pg->db, db_text(&pg->db, stmt),
		    "registered too late");
		return ERR_INTERNAL;
	}
	/* The unnamed statement lives until the next of its kind. */
	name[0] = '\0';
	if (stmt->id == 0)
		return prepare(pg, stmt, name);
	snprintf(name, NUMBER_MAX, "s%d", stmt->id);
	if (pg->ready[stmt->id])
		return OK;
	if ((e = prepare(pg, stmt, name)) == OK)
		pg->ready[stmt->id] = true;
	return e;
}

enum err
pgsql_slots(struct pgsql *pg)
{
	char		name[NUMBER_MAX];
	enum err	e, worst = OK;

	pg->nready = db_count();
	pg->ready = calloc((size_t)pg->nready + 1, sizeof(*pg->ready));
	if (pg->ready == NULL)
		abort();
	if (!pg->db.prepare)
		return OK;
	/* Go on after a fault of ours: all of them in one start. */
	for (int i = 0; i < pg->nready &&
	    (worst == OK || worst == ERR_INTERNAL); i++)
		if ((e = name_of(pg, db_registered((size_t)i), name)) != OK)
			worst = e;
	/* A table that somebody holds locked is no fault of the statement. */
	return worst == ERR_AGAIN || worst == ERR_TIMEOUT ? ERR_AWAY : worst;
}

/* A migration changed a table under the plan: only a new session helps. */
static bool
outlived(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return state != NULL && strcmp(state, "0A000") == 0;
}

enum err
pgsql_query(struct db *db, const struct stmt *stmt, struct values values,
    struct rows *rows)
{
	struct pgsql	*pg = (struct pgsql *)db;
	struct bound	 b;
	char		 name[NUMBER_MAX];
	PGresult	*res;
	enum err	 e;

	if ((e = name_of(pg, stmt, name)) != OK)
		return e;
	bind(&b, values);
	res = pgsql_answer(pg, PQsendQueryPrepared(pg->conn, name, values.n,
	    b.v, NULL, NULL, 0));
	if ((e = pgsql_error(pg, res, db_text(db, stmt))) != OK) {
		if (stmt->id != 0 && outlived(res))
			e = ERR_AWAY;
		PQclear(res);
		return e;
	}
	rows->handle = res;
	return OK;
}

/* A bigint or boolean as the server writes it; false when it is neither. */
static bool
number(const char *s, int64_t *ret)
{
	bool		minus = *s == '-';
	uint64_t	v = 0, most = (uint64_t)INT64_MAX + minus;

	if ((*s == 't' || *s == 'f') && s[1] == '\0') {
		*ret = *s == 't';
		return true;
	}
	s += minus;
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		unsigned d = (unsigned char)*s - (unsigned)'0';

		if (d > 9 || v > (most - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*ret = (int64_t)(minus ? -v : v);
	return true;
}

/* Put column `i` of the row at hand where the view says. */
static bool
fill(struct rows *rows, int i, const struct view_column *c, void *row)
{
	PGresult	*res = rows->handle;
	void		*p = (char *)row + c->offset;
	bool		 null = PQgetisnull(res, rows->at, i);

	if (db_is_text(c)) {
		*(const char **)p = null ? NULL :
		    PQgetvalue(res, rows->at, i);
		return true;
	}
	if (null) {
		*(int64_t *)p = c->flags & VIEW_NULL ? VIEW_NULL_INT : 0;
		return true;
	}
	return number(PQgetvalue(res, rows->at, i), p);
}

bool
pgsql_each(struct rows *rows, void *row)
{
	int i = 0;

	if (rows->at >= PQntuples(rows->handle) || rows->stmt->view == NULL)
		return false;
	for (const struct view_column *c = rows->stmt->view->columns;
	    c->name != NULL; c++) {
		if (c->kind == VIEW_CALC)
			continue;
		if (!fill(rows, i++, c, row)) {
			db_complain(rows->db, db_text(rows->db, rows->stmt),
			    "a number column holds no whole number");
			rows->err = ERR_INTERNAL;
			return false;
		}
	}
	rows->at++;
	return true;
}

enum err
pgsql_end(struct rows *rows, int64_t *ret_n)
{
	PGresult *res = rows->handle;

	if (ret_n != NULL && !number(PQcmdTuples(res), ret_n))
		*ret_n = 0;
	PQclear(res);
	return rows->err;
}
