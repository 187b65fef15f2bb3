/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.c -- what an account proves itself with.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/password.h"
#include "base/totp.h"
#include "flow/task.h"
#include "http/req.h"
#include "service/credential.h"

#define PASSWORDS_WAITING	4
#define TRIES			5	/* of a transaction */
#define HISTORY_MAX		24

static const struct view_column credential_columns[] = {
	C_ID(credential, id),
	C_TEXT(credential, account, .flags = VIEW_NULL),
	C_TEXT(credential, password, .flags = VIEW_NULL),
	C_TIME(credential, password_at),
	C_INT(credential, must_change),
	C_INT(credential, community_id),
	C_INT(credential, staff_of),
	C_TEXT(credential, totp, .flags = VIEW_NULL),
	C_TEXT(credential, totp_new, .flags = VIEW_NULL),
	C_INT(credential, totp_step),
	C_END
};
static const struct view credential_view = VIEW(credential, "Credential");

struct guard {
	int64_t		 tries;
	int64_t		 locked_until;
};

static const struct view_column guard_columns[] = {
	C_INT(guard, tries),
	C_TIME(guard, locked_until),
	C_END
};
static const struct view guard_view = VIEW(guard, "LoginGuard");

struct old_password {
	int64_t		 id;
	const char	*password;
};

static const struct view_column old_password_columns[] = {
	C_ID(old_password, id),
	C_TEXT(old_password, password),
	C_END
};
static const struct view old_password_view =
    VIEW(old_password, "OldPassword");

#define CREDENTIAL_SELECT						\
	"SELECT id, account, password,"					\
	" COALESCE(password_at, created_at) AS password_at,"		\
	" must_change,"							\
	" COALESCE(community_id, 0) AS community_id,"			\
	" COALESCE(staff_of, 0) AS staff_of, totp, totp_new, totp_step"	\
	" FROM app_user WHERE closed_at IS NULL AND "

enum { CREDENTIAL_ACCOUNT, CREDENTIAL_GET, GUARD_TRY, GUARD_GET, GUARD_UNTRY,
	GUARD_FORGET, GUARD_UNLOCK, OLD_LIST, OLD_ADD, OLD_FORGET,
	CREDENTIAL_SET, CREDENTIAL_STEP, RECOVERY_USE,
	RECOVERY_CLEAR, RECOVERY_ADD, TOTP_OFF, GUARD_SWEEP,
	CREDENTIAL_SQL_MAX };

/*
 * A lock that has passed begins again at one.  The last try that is allowed
 * locks what comes after it, also while it is still being looked at.
 */
static struct stmt credential_sql[] = {
	[CREDENTIAL_ACCOUNT] = { RO, 1, &credential_view,
	    CREDENTIAL_SELECT "account = $1", NULL, 0 },
	[CREDENTIAL_GET] = { RO, 1, &credential_view,
	    CREDENTIAL_SELECT "id = $1", NULL, 0 },
	[GUARD_TRY] = { RW, 5, NULL,
	    "INSERT INTO login_guard (account_index, user_id, tries,"
	    " locked_until, tried_at) VALUES (CAST($1 AS TEXT),"
	    " CAST($2 AS BIGINT), 1, CASE WHEN CAST($4 AS BIGINT) = 1"
	    " THEN CAST($3 AS BIGINT) + CAST($5 AS BIGINT) ELSE 0 END,"
	    " CAST($3 AS BIGINT)) ON CONFLICT (account_index) DO UPDATE SET"
	    " user_id = COALESCE(excluded.user_id, login_guard.user_id),"
	    " tries = CASE WHEN login_guard.locked_until > 0 THEN 1"
	    " ELSE login_guard.tries + 1 END,"
	    " locked_until = CASE WHEN CAST($4 AS BIGINT) <= CASE"
	    " WHEN login_guard.locked_until > 0 THEN 1"
	    " ELSE login_guard.tries + 1 END"
	    " THEN CAST($3 AS BIGINT) + CAST($5 AS BIGINT) ELSE 0 END,"
	    " tried_at = excluded.tried_at"
	    " WHERE login_guard.locked_until <= excluded.tried_at",
	    NULL, 0 },
	[GUARD_GET] = { RO, 1, &guard_view,
	    "SELECT tries, locked_until FROM login_guard"
	    " WHERE account_index = $1", NULL, 0 },
	[GUARD_UNTRY] = { RW, 1, NULL,
	    "UPDATE login_guard SET tries = tries - 1, locked_until = 0"
	    " WHERE account_index = $1 AND tries > 0", NULL, 0 },
	[GUARD_FORGET] = { RW, 1, NULL,
	    "DELETE FROM login_guard WHERE account_index = $1", NULL, 0 },
	[GUARD_UNLOCK] = { RW, 1, NULL,
	    "DELETE FROM login_guard WHERE user_id = $1", NULL, 0 },
	[OLD_LIST] = { RO, 2, &old_password_view,
	    "SELECT id, password FROM password_old WHERE user_id = $1"
	    " ORDER BY id DESC LIMIT $2", NULL, 0 },
	[OLD_ADD] = { RW, 3, NULL,
	    "INSERT INTO password_old (user_id, id, password)"
	    " VALUES ($1, $2, $3)", NULL, 0 },
	[OLD_FORGET] = { RW, 2, NULL,
	    "DELETE FROM password_old WHERE user_id = $1 AND id NOT IN"
	    " (SELECT id FROM password_old WHERE user_id = $1"
	    " ORDER BY id DESC LIMIT $2)", NULL, 0 },
	[CREDENTIAL_SET] = { RW, 5, NULL,
	    "UPDATE app_user SET password = $3, must_change = $4,"
	    " password_at = $5, updated_at = $5 WHERE id = $1"
	    " AND closed_at IS NULL AND COALESCE(password, '') = $2",
	    NULL, 0 },
	[CREDENTIAL_STEP] = { RW, 2, NULL,
	    "UPDATE app_user SET totp_step = $2 WHERE id = $1"
	    " AND totp_step < $2", NULL, 0 },
	[RECOVERY_USE] = { RW, 2, NULL,
	    "DELETE FROM recovery_code WHERE user_id = $1"
	    " AND code_index = $2", NULL, 0 },
	[RECOVERY_CLEAR] = { RW, 1, NULL,
	    "DELETE FROM recovery_code WHERE user_id = $1", NULL, 0 },
	[RECOVERY_ADD] = { RW, 2, NULL,
	    "INSERT INTO recovery_code (user_id, code_index)"
	    " VALUES ($1, $2)", NULL, 0 },
	[TOTP_OFF] = { RW, 2, NULL,
	    "UPDATE app_user SET totp = NULL, totp_new = NULL,"
	    " updated_at = $2 WHERE id = $1", NULL, 0 },
	[GUARD_SWEEP] = { RW, 2, NULL,
	    "DELETE FROM login_guard WHERE tried_at < $1"
	    " AND locked_until < $2", NULL, 0 },
};

static enum err
sweep_rows(struct req *rq, void *arg)
{
	(void)arg;
	return db_run(rq->db, &credential_sql[GUARD_SWEEP],
	    WITH(V(rq->now - CLOCK_DAY), V(rq->now)), NULL);
}

/* Names that nobody has tried for a day. */
static enum err
sweep(struct req *rq)
{
	return req_transact(rq, sweep_rows, NULL);
}

static const struct task tasks[] = {
	{ "login_guard.sweep", CLOCK_HOUR, TASK_NEVER, sweep },
	{ .name = NULL }
};

void
credential_register(void)
{
	task_register(tasks);
	db_register(credential_sql, CREDENTIAL_SQL_MAX);
}

enum err
credential_by_account(struct req *rq, const char *account,
    struct credential *ret)
{
	return db_one(rq->db, rq->arena, &credential_sql[CREDENTIAL_ACCOUNT],
	    WITH(V(account)), ret);
}

enum err
credential_get(struct req *rq, int64_t id, struct credential *ret)
{
	return db_one(rq->db, rq->arena, &credential_sql[CREDENTIAL_GET],
	    WITH(V(id)), ret);
}

/* ---- tries ---- */

struct attempt {
	struct req	*rq;
	const char	*index;
	int64_t		 user_id;
	int64_t		 taken;
};

static const char *
index_of(struct req *rq, const char *account)
{
	return crypt_index(rq->arena, "account", account);
}

static enum err
take(void *arg)
{
	struct attempt	*a = arg;
	struct req	*rq = a->rq;

	return db_run(rq->db, &credential_sql[GUARD_TRY],
	    WITH(V(a->index), a->user_id == 0 ? VNULL : V(a->user_id),
	    V(rq->now), V(rq->conf->login_tries),
	    V(rq->conf->lock_minutes * CLOCK_MINUTE)), &a->taken);
}

static enum err
give_back(void *arg)
{
	struct attempt	*a = arg;

	return db_run(a->rq->db, &credential_sql[GUARD_UNTRY],
	    WITH(V(a->index)), NULL);
}

static enum err
busy(enum err e)
{
	return e == ERR_AGAIN ? ERR_BUSY : e;
}

enum err
credential_try(struct req *rq, const char *account, int64_t user_id)
{
	struct attempt	a = { .rq = rq, .user_id = user_id,
			    .index = index_of(rq, account) };
	struct guard	g;
	enum err	e;

	if ((e = busy(db_transact(rq->db, TRIES, take, &a))) != OK)
		return e;
	if (a.taken == 1)
		return OK;
	e = db_one(rq->db, rq->arena, &credential_sql[GUARD_GET],
	    WITH(V(a.index)), &g);
	/* It ended, or was lifted, in this moment. */
	if (e == ERR_ABSENT || (e == OK && g.locked_until <= rq->now))
		return ERR_BUSY;
	if (e != OK)
		return e;
	rq->retry_after = (int)((g.locked_until - rq->now) / CLOCK_SECOND) +
	    1;
	return ERR_LOGIN_LOCKED;
}

enum err
credential_untry(struct req *rq, const char *account)
{
	struct attempt	a = { .rq = rq, .index = index_of(rq, account) };

	return busy(db_transact(rq->db, TRIES, give_back, &a));
}

enum err
credential_fits(struct req *rq, const char *account)
{
	return db_run(rq->db, &credential_sql[GUARD_FORGET],
	    WITH(V(index_of(rq, account))), NULL);
}

enum err
credential_unlock(struct req *rq, int64_t user_id)
{
	return db_run(rq->db, &credential_sql[GUARD_UNLOCK],
	    WITH(V(user_id)), NULL);
}

/* ---- passwords ---- */

/* argon2id runs one at a time; a queue of it must not fill the pool. */
enum err
credential_check(const char *hash, const char *password)
{
	static atomic_int	waiting;
	enum err		e = ERR_BUSY;

	if (atomic_fetch_add(&waiting, 1) < PASSWORDS_WAITING)
		e = crypt_password_fits(hash, password) ? OK :
		    ERR_CREDENTIALS;
	atomic_fetch_sub(&waiting, 1);
	return e;
}

bool
credential_stale(const struct req *rq, const struct credential *c)
{
	int64_t	days = rq->conf->password_days;

	return c->must_change != 0 || (days > 0 &&
	    rq->now - c->password_at >= days * CLOCK_DAY);
}

static enum err
refuse_weak(struct req *rq, const char *name, enum password_fault fault)
{
	switch (fault) {
	case PASSWORD_FIT:
		return OK;
	case PASSWORD_SHORT:
		return req_field(rq, name, "too_short",
		    "密码至少 8 个字符，请再长一些。");
	case PASSWORD_LONG:
		return req_field(rq, name, "too_long",
		    "密码最多 128 个字符，请短一些。");
	case PASSWORD_ACCOUNT:
		return req_field(rq, name, "account",
		    "密码中不能包含账号，请换一个。");
	default:
		return req_field(rq, name, "too_plain",
		    "密码要包含大写字母、小写字母、数字、符号中的至少三种。");
	}
}

/* The hashes of the passwords that were; how many. */
static enum err
old_ones(struct req *rq, const struct credential *c,
    const char *ret[HISTORY_MAX], int *ret_n)
{
	struct old_password	row;
	struct rows		rows;
	enum err		e;

	*ret_n = 0;
	if (c->password != NULL)
		ret[(*ret_n)++] = c->password;
	e = db_query(rq->db, &credential_sql[OLD_LIST],
	    WITH(V(c->id), V(rq->conf->password_history - 1)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		if (*ret_n < HISTORY_MAX)
			ret[(*ret_n)++] = arena_str(rq->arena, row.password);
	return db_end(&rows);
}

enum err
credential_new_fits(struct req *rq, const struct credential *c,
    const char *name, const char *password)
{
	const char	*old[HISTORY_MAX];
	enum err	 e;
	int		 i, n;

	e = refuse_weak(rq, name, password_check(password, c->account));
	if (e != OK || (e = old_ones(rq, c, old, &n)) != OK)
		return e;
	for (i = 0; i < n; i++) {
		e = credential_check(old[i], password);
		if (e == OK)
			return req_field(rq, name, "used",
			    "这个密码最近用过，请换一个新的。");
		if (e != ERR_CREDENTIALS)
			return e;
	}
	return OK;
}

enum err
credential_set(struct req *rq, const struct credential *c, const char *hash,
    bool must)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &credential_sql[CREDENTIAL_SET],
	    WITH(V(c->id), V(c->password != NULL ? c->password : ""),
	    V(hash), V(must), V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_CONFLICT;
	if (c->password != NULL && (e = db_run(rq->db,
	    &credential_sql[OLD_ADD],
	    WITH(V(c->id), V(id_new()), V(c->password)), NULL)) != OK)
		return e;
	return db_run(rq->db, &credential_sql[OLD_FORGET],
	    WITH(V(c->id), V(rq->conf->password_history)), NULL);
}

/* ---- second factor ---- */

static enum err
use(struct req *rq, int which, int64_t user_id, struct value v)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &credential_sql[which], WITH(V(user_id), v), &n);
	if (e != OK)
		return e;
	return n == 1 ? OK : ERR_TOTP;
}

/* As it was printed or as somebody typed it: small, without dashes. */
static const char *
tidy(struct req *rq, const char *code)
{
	char	*out = arena_str(rq->arena, code), *p = out;

	for (; *code != '\0'; code++)
		if (*code >= 'A' && *code <= 'Z')
			*p++ = (char)(*code - 'A' + 'a');
		else if (*code != '-' && *code != ' ')
			*p++ = *code;
	*p = '\0';
	return out;
}

/* About 49 bits. */
static const char *
make_code(struct req *rq)
{
	static const char	set[] = "abcdefghjkmnpqrstuvwxyz23456789";
	char			out[12];
	size_t			i;

	for (i = 0; i < 11; i++)
		out[i] = i == 5 ? '-' :
		    set[crypt_uniform(sizeof(set) - 1)];
	out[11] = '\0';
	return arena_str(rq->arena, out);
}

enum err
credential_recovery(struct req *rq, int64_t id,
    const char *ret[CREDENTIAL_CODES])
{
	enum err	e;
	int		i;

	e = db_run(rq->db, &credential_sql[RECOVERY_CLEAR], WITH(V(id)),
	    NULL);
	for (i = 0; e == OK && i < CREDENTIAL_CODES; i++) {
		ret[i] = make_code(rq);
		e = db_run(rq->db, &credential_sql[RECOVERY_ADD],
		    WITH(V(id), V(crypt_index(rq->arena, "recovery",
		    tidy(rq, ret[i])))), NULL);
	}
	return e;
}

enum err
credential_totp_off(struct req *rq, int64_t id)
{
	enum err	e;

	e = db_run(rq->db, &credential_sql[TOTP_OFF],
	    WITH(V(id), V(rq->now)), NULL);
	return e != OK ? e : db_run(rq->db, &credential_sql[RECOVERY_CLEAR],
	    WITH(V(id)), NULL);
}

enum err
credential_totp(struct req *rq, const struct credential *c, const char *code)
{
	const char	*secret;
	int64_t		 step;

	if (strlen(code) != TOTP_DIGITS)
		return use(rq, RECOVERY_USE, c->id,
		    V(crypt_index(rq->arena, "recovery", tidy(rq, code))));
	secret = c->totp != NULL ? crypt_open(rq->arena, "totp", c->totp) :
	    NULL;
	if (secret == NULL)
		return ERR_TOTP;
	step = totp_fits(secret, code, rq->now, c->totp_step);
	if (step == 0)
		return ERR_TOTP;
	return use(rq, CREDENTIAL_STEP, c->id, V(step));
}
