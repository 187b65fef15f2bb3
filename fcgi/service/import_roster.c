/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_roster.c -- a file of persons, in the homes where they live.
 *
 * A row is a person.  The household is known by dwelling and number, the
 * person by the number of a document, else by name and day of birth within
 * the household.  What is sealed in the person's row is sealed here.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/crypt.h"
#include "base/id.h"
#include "base/idcard.h"
#include "base/text.h"
#include "service/import_internal.h"

#define NAME_MAX_	20	/* code points, as of a person */
#define NUMBER_MAX	4
#define QUOTED		20
#define NEEDS_MAX	16	/* words for them */

enum { COL_COMMUNITY, COL_COMPOUND, COL_BUILDING, COL_ENTRANCE,
	COL_DWELLING, COL_HOUSEHOLD, COL_NAME, COL_SEX, COL_ID_TYPE,
	COL_ID_NUMBER, COL_BORN, COL_PHONE, COL_RELATION, COL_TENANCY,
	COL_NEEDS, COL_SOURCE, COL_AS_OF, COL_GROUND, COL_MAX };

static const struct sheet_column columns[] = {
	[COL_COMMUNITY] = { "community", "社区", false },
	[COL_COMPOUND] = { "compound", "小区", true },
	[COL_BUILDING] = { "building", "楼栋", true },
	[COL_ENTRANCE] = { "entrance", "单元", true },
	[COL_DWELLING] = { "dwelling", "房号", true },
	[COL_HOUSEHOLD] = { "household", "户号", false },
	[COL_NAME] = { "name", "姓名", true },
	[COL_SEX] = { "sex", "性别", false },
	[COL_ID_TYPE] = { "id_type", "证件类型", false },
	[COL_ID_NUMBER] = { "id_number", "证件号码", false },
	[COL_BORN] = { "born", "出生日期", false },
	[COL_PHONE] = { "phone", "手机", false },
	[COL_RELATION] = { "relation", "与户主关系", false },
	[COL_TENANCY] = { "tenancy", "居住性质", false },
	[COL_NEEDS] = { "needs", "需求", false },
	[COL_SOURCE] = { "source", "来源", false },
	[COL_AS_OF] = { "as_of", "登记日期", false },
	[COL_GROUND] = { "ground", "依据", false },
};
_Static_assert(COL_MAX <= SHEET_COLUMNS, "room for all");

/* Codes with the words that people write for them; one may have several. */
static const char *const sexes[][2] = { { "male", "男" },
    { "female", "女" }, { NULL, NULL } };
static const char *const id_types[][2] = { { "citizen", "身份证" },
    { "citizen", "居民身份证" }, { "permit", "港澳台居民居住证" },
    { "permit", "居住证" }, { "passport", "护照" }, { "other", "其他" },
    { NULL, NULL } };
static const char *const relations[][2] = { { "head", "户主" },
    { "head", "本人" }, { "spouse", "配偶" }, { "spouse", "妻子" },
    { "spouse", "丈夫" }, { "spouse", "妻" }, { "spouse", "夫" },
    { "child", "子女" }, { "child", "儿子" }, { "child", "女儿" },
    { "child", "子" }, { "child", "女" }, { "parent", "父母" },
    { "parent", "父亲" }, { "parent", "母亲" }, { "parent", "父" },
    { "parent", "母" }, { "grandchild", "孙子女" },
    { "grandchild", "孙子" }, { "grandchild", "孙女" },
    { "grandchild", "外孙" }, { "grandchild", "外孙女" },
    { "grandparent", "祖父母" }, { "grandparent", "爷爷" },
    { "grandparent", "奶奶" }, { "grandparent", "外公" },
    { "grandparent", "外婆" }, { "sibling", "兄弟姐妹" },
    { "sibling", "哥哥" }, { "sibling", "弟弟" }, { "sibling", "姐姐" },
    { "sibling", "妹妹" }, { "relative", "亲戚" },
    { "relative", "儿媳" }, { "relative", "女婿" },
    { "tenant", "租客" }, { "tenant", "租户" }, { "carer", "保姆" },
    { "carer", "护工" }, { "carer", "照护人" }, { "other", "其他" },
    { NULL, NULL } };
static const char *const tenancies[][2] = { { "owned", "自有" },
    { "owned", "自住" }, { "rented", "租住" }, { "rented", "租赁" },
    { "rented", "出租" }, { "lent", "借住" }, { "public", "公房" },
    { "public", "公租房" }, { "other", "其他" }, { NULL, NULL } };
static const char *const needs[][2] = { { "alone", "独居" },
    { "over_80", "80岁以上" }, { "over_80", "高龄" },
    { "disabled", "残疾" }, { "pregnant", "孕产妇" },
    { "pregnant", "孕妇" }, { "minor", "未成年" },
    { "minor", "未成年人" }, { "chronic", "慢性病" },
    { "low_income", "低保" }, { "low_income", "低收入" },
    { "other", "其他" }, { NULL, NULL } };
static const char *const sources[][2] = { { "roster", "花名册" },
    { "self", "本人申报" }, { "self", "本人" }, { "visit", "走访" },
    { "visit", "入户走访" }, { "desk", "窗口" }, { "desk", "窗口登记" },
    { "other", "其他" }, { NULL, NULL } };
static const char *const grounds[][2] = { { "duty", "法定职责" },
    { "consent", "本人同意" }, { "consent", "同意" },
    { "contract", "合同" }, { "vital", "紧急救助" }, { NULL, NULL } };

struct roster {
	struct import_places	*places;
	struct map		 homes;		/* a: item, b: line, c: word */
	struct map		 persons;	/* b: line */
};

struct row {
	const char	*place[4];
	const char	*household, *name;
	int		 sex, id_type, relation, tenancy, source, ground;
	const char	*number;	/* of the document, tidied */
	int64_t		 born, as_of;
	const char	*phone;
	bool		 need[NEEDS_MAX];
	int64_t		 dwelling_id;
	int		 line;
};

static void
free_maps(void *arg)
{
	struct roster	*s = arg;

	map_free(&s->homes);
	map_free(&s->persons);
}

static enum err
begin(struct import *im)
{
	struct roster	*s = ARENA_NEW(im->long_lived, struct roster);

	im->state = s;
	arena_later(im->long_lived, free_maps, s);
	s->places = import_places_load(im);
	return im->err;
}

static void
end(struct import *im)
{
	(void)im;
}

/* ---- cells ---- */

/* The place of a cell's word; -1 for an empty one and after a fault. */
static int
word(struct import *im, int column, const char *const (*words)[2])
{
	const char	*s = sheet_cell(im->sheet, column);
	char		 all[512];
	size_t		 n = 0;
	int		 i = s[0] != '\0' ? import_word(words, s) : -1;

	if (s[0] == '\0' || i >= 0)
		return i;
	for (i = 0; words[i][0] != NULL && n < 200; i++) {
		if (i > 0 && strcmp(words[i][0], words[i - 1][0]) == 0)
			continue;
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
		    n > 0 ? "、" : "", words[i][1]);
	}
	sheet_fault(im->sheet, column, "应是 %s 之一（填的是“%s”）", all,
	    text_cut(im->row, s, QUOTED));
	return -1;
}

static const char *
code(const char *const (*words)[2], int i)
{
	return i < 0 ? NULL : words[i][0];
}

static int64_t
day(struct import *im, int column)
{
	const char	*s = sheet_cell(im->sheet, column);
	int64_t		 v;

	if (s[0] == '\0')
		return VIEW_NULL_INT;
	if (!import_day(s, &v))
		sheet_fault(im->sheet, column, "应是真实的日期，如 1956-03-08"
		    "（填的是“%s”）", text_cut(im->row, s, QUOTED));
	else if (v > im->today)
		sheet_fault(im->sheet, column, "不能晚于今天");
	else if (v < im->today - 1300000)
		sheet_fault(im->sheet, column, "年代太早，请检查");
	else
		return v;
	return VIEW_NULL_INT;
}

static void
read_phone(struct import *im, struct row *r)
{
	const char	*s = sheet_cell(im->sheet, COL_PHONE);

	if (s[0] == '\0')
		return;
	r->phone = text_phone(im->row, s);
	if (r->phone == NULL)
		sheet_fault(im->sheet, COL_PHONE, "应是 11 位手机号码");
}

/* A number of the state; what it says of day and sex has to fit. */
static void
read_citizen(struct import *im, struct row *r, const char *s)
{
	enum idcard_fault	fault;
	struct idcard		card;

	fault = idcard_read(s, im->today, &card);
	if (fault != IDCARD_GOOD) {
		sheet_fault(im->sheet, COL_ID_NUMBER, "%s",
		    idcard_detail(fault));
		return;
	}
	r->number = arena_str(im->row, card.number);
	if (r->born == VIEW_NULL_INT)
		r->born = card.born;
	else if (r->born != card.born)
		sheet_fault(im->sheet, COL_BORN,
		    "与身份证号码里的出生日期不一样");
	if (r->sex < 0)
		r->sex = card.female ? 1 : 0;
	else if (r->sex != (card.female ? 1 : 0))
		sheet_fault(im->sheet, COL_SEX, "与身份证号码里的性别不一样");
	if (r->id_type < 0)
		r->id_type = card.permit ? 2 : 0;
}

static void
read_other_number(struct import *im, struct row *r, const char *s)
{
	char	text[40], *c;
	size_t	n = text_narrow(s, text, sizeof(text));

	if (n < 5 || n > 30 || strchr(text, '?') != NULL) {
		sheet_fault(im->sheet, COL_ID_NUMBER,
		    "应是 5 到 30 位的字母和数字");
		return;
	}
	for (c = text; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	r->number = arena_str(im->row, text);
}

static void
read_number(struct import *im, struct row *r)
{
	const char	*s = sheet_cell(im->sheet, COL_ID_NUMBER);

	r->number = NULL;
	if (s[0] == '\0') {
		if (r->id_type >= 0)
			sheet_fault(im->sheet, COL_ID_NUMBER,
			    "填了证件类型，请填写证件号码");
		return;
	}
	if (r->id_type < 0 ||
	    strcmp(id_types[r->id_type][0], "citizen") == 0)
		read_citizen(im, r, s);
	else
		read_other_number(im, r, s);
}

/* Words with one of ；;、，and blanks between them. */
static void
read_needs(struct import *im, struct row *r)
{
	static const char *const	 marks[] = { "；", ";", "、", "，", ",",
					    "/", " ", NULL };
	char				*s, *end;
	const char			*const *m;
	int				 i;

	s = arena_str(im->row, sheet_cell(im->sheet, COL_NEEDS));
	while (*s != '\0') {
		for (m = marks; *m != NULL && strncmp(s, *m,
		    strlen(*m)) != 0; m++)
			;
		if (*m != NULL) {
			s += strlen(*m);
			continue;
		}
		end = s + strlen(s);
		for (m = marks; *m != NULL; m++) {
			char	*at = strstr(s, *m);

			if (at != NULL && at < end)
				end = at;
		}
		i = import_word(needs, arena_copy(im->row, s,
		    (size_t)(end - s)));
		if (i >= 0)
			r->need[i] = true;
		else
			sheet_fault(im->sheet, COL_NEEDS, "不认识“%s”，应是 "
			    "独居、残疾、孕产妇、慢性病、低保、其他，几项之间用；"
			    "隔开", text_cut(im->row, arena_copy(im->row, s,
			    (size_t)(end - s)), QUOTED));
		s = end;
	}
}

static void
read_home(struct import *im, struct row *r)
{
	struct roster	*s = im->state;
	bool		 good = true;
	int		 i;

	for (i = 0; i < 4; i++) {
		r->place[i] = sheet_text(im->sheet, COL_COMPOUND + i, 40);
		good = good && r->place[i] != NULL;
	}
	r->household = sheet_maybe(im->sheet, COL_HOUSEHOLD, NUMBER_MAX);
	if (r->household == NULL)
		r->household = "1";
	if (!good)
		return;
	r->dwelling_id = import_place_id(s->places, r->place, 4);
	if (r->dwelling_id == 0)
		sheet_fault(im->sheet, COL_DWELLING, "没有找到这个房屋，请检查"
		    "小区、楼栋、单元和房号，或先导入房屋表");
}

static void
read_cells(struct import *im, struct row *r)
{
	read_home(im, r);
	r->name = sheet_text(im->sheet, COL_NAME, NAME_MAX_);
	r->sex = word(im, COL_SEX, sexes);
	r->id_type = word(im, COL_ID_TYPE, id_types);
	r->born = day(im, COL_BORN);
	read_number(im, r);
	read_phone(im, r);
	r->relation = word(im, COL_RELATION, relations);
	r->tenancy = word(im, COL_TENANCY, tenancies);
	read_needs(im, r);
	r->source = word(im, COL_SOURCE, sources);
	r->as_of = day(im, COL_AS_OF);
	r->ground = word(im, COL_GROUND, grounds);
}

/* ---- rows against rows ---- */

/* The same person in an earlier row. */
static void
check_twice(struct import *im, const struct row *r)
{
	struct roster		*s = im->state;
	struct map_spot		*spot;
	uint64_t		 h;
	bool			 fresh;

	if (r->number != NULL)
		h = map_hash(map_hash(0, id_types[r->id_type][0]),
		    r->number);
	else
		h = map_hash(map_hash(map_hash_int(map_hash_int(
		    0, r->dwelling_id), r->born), r->household), r->name);
	spot = map_at(&s->persons, h, &fresh);
	if (fresh)
		spot->b = r->line;
	else if (r->number != NULL)
		sheet_fault(im->sheet, COL_ID_NUMBER,
		    "与第 %d 行的证件号码相同，一个人只能登记一次", spot->b);
	else
		sheet_fault(im->sheet, COL_NAME,
		    "与第 %d 行是同一户的同一个人", spot->b);
}

/* The household's item, staged by the first row that names it. */
static struct map_spot *
find_home(struct import *im, const struct row *r, bool *fresh)
{
	struct roster		*s = im->state;
	struct map_spot		*spot;

	spot = map_at(&s->homes, map_hash(map_hash_int(0,
	    r->dwelling_id), r->household), fresh);
	if (*fresh) {
		spot->b = r->line;
		spot->c = r->tenancy;
	} else if (r->tenancy >= 0 && (spot->c < 0 ||
	    strcmp(tenancies[r->tenancy][0], tenancies[spot->c][0]) != 0))
		sheet_fault(im->sheet, COL_TENANCY,
		    "同一户的居住性质与第 %d 行填的不一样，请改成一致", spot->b);
	return spot;
}

/* ---- staging ---- */

static void
stage_home(struct import *im, const struct row *r, struct map_spot *spot)
{
	static const char *const keys[] = { "tenancy", "source", "as_of" };
	const char *const	 texts[] = { code(tenancies, r->tenancy),
				    code(sources, r->source), NULL };
	const int64_t		 v[] = { VIEW_NULL_INT, VIEW_NULL_INT,
				    r->as_of };
	struct import_item	 it = { .part = "household",
				    .line = r->line, .key = r->household,
				    .a_id = r->dwelling_id };

	it.thing_id = id_new();
	it.body = import_object(im, 3, keys, texts, v);
	spot->a = import_add(im, &it);
}

static const char *
person_body(struct import *im, const struct row *r)
{
	static const char *const keys[] = { "name", "sex", "born",
		"id_type", "id_mask", "phone_mask", "source", "ground",
		"as_of", "relation" };
	const char	*texts[10] = { r->name, code(sexes, r->sex), NULL,
			    r->number != NULL ? id_types[r->id_type][0] :
			    NULL, NULL, NULL, code(sources, r->source),
			    code(grounds, r->ground), NULL,
			    code(relations, r->relation) };
	int64_t		 v[10];
	int		 i;

	for (i = 0; i < 10; i++)
		v[i] = VIEW_NULL_INT;
	v[2] = r->born;
	v[8] = r->as_of;
	if (r->number != NULL)
		texts[4] = text_mask_id(im->row, r->number);
	if (r->phone != NULL)
		texts[5] = text_mask_phone(im->row, r->phone);
	return import_object(im, 10, keys, texts, v);
}

static int64_t
stage_person(struct import *im, const struct row *r, int64_t home)
{
	struct import_item	 it = { .part = "person", .line = r->line,
				    .key = r->name, .a_id = r->born,
				    .up = home };
	struct arena		*a = im->row;

	it.thing_id = id_new();
	it.body = person_body(im, r);
	if (r->phone != NULL) {
		it.phone = crypt_seal(a, "phone", r->phone);
		it.phone_index = crypt_index(a, "phone", r->phone);
	}
	if (r->number != NULL) {
		it.id_number = crypt_seal(a, "id_number", r->number);
		it.id_index = crypt_index(a, "id_number", arena_fmt(a,
		    "%s:%s", id_types[r->id_type][0], r->number));
	}
	return import_add(im, &it);
}

/* Age follows from the day of birth and is no row. */
static bool
is_derived(const char *kind)
{
	return strcmp(kind, "over_80") == 0 || strcmp(kind, "minor") == 0;
}

static void
stage_needs(struct import *im, const struct row *r, int64_t person)
{
	struct import_item	 it = { .part = "need", .line = r->line,
				    .a_id = VIEW_NULL_INT, .up = person };
	static const char *const keys[] = { "source", "ground", "as_of" };
	const char *const	 texts[] = { code(sources, r->source),
				    code(grounds, r->ground), NULL };
	const int64_t		 v[] = { VIEW_NULL_INT, VIEW_NULL_INT,
				    r->as_of };
	const char		*last = "";
	int			 i;

	for (i = 0; needs[i][0] != NULL; i++) {
		if (!r->need[i] || is_derived(needs[i][0]) ||
		    strcmp(last, needs[i][0]) == 0)
			continue;
		last = needs[i][0];
		it.thing_id = id_new();
		it.key = crypt_index(im->row, "need", last);
		it.need = crypt_seal(im->row, "need", arena_fmt(im->row,
		    "{\"kind\":\"%s\",\"note\":null}", last));
		it.body = import_object(im, 3, keys, texts, v);
		import_add(im, &it);
	}
}

static void
read_row(struct import *im)
{
	int			 faults = sheet_faults(im->sheet);
	struct row		 r = { .line = sheet_line(im->sheet) };
	struct map_spot		*home;
	bool			 ours, fresh = false;

	ours = import_is_ours(im, COL_COMMUNITY);
	if (!ours && sheet_faults(im->sheet) == faults)
		return;
	read_cells(im, &r);
	if (sheet_faults(im->sheet) > faults)
		return;
	check_twice(im, &r);
	if (sheet_faults(im->sheet) > faults)
		return;
	home = find_home(im, &r, &fresh);
	if (sheet_faults(im->sheet) > faults)
		return;
	if (fresh)
		stage_home(im, &r, home);
	stage_needs(im, &r, stage_person(im, &r, home->a));
}

const struct import_reader import_roster = { columns, COL_MAX, begin,
    read_row, end };
