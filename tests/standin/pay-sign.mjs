// SPDX-License-Identifier: Apache-2.0
//
// pay-sign.mjs -- signatures of the pay side: those of requests checked,
// those of answers and notices made; and the sealing of notices.
import { createCipheriv, createHash, sign, verify } from 'node:crypto';

import { alnum } from './pay-keys.mjs';

const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
const MEMBERS = ['mchid', 'nonce_str', 'serial_no', 'signature',
	'timestamp'];
const WINDOW_S = 300;
const SHOWN = 8;		// bytes of the body in what we tell

// The members of an Authorization value, or the words of the refusal.
function parseAuthorization(value) {
	const space = value.indexOf(' ');

	if (space < 0)
		return 'Http头Authorization值格式错误，请参考《微信支付' +
		    '商户REST API签名规则》';
	if (value.slice(0, space) !== SCHEME)
		return 'Http头Authorization认证类型不正确';
	const found = {};
	for (const part of value.slice(space + 1).split(',')) {
		const [, name, text] = /^([a-z_]+)="([^"]*)"$/.exec(part) ??
		    [];
		if (!MEMBERS.includes(name) || Object.hasOwn(found, name) ||
		    text === '')
			return 'Http头Authorization值格式错误，请参考《微信' +
			    '支付商户REST API签名规则》';
		found[name] = text;
	}
	if (Object.keys(found).length !== MEMBERS.length ||
	    !/^\d{1,12}$/.test(found.timestamp))
		return 'Http头Authorization值格式错误，请参考《微信支付' +
		    '商户REST API签名规则》';
	return found;
}

// What of a wrong signature we tell: our own message, its body cut.
function detailOf(call, head) {
	const length = Buffer.byteLength(head) + call.body.length + 1;

	return { field: 'signature', location: 'authorization',
		issue: 'sign not match', sign_information: {
			method: call.method, url: call.url,
			sign_message_length: length,
			truncated_sign_message: head +
			    call.body.subarray(0, SHOWN).toString('utf8') +
			    '\n',
		} };
}

// What is wrong with who asks: { message, detail? }, or { mchid }.
export function checkAuthorization(call, pay) {
	const value = call.headers.authorization;

	if (!value)
		return { message: '签名信息错误，验签失败' };
	const given = parseAuthorization(value);
	if (typeof given === 'string')
		return { message: given };
	if (Math.abs(call.now / 1000 - Number(given.timestamp)) > WINDOW_S)
		return { message: 'Http头Authorization中的timestamp与发起' +
		    '请求的时间不得超过5分钟' };
	if (!pay.keys || given.mchid !== pay.mchid)
		return { message: '商户未申请过证书' };
	if (given.serial_no.toUpperCase() !== pay.keys.serial)
		return { message: '商户证书序列号有误' };
	if (pay.settings.serial !== 'good')
		return { message: pay.settings.serial === 'expired' ?
		    '商户证书已过期' : '商户证书已作废' };
	const head = `${call.method}\n${call.url}\n${given.timestamp}\n` +
	    `${given.nonce_str}\n`;
	const message = Buffer.concat([Buffer.from(head), call.body,
		Buffer.from('\n')]);
	if (!/^[A-Za-z0-9+/]+={0,2}$/.test(given.signature) ||
	    !verify('sha256', message, pay.keys.merchant,
		Buffer.from(given.signature, 'base64')))
		return { message: '签名错误', detail: detailOf(call, head) };
	return { mchid: given.mchid };
}

// The headers that prove `bytes`, signed by one of our keys.
export function proof(one, bytes, now) {
	const timestamp = String(Math.floor(now / 1000));
	const nonce = alnum(32);
	const message = Buffer.concat([
		Buffer.from(`${timestamp}\n${nonce}\n`), bytes,
		Buffer.from('\n')]);

	return { 'Wechatpay-Timestamp': timestamp, 'Wechatpay-Nonce': nonce,
		'Wechatpay-Serial': one.serial,
		'Wechatpay-Signature-Type': SCHEME,
		'Wechatpay-Signature': sign('sha256', message, one.key)
		    .toString('base64') };
}

// AES-256-GCM of `text`, as a resource member.
export function seal(apiv3, text, { nonce = alnum(12), about }) {
	const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiv3),
	    Buffer.from(nonce));

	if (about)
		cipher.setAAD(Buffer.from(about));
	const ciphertext = Buffer.concat([cipher.update(text, 'utf8'),
		cipher.final(), cipher.getAuthTag()]).toString('base64');
	return { algorithm: 'AEAD_AES_256_GCM', ciphertext, nonce,
		...about === null ? {} : { associated_data: about ?? '' } };
}

// A nonce that is the same for the same notice.
export function nonceOf(id) {
	return createHash('sha256').update(id).digest('hex').slice(0, 12);
}
