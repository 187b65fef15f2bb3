/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_server.c -- server_run in a process of its own, spoken to as a web
 * server does, and as none should.
 */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "wechat/wechat.h"

#include "http_rig.h"
#include "fcgi_client.h"

#include "http/http.h"
#include "http/server.h"
#include "http/server_internal.h"

#define THREADS	3
#define MANY	40		/* connections, more than threads */
#define WAIT	5000		/* ms that nothing here should take */
#define LARGE	100000

struct in {
	const char	*text;
};
static const struct field in_fields[] = {
	F_TEXT(in, text, "内容", MAY, 0, 60000), F_END
};
static const struct shape in_shape = SHAPE(in, "In");

static const struct view_column in_columns[] = { C_TEXT(in, text), C_END };
static const struct view in_view = VIEW(in, "Out");

static struct rig	 rig;
static char		 reply[400000];
static int		 hold[2];	/* the slow handler reads from it */
static int		 tell[2];	/* and says here that it began */
static int		 listener;
static pid_t		 server;

static enum err
echo(struct req *rq)
{
	const struct in *in = rq->in;

	return req_one(rq, in);
}

static enum err
large(struct req *rq)
{
	char *text = arena_take(rq->arena, LARGE + 1);

	memset(text, 'x', LARGE);
	json_text(req_json(rq), text);
	return OK;
}

static enum err
slow(struct req *rq)
{
	char c = 0;

	if (write(tell[1], "b", 1) != 1 || read(hold[0], &c, 1) != 1)
		return ERR_INTERNAL;
	json_text(req_json(rq), "at last");
	return OK;
}

static const struct route routes[] = {
	{ POST, "/t/echo", ANYONE, &in_shape, REPLY_ONE, &in_view, 200,
	    POOL_API, TX_READ, echo, "x" },
	{ GET, "/t/large", ANYONE, NULL, REPLY_ONE, &in_view, 200, POOL_API,
	    TX_READ, large, "x" },
	{ GET, "/t/slow", ANYONE, NULL, REPLY_ONE, &in_view, 200, POOL_API,
	    TX_READ, slow, "x" },
	{ 0 }
};

static const char *const alive[] = { "REQUEST_METHOD=GET",
	"DOCUMENT_URI=/healthz", "QUERY_STRING=", "CONTENT_TYPE=",
	"CONTENT_LENGTH=", "REMOTE_ADDR=127.0.0.1", "REQUEST_ID=abc-1",
	"SCRIPT_NAME=/x", "HTTP_HOST=x", NULL };

static int
listen_at(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(path);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static const char *
where(void)
{
	return unit_path(rig.folder, "sock");
}

static int
begin_server(void **state)
{
	(void)state;
	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(tell), 0);
	listener = listen_at(where());
	if ((server = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(hold[1]);
		if (wechat_init(&rig.conf) != OK)
			_exit(9);
		_exit(server_run(&rig.conf, listener, THREADS, "api"));
	}
	assert_true(server > 0);
	close(listener);
	return 0;
}

static int
begin_patient(void **state)
{
	int n;

	rig.conf.drain_ms = 60000;
	n = begin_server(state);
	rig.conf.drain_ms = 500;
	return n;
}

/* One that waits 400 ms for the rest of a request. */
static int
begin_hasty(void **state)
{
	int64_t ms = server_peer_ms;
	int n;

	server_peer_ms = 400;
	n = begin_server(state);
	server_peer_ms = ms;
	return n;
}

/* The exit status of the server, or -1 when it goes on for `ms`. */
static int
server_exit(int ms)
{
	int64_t end = clock_mono_us() + ms * 1000LL;
	struct pollfd none;
	int status;

	while (waitpid(server, &status, WNOHANG) == 0) {
		if (clock_mono_us() > end)
			return -1;
		poll(&none, 0, 5);
	}
	server = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int
end_server(void **state)
{
	(void)state;
	close(hold[1]);
	if (server > 0) {
		kill(server, SIGTERM);
		assert_int_equal(server_exit(WAIT), 0);
	}
	close(hold[0]);
	close(tell[0]);
	close(tell[1]);
	return 0;
}

static int
dial(void)
{
	int fd = fcgi_connect(where());

	assert_true(fd >= 0);
	return fd;
}

static bool
has(const char *what)
{
	return strstr(reply, what) != NULL;
}

/* A whole GET; false without an answer. */
static bool
get_on(int fd, bool keep, const char *path)
{
	char uri[128];
	const char *params[10];

	snprintf(uri, sizeof(uri), "DOCUMENT_URI=%s", path);
	memcpy(params, alive, sizeof(alive));
	params[1] = uri;
	return fcgi_begin(fd, keep, params) && fcgi_stdin(fd, NULL, 0) &&
	    fcgi_reply(fd, reply, sizeof(reply), WAIT) > 0;
}

static bool
post_on(int fd, const char *announced, const char *body, size_t n)
{
	char length[64];
	const char *params[] = { "REQUEST_METHOD=POST",
		"DOCUMENT_URI=/t/echo", "CONTENT_TYPE=application/json",
		length, "REMOTE_ADDR=127.0.0.1", "REQUEST_ID=abc-2", NULL };

	snprintf(length, sizeof(length), "CONTENT_LENGTH=%s", announced);
	if (!fcgi_begin(fd, true, params))
		return false;
	if (n > 0 && !fcgi_stdin(fd, body, n))
		return false;
	return fcgi_stdin(fd, NULL, 0) &&
	    fcgi_reply(fd, reply, sizeof(reply), WAIT) > 0;
}

static void
test_once(void **state)
{
	int fd = dial();

	(void)state;
	assert_true(get_on(fd, false, "/healthz"));
	assert_string_equal(reply, "Status: 200 OK\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 3\r\nCache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\nX-Request-Id: abc-1\r\n"
	    "\r\nok\n");
	assert_true(fcgi_ended(fd, WAIT));
	close(fd);
}

static void
test_kept(void **state)
{
	int fd[THREADS], i, k;

	(void)state;
	for (k = 0; k < THREADS; k++)
		fd[k] = dial();
	for (i = 0; i < 50; i++)
		for (k = 0; k < THREADS; k++)
			assert_true(get_on(fd[k], true, "/healthz"));
	assert_true(get_on(fd[0], true, "/nowhere"));
	assert_true(has("Status: 404 Not Found\r\n"));
	assert_true(has("\"request_id\":\"abc-1\""));
	for (k = 0; k < THREADS; k++)
		close(fd[k]);
}

static void
test_head_and_strange(void **state)
{
	const char *head[] = { "REQUEST_METHOD=HEAD", "DOCUMENT_URI=/healthz",
		"REQUEST_ID=\r\nX-Evil: 1", NULL };
	const char *none[] = { "REQUEST_METHOD=BREW", "X=Y", NULL };
	int fd = dial();

	(void)state;
	assert_true(fcgi_begin(fd, true, head));
	assert_true(fcgi_stdin(fd, NULL, 0));
	assert_true(fcgi_reply(fd, reply, sizeof(reply), WAIT) > 0);
	assert_true(has("Content-Length: 3\r\n"));
	assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
	assert_false(has("X-Evil"));
	assert_true(fcgi_begin(fd, true, none));
	assert_true(fcgi_stdin(fd, NULL, 0));
	assert_true(fcgi_reply(fd, reply, sizeof(reply), WAIT) > 0);
	assert_true(has("Status: 404"));
	assert_true(get_on(fd, true, "/healthz"));
	close(fd);
}

static void
test_large_reply(void **state)
{
	int fd = dial();
	const char *body;

	(void)state;
	assert_true(get_on(fd, true, "/t/large"));
	assert_true(has("Content-Length: 100002\r\n"));
	body = strstr(reply, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(strlen(body + 4), LARGE + 2);
	assert_int_equal(strspn(body + 5, "x"), LARGE);
	assert_true(get_on(fd, true, "/healthz"));
	close(fd);
}

static void
test_bodies(void **state)
{
	static const char body[] = "{\"text\":\"水\"}";
	size_t n = sizeof(body) - 1;
	int fd = dial();

	(void)state;
	assert_true(post_on(fd, "14", body, n));
	assert_true(has("Status: 200"));
	assert_true(has("\r\n\r\n{\"text\":\"水\"}"));
	assert_true(post_on(fd, "", body, n));
	assert_true(has("Status: 200"));
	assert_true(post_on(fd, "", NULL, 0));
	assert_true(has("{\"text\":null}"));
	/* Shorter, longer, and not a number. */
	assert_true(post_on(fd, "15", body, n));
	assert_true(has("Status: 400"));
	assert_true(post_on(fd, "2000", body, n));
	assert_true(has("Status: 400"));
	assert_true(post_on(fd, "13", body, n));
	assert_true(has("Status: 400"));
	assert_true(post_on(fd, "0", body, n));
	assert_true(has("Status: 400"));
	assert_true(post_on(fd, "x", body, n));
	assert_true(has("Status: 413"));
	assert_true(post_on(fd, "-1", body, n));
	assert_true(has("Status: 413"));
	assert_true(post_on(fd, "99999999999999999999999", body, n));
	assert_true(has("Status: 413"));
	assert_true(post_on(fd, "14", body, n));
	assert_true(has("Status: 200"));
	close(fd);
}

static void
test_large_body(void **state)
{
	static char body[1 << 20];
	int fd = dial();

	(void)state;
	memset(body, 'y', sizeof(body));
	memcpy(body, "{\"text\":\"", 9);
	assert_true(post_on(fd, "1048576", body, sizeof(body)));
	assert_true(has("Status: 413"));
	assert_true(post_on(fd, "", body, sizeof(body)));
	assert_true(has("Status: 413"));
	assert_true(post_on(fd, "10", body, sizeof(body)));
	assert_true(has("Status: 400"));
	assert_true(get_on(fd, true, "/healthz"));
	memcpy(body + 60000, "\"}", 3);
	assert_true(post_on(fd, "60002", body, 60002));
	assert_true(has("Status: 200"));
	close(fd);
}

/* Past all patience the connection goes, and only that. */
static void
test_endless_body(void **state)
{
	static char part[1 << 20];
	const char *params[] = { "REQUEST_METHOD=POST",
		"DOCUMENT_URI=/t/echo", "CONTENT_TYPE=application/json",
		"CONTENT_LENGTH=", NULL };
	int fd = dial(), i;

	(void)state;
	memset(part, ' ', sizeof(part));
	assert_true(fcgi_begin(fd, true, params));
	for (i = 0; i < 64; i++)
		if (!fcgi_stdin(fd, part, sizeof(part)))
			break;
	assert_true(i < 64);
	close(fd);
	fd = dial();
	assert_true(get_on(fd, true, "/healthz"));
	close(fd);
}

static void
test_deep(void **state)
{
	static char body[20009];
	int fd = dial();

	(void)state;
	memset(body, '[', 10000);
	memset(body + 10000, ']', 10000);
	assert_true(post_on(fd, "20000", body, 20000));
	assert_true(has("Status: 400"));
	assert_true(has("嵌套过深"));
	assert_true(get_on(fd, true, "/healthz"));
	close(fd);
}

/* More peers that go wrong than there are threads. */
static void
test_garbage(void **state)
{
	static const char *const junk[] = {
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x01\x00\x00\x00",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x01\x04\x00\x01\x00\x04\x00\x00\xff\xff\xff\xff",
		"\x01\x09\x00\x00\x00\x00\x00\x00",
		"\x01", ""
	};
	static const size_t sizes[] = { 27, 14, 14, 12, 8, 1, 0 };
	uint8_t noise[512];
	size_t i;
	int fd, k;

	(void)state;
	for (i = 0; i < nitems(junk); i++) {
		fd = dial();
		assert_true(send(fd, junk[i], sizes[i], MSG_NOSIGNAL) >= 0 ||
		    sizes[i] == 0);
		close(fd);
	}
	for (k = 0; k < 100; k++) {
		crypt_random(noise, sizeof(noise));
		fd = dial();
		if (k % 2 == 0)
			assert_true(get_on(fd, true, "/healthz"));
		assert_true(send(fd, noise, sizeof(noise), MSG_NOSIGNAL) > 0);
		close(fd);
	}
	fd = dial();
	assert_true(get_on(fd, true, "/healthz"));
	close(fd);
}

static void
test_loss(void **state)
{
	const char *params[] = { "REQUEST_METHOD=POST",
		"DOCUMENT_URI=/t/echo", "CONTENT_TYPE=application/json",
		"CONTENT_LENGTH=100", NULL };
	int fd, i;

	(void)state;
	for (i = 0; i < 4 * THREADS; i++) {
		fd = dial();
		assert_true(fcgi_begin(fd, true, params));
		if (i % 2 == 0)
			assert_true(fcgi_stdin(fd, "{\"te", 4));
		close(fd);
		fd = dial();	/* gone before its answer */
		assert_true(fcgi_begin(fd, true, alive));
		assert_true(fcgi_stdin(fd, NULL, 0));
		close(fd);
	}
	fd = dial();
	assert_true(get_on(fd, true, "/healthz"));
	close(fd);
}

/* Nobody waits for those who keep a connection and say nothing. */
static void
test_many_kept(void **state)
{
	int fd[MANY], i, k;

	(void)state;
	for (k = 0; k < MANY; k++)
		fd[k] = dial();
	for (i = 0; i < 5; i++)
		for (k = 0; k < MANY; k++)
			assert_true(get_on(fd[k], true, "/healthz"));
	for (k = 0; k < MANY; k++)
		assert_true(fcgi_begin(fd[k], true, alive) &&
		    fcgi_stdin(fd[k], NULL, 0));
	for (k = 0; k < MANY; k++)
		assert_true(fcgi_reply(fd[k], reply, sizeof(reply), WAIT) > 0);
	for (k = 0; k < MANY; k++)
		close(fd[k]);
}

/* Connections that are open at the server's end, by the kernel's list. */
static int
connections(void)
{
	FILE *fp = fopen("/proc/net/unix", "r");
	char line[400];
	int n = -1;		/* the listening one */

	assert_non_null(fp);
	while (fgets(line, sizeof(line), fp) != NULL)
		n += strstr(line, where()) != NULL;
	fclose(fp);
	return n;
}

/* How many there are once that is `want`. */
static int
connections_soon(int want)
{
	int64_t end = clock_mono_us() + WAIT * 1000LL;
	struct pollfd none;
	int n;

	while ((n = connections()) != want && clock_mono_us() < end)
		poll(&none, 0, 5);
	return n;
}

static void
test_reused(void **state)
{
	int fd = dial(), i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_true(get_on(fd, true, "/healthz"));
	assert_int_equal(connections(), 1);
	close(fd);
	for (i = 0; i < 300; i++) {
		fd = dial();
		if (i % 3 == 0)
			assert_true(get_on(fd, i % 2 == 0, "/healthz"));
		else if (i % 3 == 1)
			assert_true(send(fd, "\1\11\0\0\0\0\0\0", 8,
			    MSG_NOSIGNAL) == 8);
		close(fd);
	}
	assert_int_equal(connections_soon(0), 0);
}

/* What stops in a header holds no thread, and goes after a while. */
static void
test_half_open(void **state)
{
	static const char head[22] = "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
	    "\1\4\0\1\1";
	int fd[MANY], kept, other, k;
	int64_t began;

	(void)state;
	kept = dial();
	assert_true(get_on(kept, true, "/healthz"));
	for (k = 0; k < MANY; k++) {
		fd[k] = dial();
		/* A quarter says nothing at all. */
		if (k % 4 != 0)
			assert_int_equal(send(fd[k], head, sizeof(head),
			    MSG_NOSIGNAL), sizeof(head));
	}
	began = clock_mono_us();
	other = dial();
	for (k = 0; k < 20; k++) {
		assert_true(get_on(kept, true, "/healthz"));
		assert_true(get_on(other, true, "/healthz"));
	}
	assert_true(clock_mono_us() - began < 390000);
	for (k = 0; k < MANY; k++) {
		assert_true(fcgi_ended(fd[k], WAIT));
		close(fd[k]);
	}
	assert_true(clock_mono_us() - began >= 350000);
	/* A connection that owes nothing is kept. */
	assert_true(get_on(kept, true, "/healthz"));
	assert_true(get_on(other, true, "/healthz"));
	assert_int_equal(connections(), 2);
	close(other);
	close(kept);
}

/* A request in small parts is one request. */
static void
test_parts(void **state)
{
	static const char begin[] = "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
	    "\1\4\0\1\0\30\0\0\14\10DOCUMENT_URI/healthz\0\0"
	    "\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0";
	int fd = dial(), round;
	size_t i;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < sizeof(begin) - 1; i++)
			assert_int_equal(send(fd, begin + i, 1,
			    MSG_NOSIGNAL), 1);
		assert_true(fcgi_reply(fd, reply, sizeof(reply), WAIT) > 0);
		assert_true(has("Status: "));
	}
	close(fd);
}

static void
test_stop_idle(void **state)
{
	int fd = dial();

	(void)state;
	assert_true(get_on(fd, false, "/healthz"));
	close(fd);
	kill(server, SIGINT);
	assert_int_equal(server_exit(WAIT), 0);
}

/* What is kept is served until the peer goes; nobody new is. */
static void
test_stop_kept(void **state)
{
	int fd = dial(), other;

	(void)state;
	assert_true(get_on(fd, true, "/healthz"));
	kill(server, SIGTERM);
	assert_int_equal(server_exit(300), -1);
	assert_true(get_on(fd, true, "/healthz"));
	assert_true(get_on(fd, true, "/t/large"));
	other = fcgi_connect(where());
	if (other >= 0) {
		fcgi_begin(other, true, alive);
		fcgi_stdin(other, NULL, 0);
		assert_int_equal(fcgi_reply(other, reply, sizeof(reply), 300),
		    -1);
	}
	assert_true(get_on(fd, true, "/healthz"));
	close(fd);
	assert_int_equal(server_exit(WAIT), 0);
	close(other);
}

/* More are kept than there are threads, and all are served to the end. */
static void
test_stop_parked(void **state)
{
	int fd[MANY], k;

	(void)state;
	for (k = 0; k < MANY; k++) {
		fd[k] = dial();
		assert_true(get_on(fd[k], true, "/healthz"));
	}
	kill(server, SIGTERM);
	assert_int_equal(server_exit(100), -1);
	for (k = 0; k < MANY; k++)
		assert_true(get_on(fd[k], true, "/healthz"));
	for (k = 0; k < MANY - 1; k++)
		close(fd[k]);
	assert_true(get_on(fd[k], true, "/healthz"));
	close(fd[k]);
	assert_int_equal(server_exit(WAIT), 0);
}

/* A peer that neither speaks nor goes is waited for, but not for ever. */
static void
test_stop_silent(void **state)
{
	int64_t began;
	int fd = dial();

	(void)state;
	assert_true(get_on(fd, true, "/healthz"));
	began = clock_mono_us();
	kill(server, SIGTERM);
	assert_true(fcgi_ended(fd, WAIT));
	assert_true(clock_mono_us() - began >= 450000);
	close(fd);
	assert_int_equal(server_exit(WAIT), 0);
}

static void
test_stop_garbage(void **state)
{
	uint8_t noise[64] = { 7 };
	int fd = dial();

	(void)state;
	assert_true(get_on(fd, true, "/healthz"));
	kill(server, SIGTERM);
	assert_true(send(fd, noise, sizeof(noise), MSG_NOSIGNAL) > 0);
	close(fd);
	assert_int_equal(server_exit(WAIT), 0);
}

static void
test_stop_busy(void **state)
{
	int fd = dial();
	char c;

	(void)state;
	assert_true(fcgi_begin(fd, true, (const char *const[]){
	    "REQUEST_METHOD=GET", "DOCUMENT_URI=/t/slow",
	    "REMOTE_ADDR=127.0.0.1", NULL }));
	assert_true(fcgi_stdin(fd, NULL, 0));
	assert_int_equal(read(tell[0], &c, 1), 1);
	kill(server, SIGTERM);
	assert_int_equal(server_exit(700), -1);
	assert_int_equal(write(hold[1], "g", 1), 1);
	assert_true(fcgi_reply(fd, reply, sizeof(reply), WAIT) > 0);
	assert_true(has("\"at last\""));
	close(fd);
	assert_int_equal(server_exit(WAIT), 0);
}

static void
test_bad_start(void **state)
{
	int fd = listen_at(unit_path(rig.folder, "sock2"));
	struct db *db;
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(server_run(&rig.conf, fd, 0, "api"), 1);
	assert_int_equal(server_run(&rig.conf, -1, 1, "api"), 1);
	/* A database without our tables: the statements do not fit. */
	snprintf(rig.database, sizeof(rig.database), "sqlite:%s/other.db",
	    rig.folder);
	assert_int_equal(db_open(rig.database, 2000, false, &db), OK);
	db_close(db);
	if ((pid = fork()) == 0)
		_exit(server_run(&rig.conf, fd, 1, "api"));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(fd);
}

static int
set_up(void **state)
{
	(void)state;
	rig_start(&rig, true);
	rig.conf.drain_ms = 500;
	unit_write(unit_path(rig.folder, "secret"), "s3cret\n", 7, 0600);
	rig.conf.wechat_secret_file = strdup(unit_path(rig.folder,
	    "secret"));
	assert_int_equal(db_open(rig.database, 2000, false, &rig.db), OK);
	assert_int_equal(db_script(rig.db, "CREATE TABLE idempotency ("
	    "community_id BIGINT NOT NULL, user_id BIGINT NOT NULL,"
	    " key TEXT NOT NULL, route TEXT NOT NULL,"
	    " body_hash TEXT NOT NULL, status BIGINT, reply TEXT,"
	    " created_at BIGINT NOT NULL,"
	    " PRIMARY KEY (community_id, user_id, key));" RIG_AUDIT), OK);
	db_close(rig.db);
	rig.db = NULL;
	http_register();
	route_register("test", routes);
	assert_true(route_ready());
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free((char *)rig.conf.wechat_secret_file);
	rig_stop(&rig);
	return 0;
}

#define SERVED(test) \
	cmocka_unit_test_setup_teardown(test, begin_server, end_server)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_once),
		SERVED(test_kept),
		SERVED(test_head_and_strange),
		SERVED(test_large_reply),
		SERVED(test_bodies),
		SERVED(test_large_body),
		SERVED(test_endless_body),
		SERVED(test_deep),
		SERVED(test_garbage),
		SERVED(test_loss),
		SERVED(test_many_kept),
		SERVED(test_reused),
		cmocka_unit_test_setup_teardown(test_half_open, begin_hasty,
		    end_server),
		SERVED(test_parts),
		SERVED(test_stop_idle),
		cmocka_unit_test_setup_teardown(test_stop_parked,
		    begin_patient, end_server),
		cmocka_unit_test_setup_teardown(test_stop_kept, begin_patient,
		    end_server),
		SERVED(test_stop_silent),
		SERVED(test_stop_garbage),
		SERVED(test_stop_busy),
		cmocka_unit_test(test_bad_start),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
