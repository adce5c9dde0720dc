// How much memory a fill takes at its peak, in a process of its own.
//   node --expose-gc bench/orthogonal/memory.mjs SHAPE DTYPE BACKEND     prints bytes, the output's included, as JSON
// From Linux, which can set the mark of the most memory so far back to what is in use now; null elsewhere.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(import.meta.url);
const BYTES = { float64: 8, float32: 4, bfloat16: 2 };
/** Below this many bytes the measurement is that of an engine's own memory. */
const LEAST_OUTPUT = 2 ** 22;

/**
 * @param {readonly number[]} shape
 * @param {string} dtype
 * @param {'cpu' | 'js'} backend
 * @param {number} threads
 * @returns what `memoryTable` takes, or null where it cannot be told
 */
export function measureMemory(shape, dtype, backend, threads) {
  const output = shape.reduce((product, axis) => product * axis) * BYTES[dtype];
  if (output < LEAST_OUTPUT) return null;
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--expose-gc', file, shape.join(','), dtype, backend],
    {
      env: { ...process.env, ISOMETRY_THREADS: String(threads) },
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`the measurement of memory ended with ${status}`);
  const peak = JSON.parse(stdout);
  return peak === null ? null : { shape, dtype, backend, output, peak };
}

if (process.argv[1] === file) {
  const [shape, dtype, device] = process.argv.slice(2);
  console.log(JSON.stringify(await peakOf(shape.split(',').map(Number), dtype, device)));
}

async function peakOf(shape, dtype, device) {
  if (process.platform !== 'linux') return null;
  const { fill, orthogonal } = await import('../../dist/index.js');
  const make = (name, axes) =>
    fill(name, axes, orthogonal(), { seed: 1, dtype, device, ...(axes.length === 3 && { layout: 'EOI' }) });
  await make('first', [64, 64]); // threads, compiled code
  globalThis.gc();
  const before = kilobytes('VmRSS');
  writeFileSync('/proc/self/clear_refs', '5');
  const tensor = await make('weight', shape);
  const peak = (kilobytes('VmHWM') - before) * 1024;
  if (!(peak > tensor.data.byteLength))
    throw new Error(`a peak of ${peak} bytes is less than the tensor itself`);
  return peak;
}

/** A line of this process's status. */
function kilobytes(name) {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}
