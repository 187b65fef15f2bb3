// SPDX-License-Identifier: Apache-2.0
// proc.mjs -- the processes of a run: started, watched, measured, stopped.
//
// Every process is started through setpriv with a death signal, so that it
// ends even when the harness itself is killed.  They are stopped by their
// own pid, last started first.
import { spawn, execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const running = [];
const TICK_US = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"]));

// Start `argv`; what it prints goes to LOG.  Its end before stop() is fatal.
export function start(name, argv, log, options = {}) {
	const out = fs.openSync(log, "a");
	const child = spawn("setpriv",
		["--pdeathsig", options.quit ?? "TERM", ...argv],
		{ stdio: ["ignore", out, out], detached: true,
		  env: { ...process.env, ...options.env },
		  cwd: options.cwd });
	fs.closeSync(out);
	const p = { name, child, log, quit: "SIG" + (options.quit ?? "TERM"),
		pid: child.pid, ended: false };
	child.on("error", (e) => {
		p.ended = true;
		p.why = e.message;
	});
	child.on("exit", (code, signal) => {
		p.ended = true;
		p.why = signal ?? `exit ${code}`;
	});
	running.push(p);
	return p;
}

export function alive(p) {
	if (!p.ended && (stat(p.pid)?.[0] ?? "Z") === "Z") {
		p.ended = true;
		p.why ??= "died";
	}
	if (p.ended)
		throw new Error(`${p.name} ended (${p.why}):\n` + tail(p.log));
}

function tail(file) {
	return fs.readFileSync(file, "utf8").split("\n").slice(-12).join("\n");
}

// Wait until something listens at `where` (a socket's path or a port).
export async function listening(p, where) {
	for (let i = 0; i < 200; i++) {
		alive(p);
		const ok = await new Promise((done) => {
			const s = net.connect(where);
			s.on("connect", () => { s.destroy(); done(true); });
			s.on("error", () => done(false));
		});
		if (ok)
			return;
		await sleep(50);
	}
	throw new Error(`${p.name} does not listen at ${where}:\n`
		+ tail(p.log));
}

export async function stop(p) {
	if (!p.ended) {
		signal(p.pid, p.quit);
		for (let i = 0; i < 60 && !p.ended; i++)
			await sleep(50);
		if (!p.ended) {
			for (const pid of family(p.pid))
				signal(pid, "SIGKILL");
			while (!p.ended)
				await sleep(20);
		}
	}
	const i = running.indexOf(p);
	if (i >= 0)
		running.splice(i, 1);
}

export async function stopAll() {
	while (running.length > 0)
		await stop(running[running.length - 1]);
}

function signal(pid, name) {
	try {
		process.kill(pid, name);
	} catch (e) {
		if (e.code !== "ESRCH")
			throw e;
	}
}

// The process and all that descend from it.
export function family(pid) {
	const children = new Map();
	for (const name of fs.readdirSync("/proc")) {
		const f = /^\d+$/.test(name) && stat(name);
		if (f) {
			const parent = Number(f[1]);
			children.set(parent,
				[...children.get(parent) ?? [], Number(name)]);
		}
	}
	const all = [pid];
	for (let i = 0; i < all.length; i++)
		all.push(...children.get(all[i]) ?? []);
	return all;
}

// Fields of /proc/PID/stat from the third on, or null when it is gone.
function stat(pid) {
	try {
		const s = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
		return s.slice(s.lastIndexOf(")") + 2).split(" ");
	} catch {
		return null;
	}
}

// Microseconds of user and system time that these pids have used.
export function cpu(pids) {
	let ticks = 0;
	for (const pid of pids) {
		const f = stat(pid);
		if (f)
			ticks += Number(f[11]) + Number(f[12]);
	}
	return ticks * TICK_US;
}

// Bytes: PSS of all together, RSS of the largest one.
export function memory(pids) {
	let pss = 0, rss = 0;
	for (const pid of pids.filter((pid) => stat(pid) !== null)) {
		const s = fs.readFileSync(`/proc/${pid}/smaps_rollup`,
			"latin1");
		const kib = (key) =>
			Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m")
				.exec(s)?.[1] ?? 0);
		pss += kib("Pss") * 1024;
		rss = Math.max(rss, kib("Rss") * 1024);
	}
	return { pss, rss, processes: pids.length };
}
