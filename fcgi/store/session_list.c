/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_list.c -- a user's sessions, as the user sees them.
 *
 * What is told of one is called by a number that is derived from its hash
 * by a hash: it ends a session of one's own and opens none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#include "store/session_internal.h"

#define ID_DIGITS	15	/* hex: always a positive int64_t */

/* KEYS user-sess; hash, value and origin of each that lives. */
static const char script_list[] =
    "local all = {}"
    " for _, h in ipairs(redis.call('SMEMBERS', KEYS[1])) do"
    "  local v = redis.call('GET', 'sess:' .. h)"
    "  if v then"
    "   all[#all + 1] = h"
    "   all[#all + 1] = v"
    "   all[#all + 1] = redis.call('GET', 'sess-from:' .. h) or ''"
    "  else redis.call('SREM', KEYS[1], h) end end"
    " return all";

static int64_t
public_id(const char *hash)
{
	char	 text[CRYPT_HEX_MAX + 8], hex[CRYPT_HEX_MAX];
	int64_t	 id = 0;
	int	 n;

	n = snprintf(text, sizeof(text), "shown %s", hash);
	crypt_sha256(text, (size_t)n, hex);
	for (int i = 0; i < ID_DIGITS; i++)
		id = id * 16 + (hex[i] <= '9' ? hex[i] - '0' :
		    hex[i] - 'a' + 10);
	return id > 0 ? id : 1;
}

/* OPENED, ADDRESS, DEVICE, a line each. */
static void
read_from(struct arena *arena, const char *text, struct session_row *row)
{
	const char	*p = text, *end;

	for (; *p >= '0' && *p <= '9'; p++)
		row->opened_at = row->opened_at * 10 + (*p - '0');
	row->address = row->device = "";
	if (*p != '\n' || (end = strchr(++p, '\n')) == NULL)
		return;
	row->address = arena_copy(arena, p, (size_t)(end - p));
	row->device = arena_str(arena, end + 1);
}

static int
newest_first(const void *a, const void *b)
{
	const struct session_row	*x = a, *y = b;

	if (x->opened_at != y->opened_at)
		return x->opened_at < y->opened_at ? 1 : -1;
	return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

static enum err
ask(struct redis *r, struct arena *arena, int64_t user_id,
    const char ***ret, int *ret_n)
{
	char		 key[KEY_MAX];
	const char	*argv[] = { "EVAL", script_list, "1", key };

	snprintf(key, sizeof(key), "user-sess:%lld", (long long)user_id);
	return redis_list(r, arena, 4, argv, ret, ret_n);
}

enum err
session_list(struct redis *r, struct arena *arena, int64_t user_id,
    const char *token, const struct session_row **ret, int *ret_n)
{
	char			  mine[CRYPT_HEX_MAX] = "";
	struct session_row	 *rows;
	struct session		  s;
	const char		**all;
	enum err		  e;
	int			  i, n;

	if ((e = ask(r, arena, user_id, &all, &n)) != OK)
		return e;
	session_hash(token, mine);
	rows = ARENA_ARRAY(arena, struct session_row, (size_t)n / 3 + 1);
	*ret = rows;
	*ret_n = 0;
	for (i = 0; i + 2 < n; i += 3) {
		if (all[i] == NULL || all[i + 1] == NULL ||
		    all[i + 2] == NULL || !session_value_read(all[i + 1], &s))
			continue;
		rows[*ret_n] = (struct session_row){
			.id = public_id(all[i]),
			.current = strcmp(all[i], mine) == 0,
			.staff = s.staff,
			.used_at = s.expires_at - s.life_ms,
			.expires_at = session_end_at(&s),
		};
		read_from(arena, all[i + 2], &rows[*ret_n]);
		(*ret_n)++;
	}
	qsort(rows, (size_t)*ret_n, sizeof(*rows), newest_first);
	return OK;
}

enum err
session_end_one(struct redis *r, struct arena *arena, int64_t user_id,
    int64_t id)
{
	const char	**all;
	enum err	  e;
	int		  i, n;

	if ((e = ask(r, arena, user_id, &all, &n)) != OK)
		return e;
	for (i = 0; i + 2 < n; i += 3)
		if (all[i] != NULL && public_id(all[i]) == id)
			return session_end_hash(r, all[i]);
	return ERR_ABSENT;
}
