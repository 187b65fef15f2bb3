// SPDX-License-Identifier: Apache-2.0
// load.mjs -- one run of wrk against one contender, and what it cost.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { alive, cpu, family, memory } from "./proc.mjs";

const SCRIPT = fileURLToPath(new URL("load.lua", import.meta.url));

let wrk = null;
let stopped = false;

// End the run under way; none is begun any more.
export function cancel() {
	stopped = true;
	wrk?.kill("SIGINT");
}

export function cancelled() {
	return stopped;
}

function run(argv) {
	return new Promise((done, fail) => {
		let out = "", err = "";
		wrk = spawn("setpriv", ["--pdeathsig", "TERM", "wrk", ...argv],
			{ stdio: ["ignore", "pipe", "pipe"], detached: true });
		wrk.stdout.on("data", (d) => out += d);
		wrk.stderr.on("data", (d) => err += d);
		wrk.on("error", fail);
		wrk.on("close", (code) => {
			const line = out.split("\n")
				.find((l) => l.startsWith("{\"requests\""));
			wrk = null;
			if (code !== 0 || line === undefined)
				fail(new Error(`wrk failed: ${err}${out}`));
			else
				done(JSON.parse(line));
		});
	});
}

// Load contender `c` for `seconds` with `connections`; with `delay_ms`
// each connection waits that long on average between two requests.
export async function load(bench, c, seconds, connections, delay_ms = 0) {
	if (stopped)
		throw new Error("stopped");
	const own = c.processes.flatMap((p) => family(p.pid));
	const nginx = family(bench.nginx.pid);
	const redis = [bench.redis.pid];
	const before = [own, nginx, redis].map(cpu);
	const r = await run(["-t1", `-c${connections}`, `-d${seconds}s`,
		"--latency", "--timeout", "5s", "-s", SCRIPT,
		`http://127.0.0.1:${bench.port}`, "--",
		c.host, bench.path, bench.tokens_file, String(delay_ms)]);
	const after = [own, nginx, redis].map(cpu);

	if (stopped)
		throw new Error("stopped");
	for (const p of c.processes)
		alive(p);
	if (r.errors > 0 || r.requests === 0)
		throw new Error(`${c.name}: ${r.errors} errors in `
			+ `${r.requests} requests`);
	const each = (i) => (after[i] - before[i]) / r.requests;
	return {
		requests: r.requests,
		rate: r.requests / (r.us / 1e6),
		bytes_per_request: r.bytes / r.requests,
		p50_us: r.p50, p99_us: r.p99, max_us: r.max,
		cpu_us: { own: each(0), nginx: each(1), redis: each(2) },
		memory: memory(own)
	};
}
