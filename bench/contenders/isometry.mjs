// Ours, by the public API: fillInto for warm memory, fill for fresh. Threads, backend and SIMD target come from the
// environment variables that users have.
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import {
  capabilities,
  constant,
  fill,
  fillInto,
  normal,
  orthogonal,
  toFloat32,
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

/** The mean of as many fills as fill `atLeast` milliseconds. The last one's values go to `path`, 16-bit ones as float32. */
async function repeat({ law, dtype, elements, shape = [elements], method, atLeast = 0, path }) {
  const initializer = law === 'orthogonal' ? orthogonal(method && { method }) : INITIALIZERS[law];
  // Stacked matrices are experts, each with a matrix of its own.
  const layout = shape.length === 3 ? { layout: 'EOI' } : {};
  let made;
  let fills = 0;
  let elapsed = 0;
  const start = performance.now();
  do {
    const options = { seed: seed++, dtype, ...layout };
    if (warm !== null) fillInto(warm, 'weight', shape, initializer, options);
    else made = await fill('weight', shape, initializer, options);
    fills++;
    elapsed = performance.now() - start;
  } while (elapsed < atLeast);
  if (path !== undefined) writeFileSync(path, dtype === 'float64' ? made.data : toFloat32(made.data, dtype));
  // What the last turn left must not be collected inside the next one.
  made = undefined;
  globalThis.gc();
  return { milliseconds: elapsed / fills };
}

function release() {
  warm = null;
  globalThis.gc();
  return {};
}
