/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wechat_phone.c -- what is asked with the shared token: the phone
 * number by code and subscribe messages.
 *
 * The stand-in counts the calls it gets, so that "one fetches" and "once
 * more" are seen and not assumed.
 */
#include <pthread.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "store/redis.h"
#include "wechat/wechat.h"

#include "wechat_rig.h"

#define OPENID		"oTestOpenid-_0123456789ABCDE"
#define TEMPLATE	"water-order-progress"

static struct wechat_rig rig;

static int
begin(void **state)
{
	(void)state;
	wechat_rig_start(&rig);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	wechat_rig_stop(&rig);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	wechat_rig_clean(&rig);
	return 0;
}

static const char *
good_token(void)
{
	const char *got;

	assert_int_equal(wechat_token(rig.w, rig.redis, rig.a, NULL, &got),
	    OK);
	return got;
}

static const char *
kept_token(void)
{
	char *value;

	assert_int_equal(redis_get(rig.redis, rig.a, RIG_KEY, &value), OK);
	return value;
}

static int
calls(const char *kind)
{
	return wechat_rig_calls(&rig, kind);
}

/* Nothing that was logged so far holds what no log may hold. */
static void
assert_discreet(const char *more)
{
	const char *log = wechat_rig_log(&rig);

	assert_null(strstr(log, RIG_SECRET));
	assert_null(strstr(log, OPENID));
	assert_null(strstr(log, "99_"));	/* how tokens begin */
	if (more != NULL)
		assert_null(strstr(log, more));
}

/* The phone number */

static enum err
phone(const char *code, const char **ret)
{
	*ret = "untouched";
	return wechat_phone(rig.w, rig.redis, rig.a, code, ret);
}

static void
phone_code(char code[80])
{
	wechat_rig_code(&rig, code, "phone-codes",
	    "{\"phone\":\"13800138000\"}");
}

static void
phone_good(void **state)
{
	static const char *const rows[][3] = {
		{ "13800138000", "86", "13800138000" },
		{ "61234567", "852", "0085261234567" },
		/* Not somebody's 13105551234. */
		{ "3105551234", "1", "0013105551234" },
	};
	char		 code[80];
	const char	*got;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		wechat_rig_code(&rig, code, "phone-codes", "{\"phone\":"
		    "\"%s\",\"country_code\":\"%s\"}", rows[i][0],
		    rows[i][1]);
		assert_int_equal(phone(code, &got), OK);
		assert_string_equal(got, rows[i][2]);
	}
	assert_string_equal(wechat_rig_log(&rig), "");
}

static void
phone_refused(void **state)
{
	static char	 longer[600];
	char		 code[80];
	const char	*got;
	int		 before;

	(void)state;
	phone_code(code);
	assert_int_equal(phone(code, &got), OK);
	assert_int_equal(phone(code, &got), ERR_LOGIN_CODE);
	assert_string_equal(got, "untouched");
	assert_int_equal(phone("invented", &got), ERR_LOGIN_CODE);
	assert_int_equal(phone("\"},{\"", &got), ERR_LOGIN_CODE);
	wechat_rig_code(&rig, code, "login-codes", "{\"openid\":\"o\"}");
	assert_int_equal(phone(code, &got), ERR_LOGIN_CODE);
	phone_code(code);
	wechat_rig_pass(&rig, 300500);
	assert_int_equal(phone(code, &got), ERR_LOGIN_CODE);
	before = calls("phone");
	memset(longer, 'a', sizeof(longer) - 1);
	assert_int_equal(phone("", &got), ERR_LOGIN_CODE);
	assert_int_equal(phone(longer, &got), ERR_LOGIN_CODE);
	assert_int_equal(phone("\xff\xfe", &got), ERR_LOGIN_CODE);
	assert_int_equal(calls("phone"), before);
	assert_discreet(code);
}

#define INFO(cc, n)	"{\"errcode\":0,\"phone_info\":{\"countryCode\":" \
	cc ",\"purePhoneNumber\":" n "}}"

static void
phone_misshapen(void **state)
{
	static const char *const rows[] = {
		"{\"errcode\":0}",
		"{\"errcode\":0,\"phone_info\":[]}",
		"{\"errcode\":0,\"phone_info\":{}}",
		INFO("86", "\"13800138000\""),
		INFO("\"86\"", "13800138000"),
		INFO("\"86\"", "\"1380013800\""),
		INFO("\"86\"", "\"138001380001\""),
		INFO("\"86\"", "\"12800138000\""),
		INFO("\"86\"", "\"23800138000\""),
		INFO("\"86\"", "\"1380013800a\""),
		INFO("\"86\"", "\"\""),
		INFO("\"\"", "\"61234567\""),
		INFO("\"0852\"", "\"61234567\""),
		INFO("\"+852\"", "\"61234567\""),
		INFO("\"85200\"", "\"61234567\""),
		INFO("\"852\"", "\"612\""),
		INFO("\"852\"", "\"6123 4567\""),
		INFO("\"852\"", "\"6123456789012\""),
		"garbage",
	};
	const char	*got;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		wechat_rig_answer(&rig, "phone", rows[i]);
		if (phone("x", &got) != ERR_WECHAT_AWAY)
			fail_msg("taken: %s", rows[i]);
		assert_string_equal(got, "untouched");
	}
	wechat_rig_answer(&rig, "phone", INFO("\"852\"", "\"612345678901\""));
	assert_int_equal(phone("x", &got), OK);
	assert_discreet("13800138000");
}

static void
refuse_token(int errcode, int times)
{
	wechat_rig_set(&rig, "faults", "{\"kind\":\"phone\",\"mode\":"
	    "\"errcode\",\"errcode\":%d,\"times\":%d}", errcode, times);
}

/* A refused token is replaced and the call made once more, not twice. */
static void
phone_token_refused(void **state)
{
	static const int	 codes[] = { 40001, 40014, 42001 };
	char			 code[80];
	const char		*first, *got;
	int			 before;
	size_t			 i;

	(void)state;
	phone_code(code);
	for (i = 0; i < nitems(codes); i++) {
		phone_code(code);
		first = good_token();
		before = calls("phone");
		refuse_token(codes[i], 1);
		assert_int_equal(phone(code, &got), OK);
		assert_int_equal(calls("phone"), before + 2);
		assert_string_not_equal(kept_token(), first);
		wechat_rig_pass(&rig, 31000);
	}
	phone_code(code);
	before = calls("phone");
	refuse_token(40001, 2);
	assert_int_equal(phone(code, &got), ERR_WECHAT_AWAY);
	assert_int_equal(calls("phone"), before + 2);
	wechat_rig_pass(&rig, 31000);
	/* Another refusal is none of the token's. */
	before = calls("phone");
	refuse_token(45011, 1);
	assert_int_equal(phone(code, &got), ERR_WECHAT_AWAY);
	assert_int_equal(calls("phone"), before + 1);
	assert_int_equal(phone(code, &got), OK);
	assert_discreet(code);
}

/* Somebody else made our token void; no force is needed to go on. */
static void
phone_token_killed(void **state)
{
	char		 code[80];
	const char	*got;
	int		 before;

	(void)state;
	good_token();
	json_decref(wechat_rig_ask(&rig, "POST", "/cgi-bin/stable_token",
	    "{\"grant_type\":\"client_credential\",\"appid\":\"" RIG_APPID
	    "\",\"secret\":\"" RIG_SECRET "\",\"force_refresh\":true}"));
	phone_code(code);
	before = calls("token");
	assert_int_equal(phone(code, &got), OK);
	assert_int_equal(calls("token"), before + 1);
	/* The same when it has ended, though Redis still holds it. */
	wechat_rig_pass(&rig, 7300 * CLOCK_SECOND);
	phone_code(code);
	assert_int_equal(phone(code, &got), OK);
	assert_int_equal(calls("token"), before + 2);
}

/* All questions of one call together have its time. */
static void
phone_time(void **state)
{
	char		 code[80];
	const char	*got;
	int64_t		 start;

	(void)state;
	wechat_rig_fresh(&rig, 500);
	phone_code(code);
	wechat_rig_set(&rig, "faults",
	    "{\"kind\":\"token\",\"mode\":\"delay\",\"delay_ms\":350}");
	wechat_rig_set(&rig, "faults",
	    "{\"kind\":\"phone\",\"mode\":\"delay\",\"delay_ms\":350}");
	start = clock_mono_us();
	assert_int_equal(phone(code, &got), ERR_WECHAT_AWAY);
	assert_in_range(clock_mono_us() - start, 450000, 5000000);
	assert_discreet(code);
}

/* Messages */

static enum wechat_sent
notify(const char *page, const char *data, int *ret_code)
{
	*ret_code = 77;
	return wechat_notify(rig.w, rig.redis, rig.a, OPENID, TEMPLATE, page,
	    data, ret_code);
}

static void
accepts(int n)
{
	wechat_rig_set(&rig, "accepts", "{\"openid\":\"" OPENID "\","
	    "\"template_id\":\"" TEMPLATE "\",\"count\":%d}", n);
}

#define DATA	"{\"thing1\":{\"value\":\"桶装水已送达\"}}"

static void
notify_sent(void **state)
{
	json_t		*list, *one;
	const char	*text;
	int		 code;

	(void)state;
	accepts(2);
	assert_int_equal(notify("pages/order/order?id=1", DATA, &code),
	    WECHAT_SENT);
	assert_int_equal(code, 0);
	assert_int_equal(notify(NULL, DATA, &code), WECHAT_SENT);
	list = wechat_rig_ask(&rig, "GET",
	    "/_standin/messages?openid=" OPENID, NULL);
	assert_int_equal(json_array_size(list), 2);
	one = json_array_get(list, 0);
	/* Had the text gone as escapes, they would stand here. */
	text = json_string_value(json_object_get(json_object_get(
	    json_object_get(one, "data"), "thing1"), "value"));
	assert_string_equal(text, "桶装水已送达");
	assert_string_equal(json_string_value(json_object_get(one, "page")),
	    "pages/order/order?id=1");
	assert_string_equal(json_string_value(json_object_get(one,
	    "miniprogram_state")), "trial");
	assert_true(json_is_null(json_object_get(json_array_get(list, 1),
	    "page")));
	json_decref(list);
	assert_string_equal(wechat_rig_log(&rig), "");
	assert_int_equal(notify(NULL, DATA, &code), WECHAT_REFUSED);
	assert_int_equal(code, 43101);
	assert_discreet("桶装水");
}

static void
notify_faulty(void **state)
{
	int	code, before;

	(void)state;
	accepts(1);
	assert_int_equal(notify("https://a.example/", DATA, &code),
	    WECHAT_FAULTY);
	assert_int_equal(code, 41030);
	assert_int_equal(notify(NULL, "{\"phrase1\":{\"value\":\"ok\"}}",
	    &code), WECHAT_FAULTY);
	assert_int_equal(code, 47003);
	assert_int_equal(wechat_notify(rig.w, rig.redis, rig.a, "nobody",
	    TEMPLATE, NULL, DATA, &code), WECHAT_FAULTY);
	assert_int_equal(code, 40003);
	assert_int_equal(wechat_notify(rig.w, rig.redis, rig.a, OPENID,
	    "?", NULL, DATA, &code), WECHAT_FAULTY);
	assert_int_equal(code, 40037);
	/* What cannot be sent is not. */
	before = calls("notify");
	assert_int_equal(notify(NULL, "[]", &code), WECHAT_FAULTY);
	assert_int_equal(code, 0);
	assert_int_equal(notify(NULL, "", &code), WECHAT_FAULTY);
	assert_int_equal(notify(NULL, "{\"a\"", &code), WECHAT_FAULTY);
	assert_int_equal(notify("\xff", DATA, &code), WECHAT_FAULTY);
	assert_int_equal(wechat_notify(rig.w, rig.redis, rig.a, "\xff",
	    TEMPLATE, NULL, DATA, &code), WECHAT_FAULTY);
	assert_int_equal(calls("notify"), before);
	/* None of them used the permission up. */
	assert_int_equal(notify("", DATA, &code), WECHAT_SENT);
	assert_discreet(NULL);
}

static void
notify_mapped(void **state)
{
	static const struct {
		int			errcode;
		enum wechat_sent	sent;
	} rows[] = {
		{ -1, WECHAT_LATER }, { 43108, WECHAT_LATER },
		{ 45009, WECHAT_LATER }, { 45011, WECHAT_LATER },
		{ 44991, WECHAT_LATER }, { 50002, WECHAT_LATER },
		{ 99999, WECHAT_LATER }, { 43101, WECHAT_REFUSED },
		{ 43107, WECHAT_FAULTY }, { 45168, WECHAT_FAULTY },
		{ 40037, WECHAT_FAULTY }, { 47001, WECHAT_FAULTY },
	};
	static const char *const modes[] = { "garbage", "half", "http500" };
	size_t	i;
	int	code;

	(void)state;
	accepts(1);
	for (i = 0; i < nitems(rows); i++) {
		wechat_rig_set(&rig, "faults", "{\"kind\":\"notify\","
		    "\"mode\":\"errcode\",\"errcode\":%d}", rows[i].errcode);
		assert_int_equal(notify(NULL, DATA, &code), rows[i].sent);
		assert_int_equal(code, rows[i].errcode);
	}
	for (i = 0; i < nitems(modes); i++) {
		wechat_rig_set(&rig, "faults", "{\"kind\":\"notify\","
		    "\"mode\":\"%s\"}", modes[i]);
		assert_int_equal(notify(NULL, DATA, &code), WECHAT_LATER);
		assert_int_equal(code, 0);
	}
	assert_discreet(NULL);
	assert_int_equal(notify(NULL, DATA, &code), WECHAT_SENT);
}

static void *
notify_beside(void *arg)
{
	struct wechat	*w = wechat_new(&rig.conf);
	struct redis	*redis = redis_new(rig.server.where, 0, 2000);
	struct arena	*a = arena_new(1 << 20);
	int		*codes = arg;

	codes[1] = (int)wechat_notify(w, redis, a, OPENID, TEMPLATE, NULL,
	    DATA, &codes[0]);
	arena_free(a);
	redis_free(redis);
	wechat_free(w);
	return NULL;
}

static void
notify_two_at_once(void **state)
{
	pthread_t	thread;
	int		beside[2] = { 77, 77 }, before, code;

	(void)state;
	accepts(2);
	good_token();
	before = calls("notify");
	wechat_rig_set(&rig, "faults",
	    "{\"kind\":\"notify\",\"mode\":\"delay\",\"delay_ms\":1000}");
	assert_int_equal(pthread_create(&thread, NULL, notify_beside, beside),
	    0);
	while (calls("notify") == before)
		continue;
	assert_int_equal(notify(NULL, DATA, &code), WECHAT_LATER);
	assert_int_equal(code, 43108);
	pthread_join(thread, NULL);
	assert_int_equal(beside[0], 0);
	assert_int_equal(beside[1], WECHAT_SENT);
	assert_int_equal(notify(NULL, DATA, &code), WECHAT_SENT);
}

/* Last: Redis goes and comes back. */
static void
redis_away(void **state)
{
	char		 code[80];
	const char	*got;
	int		 n;

	(void)state;
	servers_kill(&rig.server);
	phone_code(code);
	assert_int_equal(phone(code, &got), ERR_AWAY);
	assert_int_equal(notify(NULL, DATA, &n), WECHAT_LATER);
	assert_int_equal(n, 0);
	servers_again(&rig.server);
	while (phone(code, &got) == ERR_AWAY)
		continue;
	assert_string_equal(got, "13800138000");
}

#define T(f)	cmocka_unit_test_setup(f, clean)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(phone_good), T(phone_refused), T(phone_misshapen),
		T(phone_token_refused), T(phone_token_killed), T(phone_time),
		T(notify_sent), T(notify_faulty), T(notify_mapped),
		T(notify_two_at_once), T(redis_away),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
