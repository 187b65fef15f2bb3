/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_rig.c -- starts and asks the servers of the WeChat tests.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>

#include <curl/curl.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/redis.h"
#include "wechat/wechat.h"

#include "wechat_rig.h"

/* Run argv as a child that dies with us; its output goes to `out`. */
static pid_t
launch(const char *const argv[], int out)
{
	pid_t	parent = getpid(), pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    dup2(out, STDOUT_FILENO) == -1)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static void
end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGTERM);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static void
standin_start(struct wechat_rig *s)
{
	static const char	 said[] = "standin listening on ";
	char			 line[sizeof(s->url)];
	int			 fds[2];
	FILE			*f;
	const char		*argv[] = { "node", TEST_STANDIN, "--port", "0",
		"--appid", RIG_APPID, "--secret", RIG_SECRET,
		"--pay-dir", s->keys, NULL };

	if (s->keys[0] == '\0')
		argv[nitems(argv) - 3] = NULL;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[1], F_SETFD, FD_CLOEXEC), 0);
	s->standin_pid = launch(argv, fds[1]);
	close(fds[1]);
	f = fdopen(fds[0], "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	assert_memory_equal(line, said, sizeof(said) - 1);
	snprintf(s->url, sizeof(s->url), "%s", line + sizeof(said) - 1);
}

static void
start(struct wechat_rig *s, bool pay)
{
	FILE	*log;

	memset(s, 0, sizeof(*s));
	snprintf(s->folder, sizeof(s->folder), "%s", unit_folder());
	if (pay)
		snprintf(s->keys, sizeof(s->keys), "%s/pay", s->folder);
	snprintf(s->secret, sizeof(s->secret), "%s/secret", s->folder);
	log_open("test", LOG_DEBUG_);
	log = freopen(unit_path(s->folder, "log"), "a", stderr);
	assert_ptr_equal(log, stderr);
	assert_true(servers_redis(&s->server));
	standin_start(s);
	assert_true(crypt_init());
	unit_write(s->secret, RIG_SECRET "\n", strlen(RIG_SECRET) + 1, 0600);
	s->conf = (struct conf){
		.wechat_url = s->url,
		.wechat_appid = RIG_APPID,
		.wechat_secret_file = s->secret,
		.wechat_state = "trial",
	};
	s->a = arena_new(1 << 22);
	s->redis = redis_new(s->server.where, 0, 2000);
	assert_int_equal(wechat_init(&s->conf), OK);
	wechat_rig_fresh(s, 10000);
}

void
wechat_rig_start(struct wechat_rig *s)
{
	start(s, false);
}

void
wechat_rig_start_pay(struct wechat_rig *s)
{
	start(s, true);
}

void
wechat_rig_fresh(struct wechat_rig *s, int64_t ms)
{
	wechat_free(s->w);
	s->conf.wechat_timeout_ms = ms;
	s->w = wechat_new(&s->conf);
	assert_non_null(s->w);
}

const char *
wechat_rig_log(struct wechat_rig *s)
{
	FILE	*f = fopen(unit_path(s->folder, "log"), "r");
	char	*text = arena_take(s->a, 1 << 16);
	size_t	 n;

	assert_non_null(f);
	fflush(stderr);
	assert_int_equal(fseek(f, s->log_at, SEEK_SET), 0);
	n = fread(text, 1, (1 << 16) - 1, f);
	s->log_at += (long)n;
	fclose(f);
	return text;
}

/* What is in the log without being logged was meant for a person. */
static void
show_failures(const struct wechat_rig *s)
{
	char	 line[4096];
	FILE	*f = fopen(unit_path(s->folder, "log"), "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, " test[") == NULL)
			fputs(line, stdout);
	if (f != NULL)
		fclose(f);
}

void
wechat_rig_stop(struct wechat_rig *s)
{
	wechat_free(s->w);
	redis_free(s->redis);
	arena_free(s->a);
	end(&s->standin_pid);
	servers_stop(&s->server);
	show_failures(s);
	servers_remove(s->folder);
}

struct reply {
	char	data[1 << 20];
	size_t	n;
};

static size_t
keep(char *data, size_t size, size_t n, void *arg)
{
	struct reply *reply = arg;

	if (size * n > sizeof(reply->data) - reply->n)
		return 0;
	memcpy(reply->data + reply->n, data, size * n);
	reply->n += size * n;
	return size * n;
}

json_t *
wechat_rig_ask(const struct wechat_rig *s, const char *method,
    const char *path, const char *body)
{
	static struct reply	 reply;
	char			 url[4096];
	CURL			*c = curl_easy_init();
	json_t			*json;

	assert_non_null(c);
	reply.n = 0;
	snprintf(url, sizeof(url), "%s%s", s->url, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &reply);
	if (body != NULL)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	assert_int_equal(curl_easy_perform(c), CURLE_OK);
	curl_easy_cleanup(c);
	json = json_loadb(reply.data, reply.n, JSON_DECODE_ANY, NULL);
	assert_non_null(json);
	return json;
}

static json_t *post(const struct wechat_rig *, const char *, const char *,
    va_list) __attribute__((format(printf, 3, 0)));

static json_t *
post(const struct wechat_rig *s, const char *name, const char *fmt,
    va_list ap)
{
	char	 path[128], body[4096];
	int	 n;
	json_t	*json;

	n = vsnprintf(body, sizeof(body), fmt, ap);
	assert_true(n >= 0 && (size_t)n < sizeof(body));
	snprintf(path, sizeof(path), "/_standin/%s", name);
	json = wechat_rig_ask(s, "POST", path, body);
	assert_null(json_object_get(json, "error"));
	return json;
}

void
wechat_rig_set(const struct wechat_rig *s, const char *name,
    const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	json_decref(post(s, name, fmt, ap));
	va_end(ap);
}

void
wechat_rig_code(const struct wechat_rig *s, char out[80],
    const char *name, const char *fmt, ...)
{
	const char	*code;
	json_t		*json;
	va_list		 ap;

	va_start(ap, fmt);
	json = post(s, name, fmt, ap);
	va_end(ap);
	code = json_string_value(json_object_get(json, "code"));
	assert_non_null(code);
	snprintf(out, 80, "%s", code);
	json_decref(json);
}

void
wechat_rig_answer(const struct wechat_rig *s, const char *kind,
    const char *body)
{
	json_t	*json = json_pack("{s:s, s:s, s:s}", "kind", kind,
	    "mode", "garbage", "body", body);
	char	*text = json_dumps(json, 0);

	json_decref(wechat_rig_ask(s, "POST", "/_standin/faults", text));
	json_decref(json);
	free(text);
}

void
wechat_rig_pass(const struct wechat_rig *s, int64_t ms)
{
	json_t		*all = wechat_rig_ask(s, "GET", "/_standin/state",
	    NULL);
	json_int_t	 now = json_integer_value(json_object_get(all,
	    "offset_ms"));

	wechat_rig_set(s, "clock", "{\"offset_ms\":%lld}",
	    (long long)(now + ms));
	json_decref(all);
}

void
wechat_rig_clean(struct wechat_rig *s)
{
	json_decref(wechat_rig_ask(s, "DELETE", "/_standin/faults", NULL));
	json_decref(wechat_rig_ask(s, "DELETE", "/_standin/messages", NULL));
	wechat_rig_pass(s, CLOCK_DAY);
	s->conf.wechat_url = s->url;
	s->conf.wechat_appid = RIG_APPID;
	wechat_rig_fresh(s, 10000);
	assert_int_equal(redis_del(s->redis, RIG_KEY), OK);
	assert_int_equal(redis_del(s->redis, RIG_LOCK), OK);
	arena_reset(s->a);
	(void)wechat_rig_log(s);
}

int
wechat_rig_calls(const struct wechat_rig *s, const char *kind)
{
	json_t	*state = wechat_rig_ask(s, "GET", "/_standin/state", NULL);
	json_t	*calls = json_object_get(state, "calls");
	int	 n = (int)json_integer_value(json_object_get(calls, kind));

	json_decref(state);
	return n;
}
