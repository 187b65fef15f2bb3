// SPDX-License-Identifier: Apache-2.0
// prepare.mjs -- what all contenders share: programs, keys, Redis, records.
import { execFileSync, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";

import { listening, start } from "./proc.mjs";

// The first line that a program says about itself; null when it is absent.
function version(argv) {
	const r = spawnSync(argv[0], argv.slice(1), { encoding: "utf8" });
	return r.error ? null : (r.stdout + r.stderr).trim().split("\n")[0];
}

function fpm() {
	const found = fs.existsSync("/usr/sbin") ?
		fs.readdirSync("/usr/sbin").filter((n) =>
			/^php-fpm[0-9.]*$/.test(n)).sort() : [];
	return found.length > 0 ? `/usr/sbin/${found.at(-1)}` : null;
}

// Every program of the run is there, or the message says what to install.
function tools(bench) {
	const need = [["wrk", "-v"], ["nginx", "-v"],
		["redis-server", "--version"], ["spawn-fcgi", "-v"],
		["setpriv", "--version"]];
	bench.versions = { node: process.version };
	for (const argv of need) {
		const v = version(argv);
		if (v === null)
			throw new Error(`${argv[0]} is missing: `
				+ "run scripts/setup --bench");
		bench.versions[argv[0]] = v;
	}
	if (bench.only.includes("php")) {
		bench.fpm = fpm();
		if (bench.fpm === null)
			throw new Error("php-fpm is missing: run scripts/setup "
				+ "--bench, or leave php out with --only");
		bench.versions.php = version([bench.fpm, "-v"]);
	}
	if (bench.only.includes("fastify")
		&& parseInt(process.versions.node) < 20)
		throw new Error("the Fastify service needs Node 20; leave it "
			+ "out with --only");
	for (const name of ["planetctl", "planet-bench-seed",
		...bench.only.includes("nothing") ?
			["planet-bench-nothing"] : [],
		...bench.only.includes("worker")
			|| bench.only.includes("uncached") ?
			["planet-worker"] : []])
		if (!fs.existsSync(path.join(bench.build, name)))
			throw new Error(`${bench.build}/${name} is not built`);
}

// planet.conf in `dir`: no limits, little log, the rest as by default.
function configure(bench, dir, changes) {
	const conf = {
		server: { dir, run_dir: bench.run_dir, log_level: "warn",
			api_threads: bench.threads,
			nginx_workers: bench.cores },
		database: { db: `sqlite:${bench.database}` },
		redis: { redis: `unix:${bench.redis_socket}` },
		session: {},
		limits: { user_reads: 0, user_writes: 0, address_requests: 0,
			logins: 0 },
		wechat: { wechat_url: "http://127.0.0.1:9",
			wechat_appid: "wx0000000000000000",
			wechat_secret_file: bench.secret_file },
		keys: { keys_file: bench.keys_file }
	};
	const file = path.join(dir, "planet.conf");
	for (const [section, keys] of Object.entries(changes))
		Object.assign(conf[section], keys);
	fs.writeFileSync(file, Object.entries(conf).map(([section, keys]) =>
		`[${section}]\n` + Object.entries(keys).map(([k, v]) =>
			`${k} = ${v}\n`).join("")).join(""));
	return file;
}

function run(argv) {
	try {
		execFileSync(argv[0], argv.slice(1),
			{ stdio: ["ignore", "pipe", "pipe"],
				encoding: "utf8" });
	} catch (e) {
		throw new Error(`${path.basename(argv[0])} failed: `
			+ `${e.stderr ?? ""}${e.stdout ?? ""}${e.code ?? ""}`);
	}
}

async function redis(bench) {
	const dir = path.join(bench.dir, "redis");
	fs.mkdirSync(dir);
	const p = start("redis", ["redis-server", "--port", "0",
		"--unixsocket", bench.redis_socket, "--save", "",
		"--appendonly", "no", "--daemonize", "no", "--dir", dir],
	path.join(dir, "log"));
	await listening(p, bench.redis_socket);
	return p;
}

// A port of the loopback that nobody listens on.
async function port() {
	const net = await import("node:net");
	return new Promise((done, fail) => {
		const s = net.createServer();
		s.on("error", fail);
		s.listen(0, "127.0.0.1", () => {
			const { port } = s.address();
			s.close(() => done(port));
		});
	});
}

export async function prepare(bench, say) {
	const at = (name) => path.join(bench.dir, name);
	Object.assign(bench, { run_dir: at("run"), database: at("planet.db"),
		keys_file: at("planet.keys"), secret_file: at("wechat.secret"),
		tokens_file: at("tokens"),
		redis_socket: at("redis.sock"),
		configure: (dir, changes) => configure(bench, dir, changes) });
	tools(bench);
	fs.mkdirSync(bench.run_dir);
	fs.writeFileSync(bench.keys_file,
		`bench ${crypto.randomBytes(32).toString("base64")}\n`,
		{ mode: 0o600 });
	fs.writeFileSync(bench.secret_file, `${"0".repeat(32)}\n`,
		{ mode: 0o600 });
	bench.port = await port();
	bench.redis = await redis(bench);
	const conf = configure(bench, bench.dir, {});
	run([path.join(bench.build, "planetctl"), "--config", conf, "migrate"]);
	run([path.join(bench.build, "planet-bench-seed"), "--config", conf,
		...bench.list === "persons" ?
			["--persons", String(bench.persons)] :
			["--residents", String(bench.residents),
				"--orders", String(bench.orders)],
		"--tokens", bench.tokens_file]);
	const size = fs.statSync(bench.database).size;
	say((bench.list === "persons" ? `${bench.persons} persons, ` :
		`${bench.residents} residents with ${bench.orders} orders`
			+ " each, ")
		+ `${(size / (1 << 20)).toFixed(0)} MiB of records`);
}
