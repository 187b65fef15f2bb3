/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_tree.c -- the places of a community as a tree in memory.
 *
 * A node knows what the database holds of it, so that only differences are
 * written.  Nodes are found by parent and name, and while loading by id.
 * They stay in the order in which they came: ids follow it.
 */
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/view.h"
#include "store/db.h"

#include "service/place_tree.h"

#define TABLE_START	1024
#define NAMES_MEMORY	(1 << 20)

struct place_stored {
	int64_t		 id;
	int64_t		 parent_id;
	const char	*kind;
	int64_t		 compound_id;
	const char	*name;
	const char	*full_name;
	int64_t		 rank;
	int64_t		 floor;
	int64_t		 lift;
	int64_t		 lat, lng;
};

struct node {
	int64_t		 id;
	int64_t		 parent_id;
	const char	*name;
	const char	*full_name;	/* NULL: parent's and name */
	int		 level;
	struct place_facts	 is;
	struct place_facts	 was;
	bool		 stored;	/* the database has it */
	bool		 named;		/* a row has named it */
	int		 line;		/* of the row that is this dwelling */
	int		 lift_line;	/* of the row that said `lift` */
	struct node	*parent;	/* NULL for a compound */
	struct node	*children;
	struct node	*sibling;
	struct node	*next;		/* in the tree's order */
};

/* Nodes by number and name; open addressing, at most half full. */
struct entry {
	int64_t		 number;
	const char	*name;
	struct node	*node;		/* NULL: free */
};

struct table {
	struct entry	*entries;
	size_t		 size;		/* a power of two */
	size_t		 used;
};

struct place_tree {
	struct arena	*arena;
	int64_t		 community_id;
	struct table	 by_name;	/* parent's id, name */
	struct table	 by_id;		/* id, "" */
	struct node	*first;
	struct node	**last;
};

static const char *const kinds[PLACE_LEVELS] = { "compound", "building",
    "entrance", "dwelling" };

static const struct view_column place_stored_columns[] = {
	C_ID(place_stored, id),
	C_ID(place_stored, parent_id),
	C_TEXT(place_stored, kind),
	C_ID(place_stored, compound_id),
	C_TEXT(place_stored, name),
	C_TEXT(place_stored, full_name),
	C_INT(place_stored, rank),
	C_INT(place_stored, floor, .flags = VIEW_NULL),
	C_INT(place_stored, lift, .flags = VIEW_NULL),
	C_DEGREE(place_stored, lat, .flags = VIEW_NULL),
	C_DEGREE(place_stored, lng, .flags = VIEW_NULL),
	C_END
};
static const struct view place_stored_view = VIEW(place_stored, "PlaceStored");

enum { PLACE_ALL, PLACE_ADD, PLACE_CHANGE, PLACE_SQL_MAX };

static struct stmt place_sql[] = {
	[PLACE_ALL] = { RO, 1, &place_stored_view,
	    "SELECT id, parent_id, kind, compound_id, name, full_name, rank,"
	    " floor, lift, lat, lng FROM place WHERE community_id = $1"
	    " ORDER BY id", NULL, 0 },
	[PLACE_ADD] = { RW, 12, NULL,
	    "INSERT INTO place (community_id, id, parent_id, kind,"
	    " compound_id, name, full_name, rank, floor, lift, lat, lng)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
	    NULL, 0 },
	[PLACE_CHANGE] = { RW, 7, NULL,
	    "UPDATE place SET rank = $3, floor = $4, lift = $5, lat = $6,"
	    " lng = $7 WHERE community_id = $1 AND id = $2", NULL, 0 },
};

void
place_tree_register(void)
{
	db_register(place_sql, PLACE_SQL_MAX);
}

/* ---- tables ---- */

/* FNV-1a over both parts. */
static uint64_t
hash(int64_t number, const char *name)
{
	uint64_t	h = 0xcbf29ce484222325u ^ (uint64_t)number;

	h *= 0x100000001b3u;
	for (; *name != '\0'; name++) {
		h ^= (unsigned char)*name;
		h *= 0x100000001b3u;
	}
	return h ^ h >> 32;
}

/* The entry of this key, or the free one where it belongs. */
static struct entry *
table_at(const struct table *t, int64_t number, const char *name)
{
	size_t		 i = hash(number, name) & (t->size - 1);
	struct entry	*e;

	for (;; i = (i + 1) & (t->size - 1)) {
		e = &t->entries[i];
		if (e->node == NULL || (e->number == number &&
		    strcmp(e->name, name) == 0))
			return e;
	}
}

static void
table_grow(struct arena *a, struct table *t)
{
	struct table	 old = *t;
	size_t		 i;

	t->size = old.size * 2;
	t->entries = ARENA_ARRAY(a, struct entry, t->size);
	for (i = 0; i < old.size; i++)
		if (old.entries[i].node != NULL)
			*table_at(t, old.entries[i].number,
			    old.entries[i].name) = old.entries[i];
}

static void
table_put(struct arena *a, struct table *t, int64_t number,
    const char *name, struct node *node)
{
	if (++t->used * 2 > t->size)
		table_grow(a, t);
	*table_at(t, number, name) = (struct entry){ number, name, node };
}

static void
table_init(struct arena *a, struct table *t)
{
	t->used = 0;
	t->size = TABLE_START;
	t->entries = ARENA_ARRAY(a, struct entry, t->size);
}

/* ---- nodes ---- */

struct place_tree *
place_tree_new(struct arena *arena, int64_t community_id)
{
	struct place_tree	*p = ARENA_NEW(arena, struct place_tree);

	p->arena = arena;
	p->community_id = community_id;
	p->last = &p->first;
	table_init(arena, &p->by_name);
	table_init(arena, &p->by_id);
	return p;
}

static void
append(struct place_tree *p, struct node *n)
{
	*p->last = n;
	p->last = &n->next;
	table_put(p->arena, &p->by_name, n->parent_id, n->name, n);
	if (n->level < PLACE_DWELLING)
		table_put(p->arena, &p->by_id, n->id, "", n);
}

static void
adopt(struct node *parent, struct node *n)
{
	n->parent = parent;
	n->sibling = parent->children;
	parent->children = n;
}

static struct node *
load_node(struct place_tree *p, const struct place_stored *row)
{
	struct node	*n = ARENA_NEW(p->arena, struct node);

	n->id = row->id;
	n->parent_id = row->parent_id;
	n->name = arena_str(p->arena, row->name);
	while (strcmp(kinds[n->level], row->kind) != 0 &&
	    n->level < PLACE_DWELLING)
		n->level++;
	if (n->level < PLACE_DWELLING)
		n->full_name = arena_str(p->arena, row->full_name);
	n->was = (struct place_facts){ row->rank, row->floor, row->lift,
	    row->lat, row->lng };
	n->is = n->was;
	n->stored = true;
	return n;
}

enum err
place_tree_load(struct place_tree *p, struct db *db)
{
	struct place_stored	 row;
	struct rows		 rows;
	struct node		*n, *parent;
	enum err		 e;

	e = db_query(db, &place_sql[PLACE_ALL], WITH(V(p->community_id)),
	    &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		append(p, load_node(p, &row));
	if ((e = db_end(&rows)) != OK)
		return e;
	for (n = p->first; n != NULL; n = n->next) {
		if (n->parent_id == 0)
			continue;
		parent = table_at(&p->by_id, n->parent_id, "")->node;
		if (parent != NULL)
			adopt(parent, n);
	}
	return OK;
}

/* The place `name` below `parent`, made when there is none. */
static struct node *
step(struct place_tree *p, struct node *parent, const char *name)
{
	int64_t		 parent_id = parent != NULL ? parent->id : 0;
	struct node	*n = table_at(&p->by_name, parent_id, name)->node;

	if (n == NULL) {
		n = ARENA_NEW(p->arena, struct node);
		n->id = id_new();
		n->parent_id = parent_id;
		n->name = arena_str(p->arena, name);
		n->level = parent != NULL ? parent->level + 1 :
		    PLACE_COMPOUND;
		n->is = (struct place_facts){ 0, VIEW_NULL_INT, VIEW_NULL_INT,
		    VIEW_NULL_INT, VIEW_NULL_INT };
		if (n->level < PLACE_DWELLING)
			n->full_name = parent == NULL ? n->name :
			    arena_fmt(p->arena, "%s %s", parent->full_name,
			    name);
		append(p, n);
		if (parent != NULL)
			adopt(parent, n);
	}
	n->is.rank = place_rank(name);
	n->named = true;
	return n;
}

enum place_fault
place_tree_add(struct place_tree *p, const struct place_row *row,
    int *ret_line)
{
	struct node	*n = NULL, *entrance;
	int		 i;

	for (i = 0; i < PLACE_LEVELS; i++) {
		n = step(p, n, row->name[i]);
		if (i < PLACE_DWELLING && n->line == 0)
			n->line = row->line;
	}
	if (n->line != 0) {
		*ret_line = n->line;
		return PLACE_TWICE;
	}
	n->line = row->line;
	if (row->floor != VIEW_NULL_INT)
		n->is.floor = row->floor;
	if (row->lat != VIEW_NULL_INT) {
		n->is.lat = row->lat;
		n->is.lng = row->lng;
	}
	entrance = n->parent;
	if (row->lift == VIEW_NULL_INT)
		return PLACE_FITS;
	if (entrance->lift_line != 0 && entrance->is.lift != row->lift) {
		*ret_line = entrance->lift_line;
		return PLACE_LIFT;
	}
	if (entrance->lift_line == 0)
		entrance->lift_line = row->line;
	entrance->is.lift = row->lift;
	return PLACE_FITS;
}

int64_t
place_tree_id(const struct place_tree *p, const char *const *names, int depth)
{
	struct node	*n;
	int64_t		 id = 0;
	int		 i;

	for (i = 0; i < depth; i++) {
		n = table_at(&p->by_name, id, names[i])->node;
		if (n == NULL)
			return 0;
		id = n->id;
	}
	return id;
}

/* ---- writing ---- */

/* The mean of the parts that have a point. */
static void
centre(struct node *n)
{
	const struct node	*c;
	int64_t			 lat = 0, lng = 0, count = 0;

	for (c = n->children; c != NULL; c = c->sibling)
		if (c->is.lat != VIEW_NULL_INT) {
			lat += c->is.lat;
			lng += c->is.lng;
			count++;
		}
	if (count > 0) {
		n->is.lat = lat / count;
		n->is.lng = lng / count;
	}
}

/* What follows for others from what the rows said. */
static void
settle(struct place_tree *p)
{
	struct node	*n, *c;
	int		 level;

	for (level = PLACE_ENTRANCE; level >= PLACE_COMPOUND; level--)
		for (n = p->first; n != NULL; n = n->next) {
			if (n->level != level || !n->named)
				continue;
			centre(n);
			if (level != PLACE_ENTRANCE)
				continue;
			for (c = n->children; c != NULL; c = c->sibling)
				c->is.lift = n->is.lift;
		}
}

static struct value
maybe(int64_t v)
{
	return v == VIEW_NULL_INT ? VNULL : value_int(v);
}

static bool
is_same(const struct place_facts *a, const struct place_facts *b)
{
	return a->rank == b->rank && a->floor == b->floor &&
	    a->lift == b->lift && a->lat == b->lat && a->lng == b->lng;
}

static int64_t
compound_of(const struct node *n)
{
	while (n->parent != NULL)
		n = n->parent;
	return n->id;
}

/* Until the arena of `a` is reset. */
static const char *
full_name(struct arena *a, const struct node *n)
{
	if (n->full_name != NULL)
		return n->full_name;
	return arena_fmt(a, "%s %s", n->parent->full_name, n->name);
}

void
place_tree_diff(struct place_tree *p,
    void (*fn)(void *, const struct place_diff *), void *arg)
{
	struct arena	*names = arena_new(NAMES_MEMORY);
	struct node	*n;
	bool		 same;
	int		 level;

	settle(p);
	for (level = PLACE_COMPOUND; level < PLACE_LEVELS; level++)
		for (n = p->first; n != NULL; n = n->next) {
			if (n->level != level)
				continue;
			same = n->stored && is_same(&n->is, &n->was);
			if (same && !n->named)
				continue;
			fn(arg, &(struct place_diff){ n->id, n->parent_id,
			    compound_of(n), kinds[level], n->name,
			    full_name(names, n), n->named ? n->line : 0,
			    n->stored, same, n->is, n->was });
			arena_reset(names);
		}
	arena_free(names);
}

static enum err
write_node(struct place_tree *p, struct db *db, const struct node *n,
    struct place_counts *counts)
{
	if (!n->stored) {
		counts->added[n->level]++;
		return db_run(db, &place_sql[PLACE_ADD],
		    WITH(V(p->community_id), V(n->id), V(n->parent_id),
		    V(kinds[n->level]), V(compound_of(n)), V(n->name),
		    V(full_name(p->arena, n)), V(n->is.rank),
		    maybe(n->is.floor),
		    maybe(n->is.lift), maybe(n->is.lat), maybe(n->is.lng)),
		    NULL);
	}
	if (is_same(&n->is, &n->was)) {
		counts->same[n->level] += n->named;
		return OK;
	}
	counts->changed[n->level]++;
	return db_run(db, &place_sql[PLACE_CHANGE],
	    WITH(V(p->community_id), V(n->id), V(n->is.rank),
	    maybe(n->is.floor), maybe(n->is.lift), maybe(n->is.lat),
	    maybe(n->is.lng)), NULL);
}

enum err
place_tree_write(struct place_tree *p, struct db *db,
    struct place_counts *ret)
{
	struct node	*n;
	enum err	 e;

	settle(p);
	*ret = (struct place_counts){ 0 };
	for (n = p->first; n != NULL; n = n->next)
		if ((e = write_node(p, db, n, ret)) != OK)
			return e;
	return OK;
}
