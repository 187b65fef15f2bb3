/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_rows.c -- what stands in a list that is taken out.
 *
 * Rows are read a page at a time, so memory stays the same whatever the
 * community's size.  Masked: of a name the family name, of a day of birth
 * the year, of numbers their ends.  What is sealed is opened for a clear
 * list only.
 */
#include <string.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/text.h"
#include "http/req.h"
#include "service/export.h"
#include "service/export_file.h"
#include "service/grid.h"
#include "service/scope.h"

#define ROWS_AT_ONCE	500
#define PAGE_MEMORY	(4 << 20)
#define CELLS		16

/* One row of any of the lists; those it lacks are NULL. */
struct export_row {
	int64_t		 id;
	const char	*name;		/* person, contact or unit */
	const char	*sex;
	int64_t		 born;
	const char	*id_type;
	const char	*id_number, *id_mask;
	const char	*phone, *phone_mask;
	const char	*place;
	const char	*number;	/* of the household */
	const char	*relation, *tenancy;
	const char	*grid, *unit;
	const char	*worker, *head;
	int64_t		 homes, people;
	const char	*source;
	int64_t		 as_of;
};

static const struct view_column export_row_columns[] = {
	C_ID(export_row, id),
	C_TEXT(export_row, name),
	C_TEXT(export_row, sex),
	C_INT(export_row, born),
	C_TEXT(export_row, id_type),
	C_TEXT(export_row, id_number),
	C_TEXT(export_row, id_mask),
	C_TEXT(export_row, phone),
	C_TEXT(export_row, phone_mask),
	C_TEXT(export_row, place),
	C_TEXT(export_row, number),
	C_TEXT(export_row, relation),
	C_TEXT(export_row, tenancy),
	C_TEXT(export_row, grid),
	C_TEXT(export_row, unit),
	C_TEXT(export_row, worker),
	C_TEXT(export_row, head),
	C_INT(export_row, homes),
	C_INT(export_row, people),
	C_TEXT(export_row, source),
	C_INT(export_row, as_of),
	C_END
};
static const struct view export_row_view = VIEW(export_row, "ExportRow");

#define NO_TEXT(as)	" CAST(NULL AS TEXT) AS " as
#define NO_NUMBER(as)	" CAST(0 AS BIGINT) AS " as
/* Grid and unit of a dwelling `d` now; $3 is now. */
#define DUTY_OF(c, d)							\
	" LEFT JOIN unit_dwelling ud ON ud.community_id = " c		\
	" AND ud.dwelling_id = " d " AND " SCOPE_VALID("ud", "$3")	\
	" LEFT JOIN unit u ON u.community_id = " c			\
	" AND u.id = ud.unit_id"					\
	" LEFT JOIN unit_grid ug ON ug.community_id = " c		\
	" AND ug.unit_id = u.id AND " SCOPE_VALID("ug", "$3")		\
	" LEFT JOIN grid g ON g.community_id = " c			\
	" AND g.id = ug.grid_id"

static struct stmt export_rows_sql[] = {
	[EXPORT_PERSONS] = { RO, 4, &export_row_view,
	    "SELECT p.id, p.name, p.sex, p.born, p.id_type, p.id_number,"
	    " p.id_mask, p.phone, p.phone_mask, q.full_name AS place,"
	    " h.number, m.relation, h.tenancy, g.code AS grid,"
	    " u.code AS unit," NO_TEXT("worker") "," NO_TEXT("head") ","
	    NO_NUMBER("homes") "," NO_NUMBER("people") ", p.source, p.as_of"
	    " FROM person p LEFT JOIN place q"
	    " ON q.community_id = p.community_id AND q.id = p.dwelling_id"
	    " LEFT JOIN household h ON h.community_id = p.community_id"
	    " AND h.id = p.household_id"
	    " LEFT JOIN member m ON m.community_id = p.community_id"
	    " AND m.household_id = p.household_id AND m.person_id = p.id"
	    " AND m.to_at IS NULL" DUTY_OF("p.community_id", "p.dwelling_id")
	    " WHERE p.community_id = $1 AND p.id > $2 AND p.gone_at IS NULL"
	    " ORDER BY p.id LIMIT $4", NULL, 0 },
	[EXPORT_HOUSEHOLDS] = { RO, 4, &export_row_view,
	    "SELECT h.id, p.name, p.sex, p.born," NO_TEXT("id_type") ","
	    NO_TEXT("id_number") "," NO_TEXT("id_mask") ", p.phone,"
	    " p.phone_mask, q.full_name AS place, h.number,"
	    NO_TEXT("relation") ", h.tenancy, g.code AS grid,"
	    " u.code AS unit," NO_TEXT("worker") "," NO_TEXT("head") ","
	    NO_NUMBER("homes") ", (SELECT count(*) FROM member m"
	    " WHERE m.community_id = h.community_id"
	    " AND m.household_id = h.id AND m.to_at IS NULL) AS people,"
	    " h.source, h.as_of FROM household h"
	    " LEFT JOIN place q ON q.community_id = h.community_id"
	    " AND q.id = h.dwelling_id"
	    " LEFT JOIN person p ON p.community_id = h.community_id"
	    " AND p.id = h.contact_id AND p.gone_at IS NULL"
	    DUTY_OF("h.community_id", "h.dwelling_id")
	    " WHERE h.community_id = $1 AND h.id > $2 AND h.to_at IS NULL"
	    " ORDER BY h.id LIMIT $4", NULL, 0 },
	[EXPORT_UNITS] = { RO, 4, &export_row_view,
	    "SELECT u.id, u.name," NO_TEXT("sex") "," NO_NUMBER("born") ","
	    NO_TEXT("id_type") "," NO_TEXT("id_number") ","
	    NO_TEXT("id_mask") ", (SELECT np.phone FROM post np"
	    " WHERE np.community_id = u.community_id AND np.scope = 'unit'"
	    " AND np.scope_id = u.id AND np.role = 'head'"
	    " AND np.deputy_of IS NULL AND " SCOPE_VALID("np", "$3")
	    " ORDER BY np.from_at DESC, np.id DESC LIMIT 1) AS phone,"
	    NO_TEXT("phone_mask") "," NO_TEXT("place") ","
	    NO_TEXT("number") "," NO_TEXT("relation") ","
	    NO_TEXT("tenancy") ", g.code AS grid, u.code AS unit,"
	    DUTY_NAME("u.community_id", "grid", "grid", "g.id", "$3", "")
	    " AS worker,"
	    DUTY_NAME("u.community_id", "head", "unit", "u.id", "$3", "")
	    " AS head, (SELECT count(*) FROM unit_dwelling ud"
	    " WHERE ud.community_id = u.community_id AND ud.unit_id = u.id"
	    " AND " SCOPE_VALID("ud", "$3") ") AS homes,"
	    " (SELECT count(*) FROM unit_dwelling ud JOIN person p"
	    " ON p.community_id = ud.community_id"
	    " AND p.dwelling_id = ud.dwelling_id AND p.gone_at IS NULL"
	    " WHERE ud.community_id = u.community_id AND ud.unit_id = u.id"
	    " AND " SCOPE_VALID("ud", "$3") ") AS people,"
	    NO_TEXT("source") "," NO_NUMBER("as_of") " FROM unit u"
	    " LEFT JOIN unit_grid ug ON ug.community_id = u.community_id"
	    " AND ug.unit_id = u.id AND " SCOPE_VALID("ug", "$3")
	    " LEFT JOIN grid g ON g.community_id = u.community_id"
	    " AND g.id = ug.grid_id"
	    " WHERE u.community_id = $1 AND u.id > $2 AND "
	    SCOPE_VALID("u", "$3") " ORDER BY u.id LIMIT $4", NULL, 0 },
};

void
export_rows_register(void)
{
	db_register(export_rows_sql, sizeof(export_rows_sql) /
	    sizeof(export_rows_sql[0]));
}

static const char *const words[][2] = { { "male", "男" },
    { "female", "女" }, { "citizen", "身份证" },
    { "permit", "港澳台居民居住证" }, { "passport", "护照" },
    { "head", "户主" }, { "spouse", "配偶" }, { "child", "子女" },
    { "parent", "父母" }, { "grandchild", "孙子女" },
    { "grandparent", "祖父母" }, { "sibling", "兄弟姐妹" },
    { "relative", "亲戚" }, { "tenant", "租客" }, { "carer", "保姆" },
    { "owned", "自有" }, { "rented", "租住" }, { "lent", "借住" },
    { "public", "公房" }, { "roster", "花名册" }, { "self", "本人申报" },
    { "visit", "走访" }, { "desk", "窗口" }, { "other", "其他" } };

static const char *const person_heads[] = { "姓名", "性别", "出生日期",
    "证件类型", "证件号码", "手机", "住址", "户号", "与户主关系",
    "居住性质", "网格", "联户", "来源", "登记日期" };
static const char *const household_heads[] = { "住址", "户号", "居住性质",
    "人数", "联系人", "手机", "网格", "联户", "来源", "登记日期" };
static const char *const unit_heads[] = { "网格", "网格员", "联户", "名称",
    "户数", "人数", "联户长", "手机" };

#define HEADS(h) h, sizeof(h) / sizeof((h)[0])
static const struct {
	const char *const	*heads;
	int			 n;
	const char		*title;
} lists[] = {
	[EXPORT_PERSONS] = { HEADS(person_heads), "居民" },
	[EXPORT_HOUSEHOLDS] = { HEADS(household_heads), "住户" },
	[EXPORT_UNITS] = { HEADS(unit_heads), "联户" },
};

/* What is being written. */
struct writing {
	struct arena	*a;		/* of a page */
	bool		 clear;
	int		 kind;
	const char	*cells[CELLS];
	int		 n;
	int64_t		 shut;		/* values that did not open */
};

static void
put(struct writing *w, const char *s)
{
	w->cells[w->n++] = s;
}

static void
put_word(struct writing *w, const char *code)
{
	size_t	i;

	for (i = 0; code != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], code) == 0) {
			put(w, words[i][1]);
			return;
		}
	put(w, code);
}

static void
put_name(struct writing *w, const char *name)
{
	put(w, name == NULL || w->clear ? name :
	    text_mask_name(w->a, name));
}

static void
put_day(struct writing *w, int64_t day)
{
	if (day <= 0)
		put(w, NULL);
	else
		put(w, arena_fmt(w->a, "%04d-%02d-%02d", (int)(day / 10000),
		    (int)(day / 100 % 100), (int)(day % 100)));
}

static void
put_count(struct writing *w, int64_t n)
{
	put(w, arena_fmt(w->a, "%lld", (long long)n));
}

/* A sealed number, or its mask as the row has it. */
static void
put_sealed(struct writing *w, const char *column, const char *sealed,
    const char *mask)
{
	const char	*open = NULL;

	if (sealed != NULL && (w->clear || mask == NULL)) {
		open = crypt_open(w->a, column, sealed);
		w->shut += open == NULL;
	}
	if (open != NULL && !w->clear)
		open = text_mask_phone(w->a, open);
	put(w, w->clear || mask == NULL ? open : mask);
}

static void
person_cells(struct writing *w, const struct export_row *r)
{
	put_name(w, r->name);
	put_word(w, r->sex);
	if (w->clear || r->born <= 0)
		put_day(w, r->born);
	else
		put_count(w, r->born / 10000);
	put_word(w, r->id_type);
	put_sealed(w, "id_number", r->id_number, r->id_mask);
	put_sealed(w, "phone", r->phone, r->phone_mask);
	put(w, r->place);
	put(w, r->number);
	put_word(w, r->relation);
	put_word(w, r->tenancy);
	put(w, r->grid);
	put(w, r->unit);
	put_word(w, r->source);
	put_day(w, r->as_of);
}

static void
household_cells(struct writing *w, const struct export_row *r)
{
	put(w, r->place);
	put(w, r->number);
	put_word(w, r->tenancy);
	put_count(w, r->people);
	put_name(w, r->name);
	put_sealed(w, "phone", r->phone, r->phone_mask);
	put(w, r->grid);
	put(w, r->unit);
	put_word(w, r->source);
	put_day(w, r->as_of);
}

/* Who serves the public is named. */
static void
unit_cells(struct writing *w, const struct export_row *r)
{
	put(w, r->grid);
	put(w, r->worker);
	put(w, r->unit);
	put(w, r->name);
	put_count(w, r->homes);
	put_count(w, r->people);
	put(w, r->head);
	put_sealed(w, "phone", r->phone, NULL);
}

static void
write_row(struct writing *w, struct export_file *f,
    const struct export_row *r)
{
	static void (*const cells[])(struct writing *,
	    const struct export_row *) = { person_cells, household_cells,
		unit_cells };

	w->n = 0;
	cells[w->kind](w, r);
	export_file_row(f, w->cells, w->n);
}

static enum err
write_pages(struct req *rq, struct writing *w, int64_t community_id,
    struct export_file *f, int64_t *ret_rows)
{
	struct export_row	row;
	struct rows		rows;
	int64_t			after = 0, n;
	enum err		e;

	do {
		arena_reset(w->a);
		n = 0;
		e = db_query(rq->db, &export_rows_sql[w->kind],
		    WITH(V(community_id), V(after), V(rq->now),
		    V(ROWS_AT_ONCE)), &rows);
		if (e != OK)
			return e;
		for (; db_each(&rows, &row); n++) {
			after = row.id;
			write_row(w, f, &row);
		}
		if ((e = db_end(&rows)) != OK)
			return e;
		*ret_rows += n;
	} while (n >= ROWS_AT_ONCE);
	return OK;
}

static int
place_of(const char *const *names, const char *name)
{
	int	i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

enum err
export_write(struct req *rq, const struct export_job *job, const char *path,
    int64_t *ret_rows)
{
	struct writing		 w = { .clear = job->clear == 1,
		.kind = place_of(export_kinds, job->kind) };
	struct export_file	*f;
	enum err		 e;

	*ret_rows = 0;
	f = export_file_open(rq->arena, path, arena_fmt(rq->arena, "%s/exports",
	    rq->conf->dir), strcmp(job->format, "xlsx") == 0,
	    lists[w.kind].title);
	if (f == NULL)
		return ERR_INTERNAL;
	export_file_row(f, lists[w.kind].heads, lists[w.kind].n);
	w.a = arena_new(PAGE_MEMORY);
	e = write_pages(rq, &w, job->community_id, f, ret_rows);
	arena_free(w.a);
	if (!export_file_close(f) && e == OK)
		e = ERR_INTERNAL;
	if (w.shut > 0)
		log_error("export=%lld shut=%lld why=\"values that do not"
		    " open are left out\"", (long long)job->id,
		    (long long)w.shut);
	return e;
}
