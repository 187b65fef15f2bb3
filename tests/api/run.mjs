// SPDX-License-Identifier: Apache-2.0
//
// run.mjs -- the API tests, all files or some, on one engine.
//
//   node run.mjs [sqlite|postgresql] [NAME...]
//
// NAME is the beginning of a file's name, such as 07.  PLANET_BUILD is the
// folder of the programs (default: the top of the tree).  What the tests
// need from npm is fetched once, as package-lock.json says.  Exit status 0
// when all passed; node's summary lines stand at the end of the output.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { prepareCluster } from './lib/sql.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const TESTS = path.dirname(HERE);
const ENGINES = ['sqlite', 'postgresql'];

function filesOf(names) {
	const all = fs.readdirSync(HERE).filter((name) =>
	    name.endsWith('.test.mjs')).sort();
	const some = names.length === 0 ? all : all.filter((file) =>
	    names.some((name) => file.startsWith(name)));

	if (some.length === 0) {
		process.stderr.write(`run.mjs: no test is called ${names}\n`);
		process.exit(2);
	}
	return some.map((name) => path.join(HERE, name));
}

function fetchModules() {
	if (fs.existsSync(path.join(TESTS, 'node_modules/ajv')))
		return;
	const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'],
	    { cwd: TESTS, stdio: ['ignore', 2, 2] });
	if (status !== 0)
		process.exit(1);
}

const names = process.argv.slice(2);
const engine = ENGINES.includes(names[0]) ? names.shift() :
    process.env.PLANET_TEST_DB ?? 'sqlite';
const env = { ...process.env, PLANET_TEST_DB: engine };
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ptr-'));
const [major, minor] = process.versions.node.split('.').map(Number);
// A test file is a whole instance: one at a time where node can say so;
// older ones take one less than there are processors.
const one = major > 20 || (major === 20 && minor >= 10) ?
    ['--test-concurrency=1'] : [];
let status = 1;

try {
	const files = filesOf(names);

	fetchModules();
	if (engine === 'postgresql') {
		fs.chmodSync(scratch, 0o755);
		env.PLANET_TEST_CLUSTER = await prepareCluster(
		    path.join(scratch, 'pg'));
	}
	process.stdout.write(`API tests on ${engine}\n`);
	({ status } = spawnSync(process.execPath, ['--test', ...one,
		...major >= 20 ? ['--test-reporter=spec'] : [], ...files],
	    { env, stdio: ['ignore', 'inherit', 'inherit'] }));
} finally {
	fs.rmSync(scratch, { recursive: true, force: true });
}
process.exit(status ?? 1);
