// SPDX-License-Identifier: Apache-2.0
//
// pay-echo.mjs -- the harmless self-test, and the platform certificates.
import { constants, privateDecrypt, publicEncrypt,
	randomUUID } from 'node:crypto';

import { timeText } from './pay-book.mjs';
import { PayError, wrong } from './pay-rules.mjs';
import { seal } from './pay-sign.mjs';

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };

export class Echo {
	constructor(pay) {
		this.pay = pay;
	}

	encrypt(text) {
		return publicEncrypt({ key: this.pay.keys.merchant, ...OAEP },
		    Buffer.from(text)).toString('base64');
	}

	// With which key the secret was written: the one that is named.
	open(text, signer) {
		try {
			return privateDecrypt({ key: signer.key, ...OAEP },
			    Buffer.from(text, 'base64')).toString('utf8');
		} catch {
			throw wrong('/encrypted_echo_message', '',
			    '敏感字段解密失败');
		}
	}

	echo(call, match, given, signer) {
		const { echo_message, encrypted_echo_message, notify_url } =
		    given;
		const secret = encrypted_echo_message === undefined ? null :
		    this.open(encrypted_echo_message, signer);

		if (notify_url)
			this.pay.notices.announce('echo', {
				notice_id: randomUUID(), notify_url,
				news: { echo_message, encrypt_echo_message:
				    secret === null ? '' :
					this.encrypt(secret) } });
		return { echo_message, ...secret === null ? {} :
		    { encrypted_echo_message: this.encrypt(secret) } };
	}

	certificates() {
		const { keys, settings } = this.pay;

		if (settings.platform === 'key')
			throw new PayError(404, 'RESOURCE_NOT_EXISTS',
			    '无可用的平台证书，请在商户平台-API安全申请使用' +
			    '微信支付公钥');
		return { data: keys.certificates.map((one) => ({
			serial_no: one.serial,
			effective_time: timeText(one.since),
			expire_time: timeText(one.until),
			encrypt_certificate: seal(keys.apiv3, one.pem,
			    { about: 'certificate' }) })) };
	}
}
