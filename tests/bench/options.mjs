// SPDX-License-Identifier: Apache-2.0
// options.mjs -- the command line of scripts/bench.
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const USAGE = `usage: scripts/bench [options]
  --rounds N        rounds over all contenders (5)
  --seconds S       length of one run (5)
  --connections C   clients at once (16)
  --threads T       threads of each FastCGI worker (16)
  --residents N     residents with orders (2000)
  --orders N        orders of each (30)
  --list NAME       orders of residents, or persons for clerks (orders)
  --persons N       persons of that list (24000)
  --search          instead of rates: persons found by phone, at the database
  --money           instead of rates: payments, notices and a statement
  --only A,B        contenders: NAMES
  --no-half         leave the runs at half load out
  --million         memory over a million requests instead of rates
  --out FILE        write all figures as JSON
  --build DIR       where the programs are built (build/run)
  --other DIR       measure the planet-worker of another build beside ours
  --keep            keep the data folder and say where it is
`;

// They do the list of orders alone.
const FOREIGN = ["fastify", "php"];

function fail(names, why) {
	process.stderr.write((why ? `scripts/bench: ${why}\n` : "")
		+ USAGE.replace("NAMES", names.join(",")));
	process.exit(why ? 2 : 0);
}

function read(argv, names) {
	const text = { type: "string" }, flag = { type: "boolean" };
	try {
		return parseArgs({ args: argv, options: {
			rounds: text, seconds: text, connections: text,
			threads: text, residents: text, orders: text,
			list: text, persons: text, search: flag,
			only: text, "no-half": flag, million: flag,
			out: text, build: text, other: text, keep: flag,
			help: flag
		} }).values;
	} catch (e) {
		return fail(names, e.message);
	}
}

export function parse(argv, names) {
	const v = read(argv, names);
	const number = (key, preset, max) => {
		const s = v[key] ?? String(preset);
		if (!/^[0-9]{1,7}$/.test(s) || Number(s) < 1 || Number(s) > max)
			fail(names, `--${key} takes a number from 1 to ${max}`);
		return Number(s);
	};
	if (v.help)
		fail(names);
	const list = v.list ?? (v.search ? "persons" : "orders");
	if (!["orders", "persons"].includes(list))
		fail(names, `there is no list '${list}'`);
	const preset = v.million ? ["worker"] : names.filter((n) =>
		n !== "other" && (list === "orders" || !FOREIGN.includes(n)));
	const only = v.only?.split(",") ?? preset;
	if (v.other && !only.includes("other"))
		only.push("other");
	if (only.includes("other") && !v.other)
		fail(names, "'other' needs --other DIR");
	for (const name of only)
		if (!names.includes(name))
			fail(names, `there is no contender '${name}'`);
		else if (list === "persons" && FOREIGN.includes(name))
			fail(names, `${name} has no list of persons`);
	const root = path.resolve(import.meta.dirname
		?? path.dirname(new URL(import.meta.url).pathname), "../..");
	return {
		root, build: path.resolve(v.build ?? root), only,
		other: v.other && path.resolve(v.other),
		rounds: number("rounds", 5, 1000),
		seconds: number("seconds", 5, 3600),
		connections: number("connections", 16, 1000),
		threads: number("threads", 16, 256),
		residents: number("residents", 2000, 1000000),
		orders: number("orders", 30, 10000),
		persons: number("persons", 24000, 5000000),
		list, search: Boolean(v.search), path: list === "persons" ?
			"/api/v1/persons" : "/api/v1/water/orders",
		half: !v["no-half"], million: Boolean(v.million),
		keep: Boolean(v.keep), out: v.out,
		cores: os.cpus().length, reply_size: 8192
	};
}
