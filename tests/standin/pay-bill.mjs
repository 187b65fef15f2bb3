// SPDX-License-Identifier: Apache-2.0
//
// pay-bill.mjs -- the statements of a day, from the book, and how a test
// spoils them.
//
// A statement is made when it is asked for and can be fetched for five
// minutes.  A day's is there from 10:00 of the next day.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { gzipSync } from 'node:zlib';

import { dayText } from './pay-book.mjs';
import { tradeRows, tradeText } from './pay-bill-trade.mjs';
import { fundText } from './pay-bill-fund.mjs';
import { alnum } from './pay-keys.mjs';
import { PayError, wrong } from './pay-rules.mjs';

const LINK_MS = 300_000, DAY = 86400_000, HOUR = 3600_000;
const OLD_DAYS = 92;
const TYPES = ['ALL', 'SUCCESS', 'REFUND'];
const ACCOUNTS = ['BASIC', 'OPERATION', 'FEES'];

// 00:00 in China of "2026-11-22", or NaN.
export function startOf(date) {
	const ms = /^\d{4}-\d\d-\d\d$/.test(date ?? '') ?
	    Date.parse(`${date}T00:00:00+08:00`) : NaN;

	return Number.isNaN(ms) || dayText(ms) !== date ? NaN : ms;
}

export class Bills {
	constructor(pay) {
		this.pay = pay;
		this.links = new Map();	// token -> { bytes, until }
		this.spoilt = new Map(); // date -> { extra, missing, amount,
					 //           trade_file, fund_file }
	}

	// The day that is asked for, when it can have a statement.
	dayOf(call) {
		const date = call.query.get('bill_date');
		const start = startOf(date);

		if (Number.isNaN(start) || start > call.now ||
		    call.now - start > OLD_DAYS * DAY)
			throw wrong('bill_date', date ?? '', '日期不合法',
			    'query');
		if (call.now < start + DAY + 10 * HOUR)
			throw new PayError(400, 'STATEMENT_CREATING',
			    '账单生成中，请在次日上午10点后下载');
		return { date, start, end: start + DAY,
			spoilt: this.spoilt.get(date) ?? {} };
	}

	choice(call, name, known) {
		const value = call.query.get(name) ?? known[0];

		if (!known.includes(value))
			throw wrong(name, value, '不在枚举值内', 'query');
		return value;
	}

	offer(call, text) {
		const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text);
		const gzip = call.query.get('tar_type');
		const token = alnum(40);

		if (gzip !== null && gzip !== 'GZIP')
			throw wrong('tar_type', gzip, '不在枚举值内', 'query');
		for (const [old, { until }] of this.links)
			if (until < call.now)
				this.links.delete(old);
		this.links.set(token, { until: call.now + LINK_MS, gzip,
			bytes: gzip ? gzipSync(bytes) : bytes });
		return { hash_type: 'SHA1',
			hash_value: createHash('sha1').update(bytes)
			    .digest('hex'),
			download_url: `http://${call.headers.host}` +
			    `/v3/billdownload/file?token=${token}` +
			    (gzip ? '&tartype=gzip' : '') };
	}

	trade(call) {
		const day = this.dayOf(call);
		const type = this.choice(call, 'bill_type', TYPES);

		if (day.spoilt.trade_file)
			return this.offer(call,
			    fs.readFileSync(day.spoilt.trade_file));
		const rows = tradeRows(this.pay, day, type);
		if (rows.length === 0)
			throw new PayError(400, 'NO_STATEMENT_EXIST',
			    '账单文件不存在');
		return this.offer(call, tradeText(rows, type));
	}

	fund(call) {
		const day = this.dayOf(call);

		this.choice(call, 'account_type', ACCOUNTS);
		if (day.spoilt.fund_file)
			return this.offer(call,
			    fs.readFileSync(day.spoilt.fund_file));
		const text = fundText(this.pay, day);
		if (text === null)
			throw new PayError(400, 'NO_STATEMENT_EXIST',
			    '账单文件不存在');
		return this.offer(call, text);
	}

	download(call) {
		const link = this.links.get(call.query.get('token'));

		if (!link || link.until < call.now)
			throw new PayError(400, 'INVALID_REQUEST',
			    '下载链接已失效，请重新申请');
		return { bytes: link.bytes, status: 200,
			type: link.gzip ? 'application/x-gzip' :
			    'text/plain; charset=utf-8' };
	}
}
