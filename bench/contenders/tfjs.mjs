// TensorFlow.js in plain JavaScript. It always makes a new tensor.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

// Its advice to install the native binding, printed on load, would get among the answers.
console.log = console.warn = console.info = () => {};
const require = createRequire(new URL('../peers/package.json', import.meta.url));
const tf = require('@tensorflow/tfjs');

const FILLS = {
  constant: (n) => tf.fill([n], 0.5),
  uniform: (n, seed) => tf.randomUniform([n], -0.5, 0.5, 'float32', seed),
  normal: (n, seed) => tf.randomNormal([n], 0, 0.02, 'float32', seed),
  truncatedNormal: (n, seed) => tf.truncatedNormal([n], 0, 0.02, 'float32', seed),
};
let seed = 1;

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...question } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await { hello, prepare, repeat, release }[op](question))}\n`);
}

async function hello() {
  await tf.setBackend('cpu');
  return { version: `${tf.version['tfjs-core']} (backend ${tf.getBackend()})` };
}

function prepare({ dtype }) {
  return dtype === 'float32' ? {} : { unable: true, reason: 'it computes in float32 only' };
}

function repeat({ law, elements, shape, atLeast = 0, path }) {
  let values;
  let fills = 0;
  let elapsed = 0;
  const start = performance.now();
  do {
    const tensor =
      law === 'orthogonal'
        ? tf.initializers.orthogonal({ gain: 1, seed: seed++ }).apply(shape)
        : FILLS[law](elements, seed++);
    values = tensor.dataSync();
    elapsed = performance.now() - start;
    fills++;
    tensor.dispose();
  } while (elapsed < atLeast);
  if (path !== undefined) writeFileSync(path, values);
  globalThis.gc();
  return { milliseconds: elapsed / fills };
}

function release() {
  return {};
}
