// Writes the tensors of a plan in another format: node formats.mjs PLAN SEED FORMAT PATH. For test_formats.py.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { selectBackend } from '../../dist/backends/index.js';
import { FORMATS } from '../../dist/model/checkpoint/formats/index.js';
import { checkpointMetadata } from '../../dist/model/checkpoint/metadata.js';
import { parsePlan } from '../../dist/model/plan/plan.js';
import { storedTensors, TensorSources } from '../../dist/model/plan/stored-tensors.js';

const [planPath, seed, format, path] = process.argv.slice(2);
const plan = parsePlan(readFileSync(planPath, 'utf8'));
const sources = new TensorSources({ seed: BigInt(seed), dtype: 'float32' });
await FORMATS.get(format).write({
  tensors: storedTensors(plan, 'float32'),
  metadata: checkpointMetadata(plan, BigInt(seed), {}),
  path: resolve(path),
  backend: selectBackend('auto', 0).backend,
  source: (tensor) => sources.of(tensor),
  concurrency: 2,
  // Odd windows: what is computed must not depend on them.
  chunkBytes: 264,
});
await sources.close();
