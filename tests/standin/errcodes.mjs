// SPDX-License-Identifier: Apache-2.0
//
// errcodes.mjs -- how the platform says no.
//
// HTTP status is 200 all the same.  The text ends with a request id of
// three groups of 8 hex digits, the first being the Unix time; under sns/
// a comma stands before it and the type is text/plain.
import { randomBytes } from 'node:crypto';

const TEXTS = {
	'-1': 'system error',
	40001: 'invalid credential, access_token is invalid or not latest,' +
	    ' could get access_token by getStableAccessToken, more details' +
	    ' at https://mmbizurl.cn/s/JtxxFh33r',
	40002: 'invalid grant_type',
	40003: 'invalid openid',
	40013: 'invalid appid',
	40014: 'invalid access_token',
	40029: 'invalid code',
	40037: 'invalid template_id',
	40066: 'invalid url',
	40097: 'invalid args',
	40125: 'invalid appsecret',
	40163: 'code been used',
	40164: 'invalid ip, not in whitelist',
	40226: 'code blocked',
	41001: 'access_token missing',
	41002: 'appid missing',
	41004: 'appsecret missing',
	41008: 'missing code',
	41030: 'invalid page',
	42001: 'access_token expired',
	43001: 'require GET method',
	43002: 'require POST method',
	43101: 'user refuse to accept the msg',
	43107: 'the capability of subscribe message is banned',
	43108: 'concurrent send to one user',
	44002: 'empty post data',
	44991: 'reach max api minute frequence limit',
	45009: 'reach max api daily quota limit',
	45011: 'api minute-quota reach limit, must slower, retry next minute',
	45168: 'sensitive word in content',
	47001: 'data format error',
	47003: 'argument invalid!',
	48001: 'api unauthorized',
	50002: 'user limited',
	87009: 'invalid signature',
};

export function rid(now) {
	const seconds = Math.floor(now / 1000).toString(16).padStart(8, '0');
	const tail = randomBytes(8).toString('hex');

	return `${seconds}-${tail.slice(0, 8)}-${tail.slice(8)}`;
}

// The answer that says `errcode`; `text` when the usual one will not do.
export function failure(call, errcode, text) {
	const comma = call.path.startsWith('/sns/') ? ',' : '';
	const words = text ?? TEXTS[errcode] ?? 'system error';

	return {
		type: contentType(call),
		json: { errcode,
			errmsg: `${words}${comma} rid: ${rid(call.now)}` },
	};
}

export function contentType(call) {
	return call.path.startsWith('/sns/') ? 'text/plain' :
	    'application/json; encoding=utf-8';
}

// The answer that carries `json`.
export function success(call, json) {
	return { type: contentType(call), json };
}
