// SPDX-License-Identifier: Apache-2.0
//
// conf.mjs -- planet.conf of a stack: limits off, waits short.
export const TEMPLATES = { order_progress: 'progress-0001',
	order_todo: 'todo-00000001', roll_call: 'roll-00000001',
	bill_due: 'bill-00000001' };

const DEFAULTS = {
	server: { api_threads: 16, slow_threads: 8, drain_ms: 1000,
		nginx_workers: 1 },
	database: {}, redis: {},
	session: {}, password: {},
	limits: { user_reads: 0, user_writes: 0, address_requests: 0,
		logins: 0 },
	wechat: { wechat_appid: 'wx0123456789abcdef',
		wechat_timeout_ms: 2000 },
	pay: {},
	templates: TEMPLATES,
	keys: {},
	jobs: { jobs_threads: 2, jobs_poll_ms: 50 },
	water: {},
};
const SECTION = { session_days: 'session', staff_minutes: 'session',
	staff_hours: 'session', password_days: 'password',
	password_history: 'password', login_tries: 'password',
	lock_minutes: 'password', session_cache: 'session',
	session_cache_ms: 'session',
	user_reads: 'limits', user_writes: 'limits', logins: 'limits',
	address_requests: 'limits', wechat_timeout_ms: 'wechat',
	wechat_state: 'wechat', jobs_threads: 'jobs', jobs_poll_ms: 'jobs',
	db_timeout_ms: 'database', redis_timeout_ms: 'redis',
	accept_minutes: 'water', pay_minutes: 'pay', pay_mode: 'pay',
	pay_url: 'pay', pay_mchid: 'pay', pay_serial: 'pay',
	pay_sub_mchid: 'pay', pay_sub_appid: 'pay', pay_notify_url: 'pay',
	pay_key_file: 'pay', pay_apiv3_file: 'pay', pay_platform_dir: 'pay',
	pay_platform_serial: 'pay', pay_sp_appid: 'pay',
	push_token: 'wechat', push_aes_key_file: 'wechat' };

// The text; `own` are keys of a test, `base` those of the stack by section.
export function confText(base, own) {
	const all = structuredClone(DEFAULTS);

	for (const [name, keys] of Object.entries(base))
		Object.assign(all[name], keys);
	for (const [key, value] of Object.entries(own))
		all[SECTION[key] ?? 'server'][key] = value;
	return Object.entries(all).map(([name, keys]) => `[${name}]\n` +
	    Object.entries(keys).map(([key, value]) => `${key} = ${value}\n`)
		.join('')).join('\n');
}
