/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ctl_doctor.c -- planetctl doctor: well, and each thing that may be
 * wrong with what it says of it.
 */
#include "unit.h"

#include "base/arena.h"
#include "base/conf.h"
#include "store/db.h"

#include "ctl_rig.h"
#include "servers.h"

static const char	*url;
static struct server	redis;

static int
set_up(void **state)
{
	(void)state;
	ctl_rig_redis = redis.where;
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

/* Another [server] section. */
static void
open_with(const char *more)
{
	ctl_rig_close();
	ctl_rig_open(url, more);
}

/* Run it; its line that begins with `grade` and has `what` in it. */
static void
says(int rc, const char *grade, const char *what)
{
	char	*line, *rest = ctl_rig_out;

	assert_int_equal(RIG_RUN(ctl_doctor, "doctor"), rc);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, grade, strlen(grade)) == 0 &&
		    strstr(line, what) != NULL)
			return;
	fail_msg("no %s ... %s", grade, what);
}

static void
test_well(void **state)
{
	(void)state;
	assert_int_equal(RIG_RUN(ctl_doctor, "doctor"), 0);
	assert_null(strstr(ctl_rig_out, "FAIL"));
	assert_non_null(strstr(ctl_rig_out, " 0 failures\n"));
	says(0, "ok    ", "api pool: 2 nginx workers x 16 kept connections");
	says(0, "ok    ", "all statements fit");
	assert_null(strstr(ctl_rig_out, "does not say its version"));
	says(0, "ok    ", "the keys can be used");
	says(0, "ok    ", url == NULL ? "journal_mode is wal" :
	    "server_encoding is UTF8");
	/* Nobody answers for WeChat here, which is no failure. */
	says(0, "WARN  ", "gives no access token");
	assert_int_equal(RIG_RUN(ctl_doctor, "doctor", "more"), 2);
}

static void
test_conf(void **state)
{
	(void)state;
	open_with("api_threads = 1\n");
	says(0, "ok    ", "api pool: 2 nginx workers x 1 kept connections");
	open_with("drain_ms = 0\n");
	says(0, "WARN  ", "keeps no connections");
	open_with("listen = 0.0.0.0:80\n");
	says(1, "FAIL  ", "anybody can log in as anybody");
	open_with("dir = nowhere\n");
	says(1, "FAIL  ", "nowhere is no folder");
	open_with("generation = "
	    "1234567890123456789012345678901234567890123456789012345678901\n"
	    "run_dir = run/../run/../run/../run/../run\n");
	says(1, "FAIL  ", "too long for a socket");
	open_with("clock_file = clock\n");
	says(0, "WARN  ", "remove clock_file");
}

static void
test_files(void **state)
{
	const char	*keys = unit_path(ctl_rig_dir, "planet.keys");
	const char	*secret = unit_path(ctl_rig_dir, "wechat.secret");
	const char	*aside = unit_path(ctl_rig_dir, "aside");

	(void)state;
	assert_int_equal(chmod(keys, 0640), 0);
	says(1, "FAIL  ", "can be read by others  -> chmod 600");
	assert_int_equal(rename(keys, aside), 0);
	says(1, "FAIL  ", "planetctl keys new");
	unit_write(keys, "no key\n", 7, 0600);
	says(1, "FAIL  ", "the keys cannot be used");
	assert_int_equal(rename(aside, keys), 0);
	assert_int_equal(chmod(keys, 0600), 0);

	assert_int_equal(chmod(secret, 0604), 0);
	says(1, "FAIL  ", "wechat.secret can be read by others");
	assert_int_equal(chmod(secret, 0600), 0);
	assert_int_equal(chmod(unit_path(ctl_rig_dir, "run"), 0707), 0);
	says(1, "FAIL  ", "can be written to by everybody");
	assert_int_equal(chmod(unit_path(ctl_rig_dir, "run"), 0700), 0);
	says(0, "ok    ", "AppSecret");
}

static void
test_pay(void **state)
{
	const char	*key = unit_path(ctl_rig_dir, "apiclient_key.pem");
	const char	*apiv3 = unit_path(ctl_rig_dir, "apiv3.key");

	(void)state;
	says(0, "ok    ", "no merchant: nothing is paid online");
	open_with("[pay]\npay_mchid = 1900000109\npay_serial = 00AA\n");
	says(1, "FAIL  ", "take apiclient_key.pem from the merchant");
	unit_write(key, "no key\n", 7, 0640);
	says(1, "FAIL  ", "apiclient_key.pem can be read by others");
	assert_int_equal(chmod(key, 0600), 0);
	unit_write(apiv3, "no key\n", 7, 0600);
	says(1, "FAIL  ", "WeChat Pay cannot be asked");
	open_with("listen = 0.0.0.0:80\n[pay]\npay_mchid = 1900000109\n"
	    "pay_serial = 00AA\npay_url = http://127.0.0.1:9\n");
	says(1, "FAIL  ", "anybody can pay with nothing");
	assert_int_equal(unlink(key), 0);
	assert_int_equal(unlink(apiv3), 0);
}

static void
test_database(void **state)
{
	(void)state;
	assert_int_equal(db_script(ctl_rig.db, "ALTER TABLE water_product"
	    " RENAME COLUMN brand TO make"), OK);
	says(1, "FAIL  ", "statements do not fit");
	assert_int_equal(db_script(ctl_rig.db,
	    "DELETE FROM schema_version WHERE version > 1"), OK);
	says(1, "FAIL  ", "planetctl migrate");
}

static void
test_no_database(void **state)
{
	const char	*file = unit_path(ctl_rig_dir, "planet.db");
	struct stat	 st;

	(void)state;
	if (url != NULL)
		skip();
	assert_int_equal(chmod(file, 0644), 0);
	says(0, "WARN  ", "planet.db can be read by others");
	assert_int_equal(unlink(file), 0);
	says(1, "FAIL  ", "planet.db is not there");
	/* Looking has not made it. */
	assert_int_equal(stat(file, &st), -1);
}

static void
test_redis(void **state)
{
	(void)state;
	servers_kill(&redis);
	says(1, "FAIL  ", "does not answer");
	servers_again(&redis);
	says(0, "ok    ", "maxmemory-policy is noeviction");
}

static int
run_cases(void)
{
	const struct CMUnitTest	tests[] = {
#define CASE(t)	cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		CASE(test_well),
		CASE(test_conf),
		CASE(test_files),
		CASE(test_pay),
		CASE(test_database),
		CASE(test_no_database),
		CASE(test_redis),
#undef CASE
	};

	return cmocka_run_group_tests_name(url != NULL ? "postgresql" :
	    "sqlite", tests, NULL, NULL);
}

int
main(void)
{
	struct server	pgsql;
	int		failed;

	if (!servers_redis(&redis))
		return SERVERS_SKIP;
	ctl_rig_start();
	failed = run_cases();
	if (servers_pgsql(&pgsql)) {
		url = pgsql.where;
		failed += run_cases();
		servers_stop(&pgsql);
	}
	servers_stop(&redis);
	if (failed == 0)
		ctl_rig_stop();
	return failed;
}
