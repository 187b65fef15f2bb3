/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_table.c -- every key of planet.conf, once.
 */
#include "base/conf.h"
#include "base/conf_internal.h"

static const char *const log_levels[] = { "debug", "info", "warn", "error",
	NULL };
static const char *const wechat_states[] = { "developer", "trial", "formal",
	NULL };

static const char *const pay_modes[] = { "direct", "partner", NULL };

const char *const conf_template_names[] = { "order_progress", "order_todo",
	"roll_call", "bill_due", NULL };

_Static_assert(sizeof(conf_template_names) /
    sizeof(conf_template_names[0]) - 1 <= CONF_TEMPLATES, "room for all");

#define K(sec, kind, member, value, about) \
	{ sec, #member, kind, offsetof(struct conf, member), value, 0, 0, \
	    about, NULL }
#define I(sec, member, value, min, max, about) \
	{ sec, #member, CONF_INT, offsetof(struct conf, member), value, \
	    min, max, about, NULL }
#define E(sec, member, value, names, about) \
	{ sec, #member, CONF_ENUM, offsetof(struct conf, member), value, \
	    0, 0, about, names }

const struct conf_key conf_keys[] = {
	K("server", CONF_PATH, dir, ".", "Folder of all state."),
	K("server", CONF_TEXT, listen, "127.0.0.1:8080",
	    "Address and port on which nginx answers."),
	K("server", CONF_PATH, run_dir, "run",
	    "Folder of sockets, process ids and node locks."),
	I("server", node, "0", 0, 1000,
	    "First node number of this machine; no two may overlap."),
	I("server", api_threads, "16", 1, 256,
	    "Threads of a worker in the api pool."),
	I("server", slow_threads, "8", 1, 256,
	    "Threads of a worker in the slow pool (calls to WeChat)."),
	I("server", nginx_workers, "2", 1, 64, "Worker processes of nginx."),
	I("server", drain_ms, "10000", 0, 600000,
	    "How long an ending worker waits for kept connections."),
	I("server", request_ms, "10000", 100, 600000,
	    "Time a request has, with everything it waits for."),
	I("server", body_max, "65536", 1024, 16777216,
	    "Largest body of a request, in bytes."),
	I("server", upload_max, "33554432", 65536, 1073741824,
	    "Largest file that staff may upload, in bytes."),
	E("server", log_level, "info", log_levels,
	    "Least level logged: debug, info, warn or error."),
	K("server", CONF_PATH, clock_file, "",
	    "Only for tests: file that moves the clock."),
	K("server", CONF_WORD, generation, "0",
	    "Name of this set of sockets; a reload makes the next one."),

	K("database", CONF_DB, db, "sqlite:planet.db",
	    "sqlite:PATH or postgresql://USER@HOST/NAME."),
	I("database", db_timeout_ms, "5000", 100, 600000,
	    "Longest wait for a lock, and longest statement."),

	K("redis", CONF_REDIS, redis, "unix:run/redis.sock",
	    "unix:PATH or HOST:PORT."),
	I("redis", redis_timeout_ms, "1000", 10, 60000,
	    "Longest wait for an answer."),
	I("redis", redis_db, "0", 0, 15, "Number of the Redis database."),

	I("session", session_days, "30", 1, 365,
	    "Days a resident's session lives after its last use."),
	I("session", staff_minutes, "30", 1, 1440,
	    "Minutes a staff session lives after its last use."),
	I("session", staff_hours, "12", 1, 168,
	    "Hours after which a staff session ends although it is used."),
	I("session", session_cache, "20000", 0, 10000000,
	    "Sessions that each process remembers; 0 for none."),
	I("session", session_cache_ms, "30000", 0, 600000,
	    "Age at which a remembered session is asked for again."),

	I("password", password_days, "90", 0, 3650,
	    "Days after which staff must change the password; 0 for never."),
	I("password", password_history, "5", 1, 24,
	    "A new password is none of the last so many."),
	I("password", login_tries, "5", 1, 100,
	    "Wrong passwords in a row after which an account is locked."),
	I("password", lock_minutes, "15", 1, 1440,
	    "Minutes it stays locked."),

	I("limits", user_reads, "600", 0, 1000000,
	    "Reads a minute of one user; 0 for no limit, as below."),
	I("limits", user_writes, "60", 0, 1000000,
	    "Writes a minute of one user."),
	I("limits", address_requests, "1200", 0, 1000000,
	    "Requests a minute without a session from one address."),
	I("limits", logins, "20", 0, 1000000,
	    "Log-ins a minute from one address, and to one account."),

	K("wechat", CONF_TEXT, wechat_url, "https://api.weixin.qq.com",
	    "Base address of WeChat's server interface."),
	K("wechat", CONF_WORD, wechat_appid, "",
	    "AppID of the mini-program."),
	K("wechat", CONF_PATH, wechat_secret_file, "wechat.secret",
	    "File that holds the AppSecret, mode 0600."),
	I("wechat", wechat_timeout_ms, "5000", 100, 60000,
	    "Longest wait for WeChat's answer."),
	E("wechat", wechat_state, "formal", wechat_states,
	    "Version that messages open: developer, trial or formal."),
	K("wechat", CONF_WORD, push_token, "",
	    "Token of message pushes, as in the console; empty for none."),
	K("wechat", CONF_PATH, push_aes_key_file, "",
	    "File of their EncodingAESKey, mode 0600; empty: plain mode."),

	K("pay", CONF_TEXT, pay_url, "https://api.mch.weixin.qq.com",
	    "Base address of WeChat Pay."),
	E("pay", pay_mode, "direct", pay_modes,
	    "direct: our own merchant number; partner: a service provider's."),
	K("pay", CONF_WORD, pay_mchid, "",
	    "Merchant number (partner: the provider's); empty for none."),
	K("pay", CONF_WORD, pay_serial, "",
	    "Serial number of the merchant's certificate, 40 hex digits."),
	K("pay", CONF_PATH, pay_key_file, "apiclient_key.pem",
	    "The merchant's private key, mode 0600."),
	K("pay", CONF_PATH, pay_apiv3_file, "apiv3.key",
	    "File that holds the APIv3 key, mode 0600."),
	K("pay", CONF_PATH, pay_platform_dir, "platform-keys",
	    "Folder of WeChat Pay's keys: PUB_KEY_ID_....pem or SERIAL.pem."),
	K("pay", CONF_WORD, pay_platform_serial, "",
	    "Key that answers shall be signed by; empty: a public key first."),
	K("pay", CONF_WORD, pay_sub_mchid, "",
	    "partner: merchant number that the money is for."),
	K("pay", CONF_WORD, pay_sub_appid, "",
	    "partner: AppID of the sub-merchant's own mini-program, if any."),
	K("pay", CONF_WORD, pay_sp_appid, "",
	    "partner: the provider's own AppID; empty for wechat_appid."),
	K("pay", CONF_TEXT, pay_notify_url, "https://example.com",
	    "Where WeChat Pay reaches us; the paths are added."),
	I("pay", pay_minutes, "15", 1, 1440,
	    "Minutes a resident has to pay."),

	K("keys", CONF_PATH, keys_file, "planet.keys",
	    "Keys of sealed columns, mode 0600."),
	K("keys", CONF_PATH, anchors_file, "audit-anchors.txt",
	    "Each day's last hash of the audit; keep a copy elsewhere."),

	I("jobs", jobs_threads, "2", 1, 64, "Threads of planet-jobs."),
	I("jobs", jobs_poll_ms, "500", 10, 60000,
	    "Pause between looks for work."),

	I("water", accept_minutes, "15", 1, 1440,
	    "Time a station has to accept, when it sets none itself."),
	{ .section = NULL }
};
