/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload.c -- multipart/form-data (RFC 7578 in the grammar of RFC 2046).
 *
 * A window slides over the body; what cannot be the start of a boundary
 * any more is handed on.  So a file of any size takes the window's memory.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"

#include "http/field.h"
#include "http/field_internal.h"
#include "http/req.h"
#include "http/upload.h"

#define WINDOW		65536
#define BOUNDARY_MAX	70	/* RFC 2046 */
#define NAME_MAX_	100	/* code points of a file's name */

struct part {
	const char	*name;
	const char	*file;		/* its name; NULL for a plain value */
};

struct form {
	struct req	*rq;
	struct upload	*ret;
	char		*window;
	size_t		 at, have;	/* what is not yet taken */
	bool		 ended;		/* of the body */
	char		 mark[BOUNDARY_MAX + 5]; /* CRLF--boundary */
	size_t		 mark_len;
	const char	*path;
	int		 fd;
	bool		 filed;		/* the part was there */
	bool		 made;		/* the file is */
	const char	*names[UPLOAD_PARTS_MAX];
	int		 nparts;
	struct buf	 query;		/* the fields, as a query has them */
};

/* ---- the window ---- */

/* More of the body; false when there is none. */
static bool
fill(struct form *f)
{
	long	n;

	if (f->ended)
		return false;
	if (f->at > 0) {
		memmove(f->window, f->window + f->at, f->have);
		f->at = 0;
	}
	if (f->have == WINDOW)
		return false;
	n = f->rq->read(f->rq, f->window + f->have, WINDOW - f->have);
	if (n <= 0) {
		f->ended = true;
		return false;
	}
	f->have += (size_t)n;
	return true;
}

static void
take(struct form *f, size_t n)
{
	f->at += n;
	f->have -= n;
}

/* At least `n` bytes in the window. */
static bool
need(struct form *f, size_t n)
{
	while (f->have < n)
		if (!fill(f))
			return false;
	return true;
}

static enum err
malformed(struct form *f)
{
	return req_fail(f->rq, ERR_MALFORMED,
	    "上传的内容不完整或无法识别，请重新选择文件上传。");
}

/*
 * Hand on all up to the next boundary, which is taken too.  `sink` may
 * refuse; then the rest is passed over.
 */
static enum err
until_mark(struct form *f, enum err (*sink)(struct form *, const char *,
    size_t))
{
	enum err	 e = OK;
	char		*hit;
	size_t		 n;

	for (;;) {
		hit = f->have == 0 ? NULL : memmem(f->window + f->at,
		    f->have, f->mark, f->mark_len);
		n = hit != NULL ? (size_t)(hit - f->window) - f->at :
		    f->have >= f->mark_len ? f->have - f->mark_len + 1 : 0;
		if (n > 0 && e == OK)
			e = sink(f, f->window + f->at, n);
		take(f, n);
		if (hit != NULL) {
			take(f, f->mark_len);
			return e;
		}
		if (!fill(f))
			return e != OK ? e : malformed(f);
	}
}

/* ---- heads ---- */

/* The boundary of the content type into f->mark. */
static enum err
find_boundary(struct form *f)
{
	const char	*s = f->rq->content_type, *end;
	size_t		 n;

	s = s != NULL ? strcasestr(s, "boundary=") : NULL;
	if (s == NULL)
		return req_fail(f->rq, ERR_MEDIA_TYPE, NULL);
	s += 9;
	if (*s == '"')
		end = strchr(++s, '"');
	else
		end = s + strcspn(s, "; \t");
	n = end != NULL ? (size_t)(end - s) : 0;
	if (n == 0 || n > BOUNDARY_MAX)
		return req_fail(f->rq, ERR_MEDIA_TYPE, NULL);
	memcpy(f->mark, "\r\n--", 4);
	memcpy(f->mark + 4, s, n);
	f->mark_len = n + 4;
	return OK;
}

/* A line of the head without its end, in the arena; NULL for none. */
static const char *
line(struct form *f)
{
	char	*end, *s;
	size_t	 n;

	while ((end = memmem(f->window + f->at, f->have, "\r\n", 2)) == NULL)
		if (f->have > UPLOAD_HEAD_MAX || !fill(f))
			return NULL;
	n = (size_t)(end - f->window) - f->at;
	if (n > UPLOAD_HEAD_MAX)
		return NULL;
	s = arena_copy(f->rq->arena, f->window + f->at, n);
	take(f, n + 2);
	return s;
}

/* The next parameter of a header, past what stands in quotes, or NULL. */
static const char *
next_parameter(const char *s)
{
	bool	quoted = false;

	for (; *s != '\0' && (quoted || *s != ';'); s++)
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\' && (s[1] == '"' ||
		    s[1] == '\\'))
			s++;
	if (*s == '\0')
		return NULL;
	s++;
	return s + strspn(s, " \t");
}

/* The value of `key` in a header with parameters; NULL for none. */
static const char *
parameter(struct arena *a, const char *header, const char *key)
{
	const char	*s = header, *from;
	size_t		 n = strlen(key);
	char		*out, *to;

	while ((s = next_parameter(s)) != NULL) {
		if (strncasecmp(s, key, n) != 0 || s[n] != '=')
			continue;
		from = s + n + 1;
		to = out = arena_take(a, strlen(from) + 1);
		if (*from != '"') {
			memcpy(out, from, strcspn(from, "; \t"));
			return out;
		}
		for (from++; *from != '"' && *from != '\0'; from++) {
			if (*from == '\\' && (from[1] == '"' ||
			    from[1] == '\\'))
				from++;
			*to++ = *from;
		}
		return *from == '"' ? out : NULL;
	}
	return NULL;
}

static enum err
read_head(struct form *f, struct part *p)
{
	static const char	 disposition[] = "content-disposition:";
	const char		*s;
	size_t			 all = 0;

	*p = (struct part){ NULL, NULL };
	while ((s = line(f)) != NULL && *s != '\0') {
		if ((all += strlen(s)) > UPLOAD_HEAD_MAX)
			return malformed(f);
		if (strncasecmp(s, disposition,
		    sizeof(disposition) - 1) != 0)
			continue;
		p->name = parameter(f->rq->arena, s, "name");
		p->file = parameter(f->rq->arena, s, "filename");
	}
	if (s == NULL || p->name == NULL || *p->name == '\0' ||
	    !text_valid(p->name, strlen(p->name)))
		return malformed(f);
	return OK;
}

/* ---- bodies ---- */

static enum err
nowhere(struct form *f, const char *s, size_t n)
{
	(void)f;
	(void)s;
	(void)n;
	return OK;
}

static enum err
to_disk(struct form *f, const char *s, size_t n)
{
	ssize_t	did;

	f->ret->size += (int64_t)n;
	if (f->ret->size > f->rq->conf->upload_max)
		return req_failf(f->rq, ERR_TOO_LARGE, "文件超过 %lld MB，请"
		    "分成几个文件后分别上传。",
		    (long long)f->rq->conf->upload_max >> 20);
	for (; n > 0; s += did, n -= (size_t)did) {
		did = write(f->fd, s, n);
		if (did < 0 && errno == EINTR)
			did = 0;
		else if (did < 0) {
			log_error("event=upload errno=%d", errno);
			return ERR_AWAY;
		}
	}
	return OK;
}

/* A byte as a query writes it. */
static void
put_escaped(struct buf *b, const char *s, size_t n)
{
	static const char	hex[] = "0123456789ABCDEF";
	size_t			i;

	for (i = 0; i < n; i++) {
		buf_putc(b, '%');
		buf_putc(b, hex[(unsigned char)s[i] >> 4]);
		buf_putc(b, hex[(unsigned char)s[i] & 15]);
	}
}

static enum err
to_query(struct form *f, const char *s, size_t n)
{
	put_escaped(&f->query, s, n);
	return OK;
}

/* The last step of a path that some systems send, tidied. */
static const char *
base_name(struct arena *a, const char *s)
{
	const char	*slash;

	if (!text_valid(s, strlen(s)) || !text_clean(s, false))
		return "upload.csv";
	while ((slash = strpbrk(s, "/\\")) != NULL)
		s = slash + 1;
	s = text_cut(a, text_trim(a, s), NAME_MAX_);
	return *s != '\0' ? s : "upload.csv";
}

static enum err
read_file(struct form *f, const struct part *p)
{
	f->filed = true;
	if (p->file == NULL) {
		req_field(f->rq, "file", "type", "请选择要上传的文件");
		return until_mark(f, nowhere);
	}
	f->fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		log_error("event=upload path=%s errno=%d", f->path, errno);
		return ERR_AWAY;
	}
	f->made = true;
	f->ret->name = base_name(f->rq->arena, p->file);
	return until_mark(f, to_disk);
}

static enum err
read_value(struct form *f, const struct part *p)
{
	size_t		start, before;
	enum err	e;

	if (f->query.len > 0)
		buf_putc(&f->query, '&');
	put_escaped(&f->query, p->name, strlen(p->name));
	buf_putc(&f->query, '=');
	start = f->query.len;
	before = start + 3 * UPLOAD_VALUE_MAX;
	e = until_mark(f, to_query);
	if (f->query.over || f->query.len > before) {
		req_field(f->rq, text_cut(f->rq->arena, p->name, 40),
		    "too_long", "这一项内容太长，请检查表单");
		return ERR_FIELD;
	}
	return e;
}

/* Each name once; who sends one twice is told so. */
static bool
is_doubled(struct form *f, const char *name)
{
	int	i;

	for (i = 0; i < f->nparts; i++)
		if (strcmp(f->names[i], name) == 0) {
			req_field(f->rq, text_cut(f->rq->arena, name, 40),
			    "doubled", "这一项出现了两次，请只提交一次");
			return true;
		}
	f->names[f->nparts++] = name;
	return false;
}

static enum err
read_part(struct form *f)
{
	struct part	p;
	enum err	e;

	if (f->nparts == UPLOAD_PARTS_MAX)
		return malformed(f);
	if ((e = read_head(f, &p)) != OK)
		return e;
	if (is_doubled(f, p.name))
		return until_mark(f, nowhere);
	return strcmp(p.name, "file") == 0 ? read_file(f, &p) :
	    read_value(f, &p);
}

/* ---- the whole ---- */

/* What follows a boundary: another part, or "--" for the end. */
static enum err
after_mark(struct form *f, bool *ret_last)
{
	const char	*rest;

	if (!need(f, 2))
		return malformed(f);
	*ret_last = memcmp(f->window + f->at, "--", 2) == 0;
	if (*ret_last)
		return OK;
	rest = line(f);
	return rest != NULL && rest[strspn(rest, " \t")] == '\0' ? OK :
	    malformed(f);
}

static enum err
read_parts(struct form *f)
{
	bool		last = false;
	enum err	e;

	/* The first boundary has no line before it. */
	memcpy(f->window, "\r\n", 2);
	f->have = 2;
	if ((e = until_mark(f, nowhere)) != OK)
		return e;
	while ((e = after_mark(f, &last)) == OK && !last)
		if ((e = read_part(f)) != OK)
			return e;
	return e;
}

/* The fields by the rows of the shape, as those of a query. */
static enum err
decode(struct form *f)
{
	struct req	*rq = f->rq;
	const char	*query = rq->query;
	void		*into = arena_take(rq->arena, rq->route->in->size);
	enum err	 e;

	if (!f->filed)
		req_field(rq, "file", "required", "请选择要上传的文件");
	rq->query = buf_text(&f->query);
	e = field_read_query(rq, into);
	rq->query = query;
	rq->in = into;
	return e != OK ? e : rq->faults != NULL ? ERR_FIELD : OK;
}

enum err
upload_read(struct req *rq, const char *path, struct upload *ret)
{
	struct form	f = { .rq = rq, .ret = ret, .path = path, .fd = -1 };
	enum err	e;

	*ret = (struct upload){ NULL, 0 };
	if (rq->read == NULL)
		return ERR_MALFORMED;
	if ((e = find_boundary(&f)) != OK)
		return e;
	f.window = arena_take(rq->arena, WINDOW);
	buf_init(&f.query, 65536);
	e = read_parts(&f);
	if (e == OK)
		e = decode(&f);
	if (f.fd >= 0 && close(f.fd) != 0 && e == OK)
		e = ERR_AWAY;
	if (e != OK && f.made)
		unlink(path);
	buf_free(&f.query);
	return e;
}
