// SPDX-License-Identifier: Apache-2.0
//
// bill.mjs -- payees, files of bills, and those who pay them.
import assert from 'node:assert/strict';

import { HERE, LOW } from './fixture.mjs';

export const BILLS = '/api/v1/bills', BATCHES = '/api/v1/bill-batches';
export const PAYEES = '/api/v1/payees';
export const HEAD = '户号,户名,小区,楼栋,单元,房号,费用类型,账期,上期读数,' +
    '本期读数,用量,单价,金额,应缴日期,备注';
export const AT_LOW = '山水小区,1栋,1单元,101室';
export const AT_STAIRS = '山水小区,1栋,1单元,601室';
export const AT_LIFT = '山水小区,2栋,1单元,901室';
const B = 'x-boundary-9';

const KINDS = ['property', 'water', 'electricity', 'gas', 'heating',
	'parking', 'broadband', 'other'];
let payees = 0;

// Somebody with an account in the community; roles come with the payee.
async function worker(p, openid, payee, duty, community) {
	const who = await p.as(openid);

	await p.sql(`UPDATE app_user SET community_id = ${community}` +
	    ` WHERE id = ${who.id}`);
	await p.sql('INSERT INTO user_role (community_id, user_id, role,' +
	    ` granted_at) VALUES (${community}, ${who.id}, 'property', 1)` +
	    ' ON CONFLICT (community_id, user_id, role) DO NOTHING');
	if (payee)
		await p.sql('INSERT INTO org_staff VALUES (' +
		    `${community}, ${payee}, ${who.id}, '${duty}', 1)`);
	return p.as(openid, { fresh: true });
}

// A payee with an owner and a clerk, its terms set unless told not to:
// { id, name, owner, clerk }.
export async function payee(p, { terms = true, kinds = KINDS,
    late_rate = 5, late_cap = 100, community = HERE,
    admin = 'role-admin' } = {}) {
	const n = ++payees;
	const first = await worker(p, `payee-${n}-owner`, null, null,
	    community);
	const made = await p.yes(201, 'POST', PAYEES, { as: await p.as(admin),
		body: { name: `收费单位${n}`, phone: '0851-33330001', kinds,
			owner_id: first.id } });
	const owner = await p.as(`payee-${n}-owner`, { fresh: true });
	const clerk = await worker(p, `payee-${n}-clerk`, made.id, 'clerk',
	    community);

	if (terms)
		await p.yes(200, 'PATCH', `${PAYEES}/${made.id}`,
		    { as: owner, body: { late_rate, late_cap } });
	return { ...made, owner, clerk };
}

// A form as browsers send it.
export function form(payee_id, bytes, name = '账单.csv') {
	return { raw: Buffer.concat([`--${B}\r\ncontent-disposition: ` +
	    `form-data; name="payee_id"\r\n\r\n${payee_id}\r\n--${B}\r\n` +
	    `content-disposition: form-data; name="file"; filename="${name}"` +
	    '\r\ncontent-type: text/csv\r\n\r\n', bytes,
	    `\r\n--${B}--\r\n`].map((one) => Buffer.from(one))), headers: {
		'content-type': `multipart/form-data; boundary=${B}` } };
}

// Bring rows (text without the head, or all of it with `whole`).
export const bring = (p, by, rows, { whole = false, as = by.owner } = {}) =>
    p.yes(201, 'POST', BATCHES, { as, ...form(by.id, whole ? rows :
	`${HEAD}\n${rows}\n`) });

export const faults = async (p, by, id) => (await p.yes(200, 'GET',
    `${BATCHES}/${id}/faults?limit=100`, { as: by.owner })).items.map((f) =>
    `${f.line} ${f.label ?? '-'}: ${f.detail}`);

// Bring, apply; the bills that it made, newest first.
export async function bill(p, by, rows, options) {
	const batch = await bring(p, by, rows, options);

	assert.equal(batch.state, 'checked', JSON.stringify([batch,
		await faults(p, by, batch.id)]));
	await p.yes(200, 'POST', `${BATCHES}/${batch.id}/apply`,
	    { as: by.owner });
	const { items } = await p.yes(200, 'GET',
	    `${PAYEES}/${by.id}/bills?limit=100`, { as: by.owner });
	const ids = (await p.sql('SELECT id FROM bill WHERE batch_id =' +
	    ` ${batch.id}`)).map((row) => row.id);
	return { batch, bills: items.filter((b) => ids.includes(b.id)) };
}

// Bound to a dwelling without the roster's help.
let homes = 990000;
export async function bind(p, who, dwelling = LOW, community = HERE) {
	const id = ++homes;

	await p.sql('INSERT INTO home (community_id, id, state, version,' +
	    ' urged, owner_id, org_id, title, created_at, updated_at,' +
	    ' dwelling_id, place, via, name, relation, tenancy, payer,' +
	    ` bound_at) VALUES (${community}, ${id}, 'bound', 1, 0,` +
	    ` ${who.id}, 0, 'x', 1, 1, ${dwelling}, 'x', 'desk', 'x',` +
	    " 'head', 'owned', 0, 1)");
	return id;
}

// A day of China, `days` from the clock's.
export const day = (p, days = 0) => new Date(p.clock.now() + 8 * 3600_000 +
    days * 86_400_000).toISOString().slice(0, 10);

let accounts = 0;
// One bill of one line for a dwelling, due in `due` days.
export async function billFor(p, by, { at = AT_LOW, fen = 12345, due = 10,
    kind = '水费', period = '2026-10', account } = {}) {
	const no = account ?? `A${String(++accounts).padStart(6, '0')}`;
	const yuan = `${Math.floor(fen / 100)}.${String(fen % 100)
	    .padStart(2, '0')}`;
	const { bills } = await bill(p, by, `${no},王建国,${at},${kind},` +
	    `${period},100,120,20,,${yuan},${day(p, due)},`);

	return { ...bills[0], account_no: no };
}

export const PAYMENTS = '/api/v1/payments';
export const open = (p, as, ids) => p.yes(201, 'POST', PAYMENTS, { as,
	body: { things: ids.map((id) => ({ kind: 'bill', id })) } });

// Pay bills with one payment, to the end.
export async function pay(p, as, ids) {
	const { payment, wechat } = await open(p, as, ids);

	await p.pay.pay(wechat);
	const done = await p.yes(200, 'GET', `${PAYMENTS}/${payment.id}`,
	    { as });
	assert.equal(done.state, 'paid');
	return done;
}
