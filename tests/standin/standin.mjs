// SPDX-License-Identifier: Apache-2.0
//
// standin.mjs -- a stand-in for WeChat's hosts, for tests and for demos.
//
//   node standin.mjs --port N [--host 127.0.0.1] [--appid ID]
//       [--secret SECRET] [--state FILE] [--notify-ms 10]
//       [--pay-dir DIR] [--mchid ID] [--pay-scale 1] [--clock-file FILE]
//
// Port 0 takes a free one.  One line on standard output says where it
// listens; SIGTERM and SIGINT end it.  It shares no code with the product.
// --pay-dir holds the keys of WeChat Pay and of the merchant, made when
// they are absent; without it nobody is a merchant.  --pay-scale shortens
// the pauses between notices; --clock-file moves the clock of the pay side
// as the product's clock_file does.
import { Control } from './control.mjs';
import { Faults } from './faults.mjs';
import { Pay } from './pay.mjs';
import { Platform } from './platform.mjs';
import { serve } from './server.mjs';
import { State } from './state.mjs';

const usage = 'usage: standin.mjs --port N [--host H] [--appid A]' +
    ' [--secret S] [--state FILE] [--notify-ms MS] [--pay-dir DIR]' +
    ' [--mchid M] [--pay-scale N] [--clock-file FILE]';

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
		'pay-dir': null,
		mchid: '1900000109',
		'pay-scale': '1',
		'clock-file': null,
	};

	for (let i = 0; i < argv.length; i += 2) {
		const name = /^--(.*)/.exec(argv[i])?.[1] ?? '';
		if (!Object.hasOwn(options, name) ||
		    argv[i + 1] === undefined)
			fail(2, usage);
		options[name] = argv[i + 1];
	}
	if (!/^\d{1,5}$/.test(options.port ?? '') ||
	    !/^\d{1,5}$/.test(options['notify-ms']) ||
	    !/^\d{1,3}(\.\d{1,9})?$/.test(options['pay-scale']) ||
	    !/^\d{8,12}$/.test(options.mchid))
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
let pay;
try {
	pay = new Pay(state, {
		dir: options['pay-dir'],
		mchid: options.mchid,
		appid: options.appid,
		scale: Number(options['pay-scale']),
		clockFile: options['clock-file'],
	});
} catch (error) {
	fail(1, `cannot pay: ${error.message}`);
}
const platform = new Platform(state, {
	appid: options.appid,
	secret: options.secret,
	notifyMs: Number(options['notify-ms']),
}, pay);
const control = new Control(state, faults, platform, pay);

const server = serve([control, pay, platform], state, faults);
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
