/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c -- sessions as Redis holds them.
 *
 * The value is  v1 USER COMMUNITY ROLES KIND LIFE EXPIRES [UNTIL]  in
 * decimal and has one spelling only; KIND is 0, 1 for staff, 3 for staff
 * who must change the password, and UNTIL stands only when there is one.
 * Whatever changes more than one key is a script, and a renewal sets
 * nothing unless the value is still the one it knew: it must not bring back
 * roles that were taken away meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"

#include "store/session_internal.h"

/* Keep the user's set as long as the longest of the user's sessions. */
#define SCRIPT_SET							\
	" redis.call('SADD', KEYS[2], ARGV[1])"				\
	" if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then"	\
	"  redis.call('PEXPIRE', KEYS[2], ARGV[2]) end"			\
	" redis.call('PEXPIRE', 'sess-from:' .. ARGV[1], ARGV[2])"	\
	" return 1"

/* KEYS sess user-sess, ARGV hash life value from. */
static const char script_open[] =
    "for _, h in ipairs(redis.call('SRANDMEMBER', KEYS[2], 16)) do"
    "  if redis.call('EXISTS', 'sess:' .. h) == 0 then"
    "   redis.call('SREM', KEYS[2], h) end end"
    " redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])"
    " redis.call('SET', 'sess-from:' .. ARGV[1], ARGV[4])"
    SCRIPT_SET;

/* KEYS sess user-sess, ARGV hash life value-known value. */
static const char script_renew[] =
    "if redis.call('GET', KEYS[1]) ~= ARGV[3] then return 0 end"
    " redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[2])"
    SCRIPT_SET;

/* KEYS sess, ARGV hash. */
static const char script_end[] =
    "local v = redis.call('GET', KEYS[1])"
    " if not v then return 0 end"
    " redis.call('DEL', KEYS[1], 'sess-from:' .. ARGV[1])"
    " local u = string.match(v, '^v1 (%d+) ')"
    " if u then redis.call('SREM', 'user-sess:' .. u, ARGV[1]) end"
    " return 1";

/* KEYS user-sess, ARGV hash-to-keep. */
static const char script_end_all[] =
    "local gone = {}"
    " for _, h in ipairs(redis.call('SMEMBERS', KEYS[1])) do"
    "  if h ~= ARGV[1] then"
    "   redis.call('DEL', 'sess:' .. h, 'sess-from:' .. h)"
    "   redis.call('SREM', KEYS[1], h)"
    "   gone[#gone + 1] = h end end"
    " return gone";

/* KEYS user-sess, ARGV community roles. */
static const char script_refresh[] =
    "local done = {}"
    " for _, h in ipairs(redis.call('SMEMBERS', KEYS[1])) do"
    "  local v = redis.call('GET', 'sess:' .. h)"
    "  if v then"
    "   v = string.gsub(v, '^(v1 %d+) %d+ %d+ ',"
    "    '%1 ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' ')"
    "   redis.call('SET', 'sess:' .. h, v, 'KEEPTTL')"
    "   done[#done + 1] = h"
    "  else redis.call('SREM', KEYS[1], h) end end"
    " return done";

/* KEYS user-sess. */
static const char script_relieve[] =
    "local done = {}"
    " for _, h in ipairs(redis.call('SMEMBERS', KEYS[1])) do"
    "  local v = redis.call('GET', 'sess:' .. h)"
    "  if v then"
    "   local w = string.gsub(v, '^(v1 %d+ %d+ %d+) 3 ', '%1 1 ')"
    "   if w ~= v then"
    "    redis.call('SET', 'sess:' .. h, w, 'KEEPTTL')"
    "    done[#done + 1] = h end end end"
    " return done";

/* Everything a call needs to name a session. */
struct names {
	char	hash[CRYPT_HEX_MAX];
	char	key[KEY_MAX];		/* sess:HASH */
	char	set[KEY_MAX];		/* user-sess:ID */
};

void
session_start(const struct conf *conf)
{
	session_cache_open(conf->session_cache, conf->session_cache_ms);
	if (conf->session_cache > 0)
		session_watch_start(conf->redis, conf->redis_db,
		    conf->redis_timeout_ms);
}

void
session_stop(void)
{
	session_watch_stop();
	session_cache_close();
}

struct session_stats
session_stats(void)
{
	return session_cache_stats();
}

/* 43 characters of base64url. */
static bool
well_formed(const char *token)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";

	return token != NULL && strlen(token) == CRYPT_TOKEN_MAX - 1 &&
	    strspn(token, set) == CRYPT_TOKEN_MAX - 1;
}

static void
name_user(struct names *n, int64_t user_id)
{
	snprintf(n->set, sizeof(n->set), "user-sess:%lld",
	    (long long)user_id);
}

static void
name_token(struct names *n, const char *token)
{
	crypt_sha256(token, CRYPT_TOKEN_MAX - 1, n->hash);
	snprintf(n->key, sizeof(n->key), "sess:%s", n->hash);
}

static void
number_text(int64_t v, char out[NUMBER_MAX])
{
	snprintf(out, NUMBER_MAX, "%lld", (long long)v);
}

static void
value_write(const struct session *s, char out[VALUE_MAX])
{
	char	until[NUMBER_MAX] = "";

	if (s->until_at != 0)
		snprintf(until, sizeof(until), " %lld",
		    (long long)s->until_at);
	snprintf(out, VALUE_MAX, "v1 %lld %lld %llu %d %lld %lld%s",
	    (long long)s->user_id, (long long)s->community_id,
	    (unsigned long long)s->roles, (s->staff ? 1 : 0) |
	    (s->must_change ? 2 : 0), (long long)s->life_ms,
	    (long long)s->expires_at, until);
}

/* The next number of up to 20 digits, and the blank after it. */
static const char *
value_number(const char *p, uint64_t *ret)
{
	*ret = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		*ret = *ret * 10 + (uint64_t)(*p - '0');
	return *p == ' ' ? p + 1 : p;
}

bool
session_value_read(const char *text, struct session *ret)
{
	uint64_t	 v[7];
	char		 again[VALUE_MAX];
	const char	*p = text;

	if (strncmp(text, "v1 ", 3) != 0)
		return false;
	p += 3;
	for (int i = 0; i < 7; i++)
		p = value_number(p, &v[i]);
	*ret = (struct session){
		.user_id = (int64_t)v[0], .community_id = (int64_t)v[1],
		.roles = v[2], .staff = v[3] == 1 || v[3] == 3,
		.must_change = v[3] == 3,
		.life_ms = (int64_t)v[4], .expires_at = (int64_t)v[5],
		.until_at = (int64_t)v[6],
	};
	if (ret->user_id <= 0 || ret->community_id < 0 || ret->life_ms <= 0)
		return false;
	value_write(ret, again);
	return strcmp(text, again) == 0;
}

int64_t
session_end_at(const struct session *s)
{
	return s->until_at != 0 && s->until_at < s->expires_at ?
	    s->until_at : s->expires_at;
}

/* How long Redis is to keep it from `now` on. */
static void
life_text(const struct session *s, int64_t now, char out[NUMBER_MAX])
{
	int64_t	left = session_end_at(s) - now;

	number_text(left > 0 ? left : 1, out);
}

/* What is cut may end within a character, which is then left out. */
static int
cut(const char *text)
{
	int	n = 0;

	if (text == NULL)
		return 0;
	while (n < SESSION_FROM_MAX && (unsigned char)text[n] >= ' ')
		n++;
	if (n == SESSION_FROM_MAX)
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	return n;
}

enum err
session_open_from(struct redis *r, struct session *s,
    const struct session_from *from, char ret_token[CRYPT_TOKEN_MAX])
{
	struct names	 n;
	char		 value[VALUE_MAX], life[NUMBER_MAX];
	char		 token[CRYPT_TOKEN_MAX], where[FROM_MAX];
	const char	*argv[] = { "EVAL", script_open, "2", n.key, n.set,
			    n.hash, life, value, where };
	int64_t		 now = clock_now();
	enum err	 e;

	if (s->user_id <= 0 || s->community_id < 0 || s->life_ms <= 0 ||
	    (s->must_change && !s->staff))
		return ERR_INTERNAL;
	crypt_token(token);
	name_token(&n, token);
	name_user(&n, s->user_id);
	s->expires_at = now + s->life_ms;
	value_write(s, value);
	life_text(s, now, life);
	snprintf(where, sizeof(where), "%lld\n%.*s\n%.*s", (long long)now,
	    cut(from->address), from->address ? from->address : "",
	    cut(from->device), from->device ? from->device : "");
	if ((e = redis_command(r, 9, argv, NULL)) == OK)
		memcpy(ret_token, token, sizeof(token));
	return e;
}

enum err
session_open(struct redis *r, struct session *s,
    char ret_token[CRYPT_TOKEN_MAX])
{
	static const struct session_from nowhere = { "", "" };

	return session_open_from(r, s, &nowhere, ret_token);
}

/* Ask Redis. */
static enum err
session_read(struct redis *r, const struct names *n, struct session *ret)
{
	char		value[VALUE_MAX];
	enum err	e;

	if ((e = redis_fetch(r, n->key, value, sizeof(value))) != OK)
		return e == ERR_ABSENT ? ERR_NO_SESSION : e;
	if (!session_value_read(value, ret)) {
		log_warn("session message=\"value cannot be read\"");
		return ERR_NO_SESSION;
	}
	return OK;
}

/*
 * Give the session its whole life again.  When it has changed meanwhile it
 * is read anew; when Redis does not answer it lives on as it is.
 */
static enum err
session_renew(struct redis *r, struct names *n, struct session *s,
    int64_t now)
{
	struct session	 fresh = *s;
	char		 known[VALUE_MAX], value[VALUE_MAX];
	char		 life[NUMBER_MAX];
	const char	*argv[] = { "EVAL", script_renew, "2", n->key, n->set,
			    n->hash, life, known, value };
	int64_t		 done = 0;
	enum err	 e;

	name_user(n, s->user_id);
	fresh.expires_at = now + s->life_ms;
	value_write(s, known);
	value_write(&fresh, value);
	life_text(&fresh, now, life);
	if ((e = redis_command(r, 9, argv, &done)) != OK)
		return e == ERR_AWAY ? OK : e;
	session_cache_drop(n->hash);
	if (done == 1) {
		*s = fresh;
		return OK;
	}
	if ((e = session_read(r, n, &fresh)) != OK)
		return e;
	*s = fresh;
	return session_end_at(s) > now ? OK : ERR_NO_SESSION;
}

enum err
session_find(struct redis *r, const char *token, int64_t now,
    struct session *ret)
{
	struct names	n;
	struct session	s;
	uint64_t	ticket;
	enum err	e;

	if (!well_formed(token))
		return ERR_NO_SESSION;
	name_token(&n, token);
	if (!session_cache_find(n.hash, &s, &ticket)) {
		if ((e = session_read(r, &n, &s)) != OK)
			return e;
		session_cache_keep(n.hash, &s, ticket);
	}
	if (session_end_at(&s) <= now)
		return ERR_NO_SESSION;
	if (s.expires_at - now < s.life_ms - s.life_ms / 10 &&
	    (e = session_renew(r, &n, &s, now)) != OK)
		return e;
	*ret = s;
	return OK;
}

enum err
session_end(struct redis *r, const char *token)
{
	struct names	 n;
	const char	*argv[] = { "EVAL", script_end, "1", n.key, n.hash };
	enum err	 e;

	if (!well_formed(token))
		return OK;
	name_token(&n, token);
	e = redis_command(r, 5, argv, NULL);
	session_cache_drop(n.hash);
	return e;
}

/* Run a script that answers with the hashes it touched; forget these. */
static enum err
touch_all(struct redis *r, struct arena *arena, int argc, const char **argv)
{
	const char	**hashes;
	enum err	  e;
	int		  n;

	if ((e = redis_list(r, arena, argc, argv, &hashes, &n)) != OK)
		return e;
	for (int i = 0; i < n; i++)
		if (hashes[i] && strlen(hashes[i]) == SESSION_HASH)
			session_cache_drop(hashes[i]);
	return OK;
}

enum err
session_end_all(struct redis *r, struct arena *arena, int64_t user_id,
    const char *keep)
{
	struct names	 n = { .hash = "" };
	const char	*argv[] = { "EVAL", script_end_all, "1", n.set,
			    n.hash };

	if (well_formed(keep))
		name_token(&n, keep);
	name_user(&n, user_id);
	return touch_all(r, arena, 5, argv);
}

enum err
session_refresh(struct redis *r, struct arena *arena, int64_t user_id,
    int64_t community_id, uint64_t roles)
{
	struct names	 n;
	char		 community[NUMBER_MAX], bits[NUMBER_MAX];
	const char	*argv[] = { "EVAL", script_refresh, "1", n.set,
			    community, bits };

	name_user(&n, user_id);
	number_text(community_id, community);
	snprintf(bits, sizeof(bits), "%llu", (unsigned long long)roles);
	return touch_all(r, arena, 6, argv);
}

enum err
session_relieve(struct redis *r, struct arena *arena, int64_t user_id)
{
	struct names	 n;
	const char	*argv[] = { "EVAL", script_relieve, "1", n.set };

	name_user(&n, user_id);
	return touch_all(r, arena, 4, argv);
}

bool
session_hash(const char *token, char ret[CRYPT_HEX_MAX])
{
	if (!well_formed(token))
		return false;
	crypt_sha256(token, CRYPT_TOKEN_MAX - 1, ret);
	return true;
}

enum err
session_end_hash(struct redis *r, const char *hash)
{
	char		 key[KEY_MAX];
	const char	*argv[] = { "EVAL", script_end, "1", key, hash };
	int64_t		 n = 0;
	enum err	 e;

	snprintf(key, sizeof(key), "sess:%s", hash);
	e = redis_command(r, 5, argv, &n);
	session_cache_drop(hash);
	return e == OK && n == 0 ? ERR_ABSENT : e;
}
