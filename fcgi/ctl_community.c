/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_community.c -- communities, as planetctl finds and adds them.
 *
 * The statistical code is what people know one by; it may change with a
 * yearly edition, so everything else refers to the id.
 */
#include <string.h>

#include "base/id.h"
#include "base/view.h"
#include "store/db.h"

#include "ctl_community.h"

#define CODE_DIGITS 12

static const struct view_column ctl_community_columns[] = {
	C_ID(ctl_community, id),
	C_TEXT(ctl_community, code),
	C_TEXT(ctl_community, edition),
	C_TEXT(ctl_community, name),
	C_TEXT(ctl_community, township),
	C_DEGREE(ctl_community, lat, .flags = VIEW_NULL),
	C_DEGREE(ctl_community, lng, .flags = VIEW_NULL),
	C_END
};
static const struct view ctl_community_view =
    VIEW(ctl_community, "CtlCommunity");

#define COMMUNITY_SELECT						\
	"SELECT id, code, edition, name, township, lat, lng FROM community"

enum { COMMUNITY_FIND, COMMUNITY_SOME, COMMUNITY_ADD, COMMUNITY_CHANGE,
	COMMUNITY_SQL_MAX };

static struct stmt community_sql[] = {
	[COMMUNITY_FIND] = { RO, 1, &ctl_community_view,
	    COMMUNITY_SELECT " WHERE code = $1", NULL, 0 },
	[COMMUNITY_SOME] = { RO, 0, &ctl_community_view,
	    COMMUNITY_SELECT " ORDER BY code LIMIT 2", NULL, 0 },
	[COMMUNITY_ADD] = { RW, 7, NULL,
	    "INSERT INTO community (id, code, edition, name, township, lat,"
	    " lng) VALUES ($1, $2, $3, $4, $5, $6, $7)", NULL, 0 },
	[COMMUNITY_CHANGE] = { RW, 6, NULL,
	    "UPDATE community SET edition = $2, name = $3, township = $4,"
	    " lat = $5, lng = $6 WHERE id = $1", NULL, 0 },
};

void
ctl_community_register(void)
{
	db_register(community_sql, COMMUNITY_SQL_MAX);
}

bool
ctl_community_code(const char *s)
{
	return s[0] != '0' && strlen(s) == CODE_DIGITS &&
	    strspn(s, "0123456789") == CODE_DIGITS;
}

enum err
ctl_community_find(struct db *db, struct arena *arena, const char *code,
    struct ctl_community *ret)
{
	return db_one(db, arena, &community_sql[COMMUNITY_FIND],
	    WITH(V(code)), ret);
}

enum err
ctl_community_only(struct db *db, struct arena *arena,
    struct ctl_community *ret)
{
	struct ctl_community	row;
	struct rows		rows;
	enum err		e;
	int			n = 0;

	e = db_query(db, &community_sql[COMMUNITY_SOME], NOTHING, &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		n++;
	if ((e = db_end(&rows)) != OK)
		return e;
	if (n != 1)
		return ERR_ABSENT;
	return db_one(db, arena, &community_sql[COMMUNITY_SOME], NOTHING,
	    ret);
}

static struct value
degree(int64_t v)
{
	return v == VIEW_NULL_INT ? VNULL : value_int(v);
}

static bool
is_same(const struct ctl_community *a, const struct ctl_community *b)
{
	return strcmp(a->edition, b->edition) == 0 &&
	    strcmp(a->name, b->name) == 0 &&
	    strcmp(a->township, b->township) == 0 &&
	    a->lat == b->lat && a->lng == b->lng;
}

enum err
ctl_community_keep(struct db *db, struct arena *arena,
    struct ctl_community *c, int *ret_change)
{
	struct ctl_community	old;
	enum err		e;

	e = ctl_community_find(db, arena, c->code, &old);
	if (e == ERR_ABSENT) {
		c->id = id_new();
		*ret_change = 1;
		return db_run(db, &community_sql[COMMUNITY_ADD],
		    WITH(V(c->id), V(c->code), V(c->edition), V(c->name),
		    V(c->township), degree(c->lat), degree(c->lng)), NULL);
	}
	if (e != OK)
		return e;
	c->id = old.id;
	if (c->lat == VIEW_NULL_INT) {
		c->lat = old.lat;
		c->lng = old.lng;
	}
	*ret_change = is_same(&old, c) ? 0 : -1;
	if (*ret_change == 0)
		return OK;
	return db_run(db, &community_sql[COMMUNITY_CHANGE],
	    WITH(V(c->id), V(c->edition), V(c->name), V(c->township),
	    degree(c->lat), degree(c->lng)), NULL);
}
