/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_pgsql.c -- PostgreSQL behind db.h: the connection and transactions.
 *
 * The session is read-only by default and BEGIN READ WRITE lifts that, so
 * a statement that writes outside a transaction is refused by the server
 * too.  The server enforces the time-out; should it hang as a whole, the
 * wait ends here a little later and the connection is given up.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/clock.h"
#include "base/log.h"

#include "store/db_pgsql_internal.h"

#define GRACE_MS	2000	/* beyond the server's own time-out */

/* Wait until there is something to read; false when time is up. */
static bool
readable(struct pgsql *pg, int64_t until_us)
{
	struct pollfd	fd = { PQsocket(pg->conn), POLLIN, 0 };
	int64_t		left;

	do {
		left = (until_us - clock_mono_us()) / 1000;
		if (left <= 0 || fd.fd < 0)
			return false;
	} while (poll(&fd, 1, (int)left) <= 0);
	return true;
}

PGresult *
pgsql_answer(struct pgsql *pg, int sent)
{
	int64_t		 until = clock_mono_us() +
			    (pg->db.timeout_ms + GRACE_MS) * 1000;
	PGresult	*res, *last = NULL;

	if (!sent)
		return NULL;
	for (;;) {
		while (PQisBusy(pg->conn)) {
			if (!readable(pg, until) ||
			    !PQconsumeInput(pg->conn)) {
				PQclear(last);
				return NULL;
			}
		}
		if ((res = PQgetResult(pg->conn)) == NULL)
			break;
		/* The first failure is the one that tells. */
		if (last != NULL &&
		    PQresultStatus(last) == PGRES_FATAL_ERROR) {
			PQclear(res);
			continue;
		}
		PQclear(last);
		last = res;
	}
	if (PQstatus(pg->conn) == CONNECTION_BAD) {
		PQclear(last);
		return NULL;
	}
	return last;
}

static enum err
error_of(const char *state)
{
	static const struct { const char *prefix; enum err e; } rows[] = {
		{ "23505", ERR_UNIQUE },
		{ "23", ERR_CONSTRAINT },
		{ "40001", ERR_AGAIN },		/* serialisation */
		{ "40P01", ERR_AGAIN },		/* deadlock */
		{ "55P03", ERR_AGAIN },		/* lock not available */
		{ "57014", ERR_TIMEOUT },	/* statement time-out */
		{ "08", ERR_AWAY },		/* connection */
		{ "57P", ERR_AWAY },		/* shut down, starting */
		{ "53", ERR_AWAY },		/* out of resources */
		{ "25P03", ERR_AWAY },		/* idle too long */
		{ "26000", ERR_AWAY },		/* statement forgotten */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(state, rows[i].prefix,
		    strlen(rows[i].prefix)) == 0)
			return rows[i].e;
	return ERR_INTERNAL;
}

enum err
pgsql_error(struct pgsql *pg, const PGresult *res, const char *sql)
{
	const char	*state, *message;
	char		 text[400];
	enum err	 e;

	if (res == NULL) {
		db_complain(&pg->db, sql, "connection lost");
		return ERR_AWAY;
	}
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		return OK;
	default:
		break;
	}
	state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	e = state != NULL ? error_of(state) : ERR_INTERNAL;
	if (e != ERR_INTERNAL && e != ERR_AWAY && e != ERR_CONSTRAINT &&
	    e != ERR_TIMEOUT)
		return e;
	/* A data exception's message quotes the value: only its number. */
	if (state != NULL && strncmp(state, "22", 2) == 0)
		message = "data exception";
	snprintf(text, sizeof(text), "%s %s", state ? state : "-",
	    message ? message : PQresStatus(PQresultStatus(res)));
	db_complain(&pg->db, sql, text);
	return e;
}

enum err
pgsql_exec(struct pgsql *pg, const char *sql, char *tag)
{
	PGresult	*res = pgsql_answer(pg, PQsendQuery(pg->conn, sql));
	enum err	 e = pgsql_error(pg, res, sql);

	if (e == OK && tag != NULL)
		snprintf(tag, 16, "%s", PQcmdStatus(res));
	PQclear(res);
	return e;
}

/* NOTICEs tell of things that went right. */
static void
on_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

/*
 * Who waits for a lock is told so (and may try again) before the statement
 * as a whole is cut, which would take as long the next time.
 */
static enum err
pgsql_patience(struct db *db)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
	    "SET statement_timeout = %lld; SET lock_timeout = %lld;"
	    " SET idle_in_transaction_session_timeout = %lld",
	    (long long)db->timeout_ms,
	    (long long)(db->timeout_ms - db->timeout_ms / 20),
	    (long long)db->timeout_ms + 60000);
	return pgsql_exec((struct pgsql *)db, sql, NULL);
}

static enum err
pgsql_connect(struct db *db)
{
	static const char	*const names[] = {
		"connect_timeout", "fallback_application_name",
		"tcp_user_timeout", "dbname", "client_encoding", NULL
	};
	struct pgsql		*pg = (struct pgsql *)db;
	char			 seconds[24], ms[24];
	const char		*const values[] = {
		seconds, "planet", ms, db->where, "UTF8", NULL
	};
	enum err		 e;

	/* Defaults stand before dbname, which is the address and wins. */
	snprintf(seconds, sizeof(seconds), "%lld",
	    (long long)(db->timeout_ms + 999) / 1000);
	snprintf(ms, sizeof(ms), "%lld",
	    (long long)db->timeout_ms + GRACE_MS);
	pg->conn = PQconnectdbParams(names, values, 1);
	if (PQstatus(pg->conn) != CONNECTION_OK) {
		db_complain(db, "(connect)", PQerrorMessage(pg->conn));
		return ERR_AWAY;
	}
	PQsetNoticeProcessor(pg->conn, on_notice, NULL);
	if ((e = pgsql_patience(db)) == OK)
		e = pgsql_exec(pg, "SET default_transaction_isolation ="
		    " 'read committed';"
		    " SET default_transaction_read_only = on;"
		    " SET jit = off", NULL);
	if (e == OK)
		e = pgsql_slots(pg);
	return e == ERR_AGAIN || e == ERR_TIMEOUT ? ERR_AWAY : e;
}

static void
pgsql_disconnect(struct db *db)
{
	struct pgsql *pg = (struct pgsql *)db;

	PQfinish(pg->conn);
	pg->conn = NULL;
	free(pg->ready);
	pg->ready = NULL;
}

static enum err
pgsql_ping(struct db *db)
{
	return pgsql_exec((struct pgsql *)db, "SELECT 1", NULL);
}

static enum err
pgsql_begin(struct db *db)
{
	return pgsql_exec((struct pgsql *)db,
	    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL);
}

static void
pgsql_rollback(struct db *db)
{
	struct pgsql *pg = (struct pgsql *)db;

	if (PQtransactionStatus(pg->conn) == PQTRANS_IDLE)
		return;
	/* Whoever cannot roll back must not be used again. */
	if (pgsql_exec(pg, "ROLLBACK", NULL) != OK)
		db->tx_err = ERR_AWAY;
}

static enum err
pgsql_commit(struct db *db)
{
	char		tag[16] = "";
	enum err	e;

	e = pgsql_exec((struct pgsql *)db, "COMMIT", tag);
	if (e == OK && strcmp(tag, "COMMIT") != 0) {
		db_complain(db, "COMMIT", "the transaction was aborted");
		e = ERR_INTERNAL;
	}
	if (e != OK && e != ERR_AWAY) {
		db->tx_err = OK;
		pgsql_rollback(db);
		if (db->tx_err != OK)
			e = ERR_AWAY;
	}
	return e;
}

static void
pgsql_release(struct db *db)
{
	(void)db;
}

static enum err
pgsql_script(struct db *db, const char *sql)
{
	struct pgsql	*pg = (struct pgsql *)db;
	enum err	 e;

	e = pgsql_exec(pg, sql, NULL);
	if (e == OK && PQtransactionStatus(pg->conn) != PQTRANS_INTRANS) {
		db_complain(db, "(script)", "it ended the transaction");
		e = ERR_INTERNAL;
	}
	return e;
}

const struct db_ops db_pgsql_ops = {
	.name = "postgresql",
	.size = sizeof(struct pgsql),
	.connect = pgsql_connect,
	.disconnect = pgsql_disconnect,
	.ping = pgsql_ping,
	.begin = pgsql_begin,
	.commit = pgsql_commit,
	.rollback = pgsql_rollback,
	.release = pgsql_release,
	.query = pgsql_query,
	.each = pgsql_each,
	.end = pgsql_end,
	.script = pgsql_script,
	.patience = pgsql_patience,
};
