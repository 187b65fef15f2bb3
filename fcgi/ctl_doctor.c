/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_doctor.c -- planetctl doctor: is all as it should be, and if not,
 * what to do about it.
 *
 * Every check runs, whatever the others found, and none changes anything.
 * A WARN is for what works and should be better, a FAIL for what does not.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/err.h"
#include "store/redis.h"
#include "wechat/pay.h"
#include "wechat/wechat.h"
#include "wechat/wechat_push.h"

#include "ctl.h"
#include "ctl_doctor.h"
#include "ctl_nginx.h"

#define SOCKET_NAME_MAX	107
#define DISK_FAIL	(100LL << 20)
#define DISK_WARN	(1LL << 30)
#define YEAR_MIN	2025
#define YEAR_MAX	2099

void
ctl_doctor_say(struct doctor *d, enum grade grade, const char *what,
    const char *how)
{
	static const char *const words[] = { "ok", "WARN", "FAIL" };

	d->found[grade]++;
	printf("%-4s  %s%s%s\n", words[grade], what, how != NULL ? "  -> " :
	    "", how != NULL ? how : "");
	fflush(stdout);
}

/* ---- configuration ---- */

/* Without kept connections each request costs one more. */
static void
check_keepalive(struct doctor *d, const char *pool, int64_t threads)
{
	int64_t	workers = d->conf->nginx_workers;
	int64_t	keep = ctl_nginx_keep(d->conf, threads);

	if (keep > 0)
		ctl_doctor_say(d, GRADE_OK, arena_fmt(d->arena,
		    "%s pool: %lld nginx workers x %lld kept connections"
		    " for %lld threads", pool, (long long)workers,
		    (long long)keep, (long long)threads), NULL);
	else
		ctl_doctor_say(d, GRADE_WARN, arena_fmt(d->arena,
		    "%s pool: nginx keeps no connections, because a worker"
		    " does not wait for them at its end", pool),
		    "drain_ms = 10000");
}

static bool
is_loopback(const char *where)
{
	return strncmp(where, "127.", 4) == 0 ||
	    strncmp(where, "[::1]", 5) == 0 ||
	    strncmp(where, "localhost", 9) == 0;
}

static void
check_standin(struct doctor *d)
{
	const struct conf	*c = d->conf;

	if (strncmp(c->pay_url, "http://", 7) == 0 &&
	    c->pay_mchid[0] != '\0' && !is_loopback(c->listen))
		ctl_doctor_say(d, GRADE_FAIL, "a stand-in for WeChat Pay, and"
		    " nginx answers others: anybody can pay with nothing",
		    "pay_url = https://api.mch.weixin.qq.com");
	if (strncmp(c->wechat_url, "http://", 7) != 0)
		return;
	if (is_loopback(c->listen))
		ctl_doctor_say(d, GRADE_OK, "a stand-in for WeChat, and"
		    " nginx answers this machine alone", NULL);
	else
		ctl_doctor_say(d, GRADE_FAIL, "a stand-in for WeChat, and"
		    " nginx answers others: anybody can log in as anybody",
		    "wechat_url = https://api.weixin.qq.com");
}

static void
check_templates(struct doctor *d)
{
	const char *const *names = conf_template_names;
	size_t	i;

	for (i = 0; names[i] != NULL; i++)
		if (conf_template(d->conf, names[i]) == NULL)
			ctl_doctor_say(d, GRADE_WARN, arena_fmt(d->arena,
			    "template %s has no id: its messages are not"
			    " sent", names[i]), "fill in [templates]");
		else
			ctl_doctor_say(d, GRADE_OK, arena_fmt(d->arena,
			    "template %s", names[i]), NULL);
}

static void
check_conf(struct doctor *d)
{
	check_keepalive(d, "api", d->conf->api_threads);
	check_keepalive(d, "slow", d->conf->slow_threads);
	check_standin(d);
	check_templates(d);
	if (d->conf->clock_file[0] != '\0')
		ctl_doctor_say(d, GRADE_WARN, "clock_file moves the clock",
		    "remove clock_file; it is for tests");
}

/* ---- files ---- */

/* A folder that we can write to and others cannot. */
static void
check_folder(struct doctor *d, const char *what, const char *path)
{
	char		*name = arena_fmt(d->arena, "%s %s", what, path);
	struct stat	 st;

	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode))
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s is no folder", name), arena_fmt(d->arena,
		    "mkdir -p %s", path));
	else if (access(path, W_OK | X_OK) == -1)
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s cannot be written to", name),
		    "give it to the account that the programs run as");
	else if ((st.st_mode & S_IWOTH) != 0)
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s can be written to by everybody", name),
		    arena_fmt(d->arena, "chmod o-w %s", path));
	else
		ctl_doctor_say(d, GRADE_OK, name, NULL);
}

static void
check_sockets(struct doctor *d)
{
	char	*name = arena_fmt(d->arena, "%s/slow-%s.sock",
	    d->conf->run_dir, d->conf->generation);

	if (strlen(name) > SOCKET_NAME_MAX)
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s is too long for a socket", name),
		    "choose a shorter run_dir");
}

/* A file that only its owner may read; false when it cannot be used. */
static bool
check_private(struct doctor *d, const char *what, const char *path,
    const char *how_made)
{
	char		*name = arena_fmt(d->arena, "%s %s", what, path);
	struct stat	 st;

	if (stat(path, &st) == -1) {
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena, "%s: %s",
		    name, strerror(errno)), how_made);
		return false;
	}
	if ((st.st_mode & 077) != 0) {
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s can be read by others", name),
		    arena_fmt(d->arena, "chmod 600 %s", path));
		return false;
	}
	if (access(path, R_OK) == -1) {
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s cannot be read", name),
		    "give it to the account that the programs run as");
		return false;
	}
	ctl_doctor_say(d, GRADE_OK, name, NULL);
	return true;
}

static void
check_keys(struct doctor *d)
{
	if (!check_private(d, "keys", d->conf->keys_file,
	    "restore it from its copy, or for a new installation:"
	    " planetctl keys new"))
		return;
	if (crypt_load_keys(d->conf->keys_file))
		ctl_doctor_say(d, GRADE_OK, "the keys can be used", NULL);
	else
		ctl_doctor_say(d, GRADE_FAIL, "the keys cannot be used",
		    "restore the file from its copy; the log line says what"
		    " is wrong");
}

static void
check_disk(struct doctor *d)
{
	struct statvfs	 fs;
	int64_t		 left;
	const char	*what, *how = "make room, or move dir";

	if (statvfs(d->conf->dir, &fs) == -1) {
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "free space of %s: %s", d->conf->dir, strerror(errno)),
		    "see to dir");
		return;
	}
	left = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	what = arena_fmt(d->arena, "%lld MiB free in %s",
	    (long long)(left >> 20), d->conf->dir);
	if (left < DISK_FAIL)
		ctl_doctor_say(d, GRADE_FAIL, what, how);
	else if (left < DISK_WARN)
		ctl_doctor_say(d, GRADE_WARN, what, how);
	else
		ctl_doctor_say(d, GRADE_OK, what, NULL);
}

static void
check_files(struct doctor *d)
{
	check_folder(d, "dir", d->conf->dir);
	check_folder(d, "run_dir", d->conf->run_dir);
	check_sockets(d);
	check_disk(d);
	check_keys(d);
}

/* ---- clock ---- */

static void
check_clock(struct doctor *d)
{
	struct timex	 t = { .modes = 0 };
	char		 text[CLOCK_TEXT_MAX];
	int64_t		 now = clock_now();
	int		 year = clock_local(now).year;
	const char	*what;

	clock_text(now - now % CLOCK_SECOND, text);
	what = arena_fmt(d->arena, "clock %s", text);
	if (year < YEAR_MIN || year > YEAR_MAX)
		ctl_doctor_say(d, GRADE_FAIL, what, "set the clock");
	else if (adjtimex(&t) == TIME_ERROR)
		ctl_doctor_say(d, GRADE_WARN, arena_fmt(d->arena,
		    "%s, not kept by a time server", what),
		    "apt install systemd-timesyncd, or chrony");
	else
		ctl_doctor_say(d, GRADE_OK, what, NULL);
}

/* ---- WeChat ---- */

static void
ask_token(struct doctor *d)
{
	struct wechat	*w = wechat_new(d->conf);
	const char	*token;
	char		*what;
	enum err	 e;

	what = arena_fmt(d->arena, "WeChat at %s", d->conf->wechat_url);
	e = wechat_token(w, d->redis, d->arena, NULL, &token);
	wechat_free(w);
	if (e == OK)
		ctl_doctor_say(d, GRADE_OK, what, NULL);
	else
		ctl_doctor_say(d, GRADE_WARN, arena_fmt(d->arena,
		    "%s gives no access token: %s", what,
		    err_info(e)->title), "see to the network, wechat_appid,"
		    " the secret and WeChat's list of our addresses");
}

static void
check_wechat(struct doctor *d)
{
	if (d->conf->wechat_appid[0] == '\0')
		ctl_doctor_say(d, GRADE_FAIL, "no AppID",
		    "wechat_appid = the mini-program's");
	if (!check_private(d, "AppSecret", d->conf->wechat_secret_file,
	    "write the AppSecret into this file, mode 0600"))
		return;
	if (wechat_init(d->conf) == OK)
		ask_token(d);
	else
		ctl_doctor_say(d, GRADE_FAIL, "WeChat cannot be asked",
		    "see to [wechat]; the log line says what is wrong");
}

/* ---- WeChat Pay ---- */

/* What to do about an echo that did not come back. */
static const char *
pay_help(const char *code)
{
	static const struct {
		const char	*code, *how;
	} rows[] = {
		{ "SIGNERROR", "pay_mchid, pay_serial and pay_key_file do not"
		    " belong together, or the clock is wrong" },
		{ "clock", "set the clock: it may be off by less than five"
		    " minutes" },
		{ "serial", "put the key that WeChat Pay signs with into"
		    " pay_platform_dir" },
		{ "signature", "the key in pay_platform_dir is not the one"
		    " that its name says" },
		{ "key", "all certificates in pay_platform_dir have ended" },
		{ "sealed", "pay_key_file is not the key of the certificate"
		    " that WeChat Pay has" },
		{ "tls", "see to the certificates of this machine" },
		{ "absent", "is pay_url WeChat Pay's?" },
	};
	size_t	i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (code != NULL && strcmp(code, rows[i].code) == 0)
			return rows[i].how;
	return "see to the network and pay_url; the log line says more";
}

static void
ask_echo(struct doctor *d)
{
	struct wechat		*w = wechat_new(d->conf);
	struct pay_refusal	 why = { .status = 0 };
	const char		*what;
	enum err		 e;

	what = arena_fmt(d->arena, "WeChat Pay at %s", d->conf->pay_url);
	/* What is signed bears the time that the programs go by. */
	if (d->conf->clock_file[0] != '\0')
		(void)clock_follow(d->conf->clock_file);
	e = w != NULL ? pay_echo(w, d->arena, &why) : ERR_INTERNAL;
	wechat_free(w);
	if (e == OK)
		ctl_doctor_say(d, GRADE_OK, arena_fmt(d->arena,
		    "%s: keys, clock and signatures are good", what), NULL);
	else
		ctl_doctor_say(d, e == ERR_PAY_REFUSED ? GRADE_FAIL :
		    GRADE_WARN, arena_fmt(d->arena,
		    "%s gives no echo: %s%s%s", what,
		    why.code != NULL ? why.code : err_info(e)->title,
		    why.message != NULL && why.message[0] != '\0' ? ", " : "",
		    why.message != NULL ? why.message : ""),
		    pay_help(why.code));
}

static void
check_push(struct doctor *d)
{
	if (d->conf->push_token[0] == '\0' &&
	    d->conf->push_aes_key_file[0] == '\0') {
		ctl_doctor_say(d, GRADE_OK, "no push_token: WeChat pushes"
		    " nothing", NULL);
		return;
	}
	if (d->conf->push_aes_key_file[0] != '\0' &&
	    !check_private(d, "EncodingAESKey", d->conf->push_aes_key_file,
	    "write the 43 characters set in the console"))
		return;
	if (wechat_push_init(d->conf) != OK)
		ctl_doctor_say(d, GRADE_FAIL, "WeChat's pushes cannot be"
		    " opened", "see to push_token and push_aes_key_file; the"
		    " log line says what is wrong");
	else if (d->conf->push_aes_key_file[0] == '\0')
		ctl_doctor_say(d, GRADE_WARN, "pushes in plain mode prove"
		    " no body", "choose the secure mode in the console and"
		    " set push_aes_key_file");
	else
		ctl_doctor_say(d, GRADE_OK, "pushes are sealed", NULL);
}

static void
check_pay(struct doctor *d)
{
	if (d->conf->pay_mchid[0] == '\0') {
		ctl_doctor_say(d, GRADE_OK, "no merchant: nothing is paid"
		    " online", NULL);
		return;
	}
	if (!check_private(d, "merchant's key", d->conf->pay_key_file,
	    "take apiclient_key.pem from the merchant console") ||
	    !check_private(d, "APIv3 key", d->conf->pay_apiv3_file,
	    "write the 32 characters set in the merchant console"))
		return;
	if (pay_init(d->conf) == OK)
		ask_echo(d);
	else
		ctl_doctor_say(d, GRADE_FAIL, "WeChat Pay cannot be asked",
		    "see to [pay]; the log line says what is wrong");
}

int
ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
	struct doctor	d = { .conf = ctl->conf, .arena = ctl->arena };

	(void)argv;
	if (argc != 1)
		return 2;
	d.redis = redis_new(ctl->conf->redis, ctl->conf->redis_db,
	    ctl->conf->redis_timeout_ms);
	check_conf(&d);
	check_files(&d);
	check_clock(&d);
	ctl_doctor_store_db(&d);
	ctl_doctor_store_redis(&d);
	check_wechat(&d);
	check_push(&d);
	check_pay(&d);
	redis_free(d.redis);
	printf("%d ok, %d warnings, %d failures\n", d.found[GRADE_OK],
	    d.found[GRADE_WARN], d.found[GRADE_FAIL]);
	return d.found[GRADE_FAIL] > 0 ? 1 : 0;
}
