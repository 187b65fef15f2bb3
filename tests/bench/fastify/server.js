// SPDX-License-Identifier: Apache-2.0
// server.js -- the list of a resident's orders, as Fastify would have it.
//
// The same work on the same data as planet-worker: the session from Redis
// by the token's digest, 21 rows from SQLite, 20 items and a signed cursor
// as JSON.  Each library is used the way its own manual recommends for
// speed: reply schema, auto-pipelining, kept statements, ids as text so that
// no row needs BigInt.
import crypto from "node:crypto";
import fs from "node:fs";

import Database from "better-sqlite3";
import Fastify from "fastify";
import Redis from "ioredis";

const [socket, database, redisSocket, keysFile] = process.argv.slice(2);

const RESIDENT = 1;
const SELECT = `SELECT CAST(w.id AS TEXT) AS id, w.state,
	CAST(w.org_id AS TEXT) AS station_id, w.station,
	w.station_phone, CAST(w.address_id AS TEXT) AS address_id,
	w.place, w.floor, w.contact, w.phone_mask AS phone,
	CAST(w.assignee_id AS TEXT) AS courier_id, w.courier,
	w.window_from, w.window_to, w.items, w.goods_fen, w.floor_fen,
	w.total_fen, w.payment, w.tickets, w.empties, w.deposit_fen,
	w.paid_at, w.note, w.reason, w.urged,
	w.deadline_at, w.created_at, w.updated_at, w.code
	FROM water_order w
	WHERE w.community_id = ? AND w.owner_id = ?`;

const LABEL = { placed: "待接单", accepted: "已接单",
	delivering: "配送中", delivered: "已送达", completed: "已完成",
	cancelled: "已取消", rejected: "未接单" };
const CAN = { placed: ["cancel"], accepted: ["cancel"],
	delivering: ["confirm"], delivered: ["confirm"], completed: [],
	cancelled: [], rejected: [] };

const db = new Database(database, { fileMustExist: true });
db.pragma("cache_size = -16000");
const first = db.prepare(`${SELECT} ORDER BY w.id DESC LIMIT ?`);
const later = db.prepare(`${SELECT} AND w.id < ? ORDER BY w.id DESC LIMIT ?`);

const redis = new Redis({ path: redisSocket, enableAutoPipelining: true });

// What cursors are signed with, from the last key of the file.
function derive(file) {
	const line = fs.readFileSync(file, "utf8").trim().split("\n").at(-1);
	return Buffer.from(crypto.hkdfSync("sha256",
		Buffer.from(line.split(" ")[1], "base64"), "", "cursor", 32));
}

const cursorKey = derive(keysFile);

function time(ms) {
	if (ms === null)
		return null;
	const s = new Date(ms + 8 * 3600000).toISOString();
	return (ms % 1000 === 0 ? s.slice(0, 19) : s.slice(0, 23)) + "+08:00";
}

function sign(raw) {
	return crypto.createHmac("sha256", cursorKey).update(raw).digest()
		.subarray(0, 16);
}

function cursor(id) {
	const raw = Buffer.allocUnsafe(8);
	raw.writeBigInt64BE(BigInt(id));
	return Buffer.concat([raw, sign(raw)]).toString("base64url");
}

// The id in a cursor of ours, or null.
function readCursor(text) {
	const raw = Buffer.from(text, "base64url");
	if (raw.length !== 24
		|| !crypto.timingSafeEqual(sign(raw.subarray(0, 8)),
			raw.subarray(8)))
		return null;
	return raw.readBigInt64BE();
}

// The order's row in the shape of the reply.
function order(row) {
	row.items = JSON.parse(row.items);
	row.window_from = time(row.window_from);
	row.window_to = time(row.window_to);
	row.paid_at = time(row.paid_at);
	row.deadline_at = time(row.deadline_at);
	row.created_at = time(row.created_at);
	row.updated_at = time(row.updated_at);
	row.state_label = LABEL[row.state];
	row.handover_code = row.state === "delivering" ? row.code : null;
	row.can = CAN[row.state];
	return row;
}

const text = { type: "string" }, number = { type: "integer" };
const orNull = (schema) => ({ ...schema, nullable: true });
const list = {
	type: "object",
	properties: {
		items: { type: "array", items: { type: "object", properties: {
			id: text, state: text, station_id: text, station: text,
			station_phone: text, address_id: text, place: text,
			floor: orNull(number), contact: text, phone: text,
			courier_id: orNull(text), courier: orNull(text),
			window_from: text, window_to: text,
			items: { type: "array", items: { type: "object",
				properties: { product_id: text,
					quantity: number, brand: text,
					name: text, millilitres: number,
					price_fen: number } } },
			goods_fen: number, floor_fen: number,
			total_fen: number, payment: text,
			tickets: number, empties: orNull(number),
			deposit_fen: number,
			paid_at: orNull(text), note: orNull(text),
			reason: orNull(text), urged: number,
			deadline_at: orNull(text), created_at: text,
			updated_at: text, state_label: text,
			handover_code: orNull(text),
			can: { type: "array", items: text }
		} } },
		next: orNull(text)
	}
};
const query = {
	type: "object",
	properties: { limit: { type: "integer", minimum: 1, maximum: 100,
		default: 20 }, after: text }
};

const app = Fastify({ logger: false });

// The caller from Redis: "v1 user community roles staff life expires".
async function session(request, reply) {
	const head = request.headers.authorization;
	if (head === undefined || !head.startsWith("Bearer "))
		return reply.code(401).send({ code: "no_session" });
	const hash = crypto.createHash("sha256").update(head.slice(7))
		.digest("hex");
	const value = await redis.get("sess:" + hash);
	const f = value === null ? [] : value.split(" ");
	if (f[0] !== "v1" || Number(f[6]) <= Date.now())
		return reply.code(401).send({ code: "no_session" });
	if ((Number(f[3]) & RESIDENT) === 0)
		return reply.code(403).send({ code: "forbidden" });
	request.user = BigInt(f[1]);
	request.community = BigInt(f[2]);
}

app.decorateRequest("user", null);
app.decorateRequest("community", null);
app.get("/api/v1/water/orders", {
	preHandler: session,
	schema: { querystring: query, response: { 200: list } }
}, async (request, reply) => {
	const { limit, after } = request.query;
	let rows;
	if (after === undefined) {
		rows = first.all(request.community, request.user, limit + 1);
	} else {
		const id = readCursor(after);
		if (id === null)
			return reply.code(400).send({ code: "malformed" });
		rows = later.all(request.community, request.user, id,
			limit + 1);
	}
	const more = rows.length > limit;
	if (more)
		rows.pop();
	reply.header("cache-control", "no-store");
	return { items: rows.map(order),
		next: more ? cursor(rows[limit - 1].id) : null };
});

process.on("SIGTERM", () => process.exit(0));
await app.listen({ path: socket, backlog: 1024 });
