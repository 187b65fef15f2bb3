/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_anchor.c -- each day's heads of the chains, outside the database.
 *
 * Lines are only added: DAY COMMUNITY SEQ HASH.  The file is locked while
 * it is read and added to, so a day has one line a chain however many
 * runners there are.  Keep it, or a copy, where who can write to the
 * database cannot.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/db.h"

#include "http/audit_verify.h"
#include "http/req.h"

#define LINES_MAX	(16 * 1024 * 1024)	/* of anchors that wait */

struct audit_top {
	int64_t		 community_id, seq;
	const char	*hash;
};
static const struct view_column audit_top_columns[] = {
	C_ID(audit_top, community_id), C_INT(audit_top, seq),
	C_TEXT(audit_top, hash), C_END
};
static const struct view audit_top_view = VIEW(audit_top, "AuditTop");

enum { TOPS, SQL_MAX };

static struct stmt sql[] = {
	[TOPS] = { .mode = RO, .nargs = 0, .view = &audit_top_view, .sql =
	    "SELECT community_id, seq, hash FROM audit_head WHERE seq > 0"
	    " ORDER BY community_id" },
};
static_assert(sizeof(sql) / sizeof(sql[0]) == SQL_MAX, "one entry each");

void
audit_anchor_register(void)
{
	db_register(sql, SQL_MAX);
}

/* Digits up to a blank; the rest of the line, or NULL. */
static const char *
read_number(const char *s, int64_t *ret)
{
	int64_t v = 0;
	int n;

	for (n = 0; s[n] >= '0' && s[n] <= '9'; n++) {
		if (n == 18)
			return NULL;
		v = v * 10 + (s[n] - '0');
	}
	*ret = v;
	return n > 0 && s[n] == ' ' ? s + n + 1 : NULL;
}

bool
audit_anchor_read(const char *line, struct audit_anchor *a)
{
	static const char form[] = "0000-00-00 ";
	size_t i;

	for (i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? line[i] < '0' || line[i] > '9' :
		    line[i] != form[i])
			return false;
	memcpy(a->day, line, sizeof(a->day) - 1);
	a->day[sizeof(a->day) - 1] = '\0';
	line = read_number(line + i, &a->community_id);
	if (line == NULL || (line = read_number(line, &a->seq)) == NULL)
		return false;
	if (strlen(line) != sizeof(a->hash) - 1 ||
	    strspn(line, "0123456789abcdef") != sizeof(a->hash) - 1)
		return false;
	memcpy(a->hash, line, sizeof(a->hash));
	return true;
}

/* Chains that have their line of `day`; *ret_torn when the end is torn. */
static int
chains_of(FILE *f, const char *day, int64_t *ids, int max, bool *ret_torn)
{
	struct audit_anchor a;
	char line[256];
	size_t len;
	int n = 0;

	*ret_torn = false;
	while (fgets(line, sizeof(line), f) != NULL) {
		len = strlen(line);
		*ret_torn = line[len - 1] != '\n';
		if (!*ret_torn)
			line[len - 1] = '\0';
		if (audit_anchor_read(line, &a) && n < max &&
		    strcmp(a.day, day) == 0)
			ids[n++] = a.community_id;
	}
	return n;
}

static bool
has(const int64_t *ids, int n, int64_t id)
{
	while (n-- > 0)
		if (ids[n] == id)
			return true;
	return false;
}

/* The lines that `f` does not have yet. */
static enum err
new_lines(struct req *rq, FILE *f, struct buf *out)
{
	struct clock_local day = clock_local(clock_day(rq->now) - 1);
	struct audit_top top;
	struct rows rows;
	int64_t *ids = ARENA_ARRAY(rq->arena, int64_t, 4096);
	const char *name;
	bool torn;
	enum err e;
	int n;

	name = arena_fmt(rq->arena, "%04d-%02d-%02d", day.year, day.month,
	    day.day);
	n = chains_of(f, name, ids, 4096, &torn);
	/* What a crash cut short stays as it is; ours begins a line. */
	if (torn)
		buf_putc(out, '\n');
	if ((e = db_query(rq->db, &sql[TOPS], NOTHING, &rows)) != OK)
		return e;
	while (db_each(&rows, &top))
		if (!has(ids, n, top.community_id))
			buf_fmt(out, "%s %" PRId64 " %" PRId64 " %s\n", name,
			    top.community_id, top.seq, top.hash);
	return db_end(&rows);
}

static bool
add(int fd, struct buf *out)
{
	const char *s = out->data;
	size_t left = out->len;
	ssize_t n;

	while (left > 0) {
		n = write(fd, s, left);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s += n;
		left -= (size_t)n;
	}
	return !out->over && fsync(fd) == 0;
}

static enum err
add_new(struct req *rq, int fd)
{
	struct buf out;
	enum err e;
	FILE *f;

	if ((f = fdopen(fd, "r")) == NULL) {
		close(fd);
		return ERR_INTERNAL;
	}
	buf_init(&out, LINES_MAX);
	e = flock(fd, LOCK_EX) == 0 ? new_lines(rq, f, &out) : ERR_INTERNAL;
	if (e == OK && !add(fd, &out))
		e = ERR_INTERNAL;
	buf_free(&out);
	fclose(f);
	return e;
}

enum err
audit_anchor_write(struct req *rq)
{
	const char *path = rq->conf->anchors_file;
	char quoted[512];
	enum err e = ERR_INTERNAL;
	int fd;

	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd != -1)
		e = add_new(rq, fd);
	if (e == ERR_INTERNAL)
		log_error("event=anchors_not_written file=%s why=\"%s\"",
		    log_quote(path, quoted, sizeof(quoted)),
		    strerror(errno));
	return e;
}
