/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pay_sign.c -- signatures, seals and keys of WeChat Pay.
 *
 * By keys made here, and by the published and generated vectors of the
 * reference when it lies beside the sources; without it those are skipped.
 */
#include <jansson.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/view.h"
#include "wechat/pay_internal.h"

#include "servers.h"

#define VECTORS	TEST_SHARED_DIR "/reference/wechat-vectors.json"
#define SERIAL	"PUB_KEY_ID_0119000072912026111500000000000001"
#define APPID	"wxd678efh567hg6787"

static struct arena	*a;
static const char	*folder;
static json_t		*vectors;
static struct conf	 conf;

static const char *
member(const json_t *o, const char *name)
{
	const char	*s = json_string_value(json_object_get(o, name));

	assert_non_null(s);
	return s;
}

static const json_t *
keys(void)
{
	return json_object_get(vectors, "keys");
}

/* The vector of this id, or the test is skipped. */
static const json_t *
vector(const char *id)
{
	const json_t	*list = json_object_get(vectors, "vectors");
	size_t		 i;

	if (vectors == NULL)
		skip();
	for (i = 0; i < json_array_size(list); i++)
		if (strcmp(member(json_array_get(list, i), "id"), id) == 0)
			return json_array_get(list, i);
	fail_msg("no vector %s", id);
	return NULL;
}

static EVP_PKEY *
private_key(const char *pem)
{
	EVP_PKEY	*key = pay_key_private(pem, strlen(pem));

	assert_non_null(key);
	return key;
}

/* The PEM text of a key, its public half when `public`. */
static const char *
pem_of(EVP_PKEY *key, bool public)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*text, *ret;
	long	 n;

	assert_int_equal(public ? PEM_write_bio_PUBKEY(bio, key) :
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
	    1);
	n = BIO_get_mem_data(bio, &text);
	ret = arena_copy(a, text, (size_t)n);
	BIO_free(bio);
	return ret;
}

static void
put(const char *name, const char *text, mode_t mode)
{
	unit_write(unit_path(folder, name), text, strlen(text), mode);
}

static void
put_key(const char *serial, const char *pem)
{
	put(arena_fmt(a, "keys/%s.pem", serial), pem, 0644);
}

static void
empty_folder(void)
{
	const char	*path = unit_path(folder, "keys");

	if (access(path, F_OK) == 0)
		servers_remove(path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
make_conf(void)
{
	conf = (struct conf){
		.wechat_appid = APPID,
		.wechat_timeout_ms = 1000,
		.pay_url = "http://127.0.0.1:1",
		.pay_mode = "direct",
		.pay_mchid = "1900007291",
		.pay_serial = "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
		.pay_key_file = arena_str(a, unit_path(folder, "own.pem")),
		.pay_apiv3_file = arena_str(a, unit_path(folder, "apiv3")),
		.pay_platform_dir = arena_str(a, unit_path(folder, "keys")),
		.pay_platform_serial = "",
		.pay_sub_mchid = "",
		.pay_sub_appid = "",
		.pay_sp_appid = "",
		.pay_notify_url = "https://example.com",
	};
}

/* A merchant of keys made here. */
static EVP_PKEY	*mine, *theirs;

static void
merchant(void)
{
	empty_folder();
	make_conf();
	put("own.pem", pem_of(mine, false), 0600);
	put("apiv3", "0123456789abcdef0123456789abcdef\n", 0600);
	put_key("PUB_KEY_ID_01", pem_of(theirs, true));
	assert_int_equal(pay_init(&conf), OK);
}

/* The merchant of the vectors. */
static void
merchant_of_vectors(void)
{
	if (vectors == NULL)
		skip();
	empty_folder();
	make_conf();
	put("own.pem", member(keys(), "merchant_private_key_pem"), 0600);
	put("apiv3", member(keys(), "api_v3_key"), 0600);
	put_key(SERIAL, member(keys(), "platform_public_key_pem"));
	put_key(member(keys(), "platform_certificate_serial"),
	    member(keys(), "platform_certificate_pem"));
	put_key("PUB_KEY_ID_99", member(vector("response-verify-official"),
	    "public_key_pem"));
	put_key("D7CE59D1F522D701", member(vector(
	    "notification-go-sdk-published"), "certificate_pem"));
	assert_int_equal(pay_init(&conf), OK);
}

static struct pay_proof
proof_of(const json_t *headers)
{
	return (struct pay_proof){
		.timestamp = member(headers, "Wechatpay-Timestamp"),
		.nonce = member(headers, "Wechatpay-Nonce"),
		.signature = member(headers, "Wechatpay-Signature"),
		.serial = json_string_value(json_object_get(headers,
		    "Wechatpay-Serial")),
	};
}

static struct pay_proof
proof_of_text(const char *serial, EVP_PKEY *key, int64_t now,
    const char *body)
{
	const char	*at = arena_fmt(a, "%lld", (long long)now / 1000);
	const char	*s = arena_fmt(a, "%s\nnonce\n%s\n", at, body);

	return (struct pay_proof){ at, "nonce",
	    pay_sign_make(a, key, s, strlen(s)), serial };
}

/* ---- with keys of our own ---- */

static void
test_sign(void **state)
{
	const char	*s = "POST\n/v3\n", *sign, *bad;

	(void)state;
	sign = pay_sign_make(a, mine, s, strlen(s));
	assert_non_null(sign);
	assert_int_equal(strlen(sign), 344);
	assert_true(pay_sign_good(mine, s, strlen(s), sign));
	assert_false(pay_sign_good(theirs, s, strlen(s), sign));
	assert_false(pay_sign_good(mine, s, strlen(s) - 1, sign));
	assert_false(pay_sign_good(mine, s, strlen(s), ""));
	assert_false(pay_sign_good(mine, s, strlen(s), "not base64"));
	bad = arena_fmt(a, "WECHATPAY/SIGNTEST/%s", sign);
	assert_false(pay_sign_good(mine, s, strlen(s), bad));
}

static void
test_base64(void **state)
{
	size_t	n = 9;

	(void)state;
	assert_string_equal((char *)pay_sign_bytes(a, "aGVsbG8=", &n),
	    "hello");
	assert_int_equal(n, 5);
	assert_non_null(pay_sign_bytes(a, "", &n));
	assert_int_equal(n, 0);
	assert_null(pay_sign_bytes(a, "aGVsbG8", &n));
	assert_null(pay_sign_bytes(a, "aGVs bG8", &n));
	assert_null(pay_sign_bytes(a, "aG=sbG8=", &n));
	assert_null(pay_sign_bytes(a, "====", &n));
}

static void
test_proof(void **state)
{
	static const struct {
		int64_t		 away;		/* seconds */
		const char	*why;
	} rows[] = { { 0, NULL }, { 299, NULL }, { -299, NULL },
		{ 300, "clock" }, { -300, "clock" } };
	int64_t			 now = clock_now();
	struct pay_proof	 p;
	size_t			 i;

	(void)state;
	merchant();
	for (i = 0; i < nitems(rows); i++) {
		const char *why;

		p = proof_of_text("PUB_KEY_ID_01", theirs, now, "{}");
		why = pay_sign_proved(&p, "{}", 2,
		    now + rows[i].away * 1000);
		if (rows[i].why == NULL)
			assert_null(why);
		else
			assert_string_equal(why, rows[i].why);
	}
	assert_string_equal(pay_sign_proved(&p, "{} ", 3, now), "signature");
	assert_string_equal(pay_sign_proved(NULL, "", 0, now), "absent");
	p.serial = "PUB_KEY_ID_02";
	assert_string_equal(pay_sign_proved(&p, "{}", 2, now), "serial");
	p = proof_of_text("PUB_KEY_ID_01", mine, now, "{}");
	assert_string_equal(pay_sign_proved(&p, "{}", 2, now), "signature");
	p.signature = "WECHATPAY/SIGNTEST/abc";
	assert_string_equal(pay_sign_proved(&p, "{}", 2, now), "probe");
	p.timestamp = "12x";
	p.signature = "";
	assert_string_equal(pay_sign_proved(&p, "{}", 2, now), "clock");
}

static void
test_hidden(void **state)
{
	const char	*hidden = pay_sign_hide(a, theirs, "张三");

	(void)state;
	assert_string_equal(pay_sign_show(a, theirs, hidden), "张三");
	assert_null(pay_sign_show(a, mine, hidden));
	assert_null(pay_sign_show(a, mine, "AAAA"));
	assert_null(pay_sign_show(a, mine, "?"));
}

/* Keys come and go while we run; a broken folder changes nothing. */
static void
test_rotation(void **state)
{
	int64_t	now = clock_now();

	(void)state;
	merchant();
	assert_string_equal(pay_key_wanted(now), "PUB_KEY_ID_01");
	assert_null(pay_key_theirs("PUB_KEY_ID_02", now));
	assert_false(pay_key_has_certificate());
	put_key("PUB_KEY_ID_02", pem_of(mine, true));
	pay_key_again();
	assert_non_null(pay_key_theirs("PUB_KEY_ID_01", now));
	assert_non_null(pay_key_theirs("PUB_KEY_ID_02", now));
	assert_string_equal(pay_key_wanted(now), "PUB_KEY_ID_02");
	put_key("PUB_KEY_ID_02", "half a file");
	pay_key_again();
	assert_non_null(pay_key_theirs("PUB_KEY_ID_02", now));
	put_key("PUB_KEY_ID_02", pem_of(mine, true));
	assert_int_equal(unlink(unit_path(folder,
	    "keys/PUB_KEY_ID_01.pem")), 0);
	pay_key_again();
	assert_null(pay_key_theirs("PUB_KEY_ID_01", now));
	assert_non_null(pay_key_theirs("PUB_KEY_ID_02", now));
	conf.pay_platform_serial = "PUB_KEY_ID_77";
	assert_string_equal(pay_key_wanted(now), "PUB_KEY_ID_77");
}

static void
refused(void)
{
	assert_int_equal(pay_init(&conf), ERR_INTERNAL);
	assert_false(pay_ready());
	merchant();
}

static void
test_init(void **state)
{
	(void)state;
	merchant();
	assert_true(pay_ready());
	assert_string_equal(pay_mchid(), "1900007291");
	put("own.pem", pem_of(mine, false), 0640);
	refused();
	put("own.pem", pem_of(mine, true), 0600);
	refused();
	assert_int_equal(unlink(conf.pay_key_file), 0);
	refused();
	put("apiv3", "0123456789abcdef0123456789abcdef", 0604);
	refused();
	put("apiv3", "0123456789abcdef0123456789abcde", 0600);
	refused();
	empty_folder();
	refused();
	put_key("PUB_KEY_ID_03", "none");
	refused();
	conf.pay_url = "http://example.com";
	refused();
	conf.pay_serial = "not hex";
	refused();
	conf.pay_mode = "partner";
	refused();
	conf.pay_mode = "partner";
	conf.pay_sub_mchid = "1900000999";
	assert_int_equal(pay_init(&conf), OK);
	assert_string_equal(pay_mchid(), "1900000999");
	/* Another's program, and none of the sub-merchant: not for us. */
	conf.pay_sp_appid = "wx00";
	refused();
	conf.pay_mode = "partner";
	conf.pay_sub_mchid = "1900000999";
	conf.pay_sp_appid = "wx00";
	conf.pay_sub_appid = conf.wechat_appid;
	assert_int_equal(pay_init(&conf), OK);
	conf.pay_sub_appid = "";
	conf.pay_sp_appid = conf.wechat_appid;
	assert_int_equal(pay_init(&conf), OK);
	conf.pay_mchid = "";
	assert_int_equal(pay_init(&conf), OK);
	assert_false(pay_ready());
	assert_int_equal(pay_notice_read(a, NULL, "{}", 2, 0, NULL),
	    ERR_FORBIDDEN);
}

static void
test_plain(void **state)
{
	(void)state;
	assert_string_equal(pay_call_plain(a, "水\n票😀a\x7f"), "水票a");
	assert_string_equal(pay_call_plain(a, "\xff"), "");
	assert_true(pay_call_is_number("P20261115_-1", 6, 32));
	assert_false(pay_call_is_number("P2026", 6, 32));
	assert_false(pay_call_is_number("P2026|00", 6, 32));
	assert_false(pay_call_is_number(NULL, 6, 32));
}

/* ---- vectors ---- */

static void
test_requests(void **state)
{
	static const char *const ids[] = { "req-post-jsapi-official",
		"req-get-path-official", "req-get-query-generated",
		"req-get-bill-generated", "req-post-close-generated",
		"req-post-refund-generated" };
	EVP_PKEY	*key;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(ids); i++) {
		const json_t *v = vector(ids[i]);
		const char *method = member(v, "method");
		const char *url = member(v, "url_path_and_query");
		const char *at = member(v, "timestamp");
		const char *nonce = member(v, "nonce_str");
		const char *body = member(v, "body");

		key = private_key(member(keys(), member(v, "key_ref")));
		assert_string_equal(pay_sign_lines(a, method, url, at, nonce,
		    body), member(v, "message"));
		assert_string_equal(pay_sign_header(a, key,
		    member(keys(), "merchant_mchid"),
		    member(keys(), "merchant_serial_no"), method, url, at,
		    nonce, body), member(v, "authorization"));
		EVP_PKEY_free(key);
	}
}

static void
test_client(void **state)
{
	const json_t	*v = vector("paysign-official");
	const json_t	*app = vector("app-sign-official-contrast");
	EVP_PKEY	*key = private_key(member(keys(),
			    "merchant_private_key_pem"));
	const char	*package = member(v, "package"), *sign, *bare;

	(void)state;
	sign = pay_sign_client(a, key, member(v, "appId"),
	    member(v, "timeStamp"), member(v, "nonceStr"), package);
	assert_string_equal(sign, member(v, "paySign"));
	bare = pay_sign_client(a, key, member(app, "appId"),
	    member(app, "timeStamp"), member(app, "nonceStr"),
	    package + strlen("prepay_id="));
	assert_string_equal(bare, member(app, "paySign"));
	assert_string_not_equal(bare, sign);
	EVP_PKEY_free(key);
}

static void
test_answers(void **state)
{
	const json_t		*v = vector("response-verify-official");
	struct pay_proof	 p = proof_of(json_object_get(v, "headers"));
	const char		*body = member(v, "body");
	int64_t			 now = 1722850421000;

	(void)state;
	merchant_of_vectors();
	p.serial = "PUB_KEY_ID_99";
	assert_null(pay_sign_proved(&p, body, strlen(body), now));
	assert_non_null(pay_sign_proved(&p, body, strlen(body) - 1, now));
	v = vector("response-verify-204-generated");
	p = proof_of(json_object_get(v, "headers"));
	assert_null(pay_sign_proved(&p, "", 0, 1794729722000));
	assert_non_null(pay_sign_proved(&p, "\n", 1, 1794729722000));
}

static int64_t
clock_of(const json_t *v)
{
	return json_integer_value(json_object_get(v, "clock_for_test")) *
	    1000;
}

static enum err
notice(const json_t *v, struct pay_notice *n)
{
	struct pay_proof p = proof_of(json_object_get(v, "headers"));
	const char *body = member(v, "body");

	return pay_notice_read(a, &p, body, strlen(body), clock_of(v), n);
}

static void
test_notices(void **state)
{
	struct pay_notice	 n;

	(void)state;
	merchant_of_vectors();
	assert_int_equal(notice(vector(
	    "notification-transaction-success-generated"), &n), OK);
	assert_int_equal(n.event, PAY_EVENT_PAID);
	assert_string_equal(n.id, "3b1a2c4d-5e6f-5071-8293-a4b5c6d7e8f9");
	assert_string_equal(n.trade.mchid, "1900007291");
	assert_string_equal(n.trade.appid, APPID);
	assert_string_equal(n.trade.number, "P20261115000001");
	assert_string_equal(n.trade.transaction_id,
	    "4200002026111500000000000001");
	assert_int_equal(n.trade.state, PAY_PAID);
	assert_int_equal(n.trade.total_fen, 12800);
	assert_string_equal(n.trade.currency, "CNY");
	assert_true(n.trade.paid_at != VIEW_NULL_INT);
	assert_int_equal(notice(vector(
	    "notification-refund-success-empty-aad-generated"), &n), OK);
	assert_int_equal(n.event, PAY_EVENT_REFUND);
	assert_string_equal(n.refund.refund_number, "R20261115000001");
	assert_int_equal(n.refund.state, PAY_REFUND_DONE);
	assert_true(n.refund.refund_fen > 0);
	assert_int_equal(notice(vector(
	    "notification-security-echo-generated"), &n), OK);
	assert_int_equal(n.event, PAY_EVENT_ECHO);
}

/* Opened by the bare cipher too, to the byte. */
static void
test_notices_opened(void **state)
{
	static const char *const ids[] = {
		"notification-transaction-success-generated",
		"notification-refund-success-empty-aad-generated",
		"notification-security-echo-generated",
		"notification-go-sdk-published" };
	size_t	i, n;

	(void)state;
	merchant_of_vectors();
	for (i = 0; i < nitems(ids); i++) {
		const json_t *v = vector(ids[i]);
		struct pay_proof p = proof_of(json_object_get(v, "headers"));
		const char *body = member(v, "body"), *key, *text, *aad;
		json_t *json = json_loads(body, 0, NULL), *resource;

		assert_null(pay_sign_proved(&p, body, strlen(body),
		    clock_of(v)));
		key = json_string_value(json_object_get(v, "api_v3_key"));
		if (key == NULL)
			key = member(keys(), "api_v3_key");
		resource = json_object_get(json, "resource");
		aad = json_string_value(json_object_get(resource,
		    "associated_data"));
		text = pay_sign_open(a, (const unsigned char *)key,
		    strlen(key), member(resource, "nonce"), aad,
		    member(resource, "ciphertext"), &n);
		assert_non_null(text);
		assert_string_equal(text, member(v, "resource_plaintext"));
		assert_null(pay_sign_open(a, (const unsigned char *)key,
		    strlen(key), member(resource, "nonce"), "else",
		    member(resource, "ciphertext"), &n));
		json_decref(json);
	}
}

static void
test_notices_refused(void **state)
{
	static const char *const ids[] = {
		"notification-negative-tampered-body",
		"notification-negative-signtest-probe",
		"notification-negative-stale",
		"notification-negative-future",
		"notification-negative-unknown-serial" };
	struct pay_notice	 n;
	size_t			 i;

	(void)state;
	merchant_of_vectors();
	for (i = 0; i < nitems(ids); i++)
		assert_int_equal(notice(vector(ids[i]), &n), ERR_FORBIDDEN);
}

static void
test_sealed(void **state)
{
	const json_t	*v = vector("aead-java-sdk-published"), *one;
	const char	*text, *serial;
	EVP_PKEY	*key;
	int64_t		 until = 0;
	size_t		 n = 0;

	(void)state;
	text = pay_sign_open(a, (const unsigned char *)member(v,
	    "api_v3_key"), 32, member(v, "nonce"), member(v,
	    "associated_data"), member(v, "ciphertext"), &n);
	assert_string_equal(text, member(v, "plaintext"));
	v = vector("platform-certificate-download-java-sdk-published");
	one = json_array_get(json_object_get(json_object_get(v, "response"),
	    "data"), 0);
	serial = member(one, "serial_no");
	one = json_object_get(one, "encrypt_certificate");
	text = pay_sign_open(a, (const unsigned char *)member(v,
	    "api_v3_key"), 32, member(one, "nonce"), member(one,
	    "associated_data"), member(one, "ciphertext"), &n);
	assert_non_null(text);
	assert_string_equal(text, member(v, "plaintext_pem"));
	key = pay_key_certificate(text, n, serial, &until);
	assert_non_null(key);
	EVP_PKEY_free(key);
	assert_true(until > clock_now() - 20 * 365 * CLOCK_DAY);
	assert_null(pay_key_certificate(text, n, "1234", &until));
}

static void
test_primitives(void **state)
{
	const json_t	*v = vector("rsa-sign-go-sdk-published");
	EVP_PKEY	*key = private_key(member(v, "private_key_pem"));
	const char	*s = member(v, "message");

	(void)state;
	assert_string_equal(pay_sign_make(a, key, s, strlen(s)),
	    member(v, "signature"));
	EVP_PKEY_free(key);
	v = vector("sensitive-field-oaep-sha1-generated");
	key = private_key(member(keys(), "platform_private_key_pem"));
	assert_string_equal(pay_sign_show(a, key, member(v, "ciphertext")),
	    member(v, "plaintext"));
	EVP_PKEY_free(key);
}

static void
shows(const char *key_name, const char *text, const char *member_name,
    const char *plain)
{
	json_t		*json = json_loads(text, 0, NULL);
	EVP_PKEY	*key = private_key(member(keys(), key_name));

	assert_string_equal(pay_sign_show(a, key, member(json,
	    member_name)), plain);
	EVP_PKEY_free(key);
	json_decref(json);
}

static void
test_echo(void **state)
{
	const json_t		*v = vector("security-echo-generated");
	const char		*body = member(v, "request_body");
	const char		*lines = member(v, "request_message");
	struct pay_proof	 p;

	(void)state;
	merchant_of_vectors();
	assert_string_equal(pay_sign_lines(a, member(v, "method"),
	    member(v, "url_path_and_query"), member(v, "timestamp"),
	    member(v, "nonce_str"), body), lines);
	assert_string_equal(pay_sign_make(a, pay_key_own(), lines,
	    strlen(lines)), member(v, "request_signature"));
	shows("platform_private_key_pem", body, "encrypted_echo_message",
	    member(v, "secret_plaintext"));
	p = proof_of(json_object_get(v, "response_headers"));
	body = member(v, "response_body");
	assert_null(pay_sign_proved(&p, body, strlen(body), 1794729701000));
	shows("merchant_private_key_pem", body, "encrypted_echo_message",
	    member(v, "secret_plaintext"));
}

static int
begin(void **state)
{
	(void)state;
	a = arena_new(1 << 24);
	folder = unit_folder();
	log_open("test", LOG_ERROR_);
	assert_ptr_equal(freopen(unit_path(folder, "log"), "a", stderr),
	    stderr);
	assert_true(crypt_init());
	vectors = json_load_file(VECTORS, 0, NULL);
	mine = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	theirs = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	return mine != NULL && theirs != NULL ? 0 : -1;
}

static int
finish(void **state)
{
	(void)state;
	EVP_PKEY_free(mine);
	EVP_PKEY_free(theirs);
	json_decref(vectors);
	arena_free(a);
	servers_remove(folder);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_notices_opened),
		cmocka_unit_test(test_notices_refused),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_primitives),
		cmocka_unit_test(test_echo),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
