/* SPDX-License-Identifier: Apache-2.0 */
/*
 * my_session.c -- where the caller is logged in, and an end to it there.
 */
#include "http/req.h"
#include "service/service.h"

static const char *const kinds[] = { "wechat", "staff", NULL };

struct my_session {
	int64_t		 id;
	int64_t		 current;
	const char	*kind;
	const char	*device;
	const char	*address;
	int64_t		 opened_at;
	int64_t		 used_at;
	int64_t		 expires_at;
};

static const struct view_column my_session_columns[] = {
	C_ID(my_session, id),
	C_BOOL(my_session, current, .about = "the one that asks"),
	C_CODE(my_session, kind, kinds),
	C_TEXT(my_session, device),
	C_TEXT(my_session, address),
	C_TIME(my_session, opened_at),
	C_TIME(my_session, used_at,
	    .about = "last use, to a tenth of its life"),
	C_TIME(my_session, expires_at),
	C_END
};
static const struct view my_session_view = VIEW(my_session, "MySession");

struct my_session_id {
	int64_t		 id;
};

static const struct field my_session_id_fields[] = {
	F_ID(my_session_id, id, "登录记录", MUST),
	F_END
};
static const struct shape my_session_id_shape =
    SHAPE(my_session_id, "MySessionId");

static enum err
list(struct req *rq)
{
	const struct session_row	*rows;
	struct my_session		 row;
	struct json			*j;
	enum err			 e;
	int				 i, n;

	e = session_list(rq->redis, rq->arena, rq->who.user_id, rq->token,
	    &rows, &n);
	if (e != OK)
		return e;
	j = req_json(rq);
	json_open(j);
	json_key(j, "items");
	json_list(j);
	for (i = 0; i < n; i++) {
		row = (struct my_session){ .id = rows[i].id,
			.current = rows[i].current,
			.kind = kinds[rows[i].staff ? 1 : 0],
			.device = rows[i].device, .address = rows[i].address,
			.opened_at = rows[i].opened_at,
			.used_at = rows[i].used_at,
			.expires_at = rows[i].expires_at };
		json_view(j, &my_session_view, &row, rq, rq->arena);
	}
	json_unlist(j);
	json_key(j, "next");
	json_nil(j);
	json_close(j);
	return OK;
}

static enum err
end(struct req *rq)
{
	const struct my_session_id	*in = rq->in;

	return session_end_one(rq->redis, rq->arena, rq->who.user_id,
	    in->id);
}

static const struct route my_session_routes[] = {
	{ GET, "/api/v1/me/sessions", LOGGED_IN, NULL,
	    REPLY_LIST, &my_session_view, 200, POOL_API, TX_READ,
	    list, "Where I am logged in" },
	{ DELETE, "/api/v1/me/sessions/{id}", LOGGED_IN,
	    &my_session_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    end, "End a session of mine" },
	{ 0 }
};

void
my_session_register(void)
{
	route_register("sessions", my_session_routes);
}
