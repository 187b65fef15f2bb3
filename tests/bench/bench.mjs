// SPDX-License-Identifier: Apache-2.0
// bench.mjs -- the harness behind scripts/bench.
//
// Prepares one folder of data, starts one Redis, one nginx and every
// contender, makes sure that all answer the same, then loads them one after
// the other over several rounds.  Exit status 0 whatever the figures are;
// 1 when a contender fails.
import fs from "node:fs";
import os from "node:os";

import { choose, names } from "./contenders.mjs";
import { cancel, cancelled, load } from "./load.mjs";
import { nginx } from "./nginx.mjs";
import { parse } from "./options.mjs";
import { prepare } from "./prepare.mjs";
import { alive, family, memory, stopAll } from "./proc.mjs";
import { summary, table } from "./report.mjs";
import { same } from "./same.mjs";
import { search } from "./search.mjs";

const HALF_CONNECTIONS = 64;
const MILLION = 1e6;

const say = (text) => process.stderr.write(text + "\n");

// Start all; `nothing` last, because it answers as many bytes as the rest.
async function begin(bench, contenders) {
	bench.nginx = await nginx(bench, contenders);
	for (const c of contenders.filter((c) => c.same))
		c.processes = await c.start(bench, c);
	const checked = contenders.filter((c) => c.same);
	if (checked.length > 0) {
		bench.reply_size = await same(bench, checked);
		say(`${checked.map((c) => c.name).join(", ")}: the same`
			+ ` answers, ${bench.reply_size} bytes a list`);
	}
	for (const c of contenders.filter((c) => !c.same))
		c.processes = await c.start(bench, c);
	for (const c of contenders)
		await load(bench, c, 1, bench.connections);
}

async function rounds(bench, contenders) {
	for (let round = 0; round < bench.rounds; round++) {
		for (let i = 0; i < contenders.length; i++) {
			const c = contenders[(i + round) % contenders.length];
			const r = await load(bench, c, bench.seconds,
				bench.connections);
			c.runs.push(r);
			say(`round ${round + 1}  ${c.name.padEnd(9)}`
				+ `${r.rate.toFixed(0).padStart(7)} requests/s`
				+ `  p99 ${(r.p99_us / 1000).toFixed(2)} ms`);
		}
	}
}

// Half of the rate that a contender reached, held by waiting clients; the
// second try corrects the wait by what the first one gave.
async function halves(bench, contenders) {
	for (const c of contenders) {
		const rates = c.runs.map((r) => r.rate).sort((a, b) => a - b);
		const wanted = rates[rates.length >> 1] / 2;
		const first = HALF_CONNECTIONS / wanted * 1000;
		const probe = await load(bench, c, 1, HALF_CONNECTIONS, first);
		const off = 1 / wanted - 1 / probe.rate;
		const wait = Math.max(0.5,
			first + HALF_CONNECTIONS * 1000 * off);
		const r = await load(bench, c, bench.seconds,
			HALF_CONNECTIONS, wait);
		c.half = { wanted, rate: r.rate, connections: HALF_CONNECTIONS,
			p50_us: r.p50_us, p99_us: r.p99_us,
			max_us: r.max_us };
		say(`half load  ${c.name.padEnd(9)}`
			+ `${r.rate.toFixed(0).padStart(7)} requests/s`
			+ `  p99 ${(r.p99_us / 1000).toFixed(2)} ms`);
	}
}

// Memory over a million requests: it must end where it began.
async function million(bench, contenders) {
	const out = {};
	for (const c of contenders) {
		const series = [];
		const look = (requests) => {
			const m = memory(c.processes.flatMap(
				(p) => family(p.pid)));
			series.push({ requests, ...m });
			say(`${c.name}: ${requests} requests, RSS `
				+ `${(m.rss / 1024).toFixed(0)} KiB, PSS `
				+ `${(m.pss / 1024).toFixed(0)} KiB`);
		};
		let n = 0;
		look(n);
		while (n < MILLION) {
			const r = await load(bench, c, bench.seconds,
				bench.connections);
			n += r.requests;
			look(n);
		}
		out[c.name] = { series, requests: n,
			rss_growth: series.at(-1).rss - series[0].rss,
			pss_growth: series.at(-1).pss - series[0].pss };
		const g = out[c.name];
		console.log(`${c.name}: largest process grew by `
			+ `${(g.rss_growth / 1024).toFixed(0)} KiB RSS, all by `
			+ `${(g.pss_growth / 1024).toFixed(0)} KiB PSS `
			+ `over ${n} requests`);
	}
	return out;
}

function about(bench, contenders) {
	return {
		date: new Date().toISOString(),
		machine: { cpu: os.cpus()[0].model, cores: bench.cores,
			memory: os.totalmem(), kernel: os.release() },
		versions: bench.versions,
		options: { rounds: bench.rounds, seconds: bench.seconds,
			connections: bench.connections, threads: bench.threads,
			list: bench.list, ...bench.list === "persons" ?
				{ persons: bench.persons } :
				{ residents: bench.residents,
					orders: bench.orders } },
		reply_size: bench.reply_size,
		given: Object.fromEntries(contenders.map(
			(c) => [c.name, c.about(bench)]))
	};
}

async function main() {
	const bench = parse(process.argv.slice(2), names);
	bench.dir = fs.mkdtempSync(os.tmpdir() + "/planet-bench-");
	const contenders = choose(bench, bench.only);
	try {
		await prepare(bench, say);
		if (bench.search) {
			const result = search(bench, say);
			if (bench.out)
				fs.writeFileSync(bench.out,
					JSON.stringify(result, null, 2) + "\n");
			return;
		}
		await begin(bench, contenders);
		const result = about(bench, contenders);
		const m = result.machine;
		console.log(`${m.cpu}, ${m.cores} cores, Linux ${m.kernel}; `
			+ `${bench.rounds} rounds of ${bench.seconds} s, `
			+ `${bench.connections} connections`);
		for (const [name, text] of Object.entries(result.given))
			console.log(`${name}: ${text}`);
		console.log();
		if (bench.million) {
			result.million = await million(bench, contenders);
		} else {
			await rounds(bench, contenders);
			if (bench.half)
				await halves(bench, contenders);
			Object.assign(result, summary(contenders));
			console.log(table(result));
		}
		for (const c of contenders)
			c.processes.forEach(alive);
		if (bench.out)
			fs.writeFileSync(bench.out,
				JSON.stringify(result, null, 2) + "\n");
	} catch (e) {
		// Who has died is the better reason, and has left a log.
		if (!cancelled())
			contenders.flatMap((c) => c.processes).forEach(alive);
		throw e;
	} finally {
		await end(bench);
	}
}

async function end(bench) {
	await stopAll();
	if (bench.keep)
		say(`kept ${bench.dir}`);
	else
		fs.rmSync(bench.dir, { recursive: true, force: true });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
	process.on(signal, cancel);

main().then(() => process.exit(0), (e) => {
	say(cancelled() ? "stopped" : `scripts/bench: ${e.message}`);
	process.exit(cancelled() ? 130 : 1);
});
