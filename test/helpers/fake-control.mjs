// The other side of test/native/fake_cuda/control.h, for the process that runs on the fake driver: makes its calls fail
// and reads its counters while it runs. Plain JavaScript, because child processes import it.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** The 64-bit words of FAKE_CUDA_CONTROL, in their order. */
const WORDS = [
  'ready',
  'generation',
  'failAt',
  'failCode',
  'failForever',
  'initCode',
  'calls',
  'live',
  'liveBytes',
  'damage',
  'launches',
  'injected',
  'allocations',
  'hostOnlyFailures',
];
const NAME_AT = 16 * 8;
const BYTES = 24 * 8;

const file = openSync(process.env.FAKE_CUDA_CONTROL, 'r+');
process.on('exit', () => closeSync(file));

/** All counters, as numbers by name. */
export function gpu() {
  const bytes = Buffer.alloc(BYTES);
  readSync(file, bytes, 0, BYTES, 0);
  return Object.fromEntries(WORDS.map((name, k) => [name, Number(bytes.readBigInt64LE(8 * k))]));
}

function put(name, value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  writeSync(file, bytes, 0, 8, 8 * WORDS.indexOf(name));
}

/**
 * From now on the `at`-th call fails (of `name`, or of any function), and with `forever` all after it; 0 for none.
 * Counts calls from 0.
 */
export function failCall(at, { code = 2, name = '', forever = false } = {}) {
  const text = Buffer.alloc(64);
  text.write(name);
  put('failAt', 0);
  writeSync(file, text, 0, 64, NAME_AT);
  put('failCode', code);
  put('failForever', forever ? 1 : 0);
  put('failAt', at);
  put('generation', gpu().generation + 1);
}

/** What cuInit returns from now on. */
export function initReturns(code) {
  put('initCode', code);
}
