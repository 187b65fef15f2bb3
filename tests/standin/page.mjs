// SPDX-License-Identifier: Apache-2.0
//
// page.mjs -- the state of the stand-in as a page for a person.

const SHOWN = 50;	// rows of each table

const STYLE = `
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif;
	margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem;
	color: #222; background: #fff }
h1 { font-size: 1.3rem; margin: 0 }
h2 { font-size: 1.05rem; margin: 1.5rem 0 .3rem }
p, td.none { color: #666; margin: .2rem 0 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .2rem .7rem .2rem 0;
	border-bottom: 1px solid #ddd; vertical-align: top;
	overflow-wrap: anywhere }
th { font-weight: 600; white-space: nowrap }
td:first-child { min-width: 7em }
@media (prefers-color-scheme: dark) {
	body { color: #ddd; background: #181818 }
	p, td.none { color: #999 }
	th, td { border-color: #333 } }
`;

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;',
	"'": '&#39;' };

function escape(value) {
	return String(value ?? '–').replace(/[&<>"']/g, (c) => escapes[c]);
}

// The wall clock in China.
function clock(ms) {
	return ms === null || ms === undefined ? '–' :
	    new Date(ms + 8 * 3600_000).toISOString().slice(5, 19)
		.replace('T', ' ');
}

function table(title, heads, rows) {
	const head = heads.map((text) => `<th>${escape(text)}</th>`).join('');
	const body = rows.slice(0, SHOWN).map((row) => '<tr>' +
	    row.map((cell) => `<td>${cell?.html ?? escape(cell)}</td>`)
		.join('') + '</tr>');
	const count = rows.length > SHOWN ?
	    `${SHOWN} / ${rows.length}` : rows.length;

	if (rows.length === 0)
		body.push(`<tr><td class="none" colspan="${heads.length}">` +
		    '无 none</td></tr>');
	return `<h2>${escape(title)} (${count})</h2>\n` +
	    `<table><tr>${head}</tr>\n${body.join('\n')}</table>\n`;
}

function newest(codes) {
	return Object.entries(codes).sort((a, b) => b[1].made - a[1].made);
}

function codeState(row, now) {
	if (row.used !== null)
		return `已使用 used ${clock(row.used)}`;
	const left = Math.ceil((row.made + 300_000 - now) / 1000);
	return left > 0 ? `有效 good, ${left} s` : '已过期 expired';
}

function values(data) {
	return Object.entries(data).map(([key, item]) =>
	    `${key}: ${item.value}`).join('; ');
}

// A button that is the payer's thumb.
function thumb(prepay_id) {
	return { html: `<button data-id="${escape(prepay_id)}">` +
	    '支付 pay</button>' };
}

function yuan(fen) {
	return `${Math.floor(fen / 100)}.${String(fen % 100)
	    .padStart(2, '0')}`;
}

// The newest orders, those to pay first.
function orderRows(pay, now) {
	const unpaid = [], others = [];

	for (const order of [...pay.book.orders.values()].reverse()) {
		const [id, until] = order.prepays.at(-1) ?? ['', 0];
		const payable = order.state === 'NOTPAY' && now <
		    Math.min(until, order.expires_at);
		const rows = payable ? unpaid : others;
		if (rows.length >= SHOWN)
			continue;
		rows.push([clock(order.made), order.number,
			order.description, Object.values(order.payer)[0],
			yuan(order.paid_total ?? order.total),
			payable ? thumb(id) : order.state,
			order.refunded > 0 ? yuan(order.refunded) : '']);
	}
	return [...unpaid, ...others];
}

const SCRIPT = `
for (const button of document.querySelectorAll('button[data-id]'))
	button.onclick = async () => {
		button.disabled = true;
		await fetch('payments', { method: 'POST', body:
		    JSON.stringify({ prepay_id: button.dataset.id }) });
		location.reload();
	};
`;

function tables(all, pay) {
	const stable = all.token.known?.[all.token.stable];

	return [
		table('订单 Orders', ['时间 At', '商户订单号 Number',
			'说明 What', 'openid', '元 Yuan', '状态 State',
			'已退 Refunded'], orderRows(pay, pay.now())),
		table('访问令牌 Access token', ['种类 Kind', '到期 Until'],
		    stable ? [['stable', clock(stable.until)]] : []),
		table('用户 Users', ['openid', 'unionid', '自 Since'],
		    Object.entries(all.users).map(([openid, user]) =>
			[openid, user.unionid, clock(user.since)]).reverse()),
		table('登录码 Login codes', ['码 Code', 'openid', '状态 State'],
		    newest(all.logins).map(([code, row]) =>
			[code, row.openid, codeState(row, all.now)])),
		table('手机号码 Phone codes',
		    ['码 Code', '号码 Number', '状态 State'],
		    newest(all.phones).map(([code, row]) =>
			[`${code.slice(0, 12)}…`,
			`+${row.country_code} ${row.phone}`,
			codeState(row, all.now)])),
		table('订阅次数 Accepts', ['openid', '模板 Template', '次数 Count'],
		    Object.entries(all.accepts).flatMap(([openid, of]) =>
			Object.entries(of).map(([id, n]) => [openid, id, n]))),
		table('已发消息 Messages',
		    ['时间 At', 'openid', '模板 Template', '页面 Page',
			'内容 Data'],
		    all.messages.map((message) => [clock(message.at),
			message.openid, message.template_id, message.page,
			values(message.data)]).reverse()),
		table('故障 Faults', ['类别 Kind', '方式 Mode', '次数 Times',
			'细节 Detail'],
		    all.faults.map((fault) => [fault.kind, fault.mode,
			fault.times, [fault.errcode ?? '',
			    fault.delay_ms ? `${fault.delay_ms} ms` : '',
			    fault.after_acting ? '之后 after acting' : '']
			    .filter((text) => text !== '').join(', ')])),
		table('调用 Calls', ['时间 At', '类别 Kind', '路径 Path',
			'errcode', '故障 Fault'],
		    all.recent.map((call) => [clock(call.at), call.kind,
			`${call.method} ${call.path}`, call.errcode,
			call.fault])),
	].join('');
}

export function page(all, app, pay) {
	const counts = Object.entries(all.calls).map(([kind, n]) =>
	    `${kind} ${n}`).join(', ') || '无 none';

	return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>微信替身 WeChat stand-in</title><style>${STYLE}</style></head><body>
<h1>微信替身 WeChat stand-in</h1>
<p>${escape(app.appid)} · ${clock(all.now)} +08:00 ·
时钟偏移 clock offset ${all.offset_ms} ms</p>
<p>调用次数 calls: ${escape(counts)}</p>
${tables(all, pay)}<script>${SCRIPT}</script></body></html>
`;
}
