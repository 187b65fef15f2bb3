// SPDX-License-Identifier: Apache-2.0
//
// pay-order.mjs -- orders: made, asked for, closed; for a merchant of its
// own and for one under a service provider.
import { printOf, timeText } from './pay-book.mjs';
import { PayError, wrong } from './pay-rules.mjs';

const MINUTE = 60_000, DAY = 24 * 60 * MINUTE;
const DESCRIPTIONS = { NOTPAY: '订单未支付', SUCCESS: '支付成功',
	REFUND: '转入退款', CLOSED: '订单已关闭' };

// What a query and a notice say of an order.
export function tradeOf(order) {
	const who = order.partner ? { sp_appid: order.appid,
		sp_mchid: order.mchid, sub_mchid: order.sub_mchid,
		...order.sub_appid ? { sub_appid: order.sub_appid } : {} } :
	    { appid: order.appid, mchid: order.mchid };
	const trade = { ...who, out_trade_no: order.number,
		trade_state: order.state,
		trade_state_desc: DESCRIPTIONS[order.state] };
	const total = order.paid_total ?? order.total;

	if (!order.transaction_id)
		return { ...trade, promotion_detail: [],
			amount: { total, currency: 'CNY' } };
	return { ...trade, transaction_id: order.transaction_id,
		trade_type: 'JSAPI', bank_type: 'OTHERS',
		attach: order.attach ?? '',
		success_time: timeText(order.paid_at), payer: order.payer,
		amount: { total, payer_total: total, currency: 'CNY',
			payer_currency: 'CNY' }, promotion_detail: [] };
}

export class Orders {
	constructor(pay) {
		this.pay = pay;
		this.book = pay.book;
	}

	// Whose order this is: refused when it is not theirs.
	checkOwner(given, partner) {
		const mchid = partner ? given.sp_mchid : given.mchid;
		const appid = partner ? given.sp_appid : given.appid;
		const name = partner ? '/sp_mchid' : '/mchid';

		if (mchid !== this.pay.mchid)
			throw wrong(name, mchid, '与签名的商户号不一致');
		if (appid !== undefined && appid !== this.pay.appid)
			throw new PayError(400, 'APPID_MCHID_NOT_MATCH',
			    'appid和mch_id不匹配');
	}

	expiry(given, now) {
		const asked = given.time_expire ?
		    Date.parse(given.time_expire) : now + 7 * DAY;

		if (Number.isNaN(asked))
			throw wrong('/time_expire', given.time_expire,
			    '不是RFC3339格式');
		return Math.min(Math.max(asked, now + MINUTE), now + 15 * DAY);
	}

	create(call, match, given) {
		const partner = Object.hasOwn(given, 'sp_mchid');
		const print = printOf(given);
		const old = this.book.orders.get(given.out_trade_no);

		this.checkOwner(given, partner);
		if (partner && (given.payer.sp_openid === undefined) ===
		    (given.payer.sub_openid === undefined))
			throw wrong('/payer', '', 'sp_openid和sub_openid须且' +
			    '只能填一个');
		if (old)
			return this.again(call, old, print);
		const order = this.book.addOrder({ number: given.out_trade_no,
			print, partner, mchid: this.pay.mchid,
			appid: this.pay.appid, sub_mchid: given.sub_mchid,
			sub_appid: given.sub_appid, payer: given.payer,
			total: given.amount.total, attach: given.attach,
			description: given.description, made: call.now,
			notify_url: given.notify_url,
			expires_at: this.expiry(given, call.now) });
		return { prepay_id: this.book.addPrepay(order, call.now) };
	}

	again(call, old, print) {
		if (old.print !== print)
			throw new PayError(403, 'OUT_TRADE_NO_USED',
			    '商户订单号重复');
		if (old.state === 'CLOSED')
			throw new PayError(400, 'ORDER_CLOSED', '订单已关闭');
		if (old.state !== 'NOTPAY')
			throw new PayError(400, 'ORDER_PAID', '该订单已支付');
		if (old.expires_at <= call.now)
			throw new PayError(400, 'INVALID_REQUEST',
			    '订单已失效');
		return { prepay_id: this.book.addPrepay(old, call.now) };
	}

	// The order that is asked for, of the merchant that asks.
	own(call, order) {
		const partner = call.path.includes('/partner/');
		const mchid = call.query.get(partner ? 'sp_mchid' : 'mchid');

		if (mchid === null)
			throw wrong(partner ? 'sp_mchid' : 'mchid', '',
			    '缺少必填参数', 'query');
		if (mchid !== this.pay.mchid)
			throw wrong(partner ? 'sp_mchid' : 'mchid', mchid,
			    '与签名的商户号不一致', 'query');
		if (!order || order.partner !== partner || (partner &&
		    order.sub_mchid !== call.query.get('sub_mchid')))
			throw new PayError(404, 'ORDER_NOT_EXIST',
			    '订单不存在');
		return order;
	}

	byNumber(call, [, number]) {
		return tradeOf(this.own(call, this.book.orders.get(number)));
	}

	byId(call, [, id]) {
		return tradeOf(this.own(call, this.book.paid.get(id)));
	}

	close(call, [, number], given) {
		const partner = Object.hasOwn(given, 'sp_mchid');
		const order = this.book.orders.get(number);

		this.checkOwner(given, partner);
		if (!order || order.partner !== partner ||
		    order.sub_mchid !== given.sub_mchid)
			throw new PayError(404, 'ORDER_NOT_EXIST',
			    '订单不存在');
		if (order.transaction_id)
			throw new PayError(400, 'ORDER_PAID', '该订单已支付');
		if (order.state !== 'CLOSED')
			this.book.close(order);
		return null;
	}
}
