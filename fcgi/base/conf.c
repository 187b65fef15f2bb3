/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.c -- planet.conf: one table of keys, one struct of values.
 *
 * Lines go to libinih through our own reader, which counts them and looks
 * at section lines, because libinih tells its handler neither.  All faults
 * of a file are reported, then it is refused.  Texts live in an arena that
 * goes with the conf.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/conf_internal.h"

#define CONF_KEYS_MAX	64
#define CONF_MEMORY	(256 * 1024)

/* What conf_free finds again: the conf is the first member. */
struct holder {
	struct conf	 conf;
	struct arena	*arena;
};

struct loader {
	struct holder	*h;
	const char	*path;		/* as the user wrote it */
	const char	*folder;	/* absolute */
	FILE		*file;
	int		 line;
	bool		 faulty;
	bool		 seen[CONF_KEYS_MAX];
};

static void fault(struct loader *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
fault(struct loader *l, const char *fmt, ...)
{
	va_list	 ap;

	l->faulty = true;
	if (l->line > 0)
		fprintf(stderr, "%s:%d: ", l->path, l->line);
	else
		fprintf(stderr, "%s: ", l->path);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool
is_section(const char *s, size_t n)
{
	const struct conf_key	*k;

	for (k = conf_keys; k->section != NULL; k++)
		if (strlen(k->section) == n && memcmp(k->section, s, n) == 0)
			return true;
	return n == 9 && memcmp(s, "templates", n) == 0;
}

/* "[name]": is there such a section?  libinih asks only for its keys. */
static void
check_section(struct loader *l, const char *s)
{
	const char	*end;

	if (l->line == 1 && strncmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	s += strspn(s, " \t");
	if (*s != '[' || (end = strchr(++s, ']')) == NULL)
		return;
	if (!is_section(s, (size_t)(end - s)))
		fault(l, "unknown section [%.*s]", (int)(end - s), s);
}

/* libinih's reader, like fgets. */
static char *
read_line(char *out, int size, void *arg)
{
	struct loader	*l = arg;
	size_t		 n;

	if (fgets(out, size, l->file) == NULL)
		return NULL;
	l->line++;
	n = strlen(out);
	if (n + 1 == (size_t)size && out[n - 1] != '\n') {
		fault(l, "the line is longer than %d bytes", size - 2);
		return NULL;
	}
	check_section(l, out);
	return out;
}

static const char *
resolve(struct loader *l, const char *path)
{
	struct arena	*a = l->h->arena;

	if (*path == '\0' || *path == '/')
		return arena_str(a, path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (strcmp(path, ".") == 0 || *path == '\0')
		return arena_str(a, l->folder);
	return arena_fmt(a, "%s/%s", strcmp(l->folder, "/") == 0 ? "" :
	    l->folder, path);
}

/* "prefix:PATH" with the path taken from the file's folder. */
static const char *
resolve_after(struct loader *l, const char *value, size_t prefix)
{
	return arena_fmt(l->h->arena, "%.*s%s", (int)prefix, value,
	    resolve(l, value + prefix));
}

static bool
is_word(const char *s)
{
	size_t	 n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return s[n] == '\0' && n <= 64;
}

static bool
parse_int(const char *s, int64_t *ret)
{
	int64_t	 v = 0;
	size_t	 n;

	for (n = 0; s[n] >= '0' && s[n] <= '9' && n < 18; n++)
		v = v * 10 + (s[n] - '0');
	if (n == 0 || s[n] != '\0')
		return false;
	*ret = v;
	return true;
}

/* "HOST:PORT", the last colon divides. */
static bool
is_host_port(const char *s)
{
	const char	*colon = strrchr(s, ':');
	int64_t		 port;

	return colon != NULL && colon != s && parse_int(colon + 1, &port) &&
	    port >= 1 && port <= 65535 && strpbrk(s, " \t/") == NULL;
}

static void
set_int(struct loader *l, const struct conf_key *k, const char *value,
    int64_t *ret)
{
	if (!parse_int(value, ret) || *ret < k->min || *ret > k->max)
		fault(l, "%s must be a whole number from %lld to %lld",
		    k->name, (long long)k->min, (long long)k->max);
}

static const char *
set_enum(struct loader *l, const struct conf_key *k, const char *value)
{
	const char *const	*name;

	for (name = k->names; *name != NULL; name++)
		if (strcmp(*name, value) == 0)
			return *name;
	fault(l, "%s cannot be '%s'", k->name, value);
	return NULL;
}

static const char *
set_db(struct loader *l, const struct conf_key *k, const char *value)
{
	if (strncmp(value, "sqlite:", 7) == 0 && value[7] != '\0')
		return resolve_after(l, value, 7);
	if (strncmp(value, "postgresql://", 13) == 0)
		return arena_str(l->h->arena, value);
	fault(l, "%s must be sqlite:PATH or postgresql://...", k->name);
	return NULL;
}

static const char *
set_redis(struct loader *l, const struct conf_key *k, const char *value)
{
	if (strncmp(value, "unix:", 5) == 0 && value[5] != '\0')
		return resolve_after(l, value, 5);
	if (is_host_port(value))
		return arena_str(l->h->arena, value);
	fault(l, "%s must be unix:PATH or HOST:PORT", k->name);
	return NULL;
}

static const char *
set_text(struct loader *l, const struct conf_key *k, const char *value)
{
	if (k->kind == CONF_TEXT && *value == '\0')
		fault(l, "%s must not be empty", k->name);
	if (k->kind == CONF_WORD && !is_word(value))
		fault(l, "%s takes letters, digits, - and _, at most 64",
		    k->name);
	return arena_str(l->h->arena, value);
}

static void
set(struct loader *l, const struct conf_key *k, const char *value)
{
	void		*to = (char *)&l->h->conf + k->offset;
	const char	**text = to;

	switch (k->kind) {
	case CONF_INT:
		set_int(l, k, value, to);
		break;
	case CONF_ENUM:
		*text = set_enum(l, k, value);
		break;
	case CONF_PATH:
		*text = resolve(l, value);
		break;
	case CONF_DB:
		*text = set_db(l, k, value);
		break;
	case CONF_REDIS:
		*text = set_redis(l, k, value);
		break;
	case CONF_TEXT:
	case CONF_WORD:
		*text = set_text(l, k, value);
		break;
	}
}

static void
set_template(struct loader *l, const char *name, const char *value)
{
	struct conf_template	*t = l->h->conf.templates;
	const char *const	*known = conf_template_names;

	while (*known != NULL && strcmp(*known, name) != 0)
		known++;
	if (*known == NULL) {
		fault(l, "unknown template '%s'", name);
		return;
	}
	for (; t->name != NULL; t++)
		if (t->name == *known) {
			fault(l, "%s stands here twice", name);
			return;
		}
	if (*value == '\0' || !is_word(value))
		fault(l, "the id of %s must be WeChat's, of letters, "
		    "digits, - and _", name);
	t->name = *known;
	t->id = arena_str(l->h->arena, value);
}

/* libinih's handler: one key and its value. */
static int
take_key(void *arg, const char *section, const char *name, const char *value)
{
	const struct conf_key	*k;
	struct loader		*l = arg;

	if (strcmp(section, "templates") == 0) {
		set_template(l, name, value);
		return 1;
	}
	for (k = conf_keys; k->section != NULL; k++)
		if (strcmp(k->section, section) == 0 &&
		    strcmp(k->name, name) == 0)
			break;
	if (k->section == NULL) {
		/* An unknown section was told when it began. */
		if (*section == '\0')
			fault(l, "'%s' stands before any [section]", name);
		else if (is_section(section, strlen(section)))
			fault(l, "unknown key '%s' in [%s]", name, section);
	} else if (l->seen[k - conf_keys])
		fault(l, "%s stands here twice", name);
	else {
		l->seen[k - conf_keys] = true;
		set(l, k, value);
	}
	return 1;
}

static void
set_defaults(struct loader *l)
{
	const struct conf_key	*k;

	l->line = 0;
	for (k = conf_keys; k->section != NULL; k++)
		if (!l->seen[k - conf_keys])
			set(l, k, k->value);
}

/* The absolute folder that `path` lies in; NULL when there is none. */
static const char *
folder_of(struct arena *a, const char *path)
{
	const char	*slash = strrchr(path, '/');
	char		 full[PATH_MAX];
	char		*folder;

	folder = slash == NULL ? arena_str(a, ".") :
	    arena_copy(a, path, (size_t)(slash - path) + 1);
	if (realpath(folder, full) == NULL)
		return NULL;
	return arena_str(a, full);
}

static void
load(struct loader *l)
{
	int	 rc;

	l->folder = folder_of(l->h->arena, l->path);
	if (l->folder != NULL)
		l->file = fopen(l->path, "re");
	if (l->file == NULL) {
		fault(l, "%s", strerror(errno));
		return;
	}
	rc = ini_parse_stream(read_line, l, take_key, l);
	if (ferror(l->file))
		fault(l, "%s", strerror(errno));
	fclose(l->file);
	/* take_key never fails, so this is a line it was not asked about. */
	if (rc > 0) {
		l->line = rc;
		fault(l, "neither [section] nor key = value");
	}
	if (!l->faulty)
		set_defaults(l);
}

struct conf *
conf_load(const char *path)
{
	struct loader	 l = { .path = path };

	l.h = calloc(1, sizeof(*l.h));
	if (l.h == NULL) {
		fault(&l, "%s", strerror(errno));
		return NULL;
	}
	l.h->arena = arena_new(CONF_MEMORY);
	load(&l);
	if (l.faulty) {
		conf_free(&l.h->conf);
		return NULL;
	}
	return &l.h->conf;
}

void
conf_free(struct conf *c)
{
	struct holder	*h = (struct holder *)c;

	if (c == NULL)
		return;
	arena_free(h->arena);
	free(h);
}

void
conf_sample(FILE *out)
{
	const struct conf_key	*k;
	const char *const	*name;
	const char		*section = "";

	fprintf(out, "; planet.conf: every key with its default.\n"
	    "; A relative path is taken from the folder of this file.\n");
	for (k = conf_keys; k->section != NULL; k++) {
		if (strcmp(section, k->section) != 0)
			fprintf(out, "\n[%s]\n", k->section);
		section = k->section;
		fprintf(out, "; %s\n", k->about);
		if (k->kind == CONF_INT)
			fprintf(out, "; From %lld to %lld.\n",
			    (long long)k->min, (long long)k->max);
		fprintf(out, "%s =%s%s\n", k->name,
		    *k->value == '\0' ? "" : " ", k->value);
	}
	fprintf(out, "\n[templates]\n"
	    "; WeChat's ids of subscribe messages; without one, none is "
	    "sent.\n");
	for (name = conf_template_names; *name != NULL; name++)
		fprintf(out, "; %s = TEMPLATE_ID\n", *name);
}

const char *
conf_template(const struct conf *c, const char *name)
{
	const struct conf_template	*t = c->templates;

	for (; t < c->templates + CONF_TEMPLATES && t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t->id;
	return NULL;
}
