/* SPDX-License-Identifier: Apache-2.0 */
/*
 * territory.c -- communities, and the places inside one.
 */
#include "http/req.h"
#include "service/service.h"

struct community {
	int64_t		 id;
	const char	*code;
	const char	*name;
	const char	*township;
	int64_t		 lat, lng;
};

static const struct view_column community_columns[] = {
	C_ID(community, id),
	C_TEXT(community, code, .about = "statistical code, 12 digits"),
	C_TEXT(community, name),
	C_TEXT(community, township),
	C_DEGREE(community, lat, .flags = VIEW_NULL),
	C_DEGREE(community, lng, .flags = VIEW_NULL),
	C_END
};
static const struct view community_view = VIEW(community, "Community");

static const char *const place_kinds[] = { "compound", "building",
    "entrance", "dwelling", NULL };

struct place {
	int64_t		 id;
	int64_t		 parent_id;
	const char	*kind;
	const char	*name;
	const char	*full_name;
	int64_t		 floor;
	int64_t		 lift;
	int64_t		 lat, lng;
};

static const struct view_column place_columns[] = {
	C_ID(place, id),
	C_ID(place, parent_id, .flags = VIEW_NULL,
	    .about = "null for a compound"),
	C_CODE(place, kind, place_kinds),
	C_TEXT(place, name),
	C_TEXT(place, full_name),
	C_INT(place, floor, .flags = VIEW_NULL),
	C_BOOL(place, lift, .flags = VIEW_NULL),
	C_DEGREE(place, lat, .flags = VIEW_NULL),
	C_DEGREE(place, lng, .flags = VIEW_NULL),
	C_END
};
static const struct view place_view = VIEW(place, "Place");

struct place_query {
	int64_t		 parent;
};

static const struct field place_query_fields[] = {
	F_ID(place_query, parent, "上级地点", MAY),
	F_END
};
static const struct shape place_query_shape =
    SHAPE(place_query, "PlaceQuery");

enum { TERRITORY_COMMUNITIES, TERRITORY_CHILDREN, TERRITORY_SQL_MAX };

static struct stmt territory_sql[] = {
	[TERRITORY_COMMUNITIES] = { RO, 0, &community_view,
	    "SELECT id, code, name, township, lat, lng FROM community"
	    " ORDER BY code", NULL, 0 },
	[TERRITORY_CHILDREN] = { RO, 2, &place_view,
	    "SELECT id, NULLIF(parent_id, 0) AS parent_id, kind, name,"
	    " full_name, floor, lift, lat, lng FROM place"
	    " WHERE community_id = $1 AND parent_id = $2"
	    " ORDER BY rank, id", NULL, 0 },
};

static enum err
territory_communities(struct req *rq)
{
	return req_list(rq, &territory_sql[TERRITORY_COMMUNITIES], NOTHING,
	    0);
}

static enum err
territory_children(struct req *rq)
{
	const struct place_query	*in = rq->in;

	return req_list(rq, &territory_sql[TERRITORY_CHILDREN],
	    WITH(V(rq->who.community_id), V(in->parent)), 0);
}

static const struct route territory_routes[] = {
	{ GET, "/api/v1/communities", ANYONE, NULL,
	    REPLY_LIST, &community_view, 200, POOL_API, TX_READ,
	    territory_communities, "All communities of the platform" },
	{ GET, "/api/v1/territory", ROLE__ALL, &place_query_shape,
	    REPLY_LIST, &place_view, 200, POOL_API, TX_READ,
	    territory_children,
	    "Places below a parent; without one the compounds" },
	{ 0 }
};

void
territory_register(void)
{
	db_register(territory_sql, TERRITORY_SQL_MAX);
	route_register("territory", territory_routes);
}
