// SPDX-License-Identifier: Apache-2.0
//
// pay-keys.mjs -- the keys of a merchant and of WeChat Pay, in a folder.
//
// DIR/apiclient_key.pem     the merchant's key, as its console gave it
// DIR/merchant.serial       serial number of its certificate
// DIR/apiv3.key             32 characters
// DIR/platform-keys/NAME.pem  what the merchant was given of our keys
// DIR/ours/NAME.key, .pem   our own halves; .crt of a certificate
// DIR/platform-certificate.pem  the newest, for who wants it by hand
//
// What is absent is made.  A key is { serial, key, public, pem, until }; pem
// of a certificate is the certificate.  The newest of a kind comes last.
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes,
	X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const ALNUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' +
    '0123456789';
const YEARS = 5;

// Letters and digits, as serials and nonces are made of.
export function alnum(length) {
	return Array.from(randomBytes(length), (byte) =>
	    ALNUM[byte % ALNUM.length]).join('');
}

function secret(file, make) {
	if (!fs.existsSync(file))
		fs.writeFileSync(file, make(), { mode: 0o600 });
	return fs.readFileSync(file, 'utf8').trim();
}

function newKey() {
	return generateKeyPairSync('rsa', { modulusLength: 2048,
		publicKeyEncoding: { type: 'spki', format: 'pem' },
		privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
}

export class PayKeys {
	constructor(dir) {
		this.dir = dir;
		this.shown = path.join(dir, 'platform-keys');
		this.ours = path.join(dir, 'ours');
		fs.mkdirSync(this.shown, { recursive: true, mode: 0o755 });
		fs.mkdirSync(this.ours, { recursive: true, mode: 0o700 });
		this.merchant = createPublicKey(secret(
		    path.join(dir, 'apiclient_key.pem'),
		    () => newKey().privateKey));
		this.serial = secret(path.join(dir, 'merchant.serial'), () =>
		    `${randomBytes(20).toString('hex').toUpperCase()}\n`);
		this.apiv3 = secret(path.join(dir, 'apiv3.key'),
		    () => alnum(32));
		this.load();
		if (this.publicKeys.length === 0)
			this.addPublicKey();
		if (this.certificates.length === 0)
			this.addCertificate();
	}

	load() {
		const files = fs.readdirSync(this.ours).sort();

		this.publicKeys = [];
		this.certificates = [];
		for (const file of files.filter((one) =>
		    one.endsWith('.key'))) {
			const name = file.slice(0, -4);
			const key = createPrivateKey(fs.readFileSync(
			    path.join(this.ours, file)));
			if (name.startsWith('PUB_KEY_ID_'))
				this.publicKeys.push(this.makeOne(name, key));
			else
				this.certificates.push(this.fromCertificate(
				    path.join(this.ours, `${name}.crt`), key));
		}
		this.certificates.sort((a, b) => a.since - b.since);
	}

	makeOne(serial, key) {
		const shared = createPublicKey(key);

		return { serial, key, public: shared, pem: shared.export(
		    { type: 'spki', format: 'pem' }) };
	}

	fromCertificate(file, key) {
		const pem = fs.readFileSync(file, 'utf8');
		const one = new X509Certificate(pem);

		return { serial: one.serialNumber.toUpperCase(), key,
			public: one.publicKey, pem,
			since: Date.parse(one.validFrom),
			until: Date.parse(one.validTo) };
	}

	// A new key of ours; the merchant holds it when `give`.
	addPublicKey({ give = true } = {}) {
		const last = this.publicKeys.at(-1)?.serial.slice(11) ?? '0';
		const serial = 'PUB_KEY_ID_' + (last === '0' ?
		    `01${'0'.repeat(31)}1` :
		    String(BigInt(last) + 1n).padStart(last.length, '0'));
		const { privateKey } = newKey();
		const one = this.makeOne(serial, createPrivateKey(privateKey));

		fs.writeFileSync(path.join(this.ours, `${serial}.key`),
		    privateKey, { mode: 0o600 });
		if (give)
			this.give(one);
		this.publicKeys.push(one);
		return one;
	}

	// The operator puts this key where the product looks.
	give(one) {
		const file = path.join(this.shown, `${one.serial}.pem`);

		fs.writeFileSync(`${file}.tmp`, one.pem, { mode: 0o644 });
		fs.renameSync(`${file}.tmp`, file);
	}

	addCertificate() {
		const serial = randomBytes(20);
		serial[0] = (serial[0] & 0x3f) | 0x40;	// positive, 40 digits
		const name = serial.toString('hex').toUpperCase();
		const file = (suffix) =>
		    path.join(this.ours, `${name}.${suffix}`);

		fs.writeFileSync(file('key'), newKey().privateKey,
		    { mode: 0o600 });
		execFileSync('openssl', ['req', '-x509', '-sha256', '-new',
			'-key', file('key'), '-out', file('crt'), '-days',
			String(365 * YEARS), '-set_serial', `0x${name}`,
			'-subj', '/C=CN/O=Tenpay.com/CN=WeChat Pay stand-in'],
		    { stdio: ['ignore', 'ignore', 'pipe'] });
		const one = this.fromCertificate(file('crt'),
		    createPrivateKey(fs.readFileSync(file('key'))));
		this.certificates.push(one);
		fs.writeFileSync(path.join(this.dir,
		    'platform-certificate.pem'), one.pem, { mode: 0o644 });
		return one;
	}

	// Forget all of a kind but the newest.
	drop(kind) {
		this[kind] = this[kind].slice(-1);
		for (const file of fs.readdirSync(this.ours)) {
			const name = file.slice(0, -4);
			const mine = name.startsWith('PUB_KEY_ID_') ===
			    (kind === 'publicKeys');
			if (mine && name !== this[kind][0].serial)
				fs.rmSync(path.join(this.ours, file));
		}
	}

	newest(kind) {
		return this[kind].at(-1);
	}

	// Ours with this serial, in either case, or null.
	find(serial) {
		const wanted = serial.toUpperCase();

		return [...this.publicKeys, ...this.certificates].find((one) =>
		    one.serial === wanted) ?? null;
	}
}
