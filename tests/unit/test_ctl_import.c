/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ctl_import.c -- planetctl import on both engines: what a table
 * becomes, that a second time changes nothing, and that a faulty one is
 * refused as a whole.
 */
#include "unit.h"

#include "base/arena.h"
#include "base/conf.h"
#include "base/view.h"
#include "store/db.h"

#include "service/place_tree.h"
#include "ctl_rig.h"

#define XUEYUAN	"520402007004"
#define XIXING	"520402007012"
#define TITLES	"小区,楼栋,单元,房号,楼层,电梯,纬度,经度\n"

static const char	*url;

static const char communities[] = "code,edition,name,township,lat,lng\n"
    XUEYUAN ",2023-06-30,学苑社区,西航街道,26.24,105.92\n"
    XIXING ",2023-06-30,西兴社区,西航街道,,\n";

static int
set_up(void **state)
{
	(void)state;
	ctl_rig_open(url, "");
	assert_int_equal(RIG_RUN(ctl_import, "import", "communities",
	    ctl_rig_file("communities.csv", communities)), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ctl_rig_close();
	return 0;
}

static int
import(const char *text)
{
	return RIG_RUN(ctl_import, "import", "territory",
	    ctl_rig_file("territory.csv", text), "--community", XUEYUAN);
}

static int64_t
places(void)
{
	return ctl_rig_number("SELECT COUNT(*) AS n FROM place");
}

/* The counts of one level, as they are printed. */
static void
printed(const char *level, int added, int changed, int same)
{
	char	line[128];

	snprintf(line, sizeof(line), "学苑社区 %s：新增 %d，更新 %d，不变 %d\n",
	    level, added, changed, same);
	if (strstr(ctl_rig_out, line) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, ctl_rig_out);
}

static void
complained(const char *what)
{
	if (strstr(ctl_rig_err, what) == NULL)
		fail_msg("no \"%s\" in:\n%s", what, ctl_rig_err);
}

static void
test_rank(void **state)
{
	static const char *const order[] = { "1栋", "2栋", "2A栋", "2B栋",
	    "3栋", "10栋", "二十一单元", "101", "1002", "东单元", "A1栋",
	    "a2栋", "A10栋", "AB1栋", "B1栋" };
	static const char *const same[][2] = { { "一单元", "1单元" },
	    { "十单元", "10单元" }, { "十二单元", "12单元" },
	    { "九十九单元", "99单元" }, { "东单元", "西单元" },
	    { "东区3栋", "3栋" }, { "0单元", "0" } };
	size_t	i;

	(void)state;
	for (i = 1; i < nitems(order); i++)
		if (place_rank(order[i - 1]) >= place_rank(order[i]))
			fail_msg("%s is not before %s", order[i - 1],
			    order[i]);
	for (i = 0; i < nitems(same); i++)
		assert_int_equal(place_rank(same[i][0]),
		    place_rank(same[i][1]));
	assert_true(place_rank("99999999999999999999") <
	    place_rank("东单元"));
	assert_true(place_rank("ZZ99999999999999999999Z") > 0);
}

static void
test_tree(void **state)
{
	(void)state;
	assert_int_equal(import(TITLES
	    "学苑小区,3栋,2单元,501,5,否,26.240001,105.920001\n"
	    "学苑小区,3栋,2单元,502,5层,无,26.240003,105.920003\n"
	    "学苑小区,10栋,1单元,101,1,有,,\n"), 0);
	printed("小区", 1, 0, 0);
	printed("楼栋", 2, 0, 0);
	printed("单元", 2, 0, 0);
	printed("住户", 3, 0, 0);
	assert_string_equal(ctl_rig_err, "");
	assert_string_equal(ctl_rig_text("SELECT full_name AS s FROM place"
	    " WHERE name = '501'"), "学苑小区 3栋 2单元 501");
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place p"
	    " JOIN place c ON c.id = p.compound_id WHERE c.kind = 'compound'"
	    " AND c.name = '学苑小区'"), 8);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place p"
	    " JOIN community c ON c.id = p.community_id"
	    " WHERE c.code = '" XUEYUAN "'"), 8);
	/* The lift is on the entrance and its dwellings, not above. */
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE lift = 0 AND kind IN ('entrance', 'dwelling')"), 3);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE lift IS NULL"), 3);
	assert_int_equal(ctl_rig_number("SELECT SUM(floor) AS n FROM place"
	    " WHERE kind = 'dwelling'"), 11);
	/* 3栋 before 10栋, and a point in the middle of what has one. */
	assert_string_equal(ctl_rig_text("SELECT name AS s FROM place"
	    " WHERE kind = 'building' ORDER BY rank, id LIMIT 1"), "3栋");
	assert_int_equal(ctl_rig_number("SELECT lat AS n FROM place"
	    " WHERE kind = 'compound'"), 26240002);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE lat IS NULL"), 3);
}

static void
test_again(void **state)
{
	static const char	text[] = TITLES
	    "学苑小区,3栋,2单元,501,5,否,26.24,105.92\n"
	    "学苑小区,3栋,2单元,502,5,,,\n";

	(void)state;
	assert_int_equal(import(text), 0);
	assert_int_equal(import(text), 0);
	printed("小区", 0, 0, 1);
	printed("单元", 0, 0, 1);
	printed("住户", 0, 0, 2);
	assert_int_equal(places(), 5);
}

static void
test_change(void **state)
{
	(void)state;
	assert_int_equal(import(TITLES
	    "学苑小区,3栋,2单元,501,5,否,26.24,105.92\n"
	    "学苑小区,3栋,2单元,502,5,否,26.24,105.92\n"), 0);
	/* A lift was built, which holds for the one not in the file too. */
	assert_int_equal(import(TITLES
	    "学苑小区,3栋,2单元,501,6,有,26.25,105.92\n"
	    "学苑小区,3栋,2单元,601,6,,,\n"), 0);
	printed("小区", 0, 1, 0);
	printed("楼栋", 0, 1, 0);
	printed("单元", 0, 1, 0);
	printed("住户", 1, 2, 0);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE lift = 1"), 4);
	assert_int_equal(ctl_rig_number("SELECT floor AS n FROM place"
	    " WHERE name = '501'"), 6);
	assert_int_equal(ctl_rig_number("SELECT lat AS n FROM place"
	    " WHERE kind = 'compound'"), 26245000);
	/* What a file is silent about stays. */
	assert_int_equal(import("房号,单元,楼栋,小区\n"
	    "501,2单元,3栋,学苑小区\n"), 0);
	printed("住户", 0, 0, 1);
	assert_int_equal(ctl_rig_number("SELECT floor AS n FROM place"
	    " WHERE name = '501' AND lift = 1 AND lat = 26250000"), 6);
}

static void
test_names(void **state)
{
	(void)state;
	/* The same number in another building is another dwelling. */
	assert_int_equal(import("Compound,BUILDING,entrance,dwelling\r\n"
	    " 学苑小区 ,1栋,1单元,101\r\n"
	    "学苑小区,1栋,2单元,101\r\n"
	    "学苑小区,2栋,1单元,101\r\n"
	    ",,,\r\n"
	    "翠湖苑,1栋,1单元,101\r\n"), 0);
	printed("小区", 2, 0, 0);
	printed("楼栋", 3, 0, 0);
	printed("单元", 4, 0, 0);
	printed("住户", 4, 0, 0);
}

static void
test_gbk(void **state)
{
	/* 小区,楼栋,单元,房号,电梯 / 学苑小区,3栋,2单元,501,有 */
	static const char	text[] =
	    "\xd0\xa1\xc7\xf8,\xc2\xa5\xb6\xb0,\xb5\xa5\xd4\xaa,"
	    "\xb7\xbf\xba\xc5,\xb5\xe7\xcc\xdd\r\n"
	    "\xd1\xa7\xd4\xb7\xd0\xa1\xc7\xf8,3\xb6\xb0,2\xb5\xa5\xd4\xaa,"
	    "501,\xd3\xd0\r\n";

	(void)state;
	assert_int_equal(import(TITLES "学苑小区,3栋,2单元,501,5,有,,\n"),
	    0);
	assert_int_equal(import(text), 0);
	printed("住户", 0, 0, 1);
	assert_int_equal(places(), 4);
	/* Half a character at the end is neither encoding. */
	assert_int_equal(import("\xd0\xa1\xc7\xf8,\xc2\xa5\xb6"), 1);
	complained("文字编码无法识别");
}

static void
test_faults(void **state)
{
	(void)state;
	assert_int_equal(import(TITLES
	    "学苑小区,3栋,2单元,501,5,否,26.24,105.92\n"
	    "学苑小区,3栋,,502,5,否,,\n"
	    "学苑小区,3栋,2单元,503,0,否,,\n"
	    "学苑小区,3栋,2单元,504,200,可能,,\n"
	    "学苑小区,3栋,2单元,505,五,否,26.24,\n"
	    "学苑小区,3栋,2单元,506,5,否,105.92,26.24\n"
	    "学苑小区,3栋,2单元,507,5,否,26度,105.92\n"
	    "学苑小区,3栋,2单元,501,5,否,,\n"
	    "学苑小区,3栋,2单元,508,5,有,,\n"
	    "学苑小区,3栋,2单元,509,5,否,,,多\n"), 1);
	complained("territory.csv 第 3 行，单元：不能为空\n");
	complained("第 4 行，楼层：应是 -9 到 199 的整数，没有 0 层");
	complained("第 5 行，楼层：");
	complained("第 5 行，电梯：应是 有、无、是、否、1 或 0");
	complained("（填的是“可能”）");
	complained("第 6 行，楼层：");
	complained("第 6 行，经度：纬度和经度要么都填");
	complained("第 7 行，纬度：这个位置不在中国");
	complained("第 8 行，纬度：应是小数");
	complained("第 9 行，房号：与第 2 行是同一户");
	complained("第 10 行，电梯：同一单元的电梯与第 2 行填的不一样");
	complained("第 11 行：这一行的格数比标题行多");
	complained("共 11 处错误，没有导入任何内容。");
	assert_null(strstr(ctl_rig_err, "第 2 行，"));
	assert_int_equal(places(), 0);
}

static void
test_limits(void **state)
{
	/* Forty characters are a name, one more is none. */
	static const char	forty[] = "一二三四五六七八九十一二三四五六七八"
	    "九十一二三四五六七八九十一二三四五六七八九十";
	char			text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%s%s,1栋,1单元,101,199,1,,\n"
	    "翠湖苑,1栋,1单元,101,-9,0,,\n", TITLES, forty);
	assert_int_equal(import(text), 0);
	snprintf(text, sizeof(text), "%s%s十,1栋,1单元,101,-10,1,,\n",
	    TITLES, forty);
	assert_int_equal(import(text), 1);
	complained("第 2 行，小区：太长，最多 40 个字");
	complained("第 2 行，楼层：");
	assert_int_equal(places(), 8);
}

static void
test_titles(void **state)
{
	(void)state;
	assert_int_equal(import("小区,楼栋,单元,备注,小区\n"
	    "学苑小区,3栋,2单元,好,1\n"), 1);
	complained("第 1 行：第 4 列“备注”不是能导入的列");
	complained("第 1 行，小区：这一列出现了两次");
	complained("第 1 行，房号：缺少这一列");
	assert_int_equal(import(""), 1);
	complained("文件是空的");
	assert_int_equal(import(TITLES), 1);
	complained("文件里没有一户");
	assert_int_equal(import(TITLES "学苑小区,\"3栋,2单元,501\n"), 1);
	complained("第 2 行：引号没有成对");
	assert_int_equal(RIG_RUN(ctl_import, "import", "territory",
	    "/nowhere.csv", "--community", XUEYUAN), 1);
	complained("打不开");
	assert_int_equal(places(), 0);
}

static void
test_communities(void **state)
{
	const char	*path;

	(void)state;
	assert_int_equal(RIG_RUN(ctl_import, "import", "communities",
	    ctl_rig_file("again.csv", communities)), 0);
	assert_string_equal(ctl_rig_out, "社区：新增 0，更新 0，不变 2\n");
	assert_int_equal(RIG_RUN(ctl_import, "import", "communities",
	    ctl_rig_file("new.csv", "代码,代码版本,社区,街道乡镇\n"
	    XUEYUAN ",2024-10-01,学苑社区,西航街道\n")), 0);
	assert_string_equal(ctl_rig_out, "社区：新增 0，更新 1，不变 0\n");
	assert_int_equal(ctl_rig_number("SELECT lat AS n FROM community"
	    " WHERE code = '" XUEYUAN "' AND edition = '2024-10-01'"),
	    26240000);
	assert_int_equal(RIG_RUN(ctl_import, "import", "communities",
	    ctl_rig_file("bad.csv", "代码,代码版本,社区,街道乡镇\n"
	    "520402007005,2023-06-30,新社区,西航街道\n"
	    "52040200700X,2023-02-30,坏社区,\n"
	    "520402007005,2023-06-30,新社区,西航街道\n")), 1);
	complained("第 3 行，代码：应是 12 位数字");
	complained("第 3 行，代码版本：应是日期");
	complained("第 3 行，街道乡镇：不能为空");
	complained("第 4 行，代码：与第 2 行相同");
	assert_int_equal(ctl_rig_number(
	    "SELECT COUNT(*) AS n FROM community"), 2);

	/* Rows may say which community they are of. */
	path = ctl_rig_file("both.csv", "社区,小区,楼栋,单元,房号\n"
	    XUEYUAN ",学苑小区,1栋,1单元,101\n"
	    XIXING ",西兴花园,1栋,1单元,101\n");
	assert_int_equal(RIG_RUN(ctl_import, "import", "territory", path), 0);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place p"
	    " JOIN community c ON c.id = p.community_id"
	    " WHERE c.code = '" XIXING "'"), 4);
	path = ctl_rig_file("stray.csv", "社区,小区,楼栋,单元,房号\n"
	    "520402007099,学苑小区,1栋,1单元,102\n"
	    ",学苑小区,1栋,1单元,103\n");
	assert_int_equal(RIG_RUN(ctl_import, "import", "territory", path), 1);
	complained("第 2 行，社区：没有代码为“520402007099”的社区");
	complained("第 3 行，社区：请填写社区的 12 位代码");
	assert_int_equal(places(), 8);
}

static void
test_usage(void **state)
{
	const char	*path = ctl_rig_file("t.csv", TITLES
	    "学苑小区,1栋,1单元,101,,,,\n");

	(void)state;
	assert_int_equal(RIG_RUN(ctl_import, "import"), 2);
	assert_int_equal(RIG_RUN(ctl_import, "import", "territory"), 2);
	assert_int_equal(RIG_RUN(ctl_import, "import", "people", path), 2);
	assert_int_equal(RIG_RUN(ctl_import, "import", "territory", path,
	    "--what"), 2);
	assert_int_equal(RIG_RUN(ctl_import, "import", "territory", path), 1);
	complained("请用 --community");
	assert_int_equal(RIG_RUN(ctl_import, "import", "territory", path,
	    "--community", "520402007099"), 1);
	complained("没有代码为 520402007099 的社区");
	assert_int_equal(places(), 0);
}

/* Both engines refuse the same row in the middle of a transaction. */
static void
test_all_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(import(TITLES "学苑小区,1栋,1单元,101,,,,\n"), 0);
	assert_int_equal(db_script(ctl_rig.db, "CREATE UNIQUE INDEX stop ON"
	    " place (name) WHERE name = '102'"), OK);
	assert_int_equal(import(TITLES
	    "学苑小区,1栋,1单元,102,,,,\n学苑小区,1栋,2单元,102,,,,\n"), 1);
	complained("nothing was written");
	assert_int_equal(places(), 4);
}

static int
run_cases(const char *where)
{
	const struct CMUnitTest	tests[] = {
#define CASE(t)	cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		cmocka_unit_test(test_rank),
		CASE(test_tree),
		CASE(test_again),
		CASE(test_change),
		CASE(test_names),
		CASE(test_gbk),
		CASE(test_faults),
		CASE(test_limits),
		CASE(test_titles),
		CASE(test_communities),
		CASE(test_usage),
		CASE(test_all_or_nothing),
#undef CASE
	};

	url = where;
	return cmocka_run_group_tests_name(url != NULL ? "postgresql" :
	    "sqlite", tests, NULL, NULL);
}

int
main(void)
{
	return ctl_rig_both(run_cases);
}
