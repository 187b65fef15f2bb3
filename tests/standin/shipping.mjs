// SPDX-License-Identifier: Apache-2.0
//
// shipping.mjs -- goods that were paid in the mini-program must be said to
// be on their way, or the platform keeps the money back.
//
// A payment is shipped once and may be corrected once.  order_state: 1 to
// ship, 2 shipped, 3 received, 4 done, 5 refunded, 6 to settle.
import { failure, success } from './errcodes.mjs';

const TEXTS = {
	10060001: '支付单不存在', 10060003: '支付单已使用重新发货机会',
	10060004: '支付单处于不可发货的状态', 10060005: '物流类型有误',
	10060006: '非快递发货时不允许分拆发货',
	10060007: '分拆发货模式下必须填写is_all_delivered',
	10060008: '商品描述item_desc字段不能为空',
	10060009: '商品描述item_desc字段太长', 10060014: '参数错误',
	10060023: '发货信息未更新', 10060024: '物流信息列表太长',
	10060025: '物流公司编码太长', 10060026: '物流单号太长',
	10060031: '该笔支付单不属于openid所指定的用户',
	268485194: '订单单号类型不合法', 268485195: '微信订单号不能为空',
	268485196: '商户号不能为空', 268485197: '商户订单号不能为空',
	268485216: '上传时间非法，请按照RFC 3339格式填写',
	268485224: '发货模式非法', 268485226: '物流单号不能为空',
	268485227: '物流公司编码不能为空',
	268485228: '统一发货模式下物流信息列表长度必须为1',
};
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$/;

function isText(value) {
	return typeof value === 'string' && value !== '';
}

// What is wrong with one parcel, or 0.
function itemFault(item, express) {
	if (!isText(item?.item_desc))
		return 10060008;
	if ([...item.item_desc].length > 120)
		return 10060009;
	if (!express)
		return 0;
	if (!isText(item.tracking_no))
		return 268485226;
	if (!isText(item.express_company))
		return 268485227;
	if (Buffer.byteLength(item.express_company) > 128)
		return 10060025;
	return Buffer.byteLength(item.tracking_no) > 128 ? 10060026 : 0;
}

function listFault(given) {
	const { logistics_type, delivery_mode, shipping_list } = given;

	if (![1, 2, 3, 4].includes(logistics_type))
		return 10060005;
	if (![1, 2].includes(delivery_mode))
		return 268485224;
	if (delivery_mode === 2 && logistics_type !== 1)
		return 10060006;
	if (delivery_mode === 2 && typeof given.is_all_delivered !== 'boolean')
		return 10060007;
	if (!Array.isArray(shipping_list) || shipping_list.length === 0)
		return 10060014;
	if (delivery_mode === 1 && shipping_list.length !== 1)
		return 268485228;
	if (shipping_list.length > 15)
		return 10060024;
	for (const item of shipping_list) {
		const code = itemFault(item, logistics_type === 1);
		if (code !== 0)
			return code;
	}
	return 0;
}

export class Shipping {
	constructor(pay, app) {
		this.pay = pay;
		this.book = pay.book;
		this.app = app;
		const row = (handle) => ({ kind: 'shipping', method: 'POST',
			token: true, handle: async (call, given) => {
				await call.dawdle(0);
				return handle.call(this, call, given);
			} });
		const at = '/wxa/sec/order';
		this.routes = {
			[`${at}/upload_shipping_info`]: row(this.upload),
			[`${at}/get_order`]: row(this.order),
			[`${at}/is_trade_managed`]: row(this.managed),
			[`${at}/is_trade_management_confirmation_completed`]:
			    row(this.confirmed),
		};
	}

	no(call, code) {
		return failure(call, code, TEXTS[code]);
	}

	// The paid order of a key, or an errcode.
	find(key) {
		let order;

		if (key?.order_number_type === 2) {
			if (!isText(key.transaction_id))
				return 268485195;
			order = this.book.paid.get(key.transaction_id);
		} else if (key?.order_number_type === 1) {
			if (!isText(key.mchid))
				return 268485196;
			if (!isText(key.out_trade_no))
				return 268485197;
			order = this.book.orders.get(key.out_trade_no);
			if (order && (order.sub_mchid ?? order.mchid) !==
			    key.mchid)
				return 10060001;
		} else {
			return 268485194;
		}
		return order?.transaction_id ? order : 10060001;
	}

	stateOf(order) {
		if (order.refunded >= (order.paid_total ?? order.total))
			return 5;
		return order.ship?.state ?? 1;
	}

	upload(call, given) {
		const order = this.find(given.order_key);
		if (typeof order === 'number')
			return this.no(call, order);
		const code = listFault(given);
		if (code !== 0)
			return this.no(call, code);
		if (!isText(given.payer?.openid))
			return this.no(call, 10060014);
		const { openid, sp_openid, sub_openid } = order.payer;
		if (![openid, sp_openid, sub_openid].includes(
		    given.payer.openid))
			return this.no(call, 10060031);
		return this.keep(call, order, given);
	}

	keep(call, order, given) {
		const { ship } = order;
		const { upload_time, order_key, ...rest } = given;
		const at = TIME.test(upload_time ?? '') ?
		    Date.parse(upload_time) : NaN;
		const print = JSON.stringify(rest);

		if (this.stateOf(order) === 5)
			return this.no(call, 10060004);
		if (Number.isNaN(at) || (ship && at <= ship.at))
			return this.no(call, 268485216);
		if (ship?.print === print)
			return this.no(call, 10060023);
		if (ship?.done && ship.count >= 2)
			return this.no(call, 10060003);
		const done = given.delivery_mode === 1 ||
		    given.is_all_delivered;
		order.ship = { at, print, done, state: done ? 2 : 1,
			by: order_key.order_number_type, given: rest,
			count: (ship?.count ?? 0) +
			    (done || ship?.done ? 1 : 0) };
		this.book.write('order', order);
		return success(call, { errcode: 0, errmsg: 'ok' });
	}

	order(call, given) {
		const { transaction_id, merchant_id, merchant_trade_no } =
		    given;
		const order = this.find(transaction_id !== undefined ?
		    { order_number_type: 2, transaction_id } :
		    { order_number_type: 1, mchid: merchant_id,
			out_trade_no: merchant_trade_no });

		if (typeof order === 'number')
			return this.no(call, order);
		const { ship } = order;
		return success(call, { errcode: 0, errmsg: 'ok', order: {
			transaction_id: order.transaction_id,
			merchant_id: order.mchid,
			sub_merchant_id: order.sub_mchid ?? '',
			merchant_trade_no: order.number,
			description: order.description,
			paid_amount: order.paid_total ?? order.total,
			openid: Object.values(order.payer)[0],
			trade_create_time: Math.floor(order.made / 1000),
			pay_time: Math.floor(order.paid_at / 1000),
			order_state: this.stateOf(order),
			in_complaint: false, shipping: {
				...ship ? { delivery_mode:
				    ship.given.delivery_mode,
				logistics_type: ship.given.logistics_type,
				shipping_list: ship.given.shipping_list } : {},
				finish_shipping: ship?.done ?? false,
				goods_desc: ship?.given.shipping_list[0]
				    .item_desc ?? '',
				finish_shipping_count: ship?.count ?? 0,
			} } });
	}

	managed(call, { appid }) {
		return appid !== this.app.appid ? failure(call, 40013) :
		    success(call, { errcode: 0, errmsg: 'ok',
			is_trade_managed: this.pay.settings.trade_managed });
	}

	confirmed(call, { appid }) {
		return appid !== this.app.appid ? failure(call, 40013) :
		    success(call, { errcode: 0, errmsg: 'ok',
			completed: true });
	}
}
