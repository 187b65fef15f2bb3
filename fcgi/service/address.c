/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.c -- where a resident has things brought to.
 *
 * An address points to a dwelling.  Every statement binds the caller's
 * id, so another's address reads as absent.  Removed ones stay, because
 * orders point to them.
 */
#include "base/crypt.h"
#include "base/id.h"
#include "http/req.h"
#include "service/service.h"
#include "service/user.h"

#define ADDRESSES_MAX 20

struct address {
	int64_t		 id;
	int64_t		 dwelling_id;
	const char	*place;
	int64_t		 floor;
	int64_t		 lift;
	const char	*contact;
	const char	*phone;
	const char	*label;
	int64_t		 is_default;
	int64_t		 created_at;
};

static const struct view_column address_columns[] = {
	C_ID(address, id),
	C_ID(address, dwelling_id),
	C_TEXT(address, place, .about = "the dwelling's full name"),
	C_INT(address, floor, .flags = VIEW_NULL),
	C_BOOL(address, lift, .flags = VIEW_NULL),
	C_TEXT(address, contact),
	C_PHONE(address, phone),
	C_TEXT(address, label),
	C_BOOL(address, is_default),
	C_TIME(address, created_at),
	C_END
};
static const struct view address_view = VIEW(address, "Address");

struct address_new {
	int64_t		 dwelling_id;
	const char	*contact;
	const char	*phone;
	const char	*label;
	bool		 is_default;
};

static const struct field address_new_fields[] = {
	F_ID(address_new, dwelling_id, "房屋", MUST),
	F_TEXT(address_new, contact, "联系人", MUST, 1, 20),
	F_PHONE(address_new, phone, "联系电话", MAY),
	F_TEXT(address_new, label, "地址备注", MAY, 0, 30),
	F_BOOL(address_new, is_default, "默认地址", MAY),
	F_END
};
static const struct shape address_new_shape =
    SHAPE(address_new, "AddressNew");

struct address_patch {
	int64_t		 id;
	const char	*contact;
	const char	*phone;
	const char	*label;
	bool		 is_default;
};

static const struct field address_patch_fields[] = {
	F_ID(address_patch, id, "地址", MUST),
	F_TEXT(address_patch, contact, "联系人", MAY, 1, 20),
	F_PHONE(address_patch, phone, "联系电话", MAY),
	F_TEXT(address_patch, label, "地址备注", MAY, 0, 30),
	F_BOOL(address_patch, is_default, "默认地址", MAY),
	F_END
};
static const struct shape address_patch_shape =
    SHAPE(address_patch, "AddressPatch");

struct address_id {
	int64_t		 id;
};

static const struct field address_id_fields[] = {
	F_ID(address_id, id, "地址", MUST),
	F_END
};
static const struct shape address_id_shape = SHAPE(address_id, "AddressId");

struct address_count {
	int64_t		 n;
};

static const struct view_column address_count_columns[] = {
	C_INT(address_count, n),
	C_END
};
static const struct view address_count_view =
    VIEW(address_count, "AddressCount");

/* $1 community, $2 user */
#define ADDRESS_SELECT							\
	"SELECT a.id, a.dwelling_id, p.full_name AS place, p.floor,"	\
	" p.lift, a.contact, a.phone, a.label, a.is_default,"		\
	" a.created_at FROM address a JOIN place p"			\
	" ON p.community_id = a.community_id AND p.id = a.dwelling_id"	\
	" WHERE a.community_id = $1 AND a.user_id = $2"			\
	" AND a.removed_at IS NULL"

enum { ADDRESS_LIST, ADDRESS_GET, ADDRESS_COUNT, ADDRESS_ADD,
	ADDRESS_PATCH, ADDRESS_UNDEFAULT, ADDRESS_REMOVE, ADDRESS_SQL_MAX };

static struct stmt address_sql[] = {
	[ADDRESS_LIST] = { RO, 2, &address_view,
	    ADDRESS_SELECT " ORDER BY a.is_default DESC, a.id", NULL, 0 },
	[ADDRESS_GET] = { RO, 3, &address_view,
	    ADDRESS_SELECT " AND a.id = $3", NULL, 0 },
	[ADDRESS_COUNT] = { RO, 2, &address_count_view,
	    "SELECT COUNT(*) AS n FROM address WHERE community_id = $1"
	    " AND user_id = $2 AND removed_at IS NULL", NULL, 0 },
	[ADDRESS_ADD] = { RW, 9, NULL,
	    "INSERT INTO address (community_id, id, user_id, dwelling_id,"
	    " contact, phone, label, is_default, created_at)"
	    " SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT),"
	    " CAST($3 AS BIGINT), id, CAST($5 AS TEXT), CAST($6 AS TEXT),"
	    " CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS BIGINT)"
	    " FROM place WHERE community_id = $1 AND id = $4"
	    " AND kind = 'dwelling'", NULL, 0 },
	[ADDRESS_PATCH] = { RW, 7, NULL,
	    "UPDATE address SET contact = COALESCE($4, contact),"
	    " phone = COALESCE($5, phone), label = COALESCE($6, label),"
	    " is_default = COALESCE($7, is_default)"
	    " WHERE community_id = $1 AND user_id = $2 AND id = $3"
	    " AND removed_at IS NULL", NULL, 0 },
	[ADDRESS_UNDEFAULT] = { RW, 3, NULL,
	    "UPDATE address SET is_default = 0 WHERE community_id = $1"
	    " AND user_id = $2 AND id <> $3 AND is_default = 1", NULL, 0 },
	[ADDRESS_REMOVE] = { RW, 4, NULL,
	    "UPDATE address SET removed_at = $4, is_default = 0"
	    " WHERE community_id = $1 AND user_id = $2 AND id = $3"
	    " AND removed_at IS NULL", NULL, 0 },
};

static enum err
answer(struct req *rq, int64_t id)
{
	struct address	row;
	enum err	e;

	e = db_one(rq->db, rq->arena, &address_sql[ADDRESS_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
address_list(struct req *rq)
{
	return req_list(rq, &address_sql[ADDRESS_LIST],
	    WITH(V(rq->who.community_id), V(rq->who.user_id)), 0);
}

/* At most one address is the default. */
static enum err
undefault_others(struct req *rq, int64_t id)
{
	return db_run(rq->db, &address_sql[ADDRESS_UNDEFAULT],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), NULL);
}

/* The number given, or the one WeChat vouched for; sealed. */
static enum err
sealed_phone(struct req *rq, const char *given, const char **ret)
{
	struct user	u;
	enum err	e;

	if (given != NULL) {
		*ret = crypt_seal(rq->arena, "phone", given);
		return OK;
	}
	if ((e = user_get(rq, rq->who.user_id, &u)) != OK)
		return e;
	if (u.phone == NULL)
		return req_field(rq, "phone", "required",
		    "请填写联系电话，或先授权手机号。");
	*ret = u.phone;
	return OK;
}

static enum err
address_add(struct req *rq)
{
	const struct address_new	*in = rq->in;
	struct address_count		 count;
	const char			*phone = NULL;
	int64_t				 id = id_new(), n;
	enum err			 e;

	e = db_one(rq->db, rq->arena, &address_sql[ADDRESS_COUNT],
	    WITH(V(rq->who.community_id), V(rq->who.user_id)), &count);
	if (e != OK)
		return e;
	if (count.n >= ADDRESSES_MAX)
		return req_failf(rq, ERR_CONFLICT,
		    "最多保存 %d 个地址，请先删除不用的地址。",
		    ADDRESSES_MAX);
	if ((e = sealed_phone(rq, in->phone, &phone)) != OK)
		return e;
	if (in->is_default && (e = undefault_others(rq, id)) != OK)
		return e;
	e = db_run(rq->db, &address_sql[ADDRESS_ADD],
	    WITH(V(rq->who.community_id), V(id), V(rq->who.user_id),
	    V(in->dwelling_id), V(in->contact), V(phone),
	    V(in->label != NULL ? in->label : ""),
	    V(in->is_default || count.n == 0), V(rq->now)), &n);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "这个房屋已经在您的地址中了。");
	if (e != OK)
		return e;
	if (n == 0)
		return req_field(rq, "dwelling_id", "not_found",
		    "没有找到这个房屋，请重新选择。");
	return answer(rq, id);
}

static enum err
address_patch(struct req *rq)
{
	const struct address_patch	*in = rq->in;
	const char			*phone = NULL;
	int64_t				 n;
	enum err			 e;

	if (in->phone != NULL)
		phone = crypt_seal(rq->arena, "phone", in->phone);
	if (in->is_default && (e = undefault_others(rq, in->id)) != OK)
		return e;
	e = db_run(rq->db, &address_sql[ADDRESS_PATCH],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    V(in->contact), V(phone), V(in->label),
	    field_given(rq, "is_default") ? V(in->is_default) : VNULL), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_ABSENT;
	return answer(rq, in->id);
}

static enum err
address_remove(struct req *rq)
{
	const struct address_id	*in = rq->in;
	int64_t			 n;
	enum err		 e;

	e = db_run(rq->db, &address_sql[ADDRESS_REMOVE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    V(rq->now)), &n);
	if (e != OK)
		return e;
	return n == 0 ? ERR_ABSENT : OK;
}

static const struct route address_routes[] = {
	{ GET, "/api/v1/me/addresses",
	    ROLE_RESIDENT | ACT_WATER | ACT_READ, NULL,
	    REPLY_LIST, &address_view, 200, POOL_API, TX_READ,
	    address_list, "My addresses, the default first" },
	{ POST, "/api/v1/me/addresses", ROLE_RESIDENT, &address_new_shape,
	    REPLY_ONE, &address_view, 201, POOL_API, TX_WRITE,
	    address_add, "Add an address at a dwelling" },
	{ PATCH, "/api/v1/me/addresses/{id}", ROLE_RESIDENT,
	    &address_patch_shape,
	    REPLY_ONE, &address_view, 200, POOL_API, TX_WRITE,
	    address_patch, "Change an address" },
	{ DELETE, "/api/v1/me/addresses/{id}", ROLE_RESIDENT,
	    &address_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    address_remove, "Remove an address" },
	{ 0 }
};

void
address_register(void)
{
	db_register(address_sql, ADDRESS_SQL_MAX);
	route_register("addresses", address_routes);
}
