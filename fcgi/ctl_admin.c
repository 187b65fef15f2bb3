/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_admin.c -- planetctl admin: accounts of the staff.
 *
 * Where the first account comes from, and the way back in when a password
 * is lost.  Another password ends all sessions of the account.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/password.h"
#include "base/text.h"
#include "base/view.h"
#include "http/route.h"
#include "store/db.h"
#include "store/redis.h"
#include "store/session.h"

#include "ctl.h"
#include "ctl_community.h"
#include "ctl_password.h"
#include "ctl_person.h"

#define ADMIN_TRIES	10
#define ACCOUNT_MIN	3
#define ACCOUNT_MAX	64
#define NAME_MAX_	20	/* code points */

/* What the command line says. */
struct admin {
	struct ctl	*ctl;
	const char	*account;
	const char	*community;
	const char	*name;
	const char	*password_file;
	const char	*roles[ROLE__COUNT];
	int		 n_roles;
	bool		 keep;		/* the password need not be changed */
	const char	*hash;
	int64_t		 id;
	int64_t		 community_id;
};

struct admin_row {
	const char	*account;
	const char	*name;
	int64_t		 closed_at;
	const char	*role;
	const char	*code;		/* of the role's community */
	const char	*community;
};

static const struct view_column admin_row_columns[] = {
	C_TEXT(admin_row, account),
	C_TEXT(admin_row, name),
	C_TIME(admin_row, closed_at, .flags = VIEW_NULL),
	C_TEXT(admin_row, role, .flags = VIEW_NULL),
	C_TEXT(admin_row, code, .flags = VIEW_NULL),
	C_TEXT(admin_row, community, .flags = VIEW_NULL),
	C_END
};
static const struct view admin_row_view = VIEW(admin_row, "CtlAdminRow");

enum { ADMIN_LIST, ADMIN_SQL_MAX };

static struct stmt admin_sql[] = {
	[ADMIN_LIST] = { RO, 0, &admin_row_view,
	    "SELECT u.account, u.name, u.closed_at, r.role, c.code,"
	    " c.name AS community FROM app_user u"
	    " LEFT JOIN user_role r ON r.user_id = u.id"
	    " LEFT JOIN community c ON c.id = r.community_id"
	    " WHERE u.account IS NOT NULL ORDER BY u.account,"
	    " c.code NULLS FIRST, r.role", NULL, 0 },
};

void
ctl_admin_register(void)
{
	ctl_community_register();
	ctl_person_register();
	db_register(admin_sql, ADMIN_SQL_MAX);
}

static int
refuse(const char *what, const char *why)
{
	fprintf(stderr, "planetctl: admin: %s: %s\n", what, why);
	return 1;
}

static int
refuse_err(const char *what, enum err e)
{
	return refuse(what, err_info(e)->title);
}

/* Lower-case letters, digits and . _ - , a letter first. */
static bool
is_account(const char *s)
{
	size_t	n = strlen(s);

	return n >= ACCOUNT_MIN && n <= ACCOUNT_MAX && *s >= 'a' &&
	    *s <= 'z' && strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "0123456789._-") == n;
}

static int
check_account(const struct admin *a)
{
	if (is_account(a->account))
		return 0;
	return refuse(a->account, "an account is 3 to 64 lower-case letters,"
	    " digits and . _ - , a letter first");
}

/* ---- create ---- */

static bool
has_role(const struct admin *a, const char *role)
{
	int	i;

	for (i = 0; i < a->n_roles; i++)
		if (strcmp(a->roles[i], role) == 0)
			return true;
	return false;
}

static int
find_community(struct admin *a)
{
	struct ctl_community	c;
	enum err		e;

	if (a->community == NULL) {
		if (a->n_roles == 1 && has_role(a, "platform"))
			return 0;
		return refuse(a->account, "say of which --community");
	}
	e = ctl_community_find(a->ctl->db, a->ctl->arena, a->community, &c);
	if (e == ERR_ABSENT)
		return refuse(a->community, "no community has this code");
	if (e != OK)
		return refuse_err(a->community, e);
	a->community_id = c.id;
	return 0;
}

static int
check_new(struct admin *a)
{
	enum err	e;

	if (check_account(a) != 0)
		return 1;
	if (!text_valid(a->name, strlen(a->name)) ||
	    !text_clean(a->name, false) || a->name[0] == '\0' ||
	    text_length(a->name) > NAME_MAX_)
		return refuse(a->account, "a name has 1 to 20 characters");
	if (a->n_roles == 0)
		a->roles[a->n_roles++] = "admin";
	if (find_community(a) != 0)
		return 1;
	e = ctl_person_find(a->ctl->db, a->ctl->arena, a->account, &a->id);
	if (e == OK)
		return refuse(a->account, "there is such an account already;"
		    " admin reset-password gives it another password");
	return e == ERR_ABSENT ? 0 : refuse_err(a->account, e);
}

static int
read_hash(struct admin *a)
{
	char	password[CTL_PASSWORD_MAX];

	if (!ctl_password_read(a->password_file, a->account, password))
		return 1;
	if (a->keep && password_check(password, a->account) !=
	    PASSWORD_FIT) {
		explicit_bzero(password, sizeof(password));
		return refuse(a->account, "a password that is kept has three"
		    " of small letters, capitals, digits and others, and not"
		    " the account's name");
	}
	a->hash = crypt_password(a->ctl->arena, password);
	explicit_bzero(password, sizeof(password));
	return 0;
}

static enum err
write_new(void *arg)
{
	struct admin		*a = arg;
	struct ctl_person	 p = { .account = a->account,
		.password = a->hash, .name = a->name,
		.community_id = a->community_id, .must_change = !a->keep };
	enum err		 e;
	int			 i;

	if ((e = ctl_person_add(a->ctl->db, &p)) != OK)
		return e;
	for (i = 0; i < a->n_roles; i++) {
		e = ctl_person_grant(a->ctl->db, p.id, a->community_id,
		    a->roles[i]);
		if (e != OK)
			return e;
	}
	return OK;
}

static int
admin_create(struct admin *a)
{
	enum err	e;

	if (a->account == NULL)
		return 2;
	if (a->name == NULL)
		a->name = a->account;
	if (check_new(a) != 0 || read_hash(a) != 0)
		return 1;
	e = db_transact(a->ctl->db, ADMIN_TRIES, write_new, a);
	if (e != OK)
		return refuse_err(a->account, e);
	printf("created %s\n", a->account);
	return 0;
}

/* ---- reset-password ---- */

static enum err
write_password(void *arg)
{
	struct admin	*a = arg;

	return ctl_person_password(a->ctl->db, a->id, a->hash, !a->keep);
}

/* Who knew the old password may be logged in with it. */
static int
end_sessions(const struct admin *a)
{
	const struct conf	*conf = a->ctl->conf;
	struct redis		*r;
	enum err		 e;

	r = redis_new(conf->redis, conf->redis_db, conf->redis_timeout_ms);
	e = session_end_all(r, a->ctl->arena, a->id, NULL);
	redis_free(r);
	if (e == OK)
		return 0;
	return refuse(a->account, "the password is changed, but sessions"
	    " that are open could not be ended, because Redis does not"
	    " answer; do this again");
}

static int
admin_reset(struct admin *a)
{
	enum err	e;

	if (a->account == NULL || a->community != NULL || a->name != NULL ||
	    a->n_roles > 0)
		return 2;
	if (check_account(a) != 0)
		return 1;
	e = ctl_person_find(a->ctl->db, a->ctl->arena, a->account, &a->id);
	if (e == ERR_ABSENT)
		return refuse(a->account, "there is no such account");
	if (e != OK)
		return refuse_err(a->account, e);
	if (read_hash(a) != 0)
		return 1;
	e = db_transact(a->ctl->db, ADMIN_TRIES, write_password, a);
	if (e != OK)
		return refuse_err(a->account, e);
	if (end_sessions(a) != 0)
		return 1;
	printf("changed the password of %s\n", a->account);
	return 0;
}

/* ---- list ---- */

static void
print_row(const struct admin_row *r)
{
	const char	*where = "everywhere", *what = "";

	if (r->role == NULL)
		where = "-";
	else if (r->code != NULL) {
		where = r->code;
		what = r->community;
	}
	printf("%s\t%s\t%s\t%s%s%s%s\n", r->account,
	    r->role != NULL ? r->role : "-", r->name, where,
	    what[0] != '\0' ? " " : "", what,
	    r->closed_at != VIEW_NULL_INT ? "\tclosed" : "");
}

/* One line a role: account, role, name, community. */
static int
admin_list(struct admin *a)
{
	struct admin_row	row;
	struct rows		rows;
	enum err		e;

	if (a->account != NULL || a->community != NULL || a->name != NULL ||
	    a->n_roles > 0 || a->password_file != NULL || a->keep)
		return 2;
	e = db_query(a->ctl->db, &admin_sql[ADMIN_LIST], NOTHING, &rows);
	if (e != OK)
		return refuse_err("list", e);
	while (db_each(&rows, &row))
		print_row(&row);
	e = db_end(&rows);
	return e == OK ? 0 : refuse_err("list", e);
}

/* ---- the command line ---- */

static bool
add_role(struct admin *a, const char *role)
{
	if (role_bit(role) == 0) {
		refuse(role, "there is no such role");
		return false;
	}
	if (!has_role(a, role))
		a->roles[a->n_roles++] = role;
	return true;
}

/* 0 to go on, or an exit code. */
static int
parse(struct admin *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "account", required_argument, NULL, 'a' },
		{ "community", required_argument, NULL, 'c' },
		{ "keep-password", no_argument, NULL, 'k' },
		{ "name", required_argument, NULL, 'n' },
		{ "password-file", required_argument, NULL, 'p' },
		{ "role", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 }
	};
	int	c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'a':
			a->account = optarg;
			break;
		case 'c':
			a->community = optarg;
			break;
		case 'k':
			a->keep = true;
			break;
		case 'n':
			a->name = optarg;
			break;
		case 'p':
			a->password_file = optarg;
			break;
		case 'r':
			if (!add_role(a, optarg))
				return 1;
			break;
		default:
			return 2;
		}
	return argc - optind == 1 ? 0 : 2;
}

int
ctl_admin(struct ctl *ctl, int argc, char **argv)
{
	struct admin	 a = { .ctl = ctl };
	const char	*what;
	int		 rc;

	if ((rc = parse(&a, argc, argv)) != 0)
		return rc;
	what = argv[optind];
	if (strcmp(what, "create") == 0)
		return admin_create(&a);
	if (strcmp(what, "reset-password") == 0)
		return admin_reset(&a);
	if (strcmp(what, "list") == 0)
		return admin_list(&a);
	return 2;
}
