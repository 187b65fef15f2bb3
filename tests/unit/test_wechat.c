/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wechat.c -- set-up, log-in by code, and everything that can be
 * wrong with an answer.
 *
 * Each failure leaves one line in the log, and no line ever holds the
 * secret, a code or a person.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include "wechat/wechat_internal.h"

#include "wechat_rig.h"

#define OPENID		"oTestOpenid-_0123456789ABCDE"

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

/* One line was logged, it holds `what`, and nothing that is secret. */
static void
assert_logged(const char *what, const char *code)
{
	const char *log = wechat_rig_log(&rig);

	if (strstr(log, what) == NULL)
		fail_msg("no %s in: %s", what, log);
	assert_int_equal(strcspn(log, "\n") + 1, strlen(log));
	assert_null(strstr(log, RIG_SECRET));
	assert_null(strstr(log, OPENID));
	if (code != NULL)
		assert_null(strstr(log, code));
}

static void
login_code(char code[80])
{
	wechat_rig_code(&rig, code, "login-codes", "{\"openid\":\"%s\"}",
	    OPENID);
}

static enum err
login(const char *code)
{
	struct wechat_login	got = { "untouched", "untouched" };
	enum err		e;

	e = wechat_login(rig.w, rig.a, code, &got);
	if (e != OK)
		assert_string_equal(got.openid, "untouched");
	return e;
}

/* Set-up */

static void
refuse_secret(const char *data, size_t n, mode_t mode, const char *why)
{
	unlink(rig.secret);
	if (data != NULL)
		unit_write(rig.secret, data, n, mode);
	assert_int_equal(wechat_init(&rig.conf), ERR_INTERNAL);
	assert_logged(why, NULL);
}

static void
init_secret(void **state)
{
	static const char	 text[] = RIG_SECRET "\n";
	static char		 longer[300];
	size_t			 n = sizeof(text) - 1;

	(void)state;
	refuse_secret(NULL, 0, 0, "is not there");
	refuse_secret(text, n, 0640, "chmod 600");
	refuse_secret(text, n, 0604, "chmod 600");
	refuse_secret(text, n, 0620, "chmod 600");
	refuse_secret("", 0, 0600, "is empty");
	refuse_secret("\n", 1, 0600, "is empty");
	refuse_secret("a b\n", 4, 0600, "what no secret has");
	refuse_secret("a\n\n", 3, 0600, "what no secret has");
	refuse_secret("a\0b", 3, 0600, "what no secret has");
	memset(longer, 'a', sizeof(longer));
	refuse_secret(longer, 257, 0600, "too long");
	refuse_secret(longer, 300, 0600, "too long");
	unlink(rig.secret);
	assert_int_equal(mkdir(rig.secret, 0700), 0);
	assert_int_equal(wechat_init(&rig.conf), ERR_INTERNAL);
	assert_logged("is not a file", NULL);
	rmdir(rig.secret);
	unit_write(rig.secret, longer, 256, 0400);
	assert_int_equal(wechat_init(&rig.conf), OK);
	assert_int_equal(strlen(wechat_secret()), 256);
	unlink(rig.secret);
	unit_write(rig.secret, RIG_SECRET "\r\n", n + 1, 0600);
	assert_int_equal(wechat_init(&rig.conf), OK);
	assert_string_equal(wechat_secret(), RIG_SECRET);
}

static void
init_address(void **state)
{
	static const char *const bad[] = { "", "api.weixin.qq.com:x",
		"http://api.weixin.qq.com", "http://127.0.0.1.example.com",
		"http://128.0.0.1", "http://localhost.example.com",
		"ftp://127.0.0.1", "file:///etc/passwd",
		"https://user@api.weixin.qq.com", "https://a.example/?x=1",
		"https://a.example/#x" };
	static const char *const good[] = { "https://api.weixin.qq.com",
		"https://a.example:8443/prefix/", "http://127.0.0.1:1",
		"http://127.9.9.9", "http://localhost:80", "http://[::1]:80" };
	size_t i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		rig.conf.wechat_url = bad[i];
		if (wechat_init(&rig.conf) != ERR_INTERNAL)
			fail_msg("taken: %s", bad[i]);
		assert_logged("init=failed", NULL);
	}
	for (i = 0; i < nitems(good); i++) {
		rig.conf.wechat_url = good[i];
		if (wechat_init(&rig.conf) != OK)
			fail_msg("refused: %s", good[i]);
	}
	rig.conf.wechat_appid = "";
	assert_int_equal(wechat_init(&rig.conf), ERR_INTERNAL);
	assert_logged("appid is not set", NULL);
}

static void
free_nothing(void **state)
{
	(void)state;
	wechat_free(NULL);
}

/* Log-in */

static void
login_good(void **state)
{
	struct wechat_login	got;
	char			code[80];
	long			opened = -1;

	(void)state;
	login_code(code);
	assert_int_equal(wechat_login(rig.w, rig.a, code, &got), OK);
	assert_string_equal(got.openid, OPENID);
	assert_null(got.unionid);
	wechat_rig_code(&rig, code, "login-codes",
	    "{\"openid\":\"o2\",\"unionid\":\"u2\"}");
	assert_int_equal(wechat_login(rig.w, rig.a, code, &got), OK);
	assert_string_equal(got.openid, "o2");
	assert_string_equal(got.unionid, "u2");
	/* The connection was kept. */
	curl_easy_getinfo(rig.w->curl, CURLINFO_NUM_CONNECTS, &opened);
	assert_int_equal(opened, 0);
	assert_string_equal(wechat_rig_log(&rig), "");
}

static void
login_slash(void **state)
{
	char	url[80], code[80];

	(void)state;
	snprintf(url, sizeof(url), "%s//", rig.url);
	rig.conf.wechat_url = url;
	login_code(code);
	assert_int_equal(login(code), OK);
}

static void
login_refused(void **state)
{
	static char	longer[600];
	char		code[80];
	int		before;

	(void)state;
	login_code(code);
	assert_int_equal(login(code), OK);
	assert_int_equal(login(code), ERR_LOGIN_CODE);
	assert_logged("errcode=40163 rid=6", code);
	assert_int_equal(login("invented"), ERR_LOGIN_CODE);
	assert_logged("errcode=40029 rid=6", "invented");
	login_code(code);
	wechat_rig_pass(&rig, 300500);
	assert_int_equal(login(code), ERR_LOGIN_CODE);
	assert_logged("errcode=40029", code);
	wechat_rig_code(&rig, code, "login-codes",
	    "{\"openid\":\"" OPENID "\",\"blocked\":true}");
	assert_int_equal(login(code), ERR_BLOCKED);
	assert_logged("errcode=40226", code);
	/* What cannot be one is not asked about. */
	before = wechat_rig_calls(&rig, "login");
	memset(longer, 'a', sizeof(longer) - 1);
	assert_int_equal(login(longer), ERR_LOGIN_CODE);
	assert_int_equal(login(""), ERR_LOGIN_CODE);
	assert_int_equal(wechat_rig_calls(&rig, "login"), before);
}

/* A code is data: it does not become part of the query. */
static void
login_injected(void **state)
{
	char	code[80], text[200];

	(void)state;
	login_code(code);
	snprintf(text, sizeof(text), "x&js_code=%s&appid=wx1", code);
	assert_int_equal(login(text), ERR_LOGIN_CODE);
	assert_logged("errcode=40029", code);
	snprintf(text, sizeof(text), "%s#\r\n\xe6\xb0\xb4\xff%%00+ ", code);
	assert_int_equal(login(text), ERR_LOGIN_CODE);
	assert_logged("errcode=40029", code);
	assert_int_equal(login(code), OK);
}

static void
login_setup_wrong(void **state)
{
	char	code[80];

	(void)state;
	login_code(code);
	rig.conf.wechat_appid = "wx1";
	assert_int_equal(login(code), ERR_WECHAT_AWAY);
	assert_logged("errcode=40013", code);
	rig.conf.wechat_appid = RIG_APPID;
	unit_write(rig.secret, "other\n", 6, 0600);
	assert_int_equal(wechat_init(&rig.conf), OK);
	assert_int_equal(login(code), ERR_WECHAT_AWAY);
	assert_logged(" error ", code);
	unit_write(rig.secret, RIG_SECRET, strlen(RIG_SECRET), 0600);
	assert_int_equal(wechat_init(&rig.conf), OK);
	assert_int_equal(login(code), OK);
}

/* Failures of the platform */

static void
fault(const char *rest)
{
	wechat_rig_set(&rig, "faults", "{\"kind\":\"login\",%s}", rest);
}

static void
fault_modes(void **state)
{
	static const struct {
		const char	*fault;
		const char	*logged;
	} rows[] = {
		{ "\"mode\":\"errcode\",\"errcode\":-1", "errcode=-1" },
		{ "\"mode\":\"errcode\",\"errcode\":45011", "errcode=45011" },
		{ "\"mode\":\"errcode\",\"errcode\":77", "errcode=77" },
		{ "\"mode\":\"garbage\"", "kind=garbage" },
		{ "\"mode\":\"half\"", "kind=cut" },
		{ "\"mode\":\"http500\"", "kind=status code=500" },
		{ "\"mode\":\"close\"", "kind=cut" },
		{ "\"mode\":\"close\",\"after_acting\":true", "kind=cut" },
	};
	char	code[80];
	size_t	i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		wechat_rig_fresh(&rig, 10000);
		login_code(code);
		fault(rows[i].fault);
		assert_int_equal(login(code), ERR_WECHAT_AWAY);
		assert_logged(rows[i].logged, code);
		/* The next call is well again. */
		login_code(code);
		assert_int_equal(login(code), OK);
	}
}

/* A request id is the end of a text and looks like one, or it is none. */
static void
fault_rid(void **state)
{
	static const char *const rows[][2] = {
		{ "oops, rid: 6b-a1-c2", "rid=6b-a1-c2\n" },
		{ "rid: 1 rid: 2", "rid=2\n" },
		{ "rid: 1\\nforged=line", "rid=-\n" },
		{ "rid: ", "rid=-\n" },
		{ "rid: 00000000000000000000000000000000",
		    "rid=00000000000000000000000000000000\n" },
		{ "rid: 000000000000000000000000000000000", "rid=-\n" },
		{ "nothing", "rid=-\n" },
	};
	char	text[200];
	size_t	i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		snprintf(text, sizeof(text),
		    "{\"errcode\":-1,\"errmsg\":\"%s\"}", rows[i][0]);
		wechat_rig_answer(&rig, "login", text);
		assert_int_equal(login("x"), ERR_WECHAT_AWAY);
		assert_logged(rows[i][1], "forged");
	}
}

static void
answer_wrong(void **state)
{
	static const struct {
		const char	*body;
		const char	*logged;
	} rows[] = {
		{ "", "garbage" },
		{ "[]", "garbage" },
		{ "7", "garbage" },
		{ "null", "garbage" },
		{ "{\"openid\":\"" OPENID "\"", "garbage" },
		{ "{\"openid\":\"" OPENID "\"} x", "garbage" },
		{ "{\"openid\":\"a\",\"openid\":\"b\"}", "garbage" },
		{ "{\"openid\":\"a\",\"errcode\":\"0\"}", "garbage" },
		{ "{\"openid\":\"a\",\"errcode\":0.0}", "garbage" },
		{ "{\"openid\":\"a\",\"errcode\":null}", "garbage" },
		{ "{\"openid\":\"a\",\"errcode\":4294967296}", "garbage" },
		{ "{\"openid\":\"a\",\"errcode\":1e999}", "garbage" },
		{ "{}", "misshapen" },
		{ "{\"errcode\":0,\"errmsg\":\"ok\"}", "misshapen" },
		{ "{\"openid\":7}", "misshapen" },
		{ "{\"openid\":\"\"}", "misshapen" },
		{ "{\"openid\":\"a b\"}", "misshapen" },
		{ "{\"openid\":\"a\\nb\"}", "misshapen" },
		{ "{\"openid\":\"\xe6\xb0\xb4\"}", "misshapen" },
		{ "{\"openid\":\"a\",\"unionid\":\"\"}", "misshapen" },
		{ "{\"openid\":\"a\",\"unionid\":7}", "misshapen" },
		{ "{\"openid\":\"a\",\"unionid\":null}", "misshapen" },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		wechat_rig_answer(&rig, "login", rows[i].body);
		if (login("x") != ERR_WECHAT_AWAY)
			fail_msg("taken: %s", rows[i].body);
		assert_logged(rows[i].logged, NULL);
	}
	/* The same with errcode 0 and nothing wrong is taken. */
	wechat_rig_answer(&rig, "login",
	    "{\"errcode\":0,\"errmsg\":\"ok\",\"openid\":\"a\"}");
	assert_int_equal(login("x"), OK);
}

static void
answer_sizes(void **state)
{
	static char	body[300 << 10];
	size_t		n;

	(void)state;
	/* An openid of 128 is the longest. */
	n = (size_t)snprintf(body, sizeof(body), "{\"openid\":\"%0128d\"}", 7);
	assert_int_equal(n, 128 + 13);
	wechat_rig_answer(&rig, "login", body);
	assert_int_equal(login("x"), OK);
	snprintf(body, sizeof(body), "{\"openid\":\"%0129d\"}", 7);
	wechat_rig_answer(&rig, "login", body);
	assert_int_equal(login("x"), ERR_WECHAT_AWAY);
	assert_logged("kind=misshapen", NULL);
	/* 256 KiB is the largest answer. */
	memset(body, ' ', sizeof(body));
	memcpy(body, "{\"openid\":\"a\"}", 14);
	body[256 << 10] = '\0';
	wechat_rig_answer(&rig, "login", body);
	assert_int_equal(login("x"), OK);
	body[256 << 10] = ' ';
	body[(256 << 10) + 1] = '\0';
	wechat_rig_answer(&rig, "login", body);
	assert_int_equal(login("x"), ERR_WECHAT_AWAY);
	assert_logged("kind=oversize", NULL);
	/* Brackets 10,000 deep. */
	memset(body, '[', 10000);
	body[10000] = '\0';
	wechat_rig_answer(&rig, "login", body);
	assert_int_equal(login("x"), ERR_WECHAT_AWAY);
	assert_logged("kind=garbage", NULL);
}

/* A call ends when its time is over, also when bytes come now and then. */
static void
time_out(void **state)
{
	char	code[80];
	int64_t	start;

	(void)state;
	wechat_rig_fresh(&rig, 300);
	login_code(code);
	fault("\"mode\":\"hang\"");
	start = clock_mono_us();
	assert_int_equal(login(code), ERR_WECHAT_AWAY);
	assert_in_range(clock_mono_us() - start, 250000, 5000000);
	assert_logged("kind=timeout", code);
	wechat_rig_fresh(&rig, 10000);
	fault("\"mode\":\"delay\",\"delay_ms\":400");
	assert_int_equal(login(code), OK);
}

/* A server that says one thing to one caller. */
struct raw {
	int		 fd;
	const char	*head;
	size_t		 more;		/* so many blanks after it */
	pthread_t	 thread;
};

static void *
raw_run(void *arg)
{
	static const char	 blanks[1024] = { [0 ... 1023] = ' ' };
	struct raw		*raw = arg;
	char			 got[4096];
	size_t			 n;
	int			 fd;

	if ((fd = accept(raw->fd, NULL, NULL)) == -1)
		return NULL;
	if (recv(fd, got, sizeof(got), 0) > 0 &&
	    send(fd, raw->head, strlen(raw->head), MSG_NOSIGNAL) > 0)
		for (n = 0; n < raw->more; n += sizeof(blanks))
			if (send(fd, blanks, sizeof(blanks), MSG_NOSIGNAL)
			    <= 0)
				break;
	close(fd);
	return NULL;
}

static void
raw_start(struct raw *raw, char url[80])
{
	struct sockaddr_in	sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		len = sizeof(sin);

	raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(raw->fd >= 0);
	assert_int_equal(bind(raw->fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(raw->fd, 4), 0);
	assert_int_equal(getsockname(raw->fd, (struct sockaddr *)&sin, &len),
	    0);
	snprintf(url, 80, "http://127.0.0.1:%d", ntohs(sin.sin_port));
	assert_int_equal(pthread_create(&raw->thread, NULL, raw_run, raw), 0);
}

static void
raw_stop(struct raw *raw)
{
	pthread_join(raw->thread, NULL);
	close(raw->fd);
}

static void
strange_servers(void **state)
{
	static const struct {
		const char	*head;
		size_t		 more;
		const char	*logged;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 1 << 20,
		    "kind=oversize" },
		{ "HTTP/1.1 302 Found\r\nLocation: /other\r\n"
		    "Content-Length: 0\r\n\r\n", 0, "kind=status code=302" },
		{ "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
		    "Content-Length: 0\r\n\r\n", 0, "kind=status code=302" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 0, "kind=status" },
		{ "SSH-2.0-OpenSSH\r\n", 0, "kind=transport" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", 0,
		    "kind=cut" },
	};
	struct raw	raw;
	char		url[80];
	size_t		i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		raw = (struct raw){ .head = rows[i].head,
			.more = rows[i].more };
		raw_start(&raw, url);
		rig.conf.wechat_url = url;
		wechat_rig_fresh(&rig, 10000);
		assert_int_equal(login("x"), ERR_WECHAT_AWAY);
		raw_stop(&raw);
		assert_logged(rows[i].logged, NULL);
	}
	/* And nobody at all: the last one's port is closed now. */
	assert_int_equal(login("x"), ERR_WECHAT_AWAY);
	assert_logged("kind=unreachable", NULL);
}

/* A kept connection that was closed meanwhile costs the caller nothing. */
static void
kept_connection_lost(void **state)
{
	char	code[80];

	(void)state;
	login_code(code);
	assert_int_equal(login(code), OK);
	login_code(code);
	fault("\"mode\":\"close\"");
	assert_int_equal(login(code), OK);
	assert_string_equal(wechat_rig_log(&rig), "");
}

#define T(f)	cmocka_unit_test_setup(f, clean)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(init_secret), T(init_address), T(free_nothing),
		T(login_good), T(login_slash), T(login_refused),
		T(login_injected), T(login_setup_wrong),
		T(fault_modes), T(fault_rid), T(answer_wrong),
		T(answer_sizes), T(time_out), T(strange_servers),
		T(kept_connection_lost),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
