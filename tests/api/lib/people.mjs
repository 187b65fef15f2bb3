// SPDX-License-Identifier: Apache-2.0
//
// people.mjs -- who lives in the small world of fixture.mjs, as rows.
//
// Numbers and needs are sealed with the instance's own keys by
// `planetctl seal`; people(p) gives the SQL once the keys are there.  A
// need that follows from the day of birth (over_80, minor) is no row.
import { run } from './proc.mjs';

export const LAN = '7001', JIANGUO = '7002', MING = '7003', MIN = '7004';
export const JING = '7101';		// of the other community
export const HOME_LAN = '7101', HOME_WANG = '7102', HOME_MIN = '7103';
export const HOME_JING = '7201';
export const NEED_LAN = '7301', NEED_JING = '7401';

// 17 digits and their check digit (GB 11643-1999).
export function citizen(digits) {
	const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
	const sum = weights.reduce((all, w, i) => all + w * digits[i], 0);

	return digits + '10X98765432'[sum % 11];
}

export const PERSONS = [
	// community, id, name, sex, born, number, phone
	[101, 7001, '李桂兰', 'female', 19480312,
		citizen('52250119480312002'), '13900007001'],
	[101, 7002, '王建国', 'male', 19860520,
		citizen('52250119860520003'), '13900007002'],
	[101, 7003, '王小明', 'male', 20180601,
		citizen('52040220180601001'), null],
	[101, 7004, '张敏', 'female', 19910909,
		citizen('52040219910909004'), '13900007004'],
	[102, 7101, '陈静', 'female', 19790101,
		citizen('52040219790101002'), '13900007101'],
];

export const numberOf = (id) => PERSONS.find((p) => p[1] === Number(id))[5];

const households = [
	// community, id, dwelling, tenancy, contact
	[101, 7101, 1011, 'owned', 7001],
	[101, 7102, 1061, 'rented', 7002],
	[101, 7103, 1511, 'owned', 7004],
	[102, 7201, 2011, 'owned', 7101],
];

const members = [
	// community, household, person, relation
	[101, 7101, 7001, 'head'],
	[101, 7102, 7002, 'head'],
	[101, 7102, 7003, 'child'],
	[101, 7103, 7004, 'head'],
	[102, 7201, 7101, 'head'],
];

const needs = [
	// community, id, person, kind, note
	[101, 7301, 7001, 'alone', '儿子在贵阳'],
	[102, 7401, 7101, 'alone', '女儿在外地'],
];

// [column, value] pairs sealed: [{ sealed, index }] in the same order.
export async function seal(p, pairs) {
	const text = await run(p.program('planetctl'), ['--config', p.conf,
		'seal'], { input: pairs.map(([column, value]) =>
		    `${column}\t${value}\n`).join('') });

	return text.trimEnd().split('\n').map((line) => {
		const [sealed, index] = line.split('\t');
		return { sealed, index };
	});
}

const text = (value) => value === null ? 'NULL' :
    `'${value.replaceAll("'", "''")}'`;

function personRow(row, number, phone, now) {
	const [community, id, name, sex, born, clear, tel] = row;
	const masked = `${clear.slice(0, 6)}********${clear.slice(-4)}`;

	return `(${community}, ${id}, ${text(name)}, ${text(sex)}, ${born},` +
	    ` 'citizen', ${text(number.sealed)}, ${text(number.index)},` +
	    ` ${text(masked)}, ${text(phone?.sealed ?? null)},` +
	    ` ${text(phone?.index ?? null)}, ${text(tel === null ? null :
		`${tel.slice(0, 3)}****${tel.slice(-4)}`)},` +
	    ` 'roster', 'duty', 20260101, ${now}, ${now})`;
}

// The statements that make them all, with sealed values of this instance.
export async function people(p) {
	const now = p.clock.now();
	const numbers = await seal(p, PERSONS.flatMap((one) =>
	    [['id_number', one[5]], ['id_number', `citizen:${one[5]}`]]));
	const phones = await seal(p, PERSONS.map((one) =>
	    ['phone', one[6] ?? '-']));
	const bodies = await seal(p, needs.flatMap(([, , , kind, note]) =>
	    [['need', JSON.stringify({ kind, note })], ['need', kind]]));

	return [
		'INSERT INTO person (community_id, id, name, sex, born,' +
		' id_type, id_number, id_index, id_mask, phone,' +
		' phone_index, phone_mask, source, ground, as_of,' +
		' created_at, updated_at) VALUES ' + PERSONS.map((row, i) =>
		    personRow(row, { sealed: numbers[2 * i].sealed,
			index: numbers[2 * i + 1].index },
		    row[6] === null ? null : phones[i], now)).join(),
		'INSERT INTO household (community_id, id, dwelling_id,' +
		' number, tenancy, contact_id, source, as_of, from_at,' +
		' updated_at) VALUES ' + households.map(([c, id, d, t, who]) =>
		    `(${c}, ${id}, ${d}, '1', '${t}', ${who}, 'roster',` +
		    ` 20260101, 1, ${now})`).join(),
		'INSERT INTO member (community_id, household_id, person_id,' +
		' from_at, relation) VALUES ' + members.map(([c, h, who, r]) =>
		    `(${c}, ${h}, ${who}, 1, '${r}')`).join(),
		'INSERT INTO need (community_id, id, person_id, kind_index,' +
		' body, source, ground, as_of, created_at) VALUES ' +
		needs.map(([c, id, who], i) => `(${c}, ${id}, ${who},` +
		    ` '${bodies[2 * i + 1].index}',` +
		    ` '${bodies[2 * i].sealed}', 'visit', 'duty', 20260101,` +
		    ` ${now})`).join(),
	].join(';\n');
}
