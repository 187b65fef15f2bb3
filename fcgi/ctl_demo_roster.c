/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_demo_roster.c -- who lives in the demo's dwellings, as the files an
 * office would bring: roster-CODE.csv in GBK, as its spreadsheet saves it,
 * and grids-CODE.csv in UTF-8.
 *
 * 35 grids, 510 units, 8,800 homes and 24,000 people come out of a seeded
 * generator, the same each time.  All are made up: their identity numbers
 * begin with an area code that was never given out.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#include "ctl.h"
#include "ctl_demo.h"

#define AREA		"520499"	/* no such place */
#define YEAR		2026
#define HOME_MAX	6		/* people of a home */
#define SEEN		(1u << 16)	/* slots for numbers given out */
#define AS_OF		"2026-06-01"

static const struct {
	int	 grids, units, homes, people;
} shapes[DEMO_COMMUNITIES] = {
	{ 14, 204, 3520, 9600 },
	{ 12, 175, 3020, 8236 },
	{ 9, 131, 2260, 6164 },
};

static const char *const families[] = { "王", "李", "张", "刘", "陈", "杨",
	"赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何",
	"郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于",
	"董", "萧", "程", "曹", "袁", "邓", "许", "傅", "沈", "曾", "彭",
	"吕", "欧阳", "司徒" };
static const char *const male_names[] = { "建国", "志强", "伟", "勇", "军",
	"磊", "涛", "明", "超", "国庆", "文斌", "家豪", "子轩", "浩然",
	"德顺", "永福", "光荣", "世杰", "宇航", "俊" };
static const char *const female_names[] = { "秀兰", "桂英", "丽", "敏",
	"静", "芳", "燕", "玲", "玉梅", "淑珍", "雪", "雨欣", "梓涵",
	"佳怡", "凤英", "春梅", "小红", "慧", "思琪", "婷" };

#define N(a)	(sizeof(a) / sizeof((a)[0]))

struct someone {
	const char	*name;
	const char	*relation;
	const char	*needs;
	const char	*phone;		/* "" for none */
	char		*number;
	bool		 male;
	int		 age;
};

/* A dwelling of the community, and who keeps house there. */
struct door {
	struct place_row	 at;
	int			 resident;	/* of the demo, or -1 */
	int			 people;	/* 0: empty */
	int			 unit;
	struct someone		 head;		/* once written */
};

struct roster {
	struct demo		*demo;
	struct arena		*arena;
	int			 community;
	uint64_t		 random;
	struct door		*doors;
	int			 ndoors;
	int64_t			*seen;
	FILE			*file;
	bool			 gbk;
};

/* splitmix64: the same numbers on every machine. */
static uint64_t
next_random(struct roster *r)
{
	uint64_t	z = r->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int
below(struct roster *r, int bound)
{
	return (int)(next_random(r) % (uint64_t)bound);
}

static int
between(struct roster *r, int low, int high)
{
	return low + below(r, high - low + 1);
}

/* ---- dwellings ---- */

static void
count_doors(struct roster *r)
{
	const struct demo_compound	*c;

	for (c = demo_compounds; c->name != NULL; c++)
		if (c->community == r->community)
			r->ndoors += c->all_buildings * c->entrances *
			    c->floors * c->doors;
}

static void
list_doors(struct roster *r)
{
	const struct demo_compound	*c;
	struct door			*d = r->doors;
	int				 b, u, f, n;

	for (c = demo_compounds; c->name != NULL; c++) {
		if (c->community != r->community)
			continue;
		for (b = 1; b <= c->all_buildings; b++)
			for (u = 1; u <= c->entrances; u++)
				for (f = 1; f <= c->floors; f++)
					for (n = 1; n <= c->doors; n++, d++) {
						ctl_demo_data_dwelling(
						    r->arena, c, b, u, f, n,
						    &d->at);
						d->resident = -1;
					}
	}
}

static bool
same_door(const struct place_row *a, const struct place_row *b)
{
	int	i;

	for (i = 0; i < PLACE_LEVELS; i++)
		if (strcmp(a->name[i], b->name[i]) != 0)
			return false;
	return true;
}

/* The residents of the demo live where demo.json says. */
static void
settle_residents(struct roster *r)
{
	struct demo_resident	who;
	struct place_row	at;
	int			i, k;

	for (i = 0; i < DEMO_RESIDENTS; i++) {
		ctl_demo_data_resident(r->arena, i, &who, &at);
		if (who.community != r->community)
			continue;
		for (k = 0; k < r->ndoors; k++)
			if (r->doors[k].resident < 0 &&
			    same_door(&r->doors[k].at, &at)) {
				r->doors[k].resident = i;
				break;
			}
	}
}

/* Which are lived in: as many as there are homes, evenly spread. */
static void
choose_homes(struct roster *r)
{
	int64_t	homes = shapes[r->community].homes, n = r->ndoors;
	int	k, owed = 0;

	for (k = 0; k < r->ndoors; k++) {
		bool home = (k + 1) * homes / n > k * homes / n;

		if (!home && r->doors[k].resident >= 0) {
			home = true;
			owed++;
		} else if (home && owed > 0 && r->doors[k].resident < 0) {
			home = false;
			owed--;
		}
		r->doors[k].people = home;
		r->doors[k].unit = (int)(k *
		    (int64_t)shapes[r->community].units / n);
	}
}

static int
usual_size(struct roster *r)
{
	static const int upto[HOME_MAX] = { 20, 48, 76, 92, 98, 100 };
	int	 d = below(r, 100), size = 0;

	while (d >= upto[size])
		size++;
	return size + 1;
}

/* Sizes as they fall, then one up or down until the sum is right. */
static void
fill_homes(struct roster *r)
{
	int	 want = shapes[r->community].people, have = 0, k;

	for (k = 0; k < r->ndoors; k++)
		if (r->doors[k].people > 0)
			have += r->doors[k].people = usual_size(r);
	while (have != want) {
		struct door *d = &r->doors[below(r, r->ndoors)];

		if (have < want && d->people > 0 && d->people < HOME_MAX) {
			d->people++;
			have++;
		} else if (have > want && d->people > 1) {
			d->people--;
			have--;
		}
	}
}

/* ---- people ---- */

static bool
taken(struct roster *r, int64_t key)
{
	uint32_t	slot = (uint32_t)((uint64_t)key * 2654435761u) &
	    (SEEN - 1);

	while (r->seen[slot] != 0 && r->seen[slot] != key)
		slot = (slot + 1) & (SEEN - 1);
	if (r->seen[slot] == key)
		return true;
	r->seen[slot] = key;
	return false;
}

/* GB 11643: serial odd for men, and the check digit. */
static void
give_number(struct roster *r, struct someone *s)
{
	static const int weights[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9,
	    10, 5, 8, 4, 2 };
	int	born, serial, sum = 0, i;

	do {
		born = (YEAR - s->age) * 10000 + between(r, 1, 5) * 100 +
		    between(r, 1, 28);
		serial = between(r, 1, 499) * 2 - (s->male ? 1 : 0);
	} while (taken(r, (int64_t)born * 1000 + serial));
	s->number = arena_fmt(r->arena, AREA "%08d%03d?", born, serial);
	for (i = 0; i < 17; i++)
		sum += (s->number[i] - '0') * weights[i];
	s->number[17] = "10X98765432"[sum % 11];
}

static void
give_needs(struct roster *r, struct someone *s, int home)
{
	const char	*needs = "";

	if (home == 1 && s->age >= 70)
		needs = "独居";
	else if (!s->male && s->age >= 22 && s->age <= 38 &&
	    below(r, 200) == 0)
		needs = "孕产妇";
	if (below(r, 70) == 0)
		needs = *needs != '\0' ? arena_fmt(r->arena, "%s；残疾",
		    needs) : "残疾";
	else if (s->age > 60 && below(r, 20) == 0)
		needs = *needs != '\0' ? arena_fmt(r->arena, "%s；慢性病",
		    needs) : "慢性病";
	s->needs = needs;
}

/* The k-th of a home of `home` people, whose first is `head`. */
static void
make_someone(struct roster *r, struct someone *s, const struct someone *head,
    int k, int home)
{
	const char	*family = families[below(r, (int)N(families))];

	s->male = below(r, 2);
	s->relation = "户主";
	s->age = home == 1 && below(r, 3) == 0 ? between(r, 66, 92) :
	    between(r, 27, 80);
	if (k == 1 && below(r, 10) < 8) {
		s->relation = "配偶";
		s->male = !head->male;
		s->age = head->age + between(r, -4, 4);
	} else if (k > 0 && head->age >= 24 && below(r, 10) < 8) {
		s->relation = "子女";
		family = NULL;
		s->age = head->age - between(r, 23, 34);
	} else if (k > 0) {
		s->relation = "父母";
		s->age = head->age + between(r, 21, 28);
	}
	s->age = s->age < 1 ? 1 : s->age > 99 ? 99 : s->age;
	s->name = arena_fmt(r->arena, "%s%s", family != NULL ? family :
	    arena_copy(r->arena, head->name,
	    strncmp(head->name, "欧阳", 6) == 0 ||
	    strncmp(head->name, "司徒", 6) == 0 ? 6 : 3),
	    s->male ? male_names[below(r, (int)N(male_names))] :
	    female_names[below(r, (int)N(female_names))]);
	give_number(r, s);
	give_needs(r, s, home);
}

/* The first resident of the demo's story. */
static void
be_mother_wang(struct roster *r, struct someone *s)
{
	s->name = "王秀兰";
	s->male = false;
	s->age = 79;
	give_number(r, s);
}

/* ---- files ---- */

static bool
put(struct roster *r, const char *line)
{
	const char	*out = line;
	size_t		 n = strlen(line);

	if (r->gbk && (out = text_to_gbk(r->arena, line, &n)) == NULL) {
		errno = EILSEQ;
		return false;
	}
	return fwrite(out, 1, n, r->file) == n;
}

static bool
put_person(struct roster *r, const struct door *d, const struct someone *s,
    bool rented)
{
	return put(r, arena_fmt(r->arena,
	    "%s,%s,%s,%s,1,%s,%s,身份证,%s,%s,%s,%s,%s,走访," AS_OF
	    ",法定职责\r\n", d->at.name[PLACE_COMPOUND],
	    d->at.name[PLACE_BUILDING], d->at.name[PLACE_ENTRANCE],
	    d->at.name[PLACE_DWELLING], s->name, s->male ? "男" : "女",
	    s->number, s->phone, s->relation, rented ? "租住" : "自有",
	    s->needs));
}

static bool
put_home(struct roster *r, struct door *d, int *serial)
{
	struct someone	s;
	bool		rented = below(r, 5) == 0;
	int		k;

	for (k = 0; k < d->people; k++) {
		make_someone(r, &s, &d->head, k, d->people);
		if (k == 0 && d->resident == 0)
			be_mother_wang(r, &s);
		s.phone = s.age < 14 || (k > 0 && s.age > 82) ? "" :
		    arena_fmt(r->arena, "199%d0%06d", r->community,
		    ++*serial);
		if (k == 0 && d->resident >= 0)
			s.phone = arena_fmt(r->arena, "1380000%04d",
			    d->resident + 1);
		if (k == 0)
			d->head = s;
		if (!put_person(r, d, &s, rented))
			return false;
	}
	return true;
}

static bool
put_roster(struct roster *r)
{
	int	k, serial = 0;

	if (!put(r, "小区,楼栋,单元,房号,户号,姓名,性别,证件类型,证件号码,"
	    "手机,与户主关系,居住性质,需求,来源,登记日期,依据\r\n"))
		return false;
	for (k = 0; k < r->ndoors; k++)
		if (!put_home(r, &r->doors[k], &serial))
			return false;
	return true;
}

/* The head of a unit: the first who keeps house there and has a phone. */
static const struct someone *
head_of(const struct roster *r, int unit)
{
	int	k;

	for (k = 0; k < r->ndoors; k++)
		if (r->doors[k].unit == unit && r->doors[k].people > 0 &&
		    r->doors[k].resident < 0 &&
		    r->doors[k].head.phone[0] != '\0')
			return &r->doors[k].head;
	return NULL;
}

static bool
put_grids(struct roster *r)
{
	const int		 units = shapes[r->community].units;
	const struct someone	*head = NULL;
	int			 k, unit = -1, grid, first = 0;
	struct demo_duty	*duty = &r->demo->duty[r->community];

	if (!put(r, "\xef\xbb\xbf网格编号,网格名称,网格员,网格员手机,"
	    "十联户编号,十联户名称,联户长,联户长手机,小区,楼栋,单元,房号\r\n"))
		return false;
	for (k = 0; k < r->ndoors; k++) {
		const struct door *d = &r->doors[k];

		grid = d->unit * shapes[r->community].grids / units;
		if (d->unit != unit) {
			unit = d->unit;
			head = head_of(r, unit);
			if (unit == 0 || (unit - 1) *
			    shapes[r->community].grids / units != grid)
				first = unit;
		}
		if (head == NULL) {
			errno = EINVAL;
			return false;
		}
		if (d->resident >= 0 && duty->head_phone == NULL) {
			duty->head_phone = head->phone;
			duty->head_name = head->name;
			duty->worker_phone = arena_fmt(r->arena,
			    "198%d000%04d", r->community, grid + 1);
		}
		if (!put(r, arena_fmt(r->arena, "%02d,第%d网格,%s%s,"
		    "198%d000%04d,%02d-%02d,第%d网格第%d联户,%s,%s,%s,%s,%s,"
		    "%s\r\n", grid + 1, grid + 1, families[(grid * 7 +
		    r->community) % (int)N(families)],
		    female_names[(grid * 3) % (int)N(female_names)],
		    r->community, grid + 1, grid + 1, unit - first + 1,
		    grid + 1, unit - first + 1, head->name, head->phone,
		    d->at.name[PLACE_COMPOUND], d->at.name[PLACE_BUILDING],
		    d->at.name[PLACE_ENTRANCE], d->at.name[PLACE_DWELLING])))
			return false;
	}
	return true;
}

static bool
write_file(struct roster *r, const char *dir, const char *noun, bool gbk,
    bool (*write)(struct roster *))
{
	const char	*path = arena_fmt(r->arena, "%s/%s-%s.csv", dir,
	    noun, demo_communities[r->community].code);
	bool		 good;

	if ((r->file = fopen(path, "we")) == NULL)
		return false;
	r->gbk = gbk;
	good = write(r);
	return fclose(r->file) == 0 && good;
}

static bool
write_community(struct demo *d, int community, const char *dir)
{
	struct roster	r = { .demo = d, .arena = d->ctl->arena,
	    .community = community,
	    .random = 20260601 + (uint64_t)community };

	count_doors(&r);
	r.doors = ARENA_ARRAY(r.arena, struct door, r.ndoors);
	r.seen = ARENA_ARRAY(r.arena, int64_t, SEEN);
	list_doors(&r);
	settle_residents(&r);
	choose_homes(&r);
	fill_homes(&r);
	return write_file(&r, dir, "roster", true, put_roster) &&
	    write_file(&r, dir, "grids", false, put_grids);
}

bool
ctl_demo_roster(struct demo *d, const char *dir)
{
	int	i;

	for (i = 0; i < DEMO_COMMUNITIES; i++)
		if (!write_community(d, i, dir))
			return false;
	return true;
}
