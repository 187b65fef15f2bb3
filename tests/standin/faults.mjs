// SPDX-License-Identifier: Apache-2.0
//
// faults.mjs -- make the next calls of a kind fail or dawdle.
//
// A fault is used up one call at a time, the oldest that fits first.
// `delay_ms` waits before any mode; with `after_acting` the call does its
// work first, so that the caller sees a failure of what has happened.
import { setTimeout as sleep } from 'node:timers/promises';

import { failure } from './errcodes.mjs';

export const KINDS = ['login', 'phone', 'token', 'notify', 'shipping',
	'any'];
export const MODES = ['errcode', 'garbage', 'half', 'hang', 'http500',
	'close', 'delay'];

const GARBAGE = '<html><head><title>502 Bad Gateway</title></head>\u0000\n';

export class Faults {
	constructor() {
		this.list = [];
	}

	add(fault) {
		this.list.push(fault);
	}

	clear() {
		this.list = [];
	}

	// The fault that the next call of `kind` meets, or null.
	take(kind) {
		const i = this.list.findIndex((fault) =>
		    fault.kind === kind || fault.kind === 'any');

		if (i < 0)
			return null;
		const fault = this.list[i];
		if (--fault.times <= 0)
			this.list.splice(i, 1);
		return fault;
	}
}

// What a faulty call answers in the place of `real` (null: it did not act).
function instead(fault, call, real) {
	switch (fault.mode) {
	case 'errcode':
		return failure(call, fault.errcode, fault.errmsg);
	case 'garbage':
		return { type: 'text/html', text: fault.body ?? GARBAGE };
	case 'half':
		return { ...real ?? { json: { errcode: 0, errmsg: 'ok' } },
			cut: 'half' };
	case 'http500':
		return { status: 500, type: 'text/plain',
			text: 'Internal Server Error' };
	case 'hang':
		return { cut: 'hang' };
	case 'close':
		return { cut: 'close' };
	default:
		return real;
	}
}

// Run act() under `fault` (or null) and give the answer to send.
export async function suffer(fault, call, act) {
	if (!fault)
		return act();
	if (fault.mode === 'delay' && !fault.after_acting) {
		call.delay_ms = fault.delay_ms;
		return act();
	}
	const real = fault.after_acting ? await act() : null;
	if (fault.delay_ms > 0)
		await sleep(fault.delay_ms, null, { ref: false });
	return instead(fault, call, real);
}
