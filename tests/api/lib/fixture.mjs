// SPDX-License-Identifier: Apache-2.0
//
// fixture.mjs -- the small world of the tests, as rows.
//
// Two communities.  In the first: one compound that stations A and B serve
// (A is asked first), one that only D serves, and people of every duty and
// role, each with their name as openid.  In the second: station Z.
// Residents are not here; they log in and choose an address themselves.

export const HERE = '101', THERE = '102';
export const K1 = '1000', K2 = '1500';

// Dwellings: on the ground, on the 6th without a lift, on the 9th with.
export const LOW = '1011', STAIRS = '1061', LIFT = '1091';
export const OUTSIDE = '1511', ABROAD = '2011';
export const A = '3001', B = '3002', D = '3003', Z = '3101';

// Goods of A; the same large barrel at the others'.
export const BIG = '4001', SMALL = '4002', OFF_SALE = '4003';
export const LAST_ONE = '4004', SOLD_OUT = '4005';
export const BIG_B = '4011', BIG_D = '4021', BIG_Z = '4101';

// Who answers for the dwellings: grids and ten-household units.  OTHER_GRID
// has OUTSIDE alone; GRID_Z and UNIT_Z are of the second community.
export const GRID = '6001', OTHER_GRID = '6002', GRID_Z = '6301';
export const UNIT = '6101', UNIT_LIFT = '6102', OTHER_UNIT = '6201';
export const UNIT_Z = '6401';

export const WINDOWS = '09:00-12:00,14:00-18:00,18:30-20:30';

export const ROLES = ['resident', 'head', 'grid', 'clerk', 'party',
	'property', 'technician', 'merchant', 'courier', 'teacher', 'admin',
	'platform'];

const places = [
	// community, id, parent, kind, compound, name, floor, lift
	[101, 1000, 0, 'compound', 1000, '山水小区', null, null],
	[101, 1001, 1000, 'building', 1000, '1栋', null, null],
	[101, 1002, 1001, 'entrance', 1000, '1单元', null, null],
	[101, 1011, 1002, 'dwelling', 1000, '101室', 1, 0],
	[101, 1061, 1002, 'dwelling', 1000, '601室', 6, 0],
	[101, 1003, 1000, 'building', 1000, '2栋', null, null],
	[101, 1004, 1003, 'entrance', 1000, '1单元', null, null],
	[101, 1091, 1004, 'dwelling', 1000, '901室', 9, 1],
	[101, 1500, 0, 'compound', 1500, '远山小区', null, null],
	[101, 1501, 1500, 'building', 1500, '1栋', null, null],
	[101, 1502, 1501, 'entrance', 1500, '1单元', null, null],
	[101, 1511, 1502, 'dwelling', 1500, '101室', 1, 0],
	[102, 2000, 0, 'compound', 2000, '邻家小区', null, null],
	[102, 2001, 2000, 'building', 2000, '1栋', null, null],
	[102, 2002, 2001, 'entrance', 2000, '1单元', null, null],
	[102, 2011, 2002, 'dwelling', 2000, '101室', 1, 0],
];

const stations = [
	// community, id, name, serves, rank
	[101, 3001, '甲水站', 1000, 1],
	[101, 3002, '乙水站', 1000, 2],
	[101, 3003, '丁水站', 1500, 1],
	[102, 3101, '邻家水站', 2000, 1],
];

const products = [
	// community, id, station, brand, name, ml, fen, stock, on sale
	[101, 4001, 3001, '山泉', '山泉 18.9 升', 18900, 1800, 1000, 1],
	[101, 4002, 3001, '山泉', '山泉 11.3 升', 11300, 1200, 500, 1],
	[101, 4003, 3001, '冰川', '冰川 18.9 升', 18900, 2500, 10, 0],
	[101, 4004, 3001, '甘露', '甘露 18.9 升', 18900, 2000, 1, 1],
	[101, 4005, 3001, '清源', '清源 18.9 升', 18900, 1500, 0, 1],
	[101, 4011, 3002, '山泉', '山泉 18.9 升', 18900, 1700, 1000, 1],
	[101, 4021, 3003, '山泉', '山泉 18.9 升', 18900, 1800, 1000, 1],
	[102, 4101, 3101, '山泉', '山泉 18.9 升', 18900, 1800, 1000, 1],
];

const staff = [
	// community, id, name, role, station, duty
	[101, 5001, 'owner-a', 'merchant', 3001, 'owner'],
	[101, 5002, 'clerk-a', 'merchant', 3001, 'clerk'],
	[101, 5003, 'courier-a', 'courier', 3001, 'courier'],
	[101, 5004, 'courier-a2', 'courier', 3001, 'courier'],
	[101, 5011, 'owner-b', 'merchant', 3002, 'owner'],
	[101, 5012, 'courier-b', 'courier', 3002, 'courier'],
	[101, 5021, 'owner-d', 'merchant', 3003, 'owner'],
	[102, 5101, 'owner-z', 'merchant', 3101, 'owner'],
	[102, 5102, 'courier-z', 'courier', 3101, 'courier'],
	[102, 5103, 'admin-z', 'admin', null, null],
	...ROLES.map((role, i) =>
	    [101, 5201 + i, `role-${role}`, role, null, null]),
];

// Valid from the beginning, without end.
const grids = [
	// community, id, code, name
	[101, 6001, '01', '第一网格'],
	[101, 6002, '02', '第二网格'],
	[102, 6301, '01', '邻家网格'],
];

const units = [
	// community, id, code, name, grid, dwellings
	[101, 6101, '01-01', '第一联户', 6001, [1011, 1061]],
	[101, 6102, '01-02', '第二联户', 6001, [1091]],
	[101, 6201, '02-01', '远山联户', 6002, [1511]],
	[102, 6401, '01-01', '邻家联户', 6301, [2011]],
];

const posts = [
	// community, id, user, name, role, scope, scope's id
	[101, 6501, 5301, 'grid-1', 'grid', 'grid', 6001],
	[101, 6502, 5302, 'grid-2', 'grid', 'grid', 6002],
	[101, 6503, 5303, 'head-1', 'head', 'unit', 6101],
	[101, 6504, 5304, 'head-2', 'head', 'unit', 6102],
	[102, 6505, 5305, 'grid-z', 'grid', 'grid', 6301],
	[101, 6506, 5306, 'clerk-1', 'clerk', 'community', 0],
];

function literal(value) {
	if (value === null)
		return 'NULL';
	return typeof value === 'number' ? String(value) :
	    `'${value.replaceAll("'", "''")}'`;
}

function insert(table, columns, rows) {
	return `INSERT INTO ${table} (${columns}) VALUES\n` +
	    rows.map((row) => `(${row.map(literal).join(', ')})`)
		.join(',\n');
}

// From the compound down, as an import would have written it.
function fullName(place) {
	const parent = places.find((one) => one[1] === place[2]);

	return (parent ? fullName(parent) : '') + place[5];
}

// Grids, units, and those who hold a post there.
function duties(now) {
	return [
		insert('app_user', 'id, openid, name, community_id,' +
		    ' created_at, updated_at', posts.map((p) => [p[2], p[3],
			p[3], p[0], now, now])),
		insert('user_role', 'community_id, user_id, role,' +
		    ' granted_at', posts.map((p) => [p[0], p[2], p[4],
			now])),
		insert('post_role', 'community_id, user_id, role',
		    posts.map((p) => [p[0], p[2], p[4]])),
		insert('grid', 'community_id, id, code, name, from_at',
		    grids.map((g) => [...g, 0])),
		insert('unit', 'community_id, id, code, name, from_at',
		    units.map((u) => [...u.slice(0, 4), 0])),
		insert('unit_grid', 'community_id, unit_id, from_at,' +
		    ' grid_id', units.map((u) => [u[0], u[1], 0, u[4]])),
		insert('unit_dwelling', 'community_id, dwelling_id,' +
		    ' from_at, unit_id', units.flatMap((u) => u[5].map((d) =>
			[u[0], d, 0, u[1]]))),
		insert('post', 'community_id, id, user_id, name, role,' +
		    ' scope, scope_id, from_at, created_at',
		    posts.map((p) => [...p, 0, now])),
	];
}

export function fixture(now) {
	const [minute8, minute21] = [8 * 60, 21 * 60];
	const working = staff.filter((row) => row[4] !== null);

	return [
		insert('community',
		    'id, code, edition, name, township, lat, lng', [
			[101, '520403001001', '2026-01-01', '此处社区',
				'中心街道', 26250000, 105920000],
			[102, '520403001002', '2026-01-01', '邻家社区',
				'中心街道', null, null]]),
		insert('place', 'community_id, id, parent_id, kind,' +
		    ' compound_id, name, full_name, rank, floor, lift',
		    places.map((p) => [p[0], p[1], p[2], p[3], p[4], p[5],
			fullName(p), p[1], p[6], p[7]])),
		insert('org', 'community_id, id, kind, name, phone, place,' +
		    ' lat, lng, created_at', stations.map((s) => [s[0], s[1],
			'water', s[2], '0851-33330000', '门面 1 号',
			26250100, 105920100, now])),
		insert('water_station', 'community_id, id, opens, closes,' +
		    ' floor_fee_fen, free_floors, accept_minutes, windows,' +
		    ' paused', stations.map((s) => [s[0], s[1], minute8,
			minute21, 100, 2, 15, WINDOWS, 0])),
		insert('water_area', 'community_id, compound_id,' +
		    ' station_id, rank', stations.map((s) => [s[0], s[3],
			s[1], s[4]])),
		insert('water_product', 'community_id, id, station_id,' +
		    ' brand, name, millilitres, price_fen, stock, on_sale,' +
		    ' updated_at', products.map((p) => [...p, now])),
		insert('app_user', 'id, openid, name, community_id,' +
		    ' created_at, updated_at', staff.map((s) => [s[1], s[2],
			s[2], s[0], now, now])),
		insert('user_role', 'community_id, user_id, role,' +
		    ' granted_at', staff.map((s) => [s[3] === 'platform' ? 0 :
			s[0], s[1], s[3], now])),
		insert('org_staff', 'community_id, org_id, user_id, duty,' +
		    ' since', working.map((s) => [s[0], s[4], s[1], s[5],
			now])),
		...duties(now),
	].join(';\n');
}
