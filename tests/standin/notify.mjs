// SPDX-License-Identifier: Apache-2.0
//
// notify.mjs -- subscribe messages of the popup kind.
//
// One accept of a person for a template lets one message pass.  Two sends
// to one person at the same time are refused, so the caller must put them
// in a row.
import { failure, success } from './errcodes.mjs';
import { fits, kindOf } from './keywords.mjs';

const TEMPLATE = /^[A-Za-z0-9_-]{8,64}$/;
const STATES = ['developer', 'trial', 'formal'];
const LANGS = ['zh_CN', 'en_US', 'zh_HK', 'zh_TW'];

export class Notify {
	constructor(state, app) {
		this.state = state;
		this.app = app;
		this.underway = new Set();	// openids
		this.lastId = 0;
	}

	knowsTemplate(id) {
		const { templates } = this.state;

		return typeof id === 'string' && (templates.size > 0 ?
		    templates.has(id) : TEMPLATE.test(id));
	}

	// What is wrong with who, which and where: an errcode, or 0.
	headFault(given) {
		if (typeof given.touser !== 'string' ||
		    !this.state.users.has(given.touser))
			return 40003;
		if (!this.knowsTemplate(given.template_id))
			return 40037;
		if (given.page !== undefined && !isPage(given.page))
			return 41030;
		if (!STATES.includes(given.miniprogram_state ?? 'formal') ||
		    !LANGS.includes(given.lang ?? 'zh_CN'))
			return 40097;
		return 0;
	}

	// What is wrong with the data, as the text of 47003, or null.
	dataFault(id, data) {
		const template = this.state.templates.get(id);

		if (data === null || typeof data !== 'object' ||
		    Array.isArray(data))
			return 'argument invalid! data invalid';
		for (const key of template?.keys ?? [])
			if (!Object.hasOwn(data, key))
				return `argument invalid! data.${key}.value` +
				    ' is empty';
		for (const [key, item] of Object.entries(data)) {
			const where = `argument invalid! data.${key}.value`;
			const text = item?.value;
			if (text === undefined || text === null || text === '')
				return `${where} is empty`;
			if (typeof text !== 'string' ||
			    (template && !template.keys.includes(key)) ||
			    !fits(key, text, template?.values?.[key]))
				return `${where} invalid`;
		}
		return null;
	}

	async send(call, given) {
		const code = this.headFault(given);

		if (code !== 0)
			return failure(call, code);
		const { touser, template_id } = given;
		if (this.underway.has(touser))
			return failure(call, 43108);
		this.underway.add(touser);
		call.later(() => this.underway.delete(touser));
		await call.dawdle(this.app.notifyMs);
		const fault = this.dataFault(template_id, given.data);
		if (fault)
			return failure(call, 47003, fault);
		if (this.state.acceptsOf(touser, template_id) < 1)
			return failure(call, 43101);
		this.state.addAccepts(touser, template_id, -1);
		this.state.addMessage({ openid: touser, template_id,
			page: given.page ?? null, data: given.data,
			miniprogram_state: given.miniprogram_state ?? 'formal',
			lang: given.lang ?? 'zh_CN', at: this.state.now() });
		this.lastId = Math.max(this.lastId + 1, call.now * 1000);
		return success(call, { errcode: 0, errmsg: 'ok',
			msgid: this.lastId });
	}
}

// A page of one's own, a query allowed.
function isPage(page) {
	return typeof page === 'string' &&
	    /^[^\s\p{Cc}]{1,1024}$/u.test(page) &&
	    !page.split('?')[0].includes(':');
}

// Whether a template may have this key; for whoever registers one.
export function isKey(key) {
	return typeof key === 'string' && kindOf(key) !== null;
}
