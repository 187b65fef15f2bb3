/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_demo_data.c -- a made-up day in three communities: the tables.
 *
 * Names of people, compounds and stations are invented, and phone numbers
 * too.  Brands that several stations sell cost the same, so that an order
 * can move on to the next station.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#include "ctl_demo.h"

enum { XUEYUAN, XIXING, QINGSONG };
enum { QINGQUAN, HUIMIN, GANLU, HANGYUAN, SONGQUAN };

#define AT(station)	(1u << (station))
#define DOOR_STEP	20		/* 1e-6 degree, about two metres */
#define HOUSE_STEP	400

const struct ctl_community demo_communities[DEMO_COMMUNITIES] = {
	[XUEYUAN] = { 0, "520402007004", "2023-06-30", "学苑社区",
	    "西航街道", 26240000, 105920000 },
	[XIXING] = { 0, "520402007012", "2023-06-30", "西兴社区",
	    "西航街道", 26246000, 105909000 },
	[QINGSONG] = { 0, "520402100001", "2023-06-30", "青松社区",
	    "宋旗镇", 26219000, 105938000 },
};

const struct demo_compound demo_compounds[] = {
	{ XUEYUAN, "学苑小区", 3, 2, 6, 2, 60, 3, 26241200, 105918500 },
	{ XUEYUAN, "翠湖苑", 2, 1, 11, 4, 34, 1, 26238700, 105921800 },
	{ XUEYUAN, "书香里", 2, 2, 5, 2, 40, 0, 26236900, 105923600 },
	{ XIXING, "西兴花园", 2, 2, 6, 2, 70, 0, 26246400, 105908200 },
	{ XIXING, "航苑小区", 1, 1, 11, 4, 34, 1, 26244900, 105911300 },
	{ QINGSONG, "青松家园", 2, 2, 6, 2, 60, 2, 26219500, 105937100 },
	{ QINGSONG, "松风里", 2, 1, 4, 2, 120, 0, 26217800, 105939900 },
	{ .name = NULL }
};

const struct demo_station demo_stations[DEMO_STATIONS] = {
	[QINGQUAN] = { XUEYUAN, "学苑清泉水站", "0851-33220001",
	    "学苑路 18 号", 26240600, 105919300,
	    { { "学苑小区", 1 }, { "翠湖苑", 2 } } },
	[HUIMIN] = { XUEYUAN, "西航惠民水站", "0851-33220002",
	    "西航大道 66 号", 26239100, 105920900,
	    { { "学苑小区", 2 }, { "翠湖苑", 1 }, { "书香里", 2 } } },
	[GANLU] = { XUEYUAN, "甘露水站", "0851-33220003",
	    "书香里南门", 26237200, 105923100,
	    { { "学苑小区", 3 }, { "翠湖苑", 3 }, { "书香里", 1 } } },
	[HANGYUAN] = { XIXING, "航苑水站", "0851-33220004",
	    "西兴花园东门", 26245800, 105909700,
	    { { "西兴花园", 1 }, { "航苑小区", 1 } } },
	[SONGQUAN] = { QINGSONG, "松泉水站", "0851-33220005",
	    "青松家园 1 栋底商", 26219100, 105937600,
	    { { "青松家园", 1 }, { "松风里", 1 } } },
};

#define EVERYWHERE	(AT(QINGQUAN) | AT(HUIMIN) | AT(GANLU) |	\
	AT(HANGYUAN) | AT(SONGQUAN))

const struct demo_product demo_products[] = {
	{ "农夫山泉", "饮用天然水", 18900, 2600, 200,
	    AT(QINGQUAN) | AT(HUIMIN) | AT(HANGYUAN) },
	{ "娃哈哈", "饮用纯净水", 18900, 1800, 300, EVERYWHERE },
	{ "乐百氏", "饮用纯净水", 18900, 1600, 200,
	    AT(HUIMIN) | AT(GANLU) | AT(SONGQUAN) },
	{ "本地山泉", "饮用山泉水", 18900, 1200, 400,
	    AT(QINGQUAN) | AT(GANLU) | AT(HANGYUAN) | AT(SONGQUAN) },
	{ "农夫山泉", "饮用天然水", 11300, 1900, 120,
	    AT(QINGQUAN) | AT(GANLU) },
	{ "娃哈哈", "饮用纯净水", 11300, 1300, 150,
	    AT(HUIMIN) | AT(GANLU) },
	{ "本地山泉", "饮用山泉水", 11300, 800, 150, AT(HUIMIN) },
	{ .brand = NULL }
};

const struct demo_person demo_people[] = {
	{ "platform", "平台运营", XUEYUAN, { "platform" }, -1, NULL, NULL },

	{ "admin-xueyuan", "周敏", XUEYUAN, { "admin" }, -1, NULL, NULL },
	{ "clerk-xueyuan", "吴倩", XUEYUAN, { "clerk" }, -1, NULL, NULL },
	{ "owner-qingquan", "陈国强", XUEYUAN, { "merchant" },
	    QINGQUAN, "owner", NULL },
	{ "clerk-qingquan", "陈小雨", XUEYUAN, { "merchant" },
	    QINGQUAN, "clerk", NULL },
	{ "courier-qingquan-1", "杨军", XUEYUAN, { "courier" },
	    QINGQUAN, "courier", "o-demo-courier-01" },
	{ "courier-qingquan-2", "罗兵", XUEYUAN, { "courier" },
	    QINGQUAN, "courier", "o-demo-courier-02" },
	{ "owner-huimin", "刘芳", XUEYUAN, { "merchant" },
	    HUIMIN, "owner", NULL },
	{ "courier-huimin", "王勇", XUEYUAN, { "courier" },
	    HUIMIN, "courier", "o-demo-courier-03" },
	{ "owner-ganlu", "张华", XUEYUAN, { "merchant" },
	    GANLU, "owner", NULL },
	{ "courier-ganlu", "赵磊", XUEYUAN, { "courier" },
	    GANLU, "courier", "o-demo-courier-04" },

	{ "admin-xixing", "李静", XIXING, { "admin" }, -1, NULL, NULL },
	{ "clerk-xixing", "孙丽", XIXING, { "clerk" }, -1, NULL, NULL },
	{ "owner-hangyuan", "何伟", XIXING, { "merchant" },
	    HANGYUAN, "owner", NULL },
	{ "courier-hangyuan", "马超群", XIXING, { "courier" },
	    HANGYUAN, "courier", "o-demo-courier-05" },

	{ "admin-qingsong", "郑洁", QINGSONG, { "admin" }, -1, NULL, NULL },
	{ "clerk-qingsong", "冯雪", QINGSONG, { "clerk" }, -1, NULL, NULL },
	{ "owner-songquan", "韩梅", QINGSONG, { "merchant" },
	    SONGQUAN, "owner", NULL },
	{ "courier-songquan", "唐涛", QINGSONG, { "courier" },
	    SONGQUAN, "courier", "o-demo-courier-06" },

	{ "owner-wuye", "蒋涛", XUEYUAN, { "property" }, -1, NULL, NULL },
	{ "clerk-wuye", "沈洁", XUEYUAN, { "property" }, -1, NULL, NULL },
	{ "owner-shuiwu", "许峰", XUEYUAN, { "property" }, -1, NULL, NULL },
	{ "clerk-shuiwu", "姚琴", XUEYUAN, { "property" }, -1, NULL, NULL },
	{ "owner-hangyuan-wuye", "彭飞", XIXING, { "property" }, -1, NULL,
	    NULL },
	{ "clerk-hangyuan-wuye", "曾莉", XIXING, { "property" }, -1, NULL,
	    NULL },
	{ "owner-qingsong-wuye", "邓伟", QINGSONG, { "property" }, -1, NULL,
	    NULL },
	{ "clerk-qingsong-wuye", "蔡霞", QINGSONG, { "property" }, -1, NULL,
	    NULL },
	{ .account = NULL }
};
_Static_assert(sizeof(demo_people) / sizeof(demo_people[0]) - 1 <=
    DEMO_PEOPLE, "room for all");

void
ctl_demo_data_dwelling(struct arena *a, const struct demo_compound *c,
    int building, int entrance, int floor, int door,
    struct place_row *ret)
{
	ret->name[PLACE_COMPOUND] = c->name;
	ret->name[PLACE_BUILDING] = arena_fmt(a, "%d栋", building);
	ret->name[PLACE_ENTRANCE] = arena_fmt(a, "%d单元", entrance);
	ret->name[PLACE_DWELLING] = arena_fmt(a, "%d%02d", floor, door);
	ret->floor = floor;
	ret->lift = c->lift_from > 0 && building >= c->lift_from;
	/* Ten in a row. */
	ret->lat = c->lat + HOUSE_STEP * ((building - 1) % 10);
	ret->lng = c->lng + HOUSE_STEP * ((building - 1) / 10) +
	    HOUSE_STEP / 4 * (entrance - 1) +
	    DOOR_STEP * (door - 1);
	ret->line = 1;
}

/* Half of them live in the first community, the others share the rest. */
static int
community_of(int i)
{
	if (i < DEMO_RESIDENTS / 2)
		return XUEYUAN;
	return i < DEMO_RESIDENTS * 3 / 4 ? XIXING : QINGSONG;
}

/* The i-th compound of a community, round and round. */
static const struct demo_compound *
compound_of(int community, int i)
{
	const struct demo_compound	*c;

	for (;;)
		for (c = demo_compounds; c->name != NULL; c++)
			if (c->community == community && i-- == 0)
				return c;
}

void
ctl_demo_data_resident(struct arena *a, int i, struct demo_resident *ret,
    struct place_row *ret_row)
{
	const struct demo_compound	*c;
	int				 storey;

	ret->community = community_of(i);
	ret->openid = arena_fmt(a, "o-demo-resident-%02d", i + 1);
	ret->phone = arena_fmt(a, "1380000%04d", i + 1);
	c = compound_of(ret->community, i);
	/* The first one lives high up without a lift. */
	storey = c->floors - 1 - i % (c->floors - 1);
	ctl_demo_data_dwelling(a, c, 1 + i / 6 % c->buildings,
	    1 + i % c->entrances, storey, 1 + i % c->doors, ret_row);
	ret->place = arena_fmt(a, "%s %s %s %s", ret_row->name[0],
	    ret_row->name[1], ret_row->name[2], ret_row->name[3]);
}
