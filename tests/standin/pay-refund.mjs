// SPDX-License-Identifier: Apache-2.0
//
// pay-refund.mjs -- refunds: accepted first, then done as the script says.
//
// The script is settings.refunds: { result, hold, delay_ms, notices }.
import { printOf, timeText } from './pay-book.mjs';
import { PayError, wrong } from './pay-rules.mjs';

const REFUNDS_MAX = 50;
const YEAR_MS = 365 * 86400_000;
const USUAL_MS = 2000;		// by the scale

export const RESULTS = ['SUCCESS', 'ABNORMAL', 'CLOSED'];

const ACCOUNT = '支付用户零钱';

// What an answer says of a refund.
export function refundOf(refund) {
	return { refund_id: refund.refund_id,
		out_refund_no: refund.refund_number,
		transaction_id: refund.transaction_id,
		out_trade_no: refund.number, channel: 'ORIGINAL',
		user_received_account: ACCOUNT,
		...refund.done_at ?
		    { success_time: timeText(refund.done_at) } : {},
		create_time: timeText(refund.made), status: refund.state,
		funds_account: 'UNSETTLED', promotion_detail: [],
		amount: { total: refund.total, refund: refund.refund_fen,
			payer_total: refund.total,
			payer_refund: refund.refund_fen,
			settlement_refund: refund.refund_fen,
			settlement_total: refund.total, discount_refund: 0,
			currency: 'CNY' } };
}

// What a notice says of it.
export function refundNews(refund, order) {
	return { ...order.partner ? { sp_mchid: order.mchid,
		sub_mchid: order.sub_mchid } : { mchid: order.mchid },
	transaction_id: refund.transaction_id, out_trade_no: refund.number,
	refund_id: refund.refund_id, out_refund_no: refund.refund_number,
	refund_status: refund.state,
	...refund.done_at ? { success_time: timeText(refund.done_at) } : {},
	user_received_account: ACCOUNT,
	amount: { total: refund.total, refund: refund.refund_fen,
		payer_total: refund.total, payer_refund: refund.refund_fen } };
}

export class Refunds {
	constructor(pay) {
		this.pay = pay;
		this.book = pay.book;
	}

	orderOf(given) {
		const order = given.transaction_id !== undefined ?
		    this.book.paid.get(given.transaction_id) :
		    this.book.orders.get(given.out_trade_no);

		if ((given.transaction_id === undefined) ===
		    (given.out_trade_no === undefined))
			throw wrong('/transaction_id', '',
			    'transaction_id和out_trade_no须且只能填一个');
		if (!order?.transaction_id ||
		    (order.sub_mchid ?? null) !== (given.sub_mchid ?? null))
			throw new PayError(404, 'RESOURCE_NOT_EXISTS',
			    '订单不存在');
		return order;
	}

	check(call, order, { total, refund }) {
		const { refund_apart_ms } = this.pay.settings;

		if (total !== (order.paid_total ?? order.total))
			throw new PayError(400, 'INVALID_REQUEST',
			    '订单金额或退款金额与之前请求不一致');
		if (order.refunded + refund > total)
			throw new PayError(403, 'NOT_ENOUGH',
			    '退款金额大于可退金额');
		if (order.refunds >= REFUNDS_MAX)
			throw new PayError(400, 'INVALID_REQUEST',
			    '订单退款次数已达上限');
		if (call.now - order.paid_at > YEAR_MS)
			throw new PayError(400, 'TRADE_OVERDUE',
			    '订单已超过可退款的期限');
		if (order.refund_at !== null &&
		    call.now - order.refund_at < refund_apart_ms)
			throw new PayError(429, 'FREQUENCY_LIMITED',
			    '同一订单退款间隔不足一分钟');
	}

	create(call, match, given) {
		const order = this.orderOf(given);
		const print = printOf(given);
		const old = this.book.refunds.get(given.out_refund_no);

		if (old && (old.print !== print || old.number !== order.number))
			throw new PayError(400, 'INVALID_REQUEST',
			    '订单金额或退款金额与之前请求不一致');
		if (old)
			return refundOf(old);
		this.check(call, order, given.amount);
		const refund = this.book.addRefund(order, {
			refund_number: given.out_refund_no, print,
			refund_fen: given.amount.refund,
			total: given.amount.total, reason: given.reason,
			notify_url: given.notify_url ?? null }, call.now);
		const { hold, delay_ms } = this.pay.settings.refunds;
		const answer = refundOf(refund);
		if (!hold)
			this.later(refund, delay_ms ??
			    USUAL_MS * this.pay.scale);
		return answer;
	}

	later(refund, ms) {
		setTimeout(() => this.end(refund), ms).unref();
	}

	// Those that were under way when we ended.
	resume() {
		for (const refund of this.book.refunds.values())
			if (refund.state === 'PROCESSING' &&
			    !this.pay.settings.refunds.hold)
				this.later(refund, USUAL_MS * this.pay.scale);
	}

	// The refund is decided and told; a promise of the first telling.
	end(refund, { result, notices, delay_ms } = {}) {
		const script = this.pay.settings.refunds;

		if (refund.state === 'SUCCESS' || refund.state === 'CLOSED')
			return Promise.resolve(null);
		this.book.endRefund(refund, result ?? script.result ??
		    'SUCCESS', this.pay.now());
		return this.pay.notices.announce('refund', refund,
		    notices ?? script.notices ?? 'normal', { delay_ms });
	}

	query(call, [, number]) {
		const refund = this.book.refunds.get(number);
		const order = refund && this.book.orders.get(refund.number);

		if (!refund || (order.sub_mchid ?? null) !==
		    call.query.get('sub_mchid'))
			throw new PayError(404, 'RESOURCE_NOT_EXISTS',
			    '退款单不存在');
		return refundOf(refund);
	}
}
