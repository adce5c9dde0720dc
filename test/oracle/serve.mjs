// Answers questions of the oracle tests: one JSON object per line in, one per line out; arrays go to a file.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { probeBackends, selectBackend } from '../../dist/backends/index.js';
import { dtypeInfo } from '../../dist/dtype.js';
import { fillSync } from '../../dist/fill.js';
import { lawOf, parseInitializer } from '../../dist/initializers/index.js';
import { philoxBlocks, philoxKeys } from '../../dist/js/philox.js';
import { writeCheckpoint } from '../../dist/model/checkpoint/checkpoint.js';
import { finalizeCheckpoint } from '../../dist/model/checkpoint/finalize.js';
import { cutShards, indexJson, parseShardSize, shardName } from '../../dist/model/checkpoint/shards.js';
import { planFrom } from '../../dist/model/plan/plan-from.js';
import { PRESETS } from '../../dist/model/presets/index.js';
import { lawMoments } from '../../dist/moments.js';
import { encodeHeader, placeTensors } from '../../dist/safetensors/header.js';
import { elementCount } from '../../dist/shape.js';
import { gain as gainOf } from '../../dist/theory/gain.js';

const OPERATIONS = new Map(
  Object.entries({
    devices,
    words,
    draw,
    fill,
    law,
    gain,
    safetensors,
    shards,
    checkpoint,
    finalize,
    plan,
    presets,
  }),
);

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const { op, ...question } = JSON.parse(line);
    answer = { result: (await OPERATIONS.get(op)(question)) ?? null };
  } catch (error) {
    answer = { error: error.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** The names of the backends that can be used here. */
function devices() {
  return probeBackends()
    .filter(({ probe }) => probe.available)
    .map(({ name }) => name);
}

/** Raw words of blocks n … n + count - 1, by the JavaScript implementation. */
function words({ path, seed, stream, n, count }) {
  const out = new Int32Array(4 * count);
  philoxBlocks(philoxKeys(BigInt(seed)), BigInt(stream), n, count, out);
  writeFileSync(path, out);
}

/** Elements first … first + count - 1 of a primitive, in a stream given by number. */
function draw({ path, device, seed, stream, primitive, dtype, first, count }) {
  const target = new (dtypeInfo(dtype).array)(count);
  const bound = { min: -Infinity, max: Infinity };
  const region = {
    shape: [count],
    sourceOffset: first,
    sourceStrides: [1],
    targetOffset: 0,
    targetStrides: [1],
  };
  const jobs = [{ primitive: { ...bound, ...primitive }, stream: BigInt(stream), region }];
  selectBackend(device, target.byteLength).backend.fillSync(
    { seed: BigInt(seed), dtype, length: count, jobs },
    target,
    0,
  );
  writeFileSync(path, target);
}

/** A tensor by the public API. */
function fill({ path, name, shape, initializer, seed, options }) {
  writeFileSync(path, fillSync(name, shape, initializer, { ...options, seed: BigInt(seed) }).data);
}

/** The law of an initializer for a tensor, with its exact mean and std. */
function law({ initializer, tensor }) {
  const found = lawOf(parseInitializer(initializer, 'initializer'), tensor);
  return { law: found, ...lawMoments(found, elementCount(tensor.shape)) };
}

/** The gain of an activation. */
function gain({ activation, slope }) {
  return slope === null ? gainOf(activation) : gainOf(activation, slope);
}

/** A safetensors file of given bytes: tensors [{ name, dtype, shape, data (hex) }], metadata or none. */
function safetensors({ path, tensors, metadata }) {
  const placed = placeTensors(tensors);
  const header = encodeHeader(placed, metadata === null ? undefined : new Map(Object.entries(metadata)));
  writeFileSync(
    path,
    Buffer.concat([header, ...placed.map(({ tensor }) => Buffer.from(tensor.data, 'hex'))]),
  );
}

/** How tensors [name, bytes] are cut into files, and their index. */
function shards({ tensors, maxShardSize }) {
  const cuts = cutShards(
    tensors.map(([name, bytes]) => ({ name, bytes })),
    parseShardSize(maxShardSize),
  );
  const files = cuts.map((cut, i) => [shardName(i, cuts.length), cut.map(({ name }) => name)]);
  const totalSize = tensors.reduce((total, [, bytes]) => total + bytes, 0);
  const weightMap = files.flatMap(([file, names]) => names.map((name) => [name, file]));
  return {
    files: Object.fromEntries(files),
    index: indexJson({ totalSize, totalParameters: totalSize / 4, weightMap }),
  };
}

/** A plan, written to a directory. */
async function checkpoint({ plan, path, options }) {
  await writeCheckpoint(plan, `${path}/`, options);
}

/** What several ranks wrote, completed. */
async function finalize({ path }) {
  await finalizeCheckpoint(path);
}

/** The plan of a model's configuration: its tensors and ties. */
async function plan({ config, options }) {
  const { tensors, ties = [] } = await planFrom(config, options);
  return { tensors, ties };
}

/** The types of models that have a preset. */
function presets() {
  return [...PRESETS.keys()];
}
