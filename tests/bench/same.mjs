// SPDX-License-Identifier: Apache-2.0
// same.mjs -- all contenders do the same work, or nothing is measured.
//
// For some residents, the first page and the one after it are asked of
// every contender and compared as values; only the text of the cursor and
// the order inside `can` may differ.  A token that nobody holds must be
// refused with 401 by all, so that none can leave the session out.
import fs from "node:fs";
import http from "node:http";
import { isDeepStrictEqual } from "node:util";

const RESIDENTS = 8;
const PAGE = 20;

function get(bench, c, token, query) {
	return new Promise((done, fail) => {
		const rq = http.get({ host: "127.0.0.1", port: bench.port,
			path: bench.path + query, agent: false, timeout: 10000,
			headers: { Host: c.host,
				Authorization: `Bearer ${token}` } },
		(r) => {
			const parts = [];
			r.on("data", (d) => parts.push(d));
			r.on("end", () => done({ status: r.statusCode,
				type: r.headers["content-type"],
				body: Buffer.concat(parts) }));
		});
		rq.on("timeout", () => rq.destroy(new Error("no answer")));
		rq.on("error", (e) =>
			fail(new Error(`${c.name}: ${e.message}`)));
	});
}

async function page(bench, c, token, query) {
	const r = await get(bench, c, token, query);
	if (r.status !== 200)
		throw new Error(`${c.name} answers ${r.status}: ${r.body}`);
	const value = JSON.parse(r.body);
	for (const item of value.items)
		item.can?.sort();
	return { next: value.next, size: r.body.length,
		value: { ...value, next: value.next !== null } };
}

// The first thing in which two values differ, as text.
function difference(a, b, at = "") {
	if (a === null || b === null || typeof a !== "object"
		|| typeof b !== "object")
		return `${at || "all"}: ${JSON.stringify(a)} and `
			+ JSON.stringify(b);
	const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
	for (const key of keys)
		if (!isDeepStrictEqual(a[key], b[key]))
			return difference(a[key], b[key], `${at}/${key}`);
	return `${at}: members in another order`;
}

async function compare(bench, contenders, token, queries) {
	const pages = [];
	for (const c of contenders)
		pages.push(await page(bench, c, token,
			queries.get(c.name) ?? ""));
	for (let i = 1; i < pages.length; i++)
		if (!isDeepStrictEqual(pages[i].value, pages[0].value)
			|| JSON.stringify(pages[i].value)
			!== JSON.stringify(pages[0].value))
			throw new Error(`${contenders[0].name} and `
				+ `${contenders[i].name} differ in `
				+ difference(pages[0].value, pages[i].value));
	return pages;
}

// Throws where they differ; gives the size of a full page in bytes.
export async function same(bench, contenders) {
	const tokens = fs.readFileSync(bench.tokens_file, "utf8").trim()
		.split("\n").map((line) => line.split(" ")[0]);
	let size = 0;
	for (let i = 0; i < RESIDENTS; i++) {
		const token = tokens[Math.floor(
			i * tokens.length / RESIDENTS)];
		const first = await compare(bench, contenders, token,
			new Map());
		if (first[0].value.items.length !== PAGE)
			throw new Error(`a page has ${first[0].value.items
				.length} items instead of ${PAGE}`);
		await compare(bench, contenders, token, new Map(
			contenders.map((c, k) => [c.name, "?after="
				+ encodeURIComponent(first[k].next)])));
		size = first[0].size;
	}
	for (const c of contenders) {
		const r = await get(bench, c, "A".repeat(43), "");
		if (r.status !== 401)
			throw new Error(`${c.name} answers ${r.status} instead `
				+ "of 401 to a token that nobody holds");
	}
	return size;
}
