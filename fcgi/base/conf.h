/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h -- planet.conf: one table of keys, one struct of values.
 *
 * The file is INI (libinih).  Each key has a default as the text that a
 * user would type; an unknown key, a wrong value or a section that does
 * not exist stops the program with file, line and reason.
 * A relative path is taken from the folder of the file.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A named template of WeChat's subscribe messages. */
#define CONF_TEMPLATES	8

struct conf_template {
	const char	*name;		/* ours, e.g. order_progress */
	const char	*id;		/* WeChat's */
};

struct conf {
	/* [server] */
	const char	*dir;		/* state folder */
	const char	*listen;	/* nginx address, 127.0.0.1:8080 */
	const char	*run_dir;	/* sockets, pids, node locks */
	int64_t		 node;		/* first node number of the machine */
	int64_t		 api_threads;
	int64_t		 slow_threads;
	int64_t		 nginx_workers;
	int64_t		 drain_ms;	/* wait for kept connections to end */
	int64_t		 request_ms;	/* a request's own deadline */
	int64_t		 body_max;	/* bytes */
	int64_t		 upload_max;	/* bytes of a file */
	const char	*log_level;
	const char	*clock_file;	/* tests only; empty for none */
	const char	*generation;	/* names this set of sockets */
	/* [database] */
	const char	*db;		/* sqlite:PATH or postgresql://... */
	int64_t		 db_timeout_ms;	/* busy and statement time-out */
	/* [redis] */
	const char	*redis;		/* unix:PATH or HOST:PORT */
	int64_t		 redis_timeout_ms;
	int64_t		 redis_db;
	/* [session] */
	int64_t		 session_days;	/* sliding life of a resident's */
	int64_t		 staff_minutes;	/* sliding life of a staff session */
	int64_t		 staff_hours;	/* its end in any case */
	int64_t		 session_cache;	/* entries in each process */
	int64_t		 session_cache_ms; /* age limit of an entry */
	/* [password] of staff */
	int64_t		 password_days;	/* its age; 0: any */
	int64_t		 password_history; /* the last so many are refused */
	int64_t		 login_tries;	/* wrong ones until it is locked */
	int64_t		 lock_minutes;
	/* [limits]: requests a minute, 0 for none */
	int64_t		 user_reads;
	int64_t		 user_writes;
	int64_t		 address_requests; /* per address, public routes */
	int64_t		 logins;	/* per address and per account */
	/* [wechat] */
	const char	*wechat_url;	/* https://api.weixin.qq.com */
	const char	*wechat_appid;
	const char	*wechat_secret_file; /* mode 0600 */
	int64_t		 wechat_timeout_ms;
	const char	*wechat_state;	/* developer, trial, formal */
	const char	*push_token;	/* of its pushes; empty: none */
	const char	*push_aes_key_file; /* mode 0600; empty: plain */
	/* [pay] */
	const char	*pay_url;	/* https://api.mch.weixin.qq.com */
	const char	*pay_mode;	/* direct, partner */
	const char	*pay_mchid;	/* empty: nothing is paid online */
	const char	*pay_serial;	/* of our certificate, 40 hex */
	const char	*pay_key_file;	/* our private key, mode 0600 */
	const char	*pay_apiv3_file; /* the 32 characters, mode 0600 */
	const char	*pay_platform_dir; /* their keys, NAME.pem each */
	const char	*pay_platform_serial; /* asked for; empty: newest */
	const char	*pay_sub_mchid;	/* partner: whose money it is */
	const char	*pay_sub_appid;	/* partner: empty when not theirs */
	const char	*pay_sp_appid;	/* partner: empty when not another */
	const char	*pay_notify_url; /* https://HOST, no path */
	int64_t		 pay_minutes;	/* time to pay */
	/* [templates] name = id; unknown names are refused */
	struct conf_template templates[CONF_TEMPLATES];
	/* [keys] */
	const char	*keys_file;	/* mode 0600; see crypt.h */
	const char	*anchors_file;	/* heads of the audit, by day */
	/* [jobs] */
	int64_t		 jobs_threads;
	int64_t		 jobs_poll_ms;
	/* [water] */
	int64_t		 accept_minutes; /* default time to accept */
};

/*
 * Read `path` into a new conf, or return NULL after writing the reason,
 * with file and line, to standard error.
 */
struct conf *conf_load(const char *path);

/* Give it back; NULL is fine. */
void conf_free(struct conf *);

/* Print the whole table with defaults as a commented sample file. */
void conf_sample(FILE *);

/* The messages there are, NULL-ended. */
extern const char *const conf_template_names[];

/* WeChat's id of the template called `name`; NULL when not configured. */
const char *conf_template(const struct conf *, const char *name);

#endif
