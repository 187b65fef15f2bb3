// SPDX-License-Identifier: Apache-2.0
//
// pay-book.mjs -- the orders and refunds of the pay side.
//
// With a file each change is appended there as one line, the newest of a
// number holds; it is written anew, short, when it is read.  An order goes
// NOTPAY -> SUCCESS -> REFUND or NOTPAY -> CLOSED, and never back.
import { createHash, randomInt } from 'node:crypto';
import fs from 'node:fs';

import { alnum } from './pay-keys.mjs';

const PREPAY_MS = 2 * 3600_000;
const PREPAYS = 5;		// of one order

function digits(n) {
	return Array.from({ length: n }, () => randomInt(10)).join('');
}

// "2026-11-22" in China.
export function dayText(ms) {
	return new Date(ms + 8 * 3600_000).toISOString().slice(0, 10);
}

// RFC 3339 at +08:00, to the second.
export function timeText(ms) {
	return `${new Date(ms + 8 * 3600_000).toISOString()
	    .slice(0, 19)}+08:00`;
}

function sorted(value) {
	if (value === null || typeof value !== 'object')
		return value;
	if (Array.isArray(value))
		return value.map(sorted);
	return Object.fromEntries(Object.keys(value).sort().map((name) =>
	    [name, sorted(value[name])]));
}

// The same for the same content, whatever the order of its members.
export function printOf(given) {
	return createHash('sha256').update(JSON.stringify(sorted(given)))
	    .digest('base64');
}

export class Book {
	constructor(file) {
		this.orders = new Map();	// out_trade_no -> order
		this.refunds = new Map();	// out_refund_no -> refund
		this.paid = new Map();		// transaction_id -> order
		this.prepays = new Map();	// prepay_id -> order
		this.fd = null;
		if (file)
			this.open(file);
	}

	open(file) {
		if (fs.existsSync(file))
			this.load(fs.readFileSync(file, 'utf8'));
		this.fd = fs.openSync(`${file}.tmp`, 'w', 0o600);
		for (const order of this.orders.values())
			this.write('order', order);
		for (const refund of this.refunds.values())
			this.write('refund', refund);
		fs.renameSync(`${file}.tmp`, file);
	}

	load(lines) {
		for (const line of lines.split('\n')) {
			let row;
			try {
				row = JSON.parse(line);
			} catch {
				continue;	// empty, or cut by a crash
			}
			if (row.order)
				this.orders.set(row.order.number, row.order);
			else
				this.refunds.set(row.refund.refund_number,
				    row.refund);
		}
		for (const order of this.orders.values()) {
			if (order.transaction_id)
				this.paid.set(order.transaction_id, order);
			for (const [id] of order.prepays)
				this.prepays.set(id, order);
		}
	}

	write(kind, row) {
		if (this.fd !== null)
			fs.writeSync(this.fd,
			    `${JSON.stringify({ [kind]: row })}\n`);
	}

	addOrder(order) {
		this.orders.set(order.number, { ...order, state: 'NOTPAY',
			transaction_id: null, paid_at: null, notice_id: null,
			refunded: 0, refunds: 0, refund_at: null,
			prepays: [] });
		return this.orders.get(order.number);
	}

	// A fresh prepay_id, good for two hours.
	addPrepay(order, now) {
		const id = `wx${dayText(now).replaceAll('-', '')}` +
		    `${digits(4)}${alnum(20).toLowerCase()}0000`.slice(0, 26);

		order.prepays.push([id, now + PREPAY_MS]);
		for (const [old] of order.prepays.splice(0,
		    order.prepays.length - PREPAYS))
			this.prepays.delete(old);
		this.prepays.set(id, order);
		this.write('order', order);
		return id;
	}

	// The money has come.
	pay(order, now) {
		order.state = 'SUCCESS';
		order.transaction_id = `4200${dayText(now)
		    .replaceAll('-', '')}${digits(16)}`;
		order.paid_at = now;
		this.paid.set(order.transaction_id, order);
		this.write('order', order);
	}

	close(order) {
		order.state = 'CLOSED';
		this.write('order', order);
	}

	addRefund(order, refund, now) {
		const row = { ...refund, number: order.number,
			transaction_id: order.transaction_id,
			refund_id: `5030${digits(25)}`, state: 'PROCESSING',
			made: now, done_at: null, notice_id: null };

		order.state = 'REFUND';
		order.refunded += refund.refund_fen;
		order.refunds++;
		order.refund_at = now;
		this.refunds.set(row.refund_number, row);
		this.write('refund', row);
		this.write('order', order);
		return row;
	}

	// How a refund ended; what did not go out is there again.
	endRefund(refund, state, now) {
		const order = this.orders.get(refund.number);

		if (state === 'CLOSED' && refund.state !== 'CLOSED') {
			order.refunded -= refund.refund_fen;
			this.write('order', order);
		}
		refund.state = state;
		refund.done_at = state === 'SUCCESS' ? now : null;
		this.write('refund', refund);
	}
}
