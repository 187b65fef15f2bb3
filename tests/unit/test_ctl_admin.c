/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ctl_admin.c -- planetctl admin: accounts made, refused, listed, and
 * given another password, which ends their sessions.
 */
#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "store/db.h"
#include "store/redis.h"
#include "store/session.h"

#include "ctl_rig.h"
#include "servers.h"

#define XUEYUAN	"520402007004"

static struct server	redis;
static bool		have_redis;

static int
set_up(void **state)
{
	(void)state;
	ctl_rig_redis = have_redis ? redis.where : NULL;
	ctl_rig_open(NULL, "");
	assert_int_equal(RIG_RUN(ctl_import, "import", "communities",
	    ctl_rig_file("communities.csv", "code,edition,name,township\n"
	    XUEYUAN ",2023-06-30,学苑社区,西航街道\n")), 0);
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
create(const char *account, const char *password)
{
	return RIG_RUN(ctl_admin, "admin", "create", "--account", account,
	    "--community", XUEYUAN, "--password-file",
	    ctl_rig_file("password", password));
}

static int
reset(const char *account, const char *password)
{
	return RIG_RUN(ctl_admin, "admin", "reset-password", "--account",
	    account, "--password-file", ctl_rig_file("password", password));
}

static bool
fits(const char *account, const char *password)
{
	return crypt_password_fits(ctl_rig_text(arena_fmt(ctl_rig.arena,
	    "SELECT password AS s FROM app_user WHERE account = '%s'",
	    account)), password);
}

static int64_t
users(void)
{
	return ctl_rig_number("SELECT COUNT(*) AS n FROM app_user");
}

static void
complained(const char *what)
{
	if (strstr(ctl_rig_err, what) == NULL)
		fail_msg("no \"%s\" in:\n%s", what, ctl_rig_err);
}

static void
test_create(void **state)
{
	(void)state;
	assert_int_equal(create("zhou.min", "correct horse\nnot this\n"), 0);
	assert_true(fits("zhou.min", "correct horse"));
	assert_false(fits("zhou.min", "correct horse\n"));
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n"
	    " FROM user_role r JOIN app_user u ON u.id = r.user_id"
	    " JOIN community c ON c.id = r.community_id"
	    " AND c.id = u.community_id WHERE u.account = 'zhou.min'"
	    " AND u.name = 'zhou.min' AND r.role = 'admin'"), 1);
	/* Neither the password nor its hash is printed. */
	assert_null(strstr(ctl_rig_out, "horse"));
	assert_null(strstr(ctl_rig_out, "argon2"));
}

static void
test_roles(void **state)
{
	const char	*file = ctl_rig_file("password", "correct horse\r\n");

	(void)state;
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "ops", "--role", "platform", "--password-file", file), 0);
	assert_int_equal(ctl_rig_number("SELECT COUNT(*) AS n"
	    " FROM user_role r JOIN app_user u ON u.id = r.user_id"
	    " WHERE r.community_id = 0 AND r.role = 'platform'"
	    " AND u.community_id IS NULL"), 1);
	assert_true(fits("ops", "correct horse"));
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "wu.qian", "--role", "clerk", "--role", "party", "--role",
	    "clerk", "--community", XUEYUAN, "--name", "吴倩",
	    "--password-file", file), 0);
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "list"), 0);
	assert_string_equal(ctl_rig_out,
	    "ops\tplatform\tops\teverywhere\n"
	    "wu.qian\tclerk\t吴倩\t520402007004 学苑社区\n"
	    "wu.qian\tparty\t吴倩\t520402007004 学苑社区\n");
}

static void
test_refused(void **state)
{
	static const char *const accounts[] = { "ab", "Zhou", "9lives",
	    "zhou min", "周敏", "", "a/b/c" };
	char	long_one[160];
	size_t	i;

	(void)state;
	for (i = 0; i < nitems(accounts); i++) {
		assert_int_equal(create(accounts[i], "correct horse\n"), 1);
		complained("an account is 3 to 64");
	}
	assert_int_equal(create("zhou.min", "1234567\n"), 1);
	complained("at least 8 characters");
	assert_int_equal(create("zhou.min.s", "Zhou.Min.S\n"), 1);
	complained("not the account's name");
	assert_int_equal(create("zhou.min", "correct\thorse\n"), 1);
	complained("control characters");
	assert_int_equal(create("zhou.min", "correct\xff horse\n"), 1);
	assert_int_equal(create("zhou.min", ""), 1);
	complained("holds no password");
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	assert_int_equal(create("zhou.min", long_one), 1);
	complained("too long");
	assert_int_equal(users(), 0);
	/* Eight characters of any script are enough. */
	assert_int_equal(create("zhou.min", "八个字的口令就够"), 0);
	assert_int_equal(create("zhou.min", "correct horse\n"), 1);
	complained("such an account already");
	assert_int_equal(users(), 1);
	assert_true(fits("zhou.min", "八个字的口令就够"));
}

static void
test_usage(void **state)
{
	const char	*file = ctl_rig_file("password", "correct horse\n");

	(void)state;
	assert_int_equal(RIG_RUN(ctl_admin, "admin"), 2);
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "destroy"), 2);
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create"), 2);
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "more",
	    "--account", "zhou.min"), 2);
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "reset-password"), 2);
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "list", "--account",
	    "zhou.min"), 2);
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "zhou.min", "--password-file", file), 1);
	complained("say of which --community");
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "zhou.min", "--community", "1", "--password-file", file), 1);
	complained("no community has this code");
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "zhou.min", "--community", XUEYUAN, "--role", "king",
	    "--password-file", file), 1);
	complained("there is no such role");
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "zhou.min", "--community", XUEYUAN, "--name",
	    "一二三四五六七八九十一二三四五六七八九十一",
	    "--password-file", file), 1);
	complained("1 to 20 characters");
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "zhou.min", "--community", XUEYUAN, "--password-file",
	    "/nowhere"), 1);
	complained("/nowhere");
	assert_int_equal(users(), 0);
}

static void
test_reset(void **state)
{
	struct session	 s = { .life_ms = CLOCK_HOUR, .staff = true };
	struct session	 found;
	struct redis	*r;
	char		 token[CRYPT_TOKEN_MAX];

	(void)state;
	if (!have_redis)
		skip();
	r = redis_new(redis.where, 0, 1000);
	assert_int_equal(create("zhou.min", "correct horse\n"), 0);
	s.user_id = ctl_rig_number("SELECT id AS n FROM app_user");
	assert_int_equal(session_open(r, &s, token), OK);
	assert_int_equal(reset("zhou.min", "short\n"), 1);
	assert_int_equal(session_find(r, token, clock_now(), &found), OK);
	assert_int_equal(reset("zhou.min", "battery staple\n"), 0);
	assert_true(fits("zhou.min", "battery staple"));
	assert_false(fits("zhou.min", "correct horse"));
	assert_int_equal(session_find(r, token, clock_now(), &found),
	    ERR_NO_SESSION);
	assert_int_equal(reset("nobody", "battery staple\n"), 1);
	complained("there is no such account");
	redis_free(r);
}

/* The password is changed all the same, and it says what is left to do. */
static void
test_reset_without_redis(void **state)
{
	(void)state;
	ctl_rig_close();
	ctl_rig_redis = NULL;
	ctl_rig_open(NULL, "");
	assert_int_equal(RIG_RUN(ctl_admin, "admin", "create", "--account",
	    "ops", "--role", "platform", "--password-file",
	    ctl_rig_file("password", "correct horse\n")), 0);
	assert_int_equal(reset("ops", "battery staple\n"), 1);
	complained("sessions that are open could not be ended");
	assert_true(fits("ops", "battery staple"));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
#define CASE(t)	cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		CASE(test_create),
		CASE(test_roles),
		CASE(test_refused),
		CASE(test_usage),
		CASE(test_reset),
		CASE(test_reset_without_redis),
#undef CASE
	};
	int	failed;

	ctl_rig_start();
	have_redis = servers_redis(&redis);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (have_redis)
		servers_stop(&redis);
	if (failed == 0)
		ctl_rig_stop();
	return failed;
}
