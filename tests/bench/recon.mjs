// SPDX-License-Identifier: Apache-2.0
//
// recon.mjs -- how long a day of ROWS payments takes to be matched with its
// statement and taken out as a file, and what memory the worker needs.
//
//   PLANET_BUILD=DIR PLANET_TEST_DB=sqlite|postgresql RECON_ROWS=N \
//	node tests/bench/recon.mjs
import fs from 'node:fs';
import path from 'node:path';

import { DAY, HOUR, start, test } from '../api/harness.mjs';
import { A, HERE } from '../api/lib/fixture.mjs';

const ROWS = Number(process.env.RECON_ROWS ?? 200_000);
const FEN = 12800;

const p = await start({ jobs: false });
const admin = await p.as('role-admin');
const yesterday = new Date(p.clock.now() + 8 * HOUR - DAY).toISOString()
    .slice(0, 10);
const from = Date.parse(`${yesterday}T00:00:00+08:00`);
const series = `WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL
    SELECT n + 1 FROM s WHERE n < ${ROWS})`;

async function fill() {
	const step = Math.floor((DAY - 1) / ROWS);

	await p.sql(`BEGIN;
	INSERT INTO ledger_account (community_id, id, owner, owner_id, kind,
	    unit, balance, lines, created_at) VALUES
	    (${HERE}, 9001, 'org', ${A}, 'due', 'fen', NULL, 0, 1),
	    (${HERE}, 9002, 'gateway', 1, 'clearing', 'fen', NULL, 0, 1);
	INSERT INTO payment (community_id, id, state, version, urged,
	    owner_id, org_id, title, created_at, updated_at, number, things,
	    total_fen, refunded_fen, expires_at, transaction_id, paid_at,
	    asked, claimed_until) ${series} SELECT ${HERE}, 1000000 + n,
	    'paid', 1, 0, ${admin.id}, 0, 'x', 1, 1, 'P' || n, '[]', ${FEN},
	    0, 1, 'T' || n, CAST(${from} AS BIGINT) + n * ${step}, 0, 0
	    FROM s;
	INSERT INTO payment_item (community_id, payment_id, seq, kind,
	    thing_id, payee_id, title, amount_fen, refunded_fen, live)
	    ${series} SELECT ${HERE}, 1000000 + n, 1, 'bill', n, ${A}, 'x',
	    ${FEN}, 0, 1 FROM s;
	INSERT INTO ledger_line (community_id, account_id, id, entry_id, unit,
	    amount) ${series} SELECT ${HERE}, 9001, 5000000 + n, 2000000 + n,
	    'fen', ${FEN} FROM s;
	INSERT INTO ledger_line (community_id, account_id, id, entry_id, unit,
	    amount) ${series} SELECT ${HERE}, 9002, 6000000 + n, 2000000 + n,
	    'fen', -${FEN} FROM s;
	INSERT INTO ledger_entry (community_id, id, kind, thing, thing_id, at)
	    ${series} SELECT ${HERE}, 2000000 + n, 'paid', 'payment',
	    1000000 + n, 1 FROM s;
	COMMIT; ANALYZE`);
}

function statement() {
	const file = path.join(p.dir, 'trade.csv');
	const out = fs.openSync(file, 'w');

	fs.writeSync(out, '交易时间,微信订单号,商户订单号,交易状态,微信退款单号,' +
	    '商户退款单号,退款状态,手续费,费率,订单金额,申请退款金额\n');
	for (let n = 1; n <= ROWS; n++)
		fs.writeSync(out, `\`${yesterday} 12:00:00,\`T${n},\`P${n},` +
		    '`SUCCESS,`0,`0,`,`0.77000,`0.60%,`128.00,`0.00\n');
	const yuan = (mill) => (mill / 1e5).toFixed(5);
	fs.writeSync(out, '总交易单数,手续费总金额,订单总金额,申请退款总金额\n' +
	    `\`${ROWS},\`${yuan(ROWS * 77000)},\`${ROWS * 128}.00,\`0.00\n`);
	fs.closeSync(out);
	return file;
}

const peak = () => fs.readFileSync(`/proc/${p.parts[p.workerName('slow')].pid}/status`,
    'utf8').match(/VmHWM:\s+(\d+)/)[1] / 1024;
async function timed(name, fn) {
	const began = performance.now();
	const value = await fn();

	console.log(`${name}: ${((performance.now() - began) / 1000)
	    .toFixed(1)} s, worker at most ${peak().toFixed(0)} MiB`);
	return value;
}

test(`${ROWS} rows`, { timeout: 600_000 }, async () => {
	await fill();
	await p.pay.statement(yesterday, { trade_file: statement() });
	const r = await timed('run', () => p.call('POST',
	    `/api/v1/reconciliations/${yesterday}/run`, { as: admin }));
	console.log(r.status, r.text.slice(0, 300));
	for (const format of ['csv', 'xlsx'])
		await timed(format, async () => (await fetch(`${p.base}/api/v1/` +
		    `reconciliations/${yesterday}/export?format=${format}`, {
			headers: { authorization: `Bearer ${admin.token}` } }))
		    .arrayBuffer());
});
