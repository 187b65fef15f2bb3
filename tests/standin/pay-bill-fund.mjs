// SPDX-License-Identifier: Apache-2.0
//
// pay-bill-fund.mjs -- the fund-flow statement: what came into the account
// and left it, with the balance after each.
import { tradeRows, yuan } from './pay-bill-trade.mjs';

const COLUMNS = '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,' +
    '收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号';
const SUMMARY = '资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额';

// One row of trade as movements: { fen, name, type, note }.
function movesOf({ total, back, fee, cells }) {
	const moves = total > 0 ?
	    [{ fen: total, name: '交易', type: '交易', note: '' }] :
	    [{ fen: -back, name: '退款', type: '退款',
		note: `退款总金额${yuan(back)}元;含手续费${yuan(-fee)}元` }];

	if (fee !== 0)
		moves.push({ fen: -fee, name: '交易', type: '扣除交易手续费',
			note: fee > 0 ? '扣除手续费' : '退还手续费' });
	return moves.map((move) => ({ ...move, at: cells.交易时间,
		id: cells.微信订单号, voucher: total > 0 ? cells.微信订单号 :
		    cells.微信退款单号 }));
}

function movesIn(pay, start, end, spoilt) {
	return tradeRows(pay, { start, end, spoilt }).filter(({ cells }) =>
	    !['FAIL', 'CHANGE'].includes(cells.退款状态)).flatMap(movesOf);
}

// The file, or null for a day on which nothing moved.
export function fundText(pay, { start, end, spoilt }) {
	const moves = movesIn(pay, start, end, spoilt);
	let balance = movesIn(pay, 0, start, {}).reduce((sum, { fen }) =>
	    sum + fen, 0);

	if (moves.length === 0)
		return null;
	const lines = moves.map((move, i) => {
		balance += move.fen;
		return [move.at, move.id, `${start}${i + 1}`, move.name,
			move.type, move.fen > 0 ? '收入' : '支出',
			yuan(Math.abs(move.fen)), yuan(balance), 'system',
			move.note, move.voucher].map((one) => `\`${one}`)
		    .join(',');
	});
	const sums = [1, -1].flatMap((sign) => {
		const some = moves.filter(({ fen }) => fen * sign > 0);
		return [some.length, yuan(some.reduce((sum, { fen }) =>
		    sum + fen * sign, 0))];
	});
	return [COLUMNS, ...lines, SUMMARY, [moves.length, ...sums]
	    .map((one) => `\`${one}`).join(','), ''].join('\r\n');
}
