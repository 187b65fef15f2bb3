/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ctl_demo.c -- planetctl demo on both engines: what it loads, that
 * it leaves alone what is there, and what demo.json says of it.
 */
#include <jansson.h>

#include "unit.h"

#include "base/arena.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "store/db.h"

#include "ctl_rig.h"

#define DEMO(...) RIG_RUN(ctl_demo, "demo", "--base-url", "http://a", \
	"--standin-url", "http://b", ##__VA_ARGS__)

static const char	*url;

static int
set_up(void **state)
{
	(void)state;
	ctl_rig_open(url, "");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ctl_rig_close();
	return 0;
}

static json_t *
read_file(const char *path)
{
	json_t	*all = json_load_file(path, 0, NULL);

	assert_non_null(all);
	return all;
}

static const char *
text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int64_t
count(const char *table)
{
	return ctl_rig_number(arena_fmt(ctl_rig.arena,
	    "SELECT COUNT(*) AS n FROM %s", table));
}

/* What stays the same when nothing is added. */
static int64_t
all_rows(void)
{
	return count("community") + count("place") + count("org") +
	    count("water_station") + count("water_area") +
	    count("water_product") + count("app_user") +
	    count("user_role") + count("org_staff");
}

static void
test_loads(void **state)
{
	(void)state;
	assert_int_equal(DEMO(), 0);
	assert_string_equal(ctl_rig_err, "");
	assert_int_equal(count("community"), 3);
	assert_int_equal(count("water_station"), 5);
	assert_true(count("place") > 300);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE kind = 'dwelling' AND (floor IS NULL OR lift IS NULL"
	    " OR lat IS NULL)"), 0);
	assert_true(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE kind = 'entrance' AND lift = 1") > 0);
	assert_true(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE kind = 'entrance' AND lift = 0") > 0);
	/* Every station serves something, and every compound has one. */
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place p"
	    " WHERE kind = 'compound' AND NOT EXISTS (SELECT 1"
	    " FROM water_area a WHERE a.compound_id = p.id)"), 0);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM"
	    " water_station s WHERE NOT EXISTS (SELECT 1 FROM water_area a"
	    " JOIN water_product p ON p.station_id = a.station_id"
	    " WHERE a.station_id = s.id)"), 0);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n"
	    " FROM water_station WHERE accept_minutes <> 15"), 0);
}

/* An order must be able to move on for no more money. */
static void
test_next_station(void **state)
{
	(void)state;
	assert_int_equal(DEMO(), 0);
	assert_true(ctl_rig_number("SELECT COUNT(*) AS n FROM water_area a"
	    " JOIN water_area b ON b.community_id = a.community_id"
	    " AND b.compound_id = a.compound_id AND b.rank > a.rank"
	    " JOIN water_product p ON p.station_id = a.station_id"
	    " JOIN water_product q ON q.station_id = b.station_id"
	    " AND q.brand = p.brand AND q.millilitres = p.millilitres"
	    " AND q.price_fen <= p.price_fen") > 0);
	/* And a station that does not serve some compound of its community. */
	assert_true(ctl_rig_number("SELECT COUNT(*) AS n"
	    " FROM water_station s JOIN place c"
	    " ON c.community_id = s.community_id AND c.kind = 'compound'"
	    " WHERE NOT EXISTS (SELECT 1 FROM water_area a"
	    " WHERE a.station_id = s.id AND a.compound_id = c.id)") > 0);
}

static void
test_again(void **state)
{
	int64_t	before;

	(void)state;
	assert_int_equal(DEMO(), 0);
	before = all_rows();
	assert_int_equal(db_script(ctl_rig.db,
	    "UPDATE water_product SET stock = 7;"
	    "UPDATE place SET lift = 1, floor = 9 WHERE kind = 'dwelling';"
	    "UPDATE app_user SET password = 'changed'"), OK);
	assert_int_equal(DEMO(), 0);
	assert_non_null(strstr(ctl_rig_out, "added 0 dwellings, 0 stations,"
	    " 0 products, 0 accounts"));
	assert_int_equal(all_rows(), before);
	assert_int_equal(ctl_rig_number("SELECT MIN(stock) AS n"
	    " FROM water_product"), 7);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM place"
	    " WHERE kind = 'dwelling' AND (lift = 0 OR floor <> 9)"), 0);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n FROM app_user"
	    " WHERE password <> 'changed'"), 0);
}

/* Is in the database as the file says. */
static void
check_person(const json_t *p)
{
	const json_t	*role;
	const char	*hash;
	size_t		 i;

	hash = ctl_rig_text(arena_fmt(ctl_rig.arena, "SELECT password AS s"
	    " FROM app_user WHERE account = '%s' AND community_id = %s",
	    text(p, "account"), text(p, "community")));
	if (strcmp(text(p, "account"), "admin-xueyuan") == 0) {
		assert_true(crypt_password_fits(hash, text(p, "password")));
		assert_false(crypt_password_fits(hash, "Planet-2026-demO"));
	}
	assert_true(json_array_size(json_object_get(p, "roles")) > 0);
	json_array_foreach(json_object_get(p, "roles"), i, role)
		assert_int_equal(ctl_rig_number(arena_fmt(ctl_rig.arena,
		    "SELECT COUNT(*) AS n FROM user_role r JOIN app_user u"
		    " ON u.id = r.user_id WHERE u.account = '%s'"
		    " AND r.role = '%s' AND r.community_id = %s",
		    text(p, "account"), json_string_value(role),
		    strcmp(json_string_value(role), "platform") == 0 ? "0" :
		    text(p, "community"))), 1);
	if (text(p, "station") != NULL)
		assert_int_equal(ctl_rig_number(arena_fmt(ctl_rig.arena,
		    "SELECT COUNT(*) AS n FROM org_staff s JOIN app_user u"
		    " ON u.id = s.user_id WHERE u.account = '%s'"
		    " AND s.org_id = %s AND s.duty = '%s'",
		    text(p, "account"), text(p, "station"),
		    text(p, "duty"))), 1);
	if (text(p, "openid") != NULL)
		assert_int_equal(ctl_rig_number(arena_fmt(ctl_rig.arena,
		    "SELECT COUNT(*) AS n FROM app_user WHERE account = '%s'"
		    " AND openid = '%s'", text(p, "account"),
		    text(p, "openid"))), 1);
}

static void
check_resident(const json_t *r)
{
	assert_int_equal(ctl_rig_number(arena_fmt(ctl_rig.arena,
	    "SELECT COUNT(*) AS n FROM place WHERE community_id = %s"
	    " AND id = %s AND kind = 'dwelling' AND full_name = '%s'",
	    text(r, "community"), text(r, "dwelling_id"),
	    text(r, "place"))), 1);
	assert_int_equal(ctl_rig_number(arena_fmt(ctl_rig.arena,
	    "SELECT COUNT(*) AS n FROM app_user WHERE openid = '%s'",
	    text(r, "openid"))), 0);
	assert_int_equal(strlen(text(r, "phone")), 11);
}

static void
test_file(void **state)
{
	const char	*path = unit_path(ctl_rig_dir, "demo.json");
	json_t		*all;
	const json_t	*one;
	struct stat	 st;
	size_t		 i;

	(void)state;
	assert_int_equal(DEMO(), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	all = read_file(path);
	assert_string_equal(text(all, "base_url"), "http://a");
	assert_string_equal(text(all, "standin_url"), "http://b");
	assert_true(json_array_size(json_object_get(all, "staff")) > 10);
	json_array_foreach(json_object_get(all, "staff"), i, one)
		check_person(one);
	assert_true(json_array_size(json_object_get(all, "residents")) > 10);
	json_array_foreach(json_object_get(all, "residents"), i, one)
		check_resident(one);
	json_decref(all);
}

static void
test_out(void **state)
{
	const char	*path = unit_path(ctl_rig_dir, "other.json");

	(void)state;
	assert_int_equal(DEMO("--out", path), 0);
	json_decref(read_file(path));
	assert_int_equal(DEMO("--out", "/nowhere/demo.json"), 1);
	assert_non_null(strstr(ctl_rig_err, "/nowhere/demo.json"));
	/* A file that cannot be replaced leaves nothing beside it. */
	path = unit_path(ctl_rig_dir, "run");
	assert_int_equal(DEMO("--out", path), 1);
	assert_int_equal(access(arena_fmt(ctl_rig.arena, "%s.new-%ld", path,
	    (long)getpid()), F_OK), -1);
	assert_int_equal(RIG_RUN(ctl_demo, "demo"), 2);
	assert_int_equal(RIG_RUN(ctl_demo, "demo", "--base-url", "http://a"),
	    2);
	assert_int_equal(DEMO("more"), 2);
}

static int
run_cases(const char *where)
{
	const struct CMUnitTest	tests[] = {
#define CASE(t)	cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		CASE(test_loads),
		CASE(test_next_station),
		CASE(test_again),
		CASE(test_file),
		CASE(test_out),
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
