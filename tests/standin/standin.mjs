// SPDX-License-Identifier: Apache-2.0
//
// standin.mjs -- a stand-in for WeChat's hosts, for tests and for demos.
//
//   node standin.mjs --port N [--host 127.0.0.1] [--appid ID]
//       [--secret SECRET] [--state FILE] [--notify-ms 10]
//
// Port 0 takes a free one.  One line on standard output says where it
// listens; SIGTERM and SIGINT end it.  It shares no code with the product.
import { Control } from './control.mjs';
import { Faults } from './faults.mjs';
import { Platform } from './platform.mjs';
import { serve } from './server.mjs';
import { State } from './state.mjs';

const usage = 'usage: standin.mjs --port N [--host H] [--appid A]' +
    ' [--secret S] [--state FILE] [--notify-ms MS]';

function fail(status, text) {
	process.stderr.write(`standin: ${text}\n`);
	process.exit(status);
}

function readOptions(argv) {
	const options = {
		port: null,
		host: '127.0.0.1',
		appid: 'wx0123456789abcdef',
		secret: '0123456789abcdef0123456789abcdef',
		state: null,
		'notify-ms': '10',
	};

	for (let i = 0; i < argv.length; i += 2) {
		const name = /^--(.*)/.exec(argv[i])?.[1] ?? '';
		if (!Object.hasOwn(options, name) ||
		    argv[i + 1] === undefined)
			fail(2, usage);
		options[name] = argv[i + 1];
	}
	if (!/^\d{1,5}$/.test(options.port ?? '') ||
	    !/^\d{1,5}$/.test(options['notify-ms']))
		fail(2, usage);
	return options;
}

const options = readOptions(process.argv.slice(2));
let state;
try {
	state = new State(options.state);
} catch (error) {
	fail(1, `cannot use ${options.state}: ${error.message}`);
}
const faults = new Faults();
const platform = new Platform(state, {
	appid: options.appid,
	secret: options.secret,
	notifyMs: Number(options['notify-ms']),
});
const control = new Control(state, faults, platform);

const server = serve([control, platform], state, faults);
server.on('error', (error) => fail(1, error.message));
server.listen(Number(options.port), options.host, () => {
	const { address, family, port } = server.address();
	const host = family === 'IPv6' ? `[${address}]` : address;
	process.stdout.write(`standin listening on http://${host}:${port}\n`);
});

function stop() {
	server.close();
	server.closeAllConnections();
	state.save();
	process.exit(0);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// Whoever read our one line may have closed the pipe since.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
