// Sends a file from one instance of the engine to another, over links that this program plays, in virtual time.
//
// usage: node transfer.mjs MODULE.wasm FILE
//
// It says what was sent, and exits with 1 unless the file has arrived as it was, each time.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const ASKED = { wait: 0, transmit: 1, describe: 2, fetch: 3, offered: 4, store: 5, sync: 6, commit: 7, sent: 8, failed: 9, closed: 10 };
const FRAMING = { stream: 0, cobs: 1, datagrams: 2 };
const SPEAKS = { first: 0, second: 1 };
const FILE_NAME = 'photos/of the file.bin';
// Microseconds.
const DELAY = 2_000;
const PER_BYTE = 1;
const LONGEST = 3_600_000_000;
// Bytes of a file that is long enough to be cut off, and to lose some of.
const LONG = 1 << 18;

// Same numbers in every run (mulberry32).
let seed = 1;
function random() {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

// One direction of a link: what is under way, and when it arrives.
class Wire {
    constructor(spoil) {
        this.spoil = spoil;
        this.pieces = [];
        this.free = 0;
        this.bytes = 0;
        this.spoilt = 0;
    }

    send(bytes, now) {
        this.bytes += bytes.length;
        this.free = Math.max(this.free, now) + bytes.length * PER_BYTE;
        const arrives = this.spoil(bytes);
        if (arrives !== 'whole') this.spoilt += 1;
        if (arrives !== 'lost') this.pieces.push({ at: this.free + DELAY, bytes });
    }
}

const whole = () => 'whole';
const loses = (chance) => () => (random() < chance ? 'lost' : 'whole');
const flips = (chance) => (bytes) => {
    let how = 'whole';
    for (let at = 0; at < bytes.length; at++) {
        if (random() < chance) {
            bytes[at] ^= 1 << Math.floor(random() * 8);
            how = 'damaged';
        }
    }
    return how;
};

// One end: an instance of the module, and the file that it reads or writes.
class End {
    constructor(module, framing, speaks, now, part) {
        this.wasm = new WebAssembly.Instance(module).exports;
        this.part = part;
        this.until = 0;
        this.isWhole = false;
        this.wasm.begin(framing, speaks, BigInt(Math.floor(random() * 2 ** 32) + 1), BigInt(now));
    }

    lent() {
        return new Uint8Array(this.wasm.memory.buffer, this.wasm.pointer(), this.wasm.length());
    }

    text() {
        return new TextDecoder().decode(this.lent());
    }

    // Takes what has arrived on one wire, and answers on the other.
    hear(wire, to, framing, now) {
        while (wire.pieces.length > 0 && wire.pieces[0].at <= now) {
            this.wasm.receive_buffer();
            const room = this.lent();
            const { bytes } = wire.pieces[0];
            if (room.length === 0) return;
            if (framing === FRAMING.datagrams || bytes.length <= room.length) {
                wire.pieces.shift();
            } else {
                wire.pieces[0].bytes = bytes.subarray(room.length);
            }
            const taken = bytes.subarray(0, room.length);
            room.set(taken);
            this.wasm.received(taken.length, BigInt(now));
            this.work(to, now);
        }
    }

    // Does what the engine asks, until it waits or is over.
    work(wire, now) {
        const { wasm, part } = this;
        for (;;) {
            const asked = wasm.poll(BigInt(now));
            const offset = Number(wasm.offset());
            switch (asked) {
                case ASKED.wait:
                    this.until = offset;
                    return;
                case ASKED.transmit: {
                    const bytes = this.lent().slice();
                    wire.send(bytes, now);
                    wasm.transmitted(bytes.length);
                    break;
                }
                case ASKED.describe: {
                    const { written } = new TextEncoder().encodeInto(FILE_NAME, this.lent());
                    wasm.described(written, BigInt(part.file.length), BigInt(`0x${digest(part.file).slice(0, 15)}`));
                    break;
                }
                case ASKED.fetch: {
                    const bytes = part.file.subarray(offset, offset + wasm.length());
                    this.lent().set(bytes);
                    wasm.fetched(bytes.length);
                    break;
                }
                case ASKED.offered:
                    if (this.text() !== FILE_NAME) {
                        wasm.declined();
                        break;
                    }
                    part.file ??= Buffer.alloc(offset);
                    wasm.accepted(BigInt(part.durable), part.check);
                    break;
                case ASKED.store:
                    part.file.set(this.lent(), offset);
                    wasm.stored(wasm.length());
                    break;
                case ASKED.sync:
                    part.durable = offset;
                    part.check = wasm.check();
                    wasm.synced(BigInt(offset));
                    break;
                case ASKED.commit:
                    this.isWhole = offset === part.file.length;
                    wasm.committed();
                    break;
                case ASKED.sent:
                    this.resumedFrom = offset;
                    break;
                case ASKED.failed:
                    throw new Error(`the transfer has failed: ${this.text()}`);
                case ASKED.closed:
                    this.closed = this.text() || 'well';
                    return;
                default:
                    throw new Error(`the module asks for ${asked}`);
            }
        }
    }
}

// A link, with a session at each end, until both are over; or until `cut` bytes are durable at the receiver, which ends the link.
function visit(module, framing, spoil, file, part, cut = Infinity) {
    let now = 0;
    const up = new Wire(spoil);
    const down = new Wire(spoil);
    const sender = new End(module, framing, SPEAKS.first, now, { file });
    const receiver = new End(module, framing, SPEAKS.second, now, part);
    sender.wasm.offer();
    while (!(sender.closed && receiver.closed)) {
        if (now > LONGEST) throw new Error('it takes for ever');
        if (part.durable >= cut) {
            for (const end of [sender, receiver]) end.wasm.link_lost(BigInt(now));
            cut = Infinity;
            up.pieces = [];
            down.pieces = [];
        }
        for (const [end, to, from] of [[sender, up, down], [receiver, down, up]]) {
            if (end.closed) {
                from.pieces = [];
                continue;
            }
            end.work(to, now);
            end.hear(from, to, framing, now);
            end.work(to, now);
        }
        const next = [
            ...[up, down].filter((wire) => wire.pieces.length > 0).map((wire) => wire.pieces[0].at),
            ...[sender, receiver].filter((end) => !end.closed).map((end) => end.until),
        ];
        if (next.length > 0) now = Math.max(now + 1, Math.min(...next));
    }
    return { sender, receiver, up, down, now };
}

const [path, name] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(path));
const file = readFileSync(name);
let failures = 0;
let transfers = 0;

function check(what, ...wrong) {
    for (const [isRight, why] of wrong) {
        if (!isRight) {
            failures += 1;
            console.error(`${what}: ${why}`);
        }
    }
}

function transfer(what, framing, spoil, most) {
    const part = { durable: 0, check: 0 };
    const { sender, receiver, up, down, now } = visit(module, framing, spoil, file, part);
    transfers += 1;
    console.log(
        `${what}: ${file.length} bytes in ${(now / 1e6).toFixed(2)} s of virtual time, ` +
            `${up.bytes} and ${down.bytes} bytes on the link, ${up.spoilt + down.spoilt} writes spoilt, ` +
            `sha256 ${digest(part.file).slice(0, 16)}`,
    );
    check(
        what,
        [digest(part.file) === digest(file), 'the file is not what was sent'],
        [receiver.isWhole && sender.resumedFrom === 0, 'nobody has said that it is whole'],
        [sender.closed === 'well' && receiver.closed === 'well', `it ends with: ${sender.closed}; ${receiver.closed}`],
        [spoil === whole || file.length < LONG || up.spoilt + down.spoilt > 0, 'nothing was spoilt'],
        [up.bytes <= most * file.length + 1024, `more than ${most} times the file's bytes were sent`],
    );
}

function resume(what, framing) {
    if (file.length < LONG) {
        console.log(`${what}: not with less than ${LONG} bytes`);
        return;
    }
    const part = { durable: 0, check: 0 };
    const cut = visit(module, framing, whole, file, part, file.length / 3);
    const durable = part.durable;
    const { sender, receiver, up } = visit(module, framing, whole, file, part);
    transfers += 1;
    console.log(
        `${what}: cut off at ${durable} of ${file.length} bytes (${cut.receiver.closed}), went on from ${sender.resumedFrom}, ` +
            `${up.bytes} bytes more, sha256 ${digest(part.file).slice(0, 16)}`,
    );
    check(
        what,
        [digest(part.file) === digest(file), 'the file is not what was sent'],
        [cut.receiver.closed === 'the link was lost', `it ended with: ${cut.receiver.closed}`],
        [receiver.isWhole && sender.closed === 'well', 'nobody has said that it is whole'],
        [sender.resumedFrom === durable && durable > 0 && durable < file.length, 'it has not gone on where it was'],
    );
}

transfer('a stream', FRAMING.stream, whole, 1.02);
resume('a stream that is cut off', FRAMING.stream);
transfer('COBS, a byte in 20,000 damaged', FRAMING.cobs, flips(1 / 20_000), 1.35);
transfer('datagrams, one in 20 lost', FRAMING.datagrams, loses(1 / 20), 1.15);
console.log(`${transfers} transfers, ${failures} failures`);
process.exitCode = failures > 0 || transfers === 0 ? 1 : 0;
