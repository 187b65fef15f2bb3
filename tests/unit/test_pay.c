/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pay.c -- questions to WeChat Pay, answered by the stand-in: orders,
 * refunds, statements, keys that change, and every way to fail.
 *
 * The stand-in checks our signatures by another library than ours.
 */
#include <jansson.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/view.h"
#include "wechat/pay.h"
#include "wechat/wechat.h"

#include "wechat_rig.h"

#define OPENID	"oTestOpenid-_0123456789ABCDE"
#define VECTORS	TEST_SHARED_DIR "/reference/wechat-vectors.json"

static struct wechat_rig	rig;
static struct pay_refusal	why;
static char			serial[64], number[PAY_NUMBER_MAX];

/* A fresh number for each test. */
static void
renew(void)
{
	static int	turn;

	snprintf(number, sizeof(number), "P%ld-%d", (long)getpid(), turn++);
}

static void
read_serial(void)
{
	FILE	*f = fopen(unit_path(rig.keys, "merchant.serial"), "r");

	assert_non_null(f);
	assert_non_null(fgets(serial, sizeof(serial), f));
	fclose(f);
	serial[strcspn(serial, "\r\n")] = '\0';
}

static void
configure(void)
{
	static char	key[128], apiv3[128], dir[128];

	snprintf(key, sizeof(key), "%s/apiclient_key.pem", rig.keys);
	snprintf(apiv3, sizeof(apiv3), "%s/apiv3.key", rig.keys);
	snprintf(dir, sizeof(dir), "%s/platform-keys", rig.keys);
	rig.conf.pay_url = rig.url;
	rig.conf.pay_mode = "direct";
	rig.conf.pay_mchid = "1900000109";
	rig.conf.pay_serial = serial;
	rig.conf.pay_key_file = key;
	rig.conf.pay_apiv3_file = apiv3;
	rig.conf.pay_platform_dir = dir;
	rig.conf.pay_platform_serial = "";
	rig.conf.pay_sub_mchid = rig.conf.pay_sub_appid = "";
	rig.conf.pay_sp_appid = "";
	rig.conf.pay_notify_url = "https://example.com";
	assert_int_equal(pay_init(&rig.conf), OK);
}

static int
begin(void **state)
{
	(void)state;
	wechat_rig_start_pay(&rig);
	read_serial();
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
	wechat_rig_set(&rig, "pay", "{\"reset\":true}");
	arena_reset(rig.a);
	wechat_rig_fresh(&rig, 5000);
	configure();
	(void)wechat_rig_log(&rig);
	why = (struct pay_refusal){ .status = 0 };
	renew();
	return 0;
}

static enum err
order_of(const char *no, int64_t fen, const char **id)
{
	static int64_t		until;
	struct pay_order	o = {
		.number = no,
		.description = "桶装水 18.9L×2 😀",
		.openid = OPENID,
		.total_fen = fen,
		.client_ip = "203.0.113.9",
	};

	if (until == 0)
		until = clock_now() + 15 * CLOCK_MINUTE;
	o.expires_at = until;
	return pay_order_create(rig.w, rig.a, &o, id, &why);
}

static void
order(void)
{
	const char	*id = NULL;

	assert_int_equal(order_of(number, 1280, &id), OK);
	assert_non_null(id);
}

static void
thumb(void)
{
	wechat_rig_set(&rig, "payments", "{\"number\":\"%s\","
	    "\"notices\":\"lost\",\"wait\":false}", number);
}

static void
fault(const char *path, const char *mode)
{
	wechat_rig_set(&rig, "pay", "{\"faults\":[{\"path\":\"%s\","
	    "\"mode\":\"%s\"}]}", path, mode);
}

static void
test_order(void **state)
{
	struct pay_params	 p;
	struct pay_trade	 t;
	const char		*id = NULL, *again = NULL;

	(void)state;
	assert_int_equal(order_of(number, 1280, &id), OK);
	assert_int_equal(pay_order_params(rig.a, id, &p), OK);
	assert_string_equal(p.sign_type, "RSA");
	assert_string_equal(p.package, arena_fmt(rig.a, "prepay_id=%s", id));
	assert_int_equal(strlen(p.nonce_str), 32);
	assert_int_equal(strlen(p.pay_sign), 344);
	assert_int_equal(order_of(number, 1280, &again), OK);
	assert_int_equal(order_of(number, 1281, &again), ERR_PAY_REFUSED);
	assert_string_equal(why.code, "OUTTRADENOUSED");
	assert_int_equal(why.status, 403);
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_UNPAID);
	assert_null(t.transaction_id);
	assert_true(t.paid_at == VIEW_NULL_INT);
}

static void
test_paid(void **state)
{
	struct pay_trade	t;

	(void)state;
	order();
	thumb();
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_PAID);
	assert_string_equal(t.number, number);
	assert_string_equal(t.mchid, pay_mchid());
	assert_string_equal(t.appid, RIG_APPID);
	assert_string_equal(t.openid, OPENID);
	assert_int_equal(t.total_fen, 1280);
	assert_string_equal(t.currency, "CNY");
	assert_non_null(t.transaction_id);
	assert_true(llabs(t.paid_at - clock_now()) < CLOCK_MINUTE);
	assert_int_equal(pay_order_close(rig.w, rig.a, number, &why),
	    ERR_PAY_REFUSED);
}

static void
test_close(void **state)
{
	struct pay_trade	t;

	(void)state;
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_ABSENT);
	assert_int_equal(pay_order_close(rig.w, rig.a, number, &why), OK);
	order();
	assert_int_equal(pay_order_close(rig.w, rig.a, number, &why), OK);
	assert_int_equal(pay_order_close(rig.w, rig.a, number, NULL), OK);
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_CLOSED);
	wechat_rig_set(&rig, "pay", "{\"spelling\":\"old\"}");
	renew();
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_ABSENT);
	/* The 204 is proved too. */
	wechat_rig_set(&rig, "pay", "{\"spelling\":\"new\"}");
	order();
	fault("close", "bad_signature");
	assert_int_equal(pay_order_close(rig.w, rig.a, number, &why),
	    ERR_PAY_AWAY);
	assert_string_equal(why.code, "signature");
}

static enum err
refund(const char *no, int64_t fen, struct pay_refund *r)
{
	const struct pay_refund_order o = {
		.number = number,
		.refund_number = no,
		.reason = "空桶已退还，押金原路退回。空桶已退还，押金原路"
		    "退回。空桶已退还，押金原路退回。😀",
		.refund_fen = fen,
		.total_fen = 1280,
	};

	return pay_refund_create(rig.w, rig.a, &o, r, &why);
}

static void
test_refund(void **state)
{
	const char		*no = arena_fmt(rig.a, "R%s", number);
	struct pay_refund	 r;
	struct pay_trade	 t;

	(void)state;
	assert_int_equal(pay_refund_query(rig.w, rig.a, no, &r, &why), OK);
	assert_int_equal(r.state, PAY_REFUND_ABSENT);
	order();
	assert_int_equal(refund(no, 500, &r), ERR_PAY_REFUSED);
	thumb();
	wechat_rig_set(&rig, "pay", "{\"refunds\":{\"hold\":true,"
	    "\"notices\":\"lost\"},\"refund_apart_ms\":0}");
	assert_int_equal(refund(no, 500, &r), OK);
	assert_int_equal(r.state, PAY_REFUND_RUNNING);
	assert_string_equal(r.refund_number, no);
	assert_int_equal(r.refund_fen, 500);
	assert_int_equal(r.total_fen, 1280);
	assert_int_equal(refund(no, 500, &r), OK);
	assert_int_equal(refund(arena_fmt(rig.a, "%s-2", no), 781, &r),
	    ERR_PAY_REFUSED);
	assert_string_equal(why.code, "NOTENOUGH");
	wechat_rig_set(&rig, "refunds", "{\"refund_number\":\"%s\","
	    "\"notices\":\"lost\",\"wait\":false}", no);
	assert_int_equal(pay_refund_query(rig.w, rig.a, no, &r, &why), OK);
	assert_int_equal(r.state, PAY_REFUND_DONE);
	assert_true(r.done_at != VIEW_NULL_INT);
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_REFUNDING);
}

/* Nobody believes what is not proved, and nobody takes silence for no. */
static void
test_away(void **state)
{
	static const struct {
		const char	*mode, *code;
	} rows[] = {
		{ "bad_signature", "signature" },
		{ "garbage", "signature" },
		{ "no_signature", "absent" }, { "wrong_nonce", "signature" },
		{ "unknown_serial", "serial" }, { "signtest", "probe" },
		{ "old_timestamp", "clock" }, { "half", NULL },
		{ "system_error", "SYSTEMERROR" },
		{ "userpaying", "USERPAYING" },
		{ "too_many", "FREQUENCYLIMITED" }, { "http502", NULL },
		{ "close", NULL }, { "acted_close", NULL },
		{ "acted_error", "SYSTEMERROR" },
	};
	struct pay_trade	t;
	size_t			i;

	(void)state;
	order();
	for (i = 0; i < nitems(rows); i++) {
		/* A kept connection that is closed would be tried again. */
		wechat_rig_fresh(&rig, 5000);
		fault("query", rows[i].mode);
		assert_int_equal(pay_order_query(rig.w, rig.a, number, &t,
		    &why), ERR_PAY_AWAY);
		if (rows[i].code != NULL)
			assert_string_equal(why.code, rows[i].code);
		assert_int_equal(pay_order_query(rig.w, rig.a, number, &t,
		    NULL), OK);
	}
	wechat_rig_fresh(&rig, 300);
	fault("query", "hang");
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    ERR_PAY_AWAY);
	assert_string_equal(why.code, "timeout");
}

/* A time-out after having acted: the same number finds what was done. */
static void
test_acted(void **state)
{
	const char		*id = NULL;
	struct pay_trade	 t;

	(void)state;
	wechat_rig_fresh(&rig, 300);
	fault("jsapi", "acted_hang");
	assert_int_equal(order_of(number, 1280, &id), ERR_PAY_AWAY);
	wechat_rig_fresh(&rig, 5000);
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_UNPAID);
	order();
}

static void
test_sign_error(void **state)
{
	struct pay_trade	 t;
	const char		*log;

	(void)state;
	rig.conf.pay_serial = "00AA00AA00AA00AA00AA00AA00AA00AA00AA00AA";
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    ERR_PAY_REFUSED);
	assert_string_equal(why.code, "SIGNERROR");
	assert_int_equal(why.status, 401);
	rig.conf.pay_serial = serial;
	/* A key that is not the merchant's, under its serial number. */
	rig.conf.pay_key_file = unit_path(rig.folder, "other.pem");
	assert_int_equal(system(arena_fmt(rig.a, "umask 077; openssl genrsa"
	    " -out %s 2048 2>/dev/null", rig.conf.pay_key_file)), 0);
	assert_int_equal(pay_init(&rig.conf), OK);
	(void)wechat_rig_log(&rig);
	assert_int_equal(pay_order_close(rig.w, rig.a, number, &why),
	    ERR_PAY_REFUSED);
	assert_string_equal(why.code, "SIGNERROR");
	log = wechat_rig_log(&rig);
	assert_non_null(strstr(log, "kind=sign"));
	assert_non_null(strstr(log, "/close"));
	assert_null(strstr(log, "mchid"));
	assert_int_equal(pay_echo(rig.w, rig.a, &why), ERR_PAY_REFUSED);
}

static void
test_rotation(void **state)
{
	struct pay_trade	t;

	(void)state;
	order();
	/* Given to us while we run, and used from then on. */
	wechat_rig_set(&rig, "pay", "{\"rotate\":{\"give\":true,"
	    "\"drop\":true}}");
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(pay_order_close(rig.w, rig.a, number, &why), OK);
	/* One that nobody gave us proves nothing. */
	wechat_rig_set(&rig, "pay", "{\"rotate\":{\"give\":false,"
	    "\"drop\":true}}");
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    ERR_PAY_AWAY);
	assert_string_equal(why.code, "serial");
	wechat_rig_set(&rig, "pay", "{\"rotate\":{\"give\":true,"
	    "\"drop\":true}}");
}

static void
test_certificates(void **state)
{
	struct pay_trade	t;

	(void)state;
	wechat_rig_set(&rig, "pay", "{\"platform\":\"key\"}");
	assert_int_equal(pay_key_refresh(rig.w, rig.a, &why), ERR_ABSENT);
	wechat_rig_set(&rig, "pay", "{\"platform\":\"both\"}");
	assert_int_equal(pay_key_refresh(rig.w, rig.a, &why), OK);
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
}

static void
test_echo(void **state)
{
	(void)state;
	assert_int_equal(pay_echo(rig.w, rig.a, &why), OK);
	fault("echo", "signtest");
	assert_int_equal(pay_echo(rig.w, rig.a, &why), ERR_PAY_AWAY);
	assert_string_equal(why.code, "probe");
	wechat_rig_set(&rig, "pay", "{\"offset_ms\":-301000}");
	assert_int_equal(pay_echo(rig.w, rig.a, &why), ERR_PAY_REFUSED);
	assert_string_equal(why.code, "SIGNERROR");
	rig.conf.pay_url = "http://127.0.0.1:1";
	assert_int_equal(pay_echo(rig.w, rig.a, &why), ERR_PAY_AWAY);
	assert_string_equal(why.code, "unreachable");
}

/* A service provider asks for whom the money is. */
static void
test_partner(void **state)
{
	const char		*no = arena_fmt(rig.a, "R%s", number);
	struct pay_refund	 r;
	struct pay_trade	 t;

	(void)state;
	rig.conf.pay_mode = "partner";
	rig.conf.pay_sub_mchid = "1900000555";
	assert_string_equal(pay_mchid(), "1900000555");
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_ABSENT);
	order();
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_UNPAID);
	assert_string_equal(t.mchid, "1900000555");
	assert_string_equal(t.appid, RIG_APPID);
	thumb();
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_PAID);
	assert_string_equal(t.openid, OPENID);
	assert_int_equal(refund(no, 500, &r), OK);
	assert_int_equal(pay_refund_query(rig.w, rig.a, no, &r, &why), OK);
	assert_int_equal(r.refund_fen, 500);
	/* Another's sub-merchant does not have it. */
	rig.conf.pay_sub_mchid = "1900000556";
	assert_int_equal(pay_order_query(rig.w, rig.a, number, &t, &why),
	    OK);
	assert_int_equal(t.state, PAY_ABSENT);
	renew();
	/* The mini-program is the sub-merchant's own. */
	rig.conf.pay_sub_appid = RIG_APPID;
	order();
	assert_int_equal(pay_order_close(rig.w, rig.a, number, &why), OK);
}

/* ---- handover ---- */

static enum wechat_shipped
ship(const char *item, int64_t at, int *code)
{
	const struct wechat_shipment s = {
		.mchid = pay_mchid(),
		.number = number,
		.openid = OPENID,
		.item = item,
		.at = at,
	};

	return wechat_ship(rig.w, rig.redis, rig.a, &s, code);
}

static void
test_ship(void **state)
{
	bool	 managed = false;
	int64_t	 at = clock_now();
	int	 code;

	(void)state;
	assert_int_equal(wechat_ship_managed(rig.w, rig.redis, rig.a,
	    &managed), OK);
	assert_true(managed);
	wechat_rig_set(&rig, "pay", "{\"trade_managed\":false}");
	assert_int_equal(wechat_ship_managed(rig.w, rig.redis, rig.a,
	    &managed), OK);
	assert_false(managed);
	wechat_rig_set(&rig, "pay", "{\"reset\":true}");
	order();
	assert_int_equal(ship("桶装水 2 桶", at, &code), WECHAT_SHIP_LATER);
	assert_int_equal(code, 10060001);
	thumb();
	assert_int_equal(ship("桶装水 2 桶", at, &code), WECHAT_SHIPPED);
	assert_int_equal(code, 0);
	assert_int_equal(ship("桶装水 2 桶", at + 1, &code),
	    WECHAT_SHIPPED);
	assert_int_equal(code, 10060023);
	/* Its time must grow; one correction, and no second one. */
	assert_int_equal(ship("桶装水 1 桶", at, &code),
	    WECHAT_SHIP_FAULTY);
	assert_int_equal(ship("桶装水 1 桶", at + 2000, &code),
	    WECHAT_SHIPPED);
	assert_int_equal(code, 0);
	assert_int_equal(ship("桶装水 3 桶", at + 3000, &code),
	    WECHAT_SHIP_FAULTY);
	assert_int_equal(code, 10060003);
}

/* ---- statements ---- */

static const char *
text_of(const char *path)
{
	FILE	*f = fopen(path, "r");
	char	*text = arena_take(rig.a, 1 << 20);
	size_t	 n;

	assert_non_null(f);
	n = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return n > 0 ? text : "";
}

/* A day `days` ago, as WeChat and as we write it. */
static const char *
past_day(int days, int64_t *ret_day)
{
	struct clock_local	t = clock_local(clock_now() -
				    days * CLOCK_DAY);

	*ret_day = t.year * 10000LL + t.month * 100 + t.day;
	return arena_fmt(rig.a, "%04d-%02d-%02d", t.year, t.month, t.day);
}

static void
brings(const char *given)
{
	const char	*out = arena_str(rig.a, unit_path(rig.folder, "bill")),
			*src = arena_str(rig.a, unit_path(rig.folder, "src")),
			*date;
	struct stat	 st;
	int64_t		 day;

	date = past_day(2, &day);
	unit_write(src, given, strlen(given), 0644);
	wechat_rig_set(&rig, "statement", "{\"date\":\"%s\","
	    "\"trade_file\":\"%s\"}", date, src);
	assert_int_equal(pay_bill_fetch(rig.w, rig.a, PAY_BILL_TRADE, day,
	    out, &why), OK);
	assert_string_equal(text_of(out), given);
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlink(out), 0);
	fault("download", "garbage");
	assert_int_equal(pay_bill_fetch(rig.w, rig.a, PAY_BILL_TRADE, day,
	    out, &why), ERR_PAY_AWAY);
	fault("download", "half");
	assert_int_equal(pay_bill_fetch(rig.w, rig.a, PAY_BILL_TRADE, day,
	    out, &why), ERR_PAY_AWAY);
	assert_int_equal(access(out, F_OK), -1);
	assert_int_equal(access(arena_fmt(rig.a, "%s.part", out), F_OK), -1);
}

static void
test_statement(void **state)
{
	char	*text = arena_take(rig.a, 400001);
	size_t	 i;
	int64_t	 day;

	(void)state;
	for (i = 0; i < 400000; i++)
		text[i] = i % 79 == 78 ? '\n' : (char)('a' + i * 7 % 23);
	brings(text);
	past_day(5, &day);
	assert_int_equal(pay_bill_fetch(rig.w, rig.a, PAY_BILL_TRADE,
	    day, unit_path(rig.folder, "none"), &why), ERR_ABSENT);
	wechat_rig_set(&rig, "pay", "{\"faults\":[{\"path\":\"bill\","
	    "\"mode\":\"error\",\"status\":400,"
	    "\"code\":\"STATEMENT_CREATING\"}]}");
	assert_int_equal(pay_bill_fetch(rig.w, rig.a, PAY_BILL_FUND, day,
	    unit_path(rig.folder, "none"), &why), ERR_BUSY);
}

static void
test_statement_vectors(void **state)
{
	json_t		*all = json_load_file(VECTORS, 0, NULL), *one;
	size_t		 i;
	int		 n = 0;

	(void)state;
	if (all == NULL)
		skip();
	json_array_foreach(json_object_get(all, "vectors"), i, one)
		if (strcmp(json_string_value(json_object_get(one, "kind")),
		    "trade_bill") == 0) {
			brings(json_string_value(json_object_get(one,
			    "text")));
			n++;
		}
	assert_int_equal(n, 2);
	json_decref(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, clean),
		cmocka_unit_test_setup(test_paid, clean),
		cmocka_unit_test_setup(test_close, clean),
		cmocka_unit_test_setup(test_refund, clean),
		cmocka_unit_test_setup(test_away, clean),
		cmocka_unit_test_setup(test_acted, clean),
		cmocka_unit_test_setup(test_sign_error, clean),
		cmocka_unit_test_setup(test_rotation, clean),
		cmocka_unit_test_setup(test_certificates, clean),
		cmocka_unit_test_setup(test_echo, clean),
		cmocka_unit_test_setup(test_partner, clean),
		cmocka_unit_test_setup(test_ship, clean),
		cmocka_unit_test_setup(test_statement, clean),
		cmocka_unit_test_setup(test_statement_vectors, clean),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
