// SPDX-License-Identifier: Apache-2.0
//
// keywords.mjs -- what a value of a subscribe message may look like.
//
// The key says the kind: `thing3` is of kind `thing`.  Lengths count code
// points; nothing may hold a control character or a line break.

const DAY = '(?:\\d{1,2}日)';
const YMD = '(?:' + [
	`\\d{4}年\\d{1,2}月${DAY}?`,
	`\\d{1,2}月${DAY}`,
	'\\d{4}([-/.])\\d{1,2}(?:\\SEP\\d{1,2})?',
	'\\d{1,2}[-/.]\\d{1,2}',
].join('|') + ')';
const HMS = '(?:(?:[01]?\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d)?)';

// A pattern of one value or of two joined by a half-width tilde; each
// copy needs its own number for the separator it repeats.
function range(one) {
	const copy = (n) => one.replaceAll('\\SEP', `\\${n}`);

	return new RegExp(`^${copy(1)}(?:~${copy(2)})?$`, 'u');
}

const DATE = range(`${YMD}(?: ?${HMS})?`);
const TIME = range(`(?:${YMD} ?)?${HMS}`);

const points = (text) => [...text].length;
const digits = (text) => text.replace(/\D/g, '').length;

const KINDS = {
	thing: (text) => points(text) <= 20,
	number: (text) => /^[+-]?\d+(\.\d+)?$/.test(text) &&
	    digits(text) <= 32,
	letter: (text) => /^[A-Za-z]{1,32}$/.test(text),
	symbol: (text) => /^[\p{P}\p{S}]{1,5}$/u.test(text),
	character_string: (text) => /^[\x21-\x7e]{1,32}$/.test(text),
	time: (text) => TIME.test(text),
	date: (text) => DATE.test(text),
	amount: (text) => /^\p{Sc}?\d+(\.\d+)?元?$/u.test(text) &&
	    digits(text) <= 10,
	phone_number: (text) => /^[\d\p{P}\p{S}]{1,17}$/u.test(text) &&
	    digits(text) > 0,
	car_number: (text) => points(text) <= 8 &&
	    /^[\p{Script=Han}A-Z0-9][A-Z0-9]*[\p{Script=Han}A-Z0-9]$/u
		.test(text),
	name: (text) => /\p{Script=Han}/u.test(text) ?
	    /^[\p{Script=Han}A-Za-z\p{P}\p{S} ]{1,10}$/u.test(text) :
	    /^[A-Za-z\p{P}\p{S} ]{1,20}$/u.test(text),
	phrase: (text) => /^\p{Script=Han}{1,5}$/u.test(text),
	enum: (text, values) => values ? values.includes(text) :
	    points(text) <= 20,
};

// The kind of a key such as `thing3`, or null.
export function kindOf(key) {
	const kind = /^([a-z_]+?)[1-9]\d?$/.exec(key)?.[1];

	return kind && Object.hasOwn(KINDS, kind) ? kind : null;
}

// Whether `text` may stand under `key`; `values` are an enum's own.
export function fits(key, text, values) {
	const kind = kindOf(key);

	return kind !== null && !/\p{Cc}|[\u2028\u2029]/u.test(text) &&
	    KINDS[kind](text, values);
}
