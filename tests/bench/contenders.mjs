// SPDX-License-Identifier: Apache-2.0
// contenders.mjs -- who runs: how each is started, and what it is given.
//
// Each listens on Unix sockets in its own folder; nginx reaches all of them
// in the same way, with connections kept, and tells them apart by the name
// of the host that is asked for, so that the request itself is the same.
// `held`: an idle connection holds one of its threads or children.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { listening, start } from "./proc.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const CHILDREN = 16;

// A program that takes its listening socket as descriptor 0.
async function fastcgi(c, argv) {
	const p = start(c.name, ["spawn-fcgi", "-n", "-b", "1024",
		"-s", c.sockets[0], "--", ...argv], path.join(c.dir, "log"));
	await listening(p, c.sockets[0]);
	return [p];
}

function worker(bench, c, changes, build = bench.build) {
	return fastcgi(c, [path.join(build, "planet-worker"),
		"--config", bench.configure(c.dir, changes), "--pool", "api"]);
}

async function fastify(bench, c) {
	const processes = c.sockets.map((socket, i) => start(c.name,
		[process.execPath, path.join(HERE, "fastify", "server.js"),
			socket, bench.database, bench.redis_socket,
			bench.keys_file],
		path.join(c.dir, `log.${i}`),
		{ env: { NODE_ENV: "production" } }));
	for (let i = 0; i < processes.length; i++)
		await listening(processes[i], c.sockets[i]);
	return processes;
}

async function php(bench, c) {
	const dir = c.dir;
	const conf = path.join(dir, "fpm.conf");
	const root = process.getuid() === 0;
	fs.writeFileSync(conf, `[global]
error_log = ${dir}/log
daemonize = no
[bench]
${root ? "user = root\ngroup = root" : ""}
listen = ${c.sockets[0]}
listen.backlog = 1024
pm = static
pm.max_children = ${CHILDREN}
env[BENCH_DATABASE] = ${bench.database}
env[BENCH_REDIS] = ${bench.redis_socket}
env[BENCH_KEYS] = ${bench.keys_file}
`);
	const p = start("php", [bench.fpm, ...root ? ["-R"] : [],
		"-d", "opcache.enable=1",
		"-d", "opcache.validate_timestamps=0",
		"-d", "opcache.jit_buffer_size=32M",
		"-d", "opcache.jit=tracing",
		"-y", conf], path.join(dir, "log"));
	await listening(p, c.sockets[0]);
	return [p];
}

const all = [
	{
		name: "nothing", kind: "fastcgi", held: true, same: false,
		about: (b) => `planet-bench-nothing, 1 process, ${b.threads}`
			+ ` threads, ${b.reply_size} bytes a reply`,
		start: (b, c) => fastcgi(c, [
			path.join(b.build, "planet-bench-nothing"),
			"--threads", String(b.threads),
			"--size", String(b.reply_size)])
	}, {
		name: "worker", kind: "fastcgi", same: true,
		about: (b) => `planet-worker, 1 process, ${b.threads} threads,`
			+ " sessions cached in the process",
		start: (b, c) => worker(b, c, {})
	}, {
		name: "uncached", kind: "fastcgi", same: true,
		about: (b) => `planet-worker, 1 process, ${b.threads} threads,`
			+ " every session asked of Redis",
		start: (b, c) => worker(b, c,
			{ session: { session_cache: 0 } })
	}, {
		name: "other", kind: "fastcgi", same: true,
		about: (b) => `planet-worker of ${b.other}, as worker`,
		start: (b, c) => worker(b, c, {}, b.other)
	}, {
		name: "fastify", kind: "http", same: true,
		about: (b) => `Fastify, ioredis, better-sqlite3; ${b.cores}`
			+ ` processes, Node ${process.version}`,
		start: fastify
	}, {
		name: "php", kind: "fastcgi", held: true, same: true,
		about: () => `PHP-FPM, static pool of ${CHILDREN}, phpredis and`
			+ " PDO kept connected, opcache with JIT",
		start: php
	}
];

export const names = all.map((c) => c.name);

// The contenders of `only`, each with its folder and sockets.
export function choose(bench, only) {
	return all.filter((c) => only.includes(c.name)).map((c) => {
		const dir = path.join(bench.dir, c.name);
		const n = c.kind === "http" ? bench.cores : 1;
		fs.mkdirSync(dir, { recursive: true });
		return { ...c, dir, host: `${c.name}.bench`, runs: [],
			processes: [], sockets: Array.from({ length: n },
				(_, i) => path.join(dir, `sock.${i}`)) };
	});
}
