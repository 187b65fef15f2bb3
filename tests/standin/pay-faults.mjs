// SPDX-License-Identifier: Apache-2.0
//
// pay-faults.mjs -- make the next calls of a path fail.
//
// Before acting: error (status, code), system_error, userpaying, too_many,
// http502, hang, close, delay.  After it, so that the caller sees nothing
// of what has happened: acted_hang, acted_close, acted_error, or sees it
// late: acted_delay (delay_ms); and with the true answer spoilt: half, bad_signature, no_signature, wrong_nonce,
// unknown_serial, signtest, old_timestamp, garbage.
import { setTimeout as sleep } from 'node:timers/promises';

import { alnum } from './pay-keys.mjs';
import { PayError } from './pay-rules.mjs';
import { proof } from './pay-sign.mjs';

export const PATHS = ['jsapi', 'query', 'close', 'refund', 'refund_query',
	'bill', 'download', 'certificates', 'echo', 'any'];
export const MODES = ['error', 'system_error', 'userpaying', 'too_many',
	'http502', 'hang', 'close', 'delay', 'acted_hang', 'acted_close',
	'acted_error', 'acted_delay', 'half', 'bad_signature', 'no_signature',
	'wrong_nonce', 'unknown_serial', 'signtest', 'old_timestamp',
	'garbage'];

export class PayFaults {
	constructor() {
		this.list = [];
	}

	// The fault that the next call of this path meets, or null.
	take(name) {
		const i = this.list.findIndex(({ path }) =>
		    path === name || path === 'any');

		if (i < 0)
			return null;
		const fault = this.list[i];
		if (--fault.times <= 0)
			this.list.splice(i, 1);
		return fault;
	}
}

const SYSTEM_ERROR = new PayError(500, 'SYSTEM_ERROR',
    '系统异常，请稍后重试');

// What is answered without doing anything, or null.
function instead(fault, pay, call) {
	switch (fault.mode) {
	case 'error':
		return pay.refusal(new PayError(fault.status ?? 400,
		    fault.code ?? 'INVALID_REQUEST',
		    fault.message ?? '无效请求'));
	case 'system_error':
		return pay.refusal(SYSTEM_ERROR);
	case 'userpaying':
		return { ...pay.signed(pay.signerFor(
		    call.headers['wechatpay-serial']), { code: 'USERPAYING',
			message: '需要用户输入支付密码' }, call),
		status: 202, code: 'USERPAYING' };
	case 'too_many':
		return pay.refusal(new PayError(429, 'FREQUENCY_LIMITED',
		    '频率超限'));
	case 'http502':
		return { status: 502, type: 'text/html',
			text: '<html><title>502 Bad Gateway</title></html>' };
	case 'hang':
	case 'close':
		return { text: '', cut: fault.mode };
	default:
		return null;
	}
}

// The headers of a true answer, spoilt.
const SPOIL = {
	bad_signature: (h) => ({ 'Wechatpay-Signature':
	    `${h['Wechatpay-Signature'][0] === 'A' ? 'B' : 'A'}` +
	    h['Wechatpay-Signature'].slice(1) }),
	no_signature: () => ({ 'Wechatpay-Signature': undefined,
		'Wechatpay-Serial': undefined, 'Wechatpay-Nonce': undefined,
		'Wechatpay-Timestamp': undefined }),
	wrong_nonce: () => ({ 'Wechatpay-Nonce': alnum(32) }),
	unknown_serial: () => ({ 'Wechatpay-Serial':
	    `PUB_KEY_ID_${'9'.repeat(34)}` }),
	signtest: (h) => ({ 'Wechatpay-Signature': 'WECHATPAY/SIGNTEST/' +
	    h['Wechatpay-Signature'].slice(19) }),
};

function spoil(fault, pay, call, real) {
	switch (fault.mode) {
	case 'acted_hang':
	case 'acted_close':
		return { ...real, cut: fault.mode.slice(6) };
	case 'acted_error':
		return pay.refusal(SYSTEM_ERROR);
	case 'half':
		return { ...real, cut: 'half' };
	case 'garbage':
		return { ...real, text: '{"prepay_id":', bytes: undefined };
	default:
		break;
	}
	if (!real.headers?.['Wechatpay-Serial'])
		return real;	// a refusal has nothing to spoil
	const more = fault.mode === 'old_timestamp' ?
	    proof(pay.keys.find(real.headers['Wechatpay-Serial']),
		Buffer.from(real.text), call.now - (fault.delay_ms ||
		    300_000)) :
	    SPOIL[fault.mode]?.(real.headers) ?? {};
	const headers = Object.fromEntries(Object.entries({
		...real.headers, ...more }).filter(([, value]) =>
	    value !== undefined));
	return { ...real, headers };
}

// Act under `fault` (or null) and give the answer to send.
export async function suffer(fault, pay, call, act) {
	if (!fault)
		return act();
	const wait = () => sleep(fault.delay_ms ?? 0, null, { ref: false });
	if (fault.mode === 'acted_delay') {
		const real = await act();
		await wait();
		return real;
	}
	if (fault.delay_ms > 0 && fault.mode !== 'old_timestamp')
		await wait();
	return instead(fault, pay, call) ??
	    spoil(fault, pay, call, await act());
}
