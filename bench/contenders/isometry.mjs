// Ours, by the public API: fillInto for warm memory, fill for fresh. Threads, backend and SIMD target come from the
// environment variables that users have.
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import {
  capabilities,
  constant,
  fill,
  fillInto,
  normal,
  truncatedNormal,
  uniform,
  VERSION,
} from '../../dist/index.js';

const INITIALIZERS = {
  constant: constant({ value: 0.5 }),
  uniform: uniform({ min: -0.5, max: 0.5 }),
  normal: normal({ std: 0.02 }),
  truncatedNormal: truncatedNormal({ std: 0.02, sigmas: [-2, 2] }),
};
const ARRAYS = { float64: Float64Array, float32: Float32Array, bfloat16: Uint16Array };

const backend = process.env.ISOMETRY_BACKEND;
let warm = null;
let seed = 0;

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...question } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await { hello, prepare, repeat, release }[op](question))}\n`);
}

function hello() {
  const probe = capabilities().find(({ name }) => name === backend).probe;
  return probe.available ? { version: `${VERSION} (${probe.detail})` } : { problem: probe.reason };
}

function prepare({ dtype, elements, memory }) {
  warm = memory === 'warm' ? new ARRAYS[dtype](elements).fill(1) : null;
  return {};
}

async function repeat({ law, dtype, elements }) {
  const options = { seed: seed++, dtype };
  const start = performance.now();
  if (warm !== null) fillInto(warm, 'weight', [elements], INITIALIZERS[law], options);
  else await fill('weight', [elements], INITIALIZERS[law], options);
  const milliseconds = performance.now() - start;
  // What the last turn left must not be collected inside the next one.
  globalThis.gc();
  return { milliseconds };
}

function release() {
  warm = null;
  globalThis.gc();
  return {};
}
