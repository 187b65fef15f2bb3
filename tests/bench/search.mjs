// SPDX-License-Identifier: Apache-2.0
// search.mjs -- persons found by their full phone, at the database alone.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const SEARCHES = 2000;

// Ask the filled database of `bench`; the figures.
export function search(bench, say) {
	const text = execFileSync(path.join(bench.build,
		"planet-bench-search"), ["--config",
		path.join(bench.dir, "planet.conf"), "--persons",
		String(bench.persons), "--searches", String(SEARCHES)],
	{ encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
	const result = JSON.parse(text);
	const size = fs.statSync(bench.database).size / (1 << 20);
	say(`${bench.persons} persons, ${size.toFixed(0)} MiB`);
	for (const [name, r] of [["there", result.found],
		["not there", result.absent]])
		console.log(`search by phone, ${name}: median ${r.p50_us} us, `
			+ `p99 ${r.p99_us} us, longest ${r.max_us} us`);
	return result;
}
