// SPDX-License-Identifier: Apache-2.0
//
// pay-bill-trade.mjs -- the trade statement: 27 columns, each cell behind a
// backtick, what merchants wrote escaped.
import { timeText } from './pay-book.mjs';

const FEE_PER_MILLE = 6;

const ALL = '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,' +
    '用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,' +
    '微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,' +
    '商户数据包,手续费,费率,订单金额,申请退款金额,费率备注';
const REFUND_ONLY = ['微信退款单号', '商户退款单号', '退款金额',
	'充值券退款金额', '退款类型', '退款状态', '申请退款金额'];
const ALL_NAMES = ALL.split(',');
const COLUMNS = {
	ALL: ALL_NAMES,
	SUCCESS: ALL_NAMES.filter((name) => !REFUND_ONLY.includes(name)),
	REFUND: ALL_NAMES.flatMap((name) => name === '代金券金额' ?
	    [name, '退款申请时间', '退款成功时间'] : [name]),
};
const SUMMARY = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,' +
    '手续费总金额,订单总金额,申请退款总金额';
const SUMMARY_SUCCESS = '总交易单数,应结订单总金额,手续费总金额,订单总金额';

// Fen as yuan, in whole numbers.
export function yuan(fen) {
	const size = Math.abs(fen);

	return `${fen < 0 ? '-' : ''}${Math.floor(size / 100)}.` +
	    String(size % 100).padStart(2, '0');
}

// What WeChat keeps, in fen, rounded half up.
export function feeOf(fen) {
	return Math.floor((fen * FEE_PER_MILLE + 500) / 1000);
}

const ESCAPES = { ',': '\\ ', '\n': '\\n', '\r': '\\r', '\t': '\\t',
	'\\': '\\\\', '"': '\\"',
	'\ue000': '\\ ', '\x1a': '\\\x1a' };

// A merchant's text as a cell may hold it.
export function escapeText(text, refund) {
	const all = { ...ESCAPES, ...refund ? { '`': '\\140' } :
	    { "'": "\\'", '`': '\\`' } };

	return (text ?? '').replace(/[,\n\r\t\\"'`\ue000\x1a]/g,
	    (c) => all[c] ?? c);
}

function clock(ms) {
	return ms === null ? '' : timeText(ms).slice(0, 19).replace('T', ' ');
}

function common(pay, order, at, refund) {
	return { 交易时间: clock(at), 公众账号ID: order.appid,
		商户号: order.mchid, 特约商户号: order.sub_mchid ?? '0',
		设备号: '', 微信订单号: order.transaction_id,
		商户订单号: order.number,
		用户标识: order.payer.openid ?? order.payer.sp_openid ??
		    order.payer.sub_openid, 交易类型: 'JSAPI',
		付款银行: 'OTHERS', 货币种类: 'CNY', 代金券金额: '0.00',
		商品名称: escapeText(order.description, refund),
		商户数据包: escapeText(order.attach, refund),
		充值券退款金额: '0.00', 费率: '0.60%', 费率备注: '' };
}

function orderRow(pay, order, total) {
	return { at: order.paid_at, total, back: 0, fee: feeOf(total),
		cells: { ...common(pay, order, order.paid_at, false),
			交易状态: 'SUCCESS', 应结订单金额: yuan(total),
			微信退款单号: '0', 商户退款单号: '0', 退款金额: '0.00',
			退款类型: '', 退款状态: '',
			手续费: `${yuan(feeOf(total))}000`,
			订单金额: yuan(total), 申请退款金额: '0.00' } };
}

// A refund that ends after the statement is still under way in it.
function statusAt(refund, end) {
	const states = { SUCCESS: 'SUCCESS', ABNORMAL: 'CHANGE',
		CLOSED: 'FAIL', PROCESSING: 'PROCESSING' };

	return refund.done_at !== null && refund.done_at >= end ?
	    'PROCESSING' : states[refund.state];
}

function refundRow(pay, order, refund, back, end) {
	const status = statusAt(refund, end);

	return { at: refund.made, total: 0, back, fee: -feeOf(back),
		cells: { ...common(pay, order, refund.made, true),
			交易状态: 'REFUND', 应结订单金额: '0.00',
			退款申请时间: clock(refund.made),
			退款成功时间: status === 'SUCCESS' ?
			    clock(refund.done_at) : '',
			微信退款单号: refund.refund_id,
			商户退款单号: refund.refund_number,
			退款金额: yuan(back), 退款类型: 'ORIGINAL',
			退款状态: status,
			手续费: `${yuan(-feeOf(back))}000`, 订单金额: '0.00',
			申请退款金额: yuan(back) } };
}

// Rows that a test adds; what it does not say is made up.
function extraRow(pay, extra, i, start) {
	const paid_at = start + 12 * 3600_000 + i * 1000;
	const order = { appid: pay.appid, mchid: pay.mchid,
		number: extra.number ?? `EXTRA${start / 1000}N${i}`,
		transaction_id: extra.transaction_id ??
		    `4200${start}${String(i).padStart(11, '0')}`,
		payer: { openid: extra.openid ?? 'extra' },
		description: extra.description ?? '', paid_at };

	if (extra.refund_number === undefined)
		return orderRow(pay, order, extra.fen);
	return refundRow(pay, order, { refund_id: extra.refund_id ??
	    `5030${start}${String(i).padStart(12, '0')}`,
	refund_number: extra.refund_number, made: paid_at, done_at: paid_at,
	state: 'SUCCESS' }, extra.fen, Infinity);
}

// What the statement of a day holds: { at, total, back, fee, cells }.
export function tradeRows(pay, { start, end, spoilt }, type = 'ALL') {
	const { book } = pay;
	const { extra = [], missing = [], amount = {} } = spoilt;
	const within = (ms) => ms !== null && ms >= start && ms < end;
	const fen = (number, true_fen) => Object.hasOwn(amount, number) ?
	    amount[number] : true_fen;
	const rows = [];

	for (const order of book.orders.values())
		if (within(order.paid_at) && !missing.includes(order.number))
			rows.push(orderRow(pay, order, fen(order.number,
			    order.paid_total ?? order.total)));
	for (const refund of book.refunds.values())
		if (within(refund.made) &&
		    !missing.includes(refund.refund_number))
			rows.push(refundRow(pay,
			    book.orders.get(refund.number), refund,
			    fen(refund.refund_number, refund.refund_fen),
			    end));
	extra.forEach((one, i) => rows.push(extraRow(pay, one, i, start)));
	return rows.filter(({ cells }) => type === 'ALL' ||
	    cells.交易状态 === type).sort((a, b) => a.at - b.at);
}

// The file: headers, rows, headers of the summary, the summary.
export function tradeText(rows, type) {
	const names = COLUMNS[type];
	const sum = (member) => rows.reduce((s, row) => s + row[member], 0);
	const [total, back, fee] = [sum('total'), sum('back'), sum('fee')];
	const figures = type === 'SUCCESS' ?
	    [rows.length, yuan(total), `${yuan(fee)}000`, yuan(total)] :
	    [rows.length, yuan(total), yuan(back), '0.00',
		`${yuan(fee)}000`, yuan(total), yuan(back)];
	const lines = [names.join(','),
		...rows.map(({ cells }) => names.map((name) =>
		    `\`${cells[name]}`).join(',')),
		type === 'SUCCESS' ? SUMMARY_SUCCESS : SUMMARY,
		figures.map((one) => `\`${one}`).join(',')];

	return `${lines.join('\r\n')}\r\n`;
}
