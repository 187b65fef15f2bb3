// SPDX-License-Identifier: Apache-2.0
// report.mjs -- from the runs to medians, ratios and a table.

export function spread(values) {
	const s = [...values].sort((a, b) => a - b);
	const mid = s.length >> 1;
	return {
		median: s.length % 2 ? s[mid] : (s[mid - 1] + s[mid]) / 2,
		min: s[0], max: s[s.length - 1]
	};
}

// Rates of `a` as a part of those of `b`, round by round.
function ratio(a, b) {
	return spread(a.runs.map((r, i) => r.rate / b.runs[i].rate));
}

// Sum up the runs of every contender (c.runs, one a round, same order).
export function summary(contenders) {
	const by = Object.fromEntries(contenders.map((c) => [c.name, c]));
	const pick = (c, f) => spread(c.runs.map(f));
	const out = { contenders: {}, ratios: {} };
	for (const c of contenders) {
		out.contenders[c.name] = {
			rate: pick(c, (r) => r.rate),
			p50_ms: pick(c, (r) => r.p50_us / 1000),
			p99_ms: pick(c, (r) => r.p99_us / 1000),
			cpu_us_per_request: {
				own: pick(c, (r) => r.cpu_us.own),
				nginx: pick(c, (r) => r.cpu_us.nginx),
				redis: pick(c, (r) => r.cpu_us.redis)
			},
			memory: c.runs[c.runs.length - 1].memory,
			half_load: c.half ?? null
		};
		if (by.nothing && c.name !== "nothing")
			out.ratios[`${c.name}/nothing`] = ratio(c, by.nothing);
	}
	for (const other of ["uncached", "other", "fastify", "php"])
		for (const own of ["worker", "uncached"])
			if (by[own] && by[other] && own !== other)
				out.ratios[`${own}/${other}`] =
					ratio(by[own], by[other]);
	return out;
}

const MIB = 1 << 20;

function columns(rows) {
	const width = rows[0].map((_, i) =>
		Math.max(...rows.map((r) => r[i].length)));
	return rows.map((r) => r.map((cell, i) => i === 0 ?
		cell.padEnd(width[i]) : cell.padStart(width[i]))
		.join("  ").trimEnd()).join("\n");
}

function range(s, digits) {
	return `${s.median.toFixed(digits)} (${s.min.toFixed(digits)}`
		+ `-${s.max.toFixed(digits)})`;
}

export function table(sum) {
	const rows = [["contender", "requests/s", "p50 ms", "p99 ms",
		"CPU us own", "nginx", "redis", "PSS MiB", "largest RSS"]];
	const half = [["at half load", "requests/s", "wanted", "p50 ms",
		"p99 ms", "max ms"]];
	for (const [name, c] of Object.entries(sum.contenders)) {
		const cpu = c.cpu_us_per_request;
		rows.push([name, range(c.rate, 0),
			c.p50_ms.median.toFixed(2), c.p99_ms.median.toFixed(2),
			cpu.own.median.toFixed(1), cpu.nginx.median.toFixed(1),
			cpu.redis.median.toFixed(1),
			(c.memory.pss / MIB).toFixed(1),
			(c.memory.rss / MIB).toFixed(1)]);
		const h = c.half_load;
		if (h)
			half.push([name, h.rate.toFixed(0), h.wanted.toFixed(0),
				(h.p50_us / 1000).toFixed(2),
				(h.p99_us / 1000).toFixed(2),
				(h.max_us / 1000).toFixed(2)]);
	}
	const ratios = [["ratio of rates", "median", "min", "max"],
		...Object.entries(sum.ratios).map(([name, s]) => [name,
			...[s.median, s.min, s.max].map((x) => x.toFixed(3))])];
	return [rows, ratios, half].filter((t) => t.length > 1)
		.map(columns).join("\n\n") + "\n";
}
