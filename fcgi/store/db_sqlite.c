/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_sqlite.c -- SQLite behind db.h: the connection and its transactions.
 *
 * One connection a thread, without SQLite's own locks (NOMUTEX).  Of the
 * threads of a process one writes at a time: `writer` is held from BEGIN
 * IMMEDIATE to the end of the transaction, so that nobody spins on
 * SQLITE_BUSY against a neighbour.  The file is looked at again and again,
 * because writing to one that was deleted or replaced would acknowledge
 * what nobody can ever read.
 */
#include <sys/stat.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"

#include "store/db_sqlite_internal.h"

#define CACHE_KIB	1000	/* page cache of a connection */
/*
 * Mapping the file makes a read of cold pages half as dear, but each
 * connection maps it anew and each counts against the process's memory.
 */
#define MMAP_MIB	0	/* of the file, mapped by a connection */
#define STEPS		4000	/* of the VM between looks at the clock */

static pthread_mutex_t	writer = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int	waiting;
static _Atomic int	waiting_max = 8;
static pthread_once_t	once = PTHREAD_ONCE_INIT;

void
db_queue(int n)
{
	atomic_store(&waiting_max, n);
}

/* Counting memory would take one lock for all threads at each malloc. */
static void
configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum err
sqlite_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ERR_AGAIN;
	case SQLITE_INTERRUPT:
		return ERR_TIMEOUT;
	case SQLITE_CONSTRAINT:
		return rc == SQLITE_CONSTRAINT_UNIQUE ||
		    rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
		    rc == SQLITE_CONSTRAINT_ROWID ? ERR_UNIQUE :
		    ERR_CONSTRAINT;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return ERR_AWAY;
	default:
		return ERR_INTERNAL;
	}
}

/* The end that `rc` means, logged when it is the engine's fault or ours. */
enum err
sqlite_failed(struct sqlite *q, int rc, const char *sql)
{
	enum err e = sqlite_error(rc);

	/* SQLite names the constraint and never the value. */
	if (e == ERR_INTERNAL || e == ERR_AWAY || e == ERR_CONSTRAINT ||
	    e == ERR_TIMEOUT)
		db_complain(&q->db, sql, q->handle != NULL ?
		    sqlite3_errmsg(q->handle) : sqlite3_errstr(rc));
	return e;
}

/* Called while another process holds the lock: wait a little, boundedly. */
static int
on_busy(void *arg, int count)
{
	struct sqlite	*q = arg;
	struct timespec	 t = { 0, count < 8 ? 500000 : 2000000 };
	int64_t		 now = clock_mono_us();

	if (count == 0 || q->until_us == 0)
		q->until_us = now + q->budget_us;
	if (now >= q->until_us)
		return 0;
	nanosleep(&t, NULL);
	return 1;
}

/* Called within a long statement: non-zero interrupts it. */
static int
on_progress(void *arg)
{
	struct sqlite	*q = arg;
	int64_t		 now = clock_mono_us();

	if (q->stop_us == 0)
		q->stop_us = now + q->db.timeout_ms * 1000;
	return now >= q->stop_us;
}

/* Whether the path still leads to the file that is open. */
bool
sqlite_there(struct sqlite *q)
{
	struct stat st;

	if (stat(q->db.where, &st) != 0 || st.st_dev != q->dev ||
	    st.st_ino != q->ino) {
		log_error("db engine=sqlite message=\"the file was deleted or "
		    "replaced\"");
		return false;
	}
	q->looked_us = clock_mono_us();
	return true;
}

static enum err
pragma(struct sqlite *q, const char *sql)
{
	int rc = sqlite3_exec(q->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? OK : sqlite_failed(q, rc, sql);
}

static int
is_wal(void *arg, int n, char **values, char **names)
{
	(void)names;
	*(bool *)arg = n == 1 && values[0] && strcmp(values[0], "wal") == 0;
	return 0;
}

static enum err
set_up(struct sqlite *q)
{
	static const char *const lines[] = {
		"PRAGMA synchronous = FULL",
		"PRAGMA foreign_keys = ON",
		"PRAGMA temp_store = MEMORY",
		"PRAGMA trusted_schema = OFF",
		"PRAGMA journal_size_limit = 67108864",
	};
	char		sizes[96];
	enum err	e;
	bool		wal = false;
	int		rc;

	rc = sqlite3_exec(q->handle, "PRAGMA journal_mode = WAL", is_wal,
	    &wal, NULL);
	if (rc != SQLITE_OK)
		return sqlite_failed(q, rc, "PRAGMA journal_mode = WAL");
	if (!wal) {
		db_complain(&q->db, "PRAGMA journal_mode = WAL", "refused");
		return ERR_AWAY;
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if ((e = pragma(q, lines[i])) != OK)
			return e;
	snprintf(sizes, sizeof(sizes), "PRAGMA cache_size = -%d;"
	    " PRAGMA mmap_size = %lld", CACHE_KIB, MMAP_MIB * 1048576LL);
	return pragma(q, sizes);
}

static enum err
open_file(struct sqlite *q)
{
	struct stat	st;
	int		rc, flags = SQLITE_OPEN_READWRITE |
			    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

	/* Only who migrates makes a file; a worker would make a void. */
	if (!q->db.prepare)
		flags |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(q->db.where, &q->handle, flags, NULL);
	if (rc != SQLITE_OK)
		return sqlite_failed(q, rc, "(open)");
	sqlite3_db_config(q->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(q->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_busy_handler(q->handle, on_busy, q);
	sqlite3_progress_handler(q->handle, STEPS, on_progress, q);
	if (stat(q->db.where, &st) != 0)
		return sqlite_failed(q, SQLITE_CANTOPEN, "(open)");
	q->dev = st.st_dev;
	q->ino = st.st_ino;
	q->looked_us = clock_mono_us();
	return OK;
}

static enum err
sqlite_connect(struct db *db)
{
	struct sqlite	*q = (struct sqlite *)db;
	enum err	 e;

	pthread_once(&once, configure);
	q->budget_us = db->timeout_ms * 1000;
	sqlite_fresh(q);
	if ((e = open_file(q)) == OK && (e = set_up(q)) == OK)
		e = sqlite_slots(q);
	return e == ERR_AGAIN || e == ERR_TIMEOUT ? ERR_AWAY : e;
}

static void
sqlite_rollback(struct db *db)
{
	struct sqlite *q = (struct sqlite *)db;

	if (q->handle != NULL && !sqlite3_get_autocommit(q->handle))
		sqlite3_exec(q->handle, "ROLLBACK", NULL, NULL, NULL);
	if (q->writer) {
		q->writer = false;
		pthread_mutex_unlock(&writer);
	}
}

static void
sqlite_disconnect(struct db *db)
{
	struct sqlite *q = (struct sqlite *)db;

	sqlite_rollback(db);
	sqlite_slots_free(q);
	/* _v2: a forgotten statement delays the end, and does not leak. */
	sqlite3_close_v2(q->handle);
	q->handle = NULL;
}

static enum err
sqlite_ping(struct db *db)
{
	struct sqlite *q = (struct sqlite *)db;

	sqlite_fresh(q);
	return sqlite_there(q) ?
	    pragma(q, "SELECT COUNT(*) FROM sqlite_schema") : ERR_AWAY;
}

/* Wait for the process's turn to write; gives the microseconds left. */
static enum err
take_turn(struct sqlite *q)
{
	int64_t		start = clock_mono_us(), used;
	struct timespec	until;
	int		rc;

	if (pthread_mutex_trylock(&writer) == 0) {
		q->writer = true;
		q->budget_us = q->db.timeout_ms * 1000;
		return OK;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += q->db.timeout_ms / 1000;
	until.tv_nsec += q->db.timeout_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	if (atomic_fetch_add(&waiting, 1) >= atomic_load(&waiting_max))
		rc = EBUSY;
	else
		rc = pthread_mutex_timedlock(&writer, &until);
	atomic_fetch_sub(&waiting, 1);
	if (rc != 0)
		return ERR_AGAIN;
	q->writer = true;
	used = clock_mono_us() - start;
	q->budget_us = q->db.timeout_ms * 1000 - used;
	if (q->budget_us < 1000)
		q->budget_us = 1000;
	return OK;
}

static enum err
sqlite_begin(struct db *db)
{
	struct sqlite	*q = (struct sqlite *)db;
	enum err	 e;

	if (!sqlite_there(q))
		return ERR_AWAY;
	if ((e = take_turn(q)) != OK)
		return e;
	sqlite_fresh(q);
	e = pragma(q, "BEGIN IMMEDIATE");
	q->budget_us = db->timeout_ms * 1000;
	if (e != OK)
		sqlite_rollback(db);
	return e;
}

static enum err
sqlite_commit(struct db *db)
{
	struct sqlite	*q = (struct sqlite *)db;
	enum err	 e;

	sqlite_fresh(q);
	if (sqlite3_get_autocommit(q->handle)) {
		db_complain(db, "COMMIT", "the transaction is gone");
		e = ERR_INTERNAL;
	} else
		e = pragma(q, "COMMIT");
	sqlite_rollback(db);
	return e;
}

static enum err
sqlite_script(struct db *db, const char *sql)
{
	struct sqlite	*q = (struct sqlite *)db;
	int		 rc;

	sqlite_fresh(q);
	rc = sqlite3_exec(q->handle, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return OK;
	db_complain(db, "(script)", sqlite3_errmsg(q->handle));
	return sqlite_error(rc);
}

static enum err
sqlite_patience(struct db *db)
{
	((struct sqlite *)db)->budget_us = db->timeout_ms * 1000;
	return OK;
}

const struct db_ops db_sqlite_ops = {
	.name = "sqlite",
	.size = sizeof(struct sqlite),
	.connect = sqlite_connect,
	.disconnect = sqlite_disconnect,
	.ping = sqlite_ping,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.release = sqlite_release,
	.query = sqlite_query,
	.each = sqlite_each,
	.end = sqlite_end,
	.script = sqlite_script,
	.patience = sqlite_patience,
};
