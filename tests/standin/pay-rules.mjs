// SPDX-License-Identifier: Apache-2.0
//
// pay-rules.mjs -- what the body of a request may hold, and how the pay
// side says no.
//
// A rule is a function of (value, where) that throws a PayError.  object()
// refuses members that it does not know, and asks for those marked must().

export class PayError extends Error {
	constructor(status, code, message, detail) {
		super(message);
		this.status = status;
		this.code = code;
		this.detail = detail;
	}
}

// A value at `where` (a JSON pointer, or the name of a parameter).
export function wrong(where, value, issue, location = 'body') {
	const shown = location === 'body' ? `/body${where}` : where;

	return new PayError(400, 'PARAM_ERROR',
	    `输入源“${shown}”校验失败，${issue}`,
	    { field: where, value: value ?? '', issue, location });
}

export function text(max, { min = 1, match = null, bytes = false } = {}) {
	return (value, where) => {
		if (typeof value !== 'string')
			throw wrong(where, value, '类型不是字符串');
		const length = bytes ? Buffer.byteLength(value) :
		    [...value].length;
		if (length > max)
			throw wrong(where, value, `长度大于最大值 ${max}`);
		if (length < min)
			throw wrong(where, value, `长度小于最小值 ${min}`);
		if (match && !match.test(value))
			throw wrong(where, value, '不符合格式');
	};
}

export function whole(min = 1, max = Number.MAX_SAFE_INTEGER) {
	return (value, where) => {
		if (!Number.isInteger(value))
			throw wrong(where, value, '类型不是整数');
		if (value < min)
			throw wrong(where, value, `值低于最小值 ${min}`);
		if (value > max)
			throw wrong(where, value, `值高于最大值 ${max}`);
	};
}

export function flag(value, where) {
	if (typeof value !== 'boolean')
		throw wrong(where, value, '类型不是布尔值');
}

export function oneOf(...known) {
	return (value, where) => {
		if (!known.includes(value))
			throw wrong(where, value, '不在枚举值内');
	};
}

export function must(rule) {
	return Object.assign((value, where) => rule(value, where),
	    { must: true });
}

export function object(members) {
	return (value, where) => {
		if (value === null || typeof value !== 'object' ||
		    Array.isArray(value))
			throw wrong(where, value, '类型不是对象');
		for (const name of Object.keys(value))
			if (!Object.hasOwn(members, name))
				throw new PayError(400, 'PARAM_ERROR',
				    '请求中含有未在API文档中定义的参数',
				    { field: `${where}/${name}`, value: '',
					issue: 'undefined parameter',
					location: 'body' });
		for (const [name, rule] of Object.entries(members)) {
			if (value[name] !== undefined)
				rule(value[name], `${where}/${name}`);
			else if (rule.must)
				throw wrong(`${where}/${name}`, '',
				    '缺少必填参数');
		}
	};
}

export function list(rule, min = 1, max = 100) {
	return (value, where) => {
		if (!Array.isArray(value) || value.length < min ||
		    value.length > max)
			throw wrong(where, '', '数组长度不对');
		value.forEach((one, i) => rule(one, `${where}/${i}`));
	};
}

function refuseNull(value, where) {
	if (value === null)
		throw wrong(where, 'null', '不允许为null');
	if (typeof value === 'object')
		for (const [name, one] of Object.entries(value))
			refuseNull(one, `${where}/${name}`);
}

// The object that a body holds, held against `rule`.
export function parse(body, rule) {
	let given;

	try {
		given = JSON.parse(new TextDecoder('utf-8', { fatal: true,
			ignoreBOM: true }).decode(body));
	} catch {
		throw new PayError(400, 'PARAM_ERROR', '无法将输入源“/body”' +
		    '映射为JSON对象', { field: '', value: '',
			issue: 'not JSON', location: 'body' });
	}
	if (given !== null && typeof given === 'object')
		refuseNull(given, '');
	// Every way to write a character beyond three bytes ends as one.
	if (/[\u{10000}-\u{10ffff}]/u.test(JSON.stringify(given)))
		throw new PayError(400, 'PARAM_ERROR',
		    '请求含有4字节的UTF-8字符', { field: '', value: '',
			issue: 'not UTF8MB3', location: 'body' });
	rule(given, '');
	return given;
}

// --- The bodies ------------------------------------------------------------

const NUMBER = must(text(32, { min: 6, match: /^[A-Za-z0-9_\-|*]+$/ }));
const MCHID = must(text(32, { match: /^\d+$/ }));
const TIME = text(64, { match:
	/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/ });
const NOTIFY = text(255, { match: /^https?:\/\/[^/?#]+\/[^?#]*$/ });
const CNY = oneOf('CNY');

const goods = object({
	merchant_goods_id: must(text(32)), wechatpay_goods_id: text(32),
	goods_name: text(256), quantity: must(whole()),
	unit_price: must(whole(0)),
});

const order = {
	description: must(text(127)), out_trade_no: NUMBER,
	time_expire: TIME, attach: text(128), notify_url: must(NOTIFY),
	goods_tag: text(32), support_fapiao: flag,
	amount: must(object({ total: must(whole()), currency: CNY })),
	detail: object({ cost_price: whole(0), invoice_id: text(32),
		goods_detail: list(goods, 1, 6000) }),
	scene_info: object({ payer_client_ip: must(text(45)),
		device_id: text(32), store_info: object({ id: must(text(32)),
			name: text(256), area_code: text(32),
			address: text(512) }) }),
	settle_info: object({ profit_sharing: flag }),
};

export const RULES = {
	order: object({ ...order, appid: must(text(32)), mchid: MCHID,
		payer: must(object({ openid: must(text(128)) })) }),
	partnerOrder: object({ ...order, sp_appid: must(text(32)),
		sp_mchid: MCHID, sub_appid: text(32), sub_mchid: MCHID,
		payer: must(object({ sp_openid: text(128),
			sub_openid: text(128) })) }),
	close: object({ mchid: MCHID }),
	partnerClose: object({ sp_mchid: MCHID, sub_mchid: MCHID }),
	refund: object({
		sub_mchid: text(32), transaction_id: text(32),
		out_trade_no: text(32), out_refund_no: must(text(64,
		    { bytes: true, match: /^[A-Za-z0-9_\-|*@]+$/ })),
		reason: text(80, { bytes: true }), notify_url: NOTIFY,
		funds_account: oneOf('AVAILABLE', 'UNSETTLED'),
		amount: must(object({ refund: must(whole()),
			total: must(whole()), currency: must(CNY),
			from: list(object({
				account: must(oneOf('AVAILABLE',
				    'UNAVAILABLE')),
				amount: must(whole()) })) })),
		goods_detail: list(object({ ...{
			merchant_goods_id: must(text(32)),
			wechatpay_goods_id: text(32), goods_name: text(256),
			unit_price: must(whole(0)),
			refund_amount: must(whole(0)),
			refund_quantity: must(whole()) } }), 1, 6000),
	}),
	echo: object({ echo_message: must(text(256)),
		encrypted_echo_message: text(1024), notify_url: NOTIFY }),
};
