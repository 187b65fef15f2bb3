// SPDX-License-Identifier: Apache-2.0
//
// clock.mjs -- the time of all programs of a stack, moved through a file
// that they map.
import fs from 'node:fs';

export const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE,
    DAY = 24 * HOUR;

// The difference that makes it 10:30 of tomorrow in China.
function tomorrowMorning() {
	const now = Date.now();
	const midnight = Math.floor((now + 8 * HOUR) / DAY) * DAY - 8 * HOUR;

	return midnight + DAY + 10.5 * HOUR - now;
}

export class Clock {
	constructor(file) {
		this.fd = fs.openSync(file, 'w+');
		this.set(tomorrowMorning());
	}

	set(offset) {
		const bytes = Buffer.alloc(8);

		this.offset = Math.round(offset);
		bytes.writeBigInt64LE(BigInt(this.offset));
		fs.writeSync(this.fd, bytes, 0, 8, 0);
	}

	add(ms) {
		this.set(this.offset + ms);
	}

	now() {
		return Date.now() + this.offset;
	}

	// Forward to the next HH:MM in China.
	goto(hhmm) {
		const [h, m] = hhmm.split(':').map(Number);
		const day = Math.floor((this.now() + 8 * HOUR) / DAY) * DAY -
		    8 * HOUR;
		const at = day + h * HOUR + m * MINUTE;

		this.add((at > this.now() ? at : at + DAY) - this.now());
	}
}
