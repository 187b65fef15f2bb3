/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_roster_sql.c -- staged persons against those there are.
 *
 * An empty cell says nothing: what is known stays.  Whoever is known and
 * now stands in another home has moved there.  In every statement r is the
 * staged row, i its objects and u the staged household it lies in.
 */
#include "service/import_internal.h"

/* ---- how things look, to the letter ---- */

#define HOUSEHOLD(tenancy, source, as_of)				\
	"('{' || " JT("tenancy", tenancy) " || ',' || "			\
	JT("source", source) " || ',' || " JN("as_of", as_of) " || '}')"

#define HOUSEHOLD_IS(h)	HOUSEHOLD(h ".tenancy", h ".source", h ".as_of")

#define PERSON(name, sex, born, id_type, id_mask, phone_mask, source,	\
	ground, as_of, home, relation)					\
	"('{' || " JT("name", name) " || ',' || " JT("sex", sex)	\
	" || ',' || " JN("born", born)					\
	" || ',' || " JT("id_type", id_type)				\
	" || ',' || " JT("id_mask", id_mask)				\
	" || ',' || " JT("phone_mask", phone_mask)			\
	" || ',' || " JT("source", source)				\
	" || ',' || " JT("ground", ground)				\
	" || ',' || " JN("as_of", as_of)				\
	" || ',' || " JT("home", home)					\
	" || ',' || " JT("relation", relation) " || '}')"

/* Where person p lives, the staged household last of all. */
#define HOME_IS								\
	"COALESCE((SELECT MIN(l.full_name) FROM member m"		\
	" JOIN household o ON o.community_id = m.community_id"		\
	" AND o.id = m.household_id JOIN place l"			\
	" ON l.community_id = o.community_id AND l.id = o.dwelling_id"	\
	" WHERE m.community_id = $1 AND m.person_id = p.id"		\
	" AND m.to_at IS NULL AND m.household_id <> u.thing_id),"	\
	" (SELECT l.full_name FROM member m JOIN place l"		\
	" ON l.community_id = m.community_id AND l.id = u.a_id"		\
	" WHERE m.community_id = $1 AND m.household_id = u.thing_id"	\
	" AND m.person_id = p.id AND m.to_at IS NULL))"

#define RELATION_IS							\
	"(SELECT m.relation FROM member m WHERE m.community_id = $1"	\
	" AND m.household_id = u.thing_id AND m.person_id = p.id"	\
	" AND m.to_at IS NULL)"

#define HOME_NEW	"(SELECT l.full_name FROM place l"		\
	" WHERE l.community_id = $1 AND l.id = u.a_id)"

#define PERSON_IS	PERSON("p.name", "p.sex", "p.born", "p.id_type", \
	"p.id_mask", "p.phone_mask", "p.source", "p.ground", "p.as_of",	\
	HOME_IS, RELATION_IS)

#define PERSON_TO_BE	PERSON("COALESCE(" NOW("name") ", p.name)",	\
	"COALESCE(" NOW("sex") ", p.sex)",				\
	"COALESCE(" NOW("born") ", CAST(p.born AS TEXT))",		\
	"COALESCE(" NOW("id_type") ", p.id_type)",			\
	"COALESCE(" NOW("id_mask") ", p.id_mask)",			\
	"COALESCE(" NOW("phone_mask") ", p.phone_mask)",		\
	"COALESCE(" NOW("source") ", p.source)",			\
	"COALESCE(" NOW("ground") ", p.ground)",			\
	"COALESCE(" NOW("as_of") ", CAST(p.as_of AS TEXT))",		\
	HOME_NEW,							\
	"COALESCE(" NOW("relation") ", " RELATION_IS ", 'other')")

#define PERSON_NEW(today) PERSON(NOW("name"), NOW("sex"), NOW("born"),	\
	NOW("id_type"), NOW("id_mask"), NOW("phone_mask"),		\
	"COALESCE(" NOW("source") ", 'roster')",			\
	"COALESCE(" NOW("ground") ", 'duty')",				\
	"COALESCE(" NOW("as_of") ", " today ")",			\
	HOME_NEW, "COALESCE(" NOW("relation") ", 'other')")

/* An index that may be NULL on either side. */
#define SAME_INDEX(a, b) "COALESCE(" a ", '') = COALESCE(" b ", '')"

#define IS_PERSON	" AND r.part = 'person'"
#define IS_HOUSEHOLD	" AND r.part = 'household'"

enum { HOMES_FIND, HOMES_FACTS, HOMES_NEW, PERSONS_BY_ID, PERSONS_BY_NAME,
	PERSONS_TWICE, PERSONS_TWICE_OUT, PERSONS_FACTS, PERSONS_NEW,
	ALL_CHANGED, NEEDS_OUT, NEEDS_SAME, COMPARE_MAX };

static struct stmt compare_sql[] = {
	[HOMES_FIND] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET thing_id = h.id, verdict = 'same'"
	    " FROM household h WHERE " IMPORT_MINE IS_HOUSEHOLD
	    " AND h.community_id = $1 AND h.dwelling_id = r.a_id"
	    " AND h.number = r.key AND h.to_at IS NULL", NULL, 0 },
	[HOMES_FACTS] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET before = " HOUSEHOLD_IS("h")
	    ", body = " HOUSEHOLD("COALESCE(" NOW("tenancy") ", h.tenancy)",
	    "COALESCE(" NOW("source") ", h.source)",
	    "COALESCE(" NOW("as_of") ", CAST(h.as_of AS TEXT))")
	    " FROM import_item i, household h WHERE " IMPORT_MINE
	    IMPORT_ITEM IS_HOUSEHOLD " AND r.verdict = 'same'"
	    " AND h.community_id = $1 AND h.id = r.thing_id", NULL, 0 },
	[HOMES_NEW] = { RW, 5, NULL,
	    "UPDATE import_row AS r SET body = "
	    HOUSEHOLD("COALESCE(" NOW("tenancy") ", 'owned')",
	    "COALESCE(" NOW("source") ", 'roster')",
	    "COALESCE(" NOW("as_of") ", $5)")
	    " FROM import_item i WHERE " IMPORT_MINE IMPORT_ITEM
	    IS_HOUSEHOLD " AND r.verdict = 'add'", NULL, 0 },
	[PERSONS_BY_ID] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET thing_id = p.id, verdict = 'same'"
	    " FROM person p WHERE " IMPORT_MINE IS_PERSON
	    " AND r.id_index IS NOT NULL AND p.community_id = $1"
	    " AND p.id_index = r.id_index AND p.gone_at IS NULL", NULL, 0 },
	[PERSONS_BY_NAME] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET thing_id = s.person_id,"
	    " verdict = 'same' FROM (SELECT r.id, MIN(p.id) AS person_id"
	    " FROM import_row r JOIN import_row u"
	    " ON u.community_id = r.community_id"
	    " AND u.import_id = r.import_id AND u.id = r.up"
	    " JOIN member m ON m.community_id = r.community_id"
	    " AND m.household_id = u.thing_id AND m.to_at IS NULL"
	    " JOIN person p ON p.community_id = r.community_id"
	    " AND p.id = m.person_id AND p.gone_at IS NULL"
	    " AND p.name = r.key WHERE " IMPORT_MINE IS_PERSON
	    " AND r.verdict = 'add' AND u.verdict <> 'add'"
	    " AND (r.id_index IS NULL OR p.id_index IS NULL)"
	    " AND (r.a_id IS NULL OR p.born IS NULL OR p.born = r.a_id)"
	    " AND NOT EXISTS (SELECT 1 FROM import_row o"
	    " WHERE o.community_id = $1 AND o.import_id = $2"
	    " AND o.thing_id = p.id AND o.part = 'person')"
	    " GROUP BY r.id) s WHERE r.community_id = $1"
	    " AND r.import_id = $2 AND r.id = s.id", NULL, 0 },
	/*
	 * Two rows came to the same person: the later one is at fault.
	 * Found by the thing: + 0 keeps the engine from going by number.
	 */
	[PERSONS_TWICE] = { RW, 4, NULL,
	    "INSERT INTO import_fault (community_id, import_id, id, line,"
	    " label, detail) SELECT r.community_id, r.import_id,"
	    " 100000000 + r.id, r.line, '姓名', '与第 ' || CAST(MIN(o.line)"
	    " AS TEXT) || ' 行对应到同一个人，请补充出生日期或证件号码'"
	    " FROM import_row r JOIN import_row o"
	    " ON o.community_id = r.community_id"
	    " AND o.import_id = r.import_id AND o.thing_id = r.thing_id"
	    " AND o.part = r.part AND o.id + 0 < r.id WHERE " IMPORT_MINE
	    IS_PERSON " AND r.verdict = 'same' GROUP BY r.community_id,"
	    " r.import_id, r.id, r.line", NULL, 0 },
	[PERSONS_TWICE_OUT] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET verdict = 'fault'"
	    " FROM import_fault f WHERE " IMPORT_MINE IS_PERSON
	    " AND f.community_id = $1 AND f.import_id = $2"
	    " AND f.id = 100000000 + r.id", NULL, 0 },
	[PERSONS_FACTS] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET was_phone = p.phone,"
	    " was_phone_index = p.phone_index, was_number = p.id_number,"
	    " was_index = p.id_index, before = " PERSON_IS
	    ", body = " PERSON_TO_BE
	    " FROM import_item i, import_row u, person p WHERE " IMPORT_MINE
	    IMPORT_ITEM IMPORT_UP("u", "r") IS_PERSON
	    " AND r.verdict = 'same' AND p.community_id = $1"
	    " AND p.id = r.thing_id", NULL, 0 },
	[PERSONS_NEW] = { RW, 5, NULL,
	    "UPDATE import_row AS r SET body = " PERSON_NEW("$5")
	    " FROM import_item i, import_row u WHERE " IMPORT_MINE
	    IMPORT_ITEM IMPORT_UP("u", "r") IS_PERSON
	    " AND r.verdict = 'add'", NULL, 0 },
	[ALL_CHANGED] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET verdict = 'change' WHERE "
	    IMPORT_MINE " AND r.verdict = 'same'"
	    " AND r.part IN ('household', 'person')"
	    " AND (r.body <> r.before OR r.phone_index <>"
	    " COALESCE(r.was_phone_index, '') OR r.id_index <>"
	    " COALESCE(r.was_index, ''))", NULL, 0 },
	[NEEDS_OUT] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET verdict = 'fault'"
	    " FROM import_row u WHERE " IMPORT_MINE IMPORT_UP("u", "r")
	    " AND r.part = 'need' AND u.verdict = 'fault'", NULL, 0 },
	[NEEDS_SAME] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET thing_id = n.id, verdict = 'same'"
	    " FROM import_row u, need n WHERE " IMPORT_MINE
	    IMPORT_UP("u", "r") " AND r.part = 'need'"
	    " AND r.verdict = 'add' AND n.community_id = $1"
	    " AND n.person_id = u.thing_id AND n.kind_index = r.key"
	    " AND n.ended_at IS NULL", NULL, 0 },
};

static const struct import_step compare_steps[] = {
	{ &compare_sql[HOMES_FIND], "w", NULL },
	{ &compare_sql[HOMES_FACTS], "w", NULL },
	{ &compare_sql[HOMES_NEW], "wt", NULL },
	{ &compare_sql[PERSONS_BY_ID], "w", NULL },
	/* Most things are others by now; the next joins rows by them. */
	{ &import_step_analyse, "", NULL },
	{ &compare_sql[PERSONS_BY_NAME], "w", NULL },
	{ &compare_sql[PERSONS_TWICE], "w", NULL },
	{ &compare_sql[PERSONS_TWICE_OUT], "w", NULL },
	{ &compare_sql[PERSONS_FACTS], "w", NULL },
	{ &compare_sql[PERSONS_NEW], "wt", NULL },
	{ &compare_sql[ALL_CHANGED], "w", NULL },
	{ &compare_sql[NEEDS_OUT], "w", NULL },
	{ &compare_sql[NEEDS_SAME], "w", NULL },
	{ NULL, NULL, NULL }
};

/* ---- applying ---- */

#define NO_HOUSEHOLD(body) " AND NOT EXISTS (SELECT 1 FROM household h"	\
	" WHERE h.community_id = $1 AND h.id = r.thing_id"		\
	" AND h.to_at IS NULL AND " HOUSEHOLD_IS("h") " = " body ")"

#define NO_PERSON(body, phone, number) " AND NOT EXISTS (SELECT 1"	\
	" FROM person p WHERE p.community_id = $1 AND p.id = r.thing_id" \
	" AND p.gone_at IS NULL AND " PERSON_IS " = " body		\
	" AND " SAME_INDEX("p.phone_index", phone)			\
	" AND " SAME_INDEX("p.id_index", number) ")"

/* Persons whose rows are to be done, with their household's. */
#define PERSONS(verdicts)						\
	" FROM import_row r, import_row u, import_item i WHERE "	\
	IMPORT_MINE IMPORT_UP("u", "r") IMPORT_ITEM IS_PERSON		\
	" AND r.verdict " verdicts

enum { STALE_HOMES, STALE_PERSONS, ADD_HOMES, CHANGE_HOMES, ADD_PERSONS,
	CHANGE_PERSONS, END_MEMBERS, CHANGE_MEMBERS, ADD_MEMBERS, ADD_NEEDS,
	ADD_CONTACTS, ANALYSE_HOMES, ANALYSE_PERSONS,
	ANALYSE_MEMBERS, APPLY_MAX };

static struct stmt apply_sql[] = {
	[STALE_HOMES] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    IS_HOUSEHOLD " AND r.verdict IN ('change', 'same')"
	    NO_HOUSEHOLD("r.before"), NULL, 0 },
	[STALE_PERSONS] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r, import_row u WHERE "
	    IMPORT_MINE IMPORT_UP("u", "r") IS_PERSON
	    " AND r.verdict = 'change'"
	    NO_PERSON("r.before", "r.was_phone_index", "r.was_index"),
	    NULL, 0 },
	/* One whose only person is at fault would stand empty. */
	[ADD_HOMES] = { RW, 5, NULL,
	    "INSERT INTO household (community_id, id, dwelling_id, number,"
	    " tenancy, source, as_of, from_at, updated_at)"
	    " SELECT r.community_id, r.thing_id, r.a_id, r.key, "
	    NOW("tenancy") ", " NOW("source") ", " BIG(NOW("as_of"))
	    ", CAST($5 AS BIGINT), CAST($5 AS BIGINT)"
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS_HOUSEHOLD " AND r.verdict = 'add'"
	    " AND EXISTS (SELECT 1 FROM import_row o"
	    " WHERE o.community_id = $1 AND o.import_id = $2"
	    " AND o.up = r.id AND o.verdict <> 'fault')", NULL, 0 },
	[CHANGE_HOMES] = { RW, 5, NULL,
	    "UPDATE household SET tenancy = " NOW("tenancy") ", source = "
	    NOW("source") ", as_of = " BIG(NOW("as_of")) ", updated_at = $5"
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS_HOUSEHOLD " AND r.verdict = 'change'"
	    " AND household.community_id = $1"
	    " AND household.id = r.thing_id", NULL, 0 },
	[ADD_PERSONS] = { RW, 5, NULL,
	    "INSERT INTO person (community_id, id, name, sex, born,"
	    " id_type, id_number, id_index, id_mask, phone, phone_index,"
	    " phone_mask, source, ground, as_of, created_at, updated_at,"
	    " household_id, dwelling_id)"
	    " SELECT r.community_id, r.thing_id, " NOW("name") ", "
	    NOW("sex") ", " BIG(NOW("born")) ", " NOW("id_type")
	    ", r.id_number, r.id_index, " NOW("id_mask") ", r.phone,"
	    " r.phone_index, " NOW("phone_mask") ", " NOW("source") ", "
	    NOW("ground") ", " BIG(NOW("as_of"))
	    ", CAST($5 AS BIGINT), CAST($5 AS BIGINT), u.thing_id, u.a_id"
	    PERSONS("= 'add'"), NULL, 0 },
	[CHANGE_PERSONS] = { RW, 5, NULL,
	    "UPDATE person SET name = " NOW("name") ", sex = " NOW("sex")
	    ", born = " BIG(NOW("born")) ", id_type = " NOW("id_type")
	    ", id_number = COALESCE(r.id_number, person.id_number),"
	    " id_index = COALESCE(r.id_index, person.id_index),"
	    " id_mask = " NOW("id_mask")
	    ", phone = COALESCE(r.phone, person.phone),"
	    " phone_index = COALESCE(r.phone_index, person.phone_index),"
	    " phone_mask = " NOW("phone_mask") ", source = " NOW("source")
	    ", ground = " NOW("ground") ", as_of = " BIG(NOW("as_of"))
	    ", updated_at = $5" PERSONS("= 'change'")
	    " AND person.community_id = $1 AND person.id = r.thing_id",
	    NULL, 0 },
	[END_MEMBERS] = { RW, 5, NULL,
	    "UPDATE member SET to_at = $5" PERSONS("= 'change'")
	    " AND member.community_id = $1"
	    " AND member.person_id = r.thing_id"
	    " AND member.household_id <> u.thing_id"
	    " AND member.to_at IS NULL", NULL, 0 },
	[CHANGE_MEMBERS] = { RW, 4, NULL,
	    "UPDATE member SET relation = " NOW("relation")
	    PERSONS("= 'change'") " AND member.community_id = $1"
	    " AND member.person_id = r.thing_id"
	    " AND member.household_id = u.thing_id"
	    " AND member.to_at IS NULL", NULL, 0 },
	[ADD_MEMBERS] = { RW, 5, NULL,
	    "INSERT INTO member (community_id, household_id, person_id,"
	    " from_at, relation) SELECT r.community_id, u.thing_id,"
	    " r.thing_id, CAST($5 AS BIGINT), " NOW("relation")
	    PERSONS("IN ('add', 'change')")
	    " AND NOT EXISTS (SELECT 1 FROM member m"
	    " WHERE m.community_id = $1 AND m.household_id = u.thing_id"
	    " AND m.person_id = r.thing_id AND m.to_at IS NULL)", NULL, 0 },
	[ADD_NEEDS] = { RW, 6, NULL,
	    "INSERT INTO need (community_id, id, person_id, kind_index,"
	    " body, source, ground, as_of, created_at)"
	    " SELECT r.community_id, r.thing_id, u.thing_id, r.key, r.need,"
	    " COALESCE(" NOW("source") ", 'roster'), COALESCE("
	    NOW("ground") ", 'duty'), " BIG("COALESCE(" NOW("as_of")
	    ", $5)") ", CAST($6 AS BIGINT)"
	    " FROM import_row r, import_row u, import_item i WHERE "
	    IMPORT_MINE IMPORT_UP("u", "r") IMPORT_ITEM
	    " AND r.part = 'need' AND r.verdict = 'add'", NULL, 0 },
	/*
	 * Just filled: without a new look PostgreSQL goes over all
	 * households for each member, in the trigger that follows them.
	 */
	[ANALYSE_HOMES] = { RW, 0, NULL,
	    "DELETE FROM household WHERE 1 = 0", "ANALYZE household", 0 },
	[ANALYSE_PERSONS] = { RW, 0, NULL,
	    "DELETE FROM person WHERE 1 = 0", "ANALYZE person", 0 },
	[ANALYSE_MEMBERS] = { RW, 0, NULL,
	    "DELETE FROM member WHERE 1 = 0", "ANALYZE member", 0 },
	[ADD_CONTACTS] = { RW, 4, NULL,
	    "UPDATE household SET contact_id = s.person_id"
	    " FROM (SELECT u.thing_id AS household_id, MIN(r.thing_id)"
	    " AS person_id" PERSONS("<> 'fault'")
	    " AND u.verdict = 'add' AND " NOW("relation") " = 'head'"
	    " GROUP BY u.thing_id) s WHERE household.community_id = $1"
	    " AND household.id = s.household_id"
	    " AND household.contact_id IS NULL", NULL, 0 },
};

#define CHANGED_SINCE	"检查之后有的户或人员被改过，没有写入任何内容，请重新"	\
	"上传文件再核对一遍。"
#define CHANGED_LATER	"导入之后有的户或人员又被改过，不能整体撤销，请改为"	\
	"逐条修改。"

static const struct import_step apply_steps[] = {
	{ &apply_sql[STALE_HOMES], "w", CHANGED_SINCE },
	{ &apply_sql[STALE_PERSONS], "w", CHANGED_SINCE },
	{ &apply_sql[ADD_HOMES], "wn", NULL },
	{ &apply_sql[ANALYSE_HOMES], "", NULL },
	{ &apply_sql[CHANGE_HOMES], "wn", NULL },
	{ &apply_sql[ADD_PERSONS], "wn", NULL },
	{ &apply_sql[ANALYSE_PERSONS], "", NULL },
	{ &apply_sql[CHANGE_PERSONS], "wn", NULL },
	{ &apply_sql[END_MEMBERS], "wn", NULL },
	{ &apply_sql[CHANGE_MEMBERS], "w", NULL },
	{ &apply_sql[ADD_MEMBERS], "fn", NULL },
	{ &apply_sql[ANALYSE_MEMBERS], "", NULL },
	{ &apply_sql[ADD_MEMBERS], "wn", NULL },
	{ &apply_sql[ADD_NEEDS], "wtn", NULL },
	{ &apply_sql[ADD_CONTACTS], "w", NULL },
	{ NULL, NULL, NULL }
};

/* ---- undoing ---- */

enum { MOVED_HOMES, MOVED_PERSONS, LATER_MEMBERS, LATER_NEEDS, LESS_NEEDS,
	LESS_MEMBERS, MORE_MEMBERS, BACK_MEMBERS, LESS_PERSONS,
	BACK_PERSONS, LESS_HOMES, BACK_HOMES, UNDO_MAX };

static struct stmt undo_sql[] = {
	[MOVED_HOMES] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    IS_HOUSEHOLD " AND (r.verdict = 'change' OR (r.verdict = 'add'"
	    " AND EXISTS (SELECT 1 FROM import_row o"
	    " WHERE o.community_id = $1 AND o.import_id = $2"
	    " AND o.up = r.id AND o.verdict <> 'fault')))"
	    NO_HOUSEHOLD("r.body"), NULL, 0 },
	[MOVED_PERSONS] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r, import_row u WHERE "
	    IMPORT_MINE IMPORT_UP("u", "r") IS_PERSON
	    " AND r.verdict IN ('add', 'change')"
	    NO_PERSON("r.body", "COALESCE(r.phone_index,"
	    " r.was_phone_index)", "COALESCE(r.id_index, r.was_index)"),
	    NULL, 0 },
	/* Somebody else has been put into a household that would go. */
	[LATER_MEMBERS] = { RO, 5, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r JOIN member m"
	    " ON m.community_id = r.community_id"
	    " AND m.household_id = r.thing_id WHERE " IMPORT_MINE
	    IS_HOUSEHOLD " AND r.verdict = 'add' AND m.from_at <> $5",
	    NULL, 0 },
	[LATER_NEEDS] = { RO, 5, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r JOIN need m"
	    " ON m.community_id = r.community_id"
	    " AND m.person_id = r.thing_id WHERE " IMPORT_MINE
	    IS_PERSON " AND r.verdict = 'add' AND m.created_at <> $5"
	    " AND m.ended_at IS NULL",
	    NULL, 0 },
	[LESS_NEEDS] = { RW, 4, NULL,
	    "DELETE FROM need WHERE community_id = $1 AND id IN (SELECT"
	    " r.thing_id FROM import_row r WHERE " IMPORT_MINE
	    " AND r.part = 'need' AND r.verdict = 'add')", NULL, 0 },
	[LESS_MEMBERS] = { RW, 5, NULL,
	    "DELETE FROM member WHERE community_id = $1 AND person_id IN"
	    " (SELECT r.thing_id FROM import_row r WHERE " IMPORT_MINE
	    IS_PERSON " AND r.verdict IN ('add', 'change'))"
	    " AND from_at = $5", NULL, 0 },
	[MORE_MEMBERS] = { RW, 5, NULL,
	    "UPDATE member SET to_at = NULL WHERE community_id = $1"
	    " AND person_id IN (SELECT r.thing_id FROM import_row r WHERE "
	    IMPORT_MINE IS_PERSON " AND r.verdict = 'change')"
	    " AND to_at = $5", NULL, 0 },
	[BACK_MEMBERS] = { RW, 4, NULL,
	    "UPDATE member SET relation = " WAS("relation")
	    PERSONS("= 'change'") " AND " WAS("relation") " IS NOT NULL"
	    " AND member.community_id = $1"
	    " AND member.person_id = r.thing_id"
	    " AND member.household_id = u.thing_id"
	    " AND member.to_at IS NULL", NULL, 0 },
	[LESS_PERSONS] = { RW, 4, NULL,
	    "DELETE FROM person WHERE community_id = $1 AND id IN (SELECT"
	    " r.thing_id FROM import_row r WHERE " IMPORT_MINE IS_PERSON
	    " AND r.verdict = 'add')", NULL, 0 },
	[BACK_PERSONS] = { RW, 5, NULL,
	    "UPDATE person SET name = " WAS("name") ", sex = " WAS("sex")
	    ", born = " BIG(WAS("born")) ", id_type = " WAS("id_type")
	    ", id_number = r.was_number, id_index = r.was_index,"
	    " id_mask = " WAS("id_mask") ", phone = r.was_phone,"
	    " phone_index = r.was_phone_index, phone_mask = "
	    WAS("phone_mask") ", source = " WAS("source") ", ground = "
	    WAS("ground") ", as_of = " BIG(WAS("as_of"))
	    ", updated_at = $5" PERSONS("= 'change'")
	    " AND person.community_id = $1 AND person.id = r.thing_id",
	    NULL, 0 },
	[LESS_HOMES] = { RW, 4, NULL,
	    "DELETE FROM household WHERE community_id = $1 AND id IN"
	    " (SELECT r.thing_id FROM import_row r WHERE " IMPORT_MINE
	    IS_HOUSEHOLD " AND r.verdict = 'add')", NULL, 0 },
	[BACK_HOMES] = { RW, 5, NULL,
	    "UPDATE household SET tenancy = " WAS("tenancy") ", source = "
	    WAS("source") ", as_of = " BIG(WAS("as_of")) ", updated_at = $5"
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS_HOUSEHOLD " AND r.verdict = 'change'"
	    " AND household.community_id = $1"
	    " AND household.id = r.thing_id", NULL, 0 },
};

static const struct import_step undo_steps[] = {
	{ &undo_sql[MOVED_HOMES], "w", CHANGED_LATER },
	{ &undo_sql[MOVED_PERSONS], "w", CHANGED_LATER },
	{ &undo_sql[LATER_MEMBERS], "wa", CHANGED_LATER },
	{ &undo_sql[LATER_NEEDS], "wa", CHANGED_LATER },
	{ &undo_sql[LESS_NEEDS], "w", NULL },
	{ &undo_sql[LESS_MEMBERS], "wa", NULL },
	{ &undo_sql[MORE_MEMBERS], "wa", NULL },
	{ &undo_sql[BACK_MEMBERS], "w", NULL },
	{ &undo_sql[LESS_PERSONS], "w", NULL },
	{ &undo_sql[BACK_PERSONS], "wn", NULL },
	{ &undo_sql[LESS_HOMES], "w", NULL },
	{ &undo_sql[BACK_HOMES], "wn", NULL },
	{ NULL, NULL, NULL }
};

const struct import_plan import_roster_plan = { compare_steps, apply_steps,
    undo_steps, NULL, NULL };

void
import_roster_register(void)
{
	db_register(compare_sql, COMPARE_MAX);
	db_register(apply_sql, APPLY_MAX);
	db_register(undo_sql, UNDO_MAX);
}
