/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_person.c -- people with an account, as planetctl makes them.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/view.h"
#include "store/db.h"

#include "ctl_person.h"

struct person_id {
	int64_t		 id;
};

static const struct view_column person_id_columns[] = {
	C_ID(person_id, id),
	C_END
};
static const struct view person_id_view = VIEW(person_id, "CtlPersonId");

enum { PERSON_FIND, PERSON_ADD, PERSON_GRANT, PERSON_PASSWORD,
	PERSON_UNLOCK, PERSON_SQL_MAX };

static struct stmt person_sql[] = {
	[PERSON_FIND] = { RO, 1, &person_id_view,
	    "SELECT id FROM app_user WHERE account = $1", NULL, 0 },
	[PERSON_ADD] = { RW, 8, NULL,
	    "INSERT INTO app_user (id, openid, account, password, name,"
	    " community_id, staff_of, must_change, password_at, created_at,"
	    " updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $8, $7, $7,"
	    " $7)", NULL, 0 },
	[PERSON_GRANT] = { RW, 4, NULL,
	    "INSERT INTO user_role (community_id, user_id, role, granted_at)"
	    " VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (community_id, user_id, role) DO NOTHING",
	    NULL, 0 },
	[PERSON_PASSWORD] = { RW, 4, NULL,
	    "UPDATE app_user SET password = $2, password_at = $3,"
	    " must_change = $4, updated_at = $3 WHERE id = $1", NULL, 0 },
	[PERSON_UNLOCK] = { RW, 1, NULL,
	    "DELETE FROM login_guard WHERE user_id = $1", NULL, 0 },
};

void
ctl_person_register(void)
{
	db_register(person_sql, PERSON_SQL_MAX);
}

enum err
ctl_person_find(struct db *db, struct arena *arena, const char *account,
    int64_t *ret_id)
{
	struct person_id	row;
	enum err		e;

	e = db_one(db, arena, &person_sql[PERSON_FIND], WITH(V(account)),
	    &row);
	if (e == OK)
		*ret_id = row.id;
	return e;
}

enum err
ctl_person_add(struct db *db, struct ctl_person *p)
{
	p->id = id_new();
	return db_run(db, &person_sql[PERSON_ADD],
	    WITH(V(p->id), V(p->openid), V(p->account), V(p->password),
	    V(p->name), p->community_id == 0 ? VNULL : V(p->community_id),
	    V(clock_now()), V(p->must_change)), NULL);
}

enum err
ctl_person_grant(struct db *db, int64_t id, int64_t community_id,
    const char *role)
{
	if (strcmp(role, "platform") == 0)
		community_id = 0;
	return db_run(db, &person_sql[PERSON_GRANT],
	    WITH(V(community_id), V(id), V(role), V(clock_now())), NULL);
}

enum err
ctl_person_password(struct db *db, int64_t id, const char *hash,
    bool must_change)
{
	enum err	e;

	e = db_run(db, &person_sql[PERSON_PASSWORD],
	    WITH(V(id), V(hash), V(clock_now()), V(must_change)), NULL);
	return e != OK ? e : db_run(db, &person_sql[PERSON_UNLOCK],
	    WITH(V(id)), NULL);
}
