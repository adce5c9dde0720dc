// Plans of very many tensors, within bounds of time and memory. ISOMETRY_EXHAUSTIVE=1 takes 10^6 tensors; otherwise a tenth of
// that.
import { expect, it } from 'vitest';
import { parsePlan } from '../../src/model/plan/plan.js';
import { planHash } from '../../src/model/plan/plan-hash.js';

const everything = process.env['ISOMETRY_EXHAUSTIVE'] === '1';
const count = everything ? 1_000_000 : 100_000;

const names = Array.from({ length: count }, (_, i) => `layers.${i >> 4}.experts.${i & 15}.weight`);
const shape = '"shape":[64,64]';
const init = '"init":{"kind":"heNormal"}';
const rules = [
  ...Array.from({ length: 19 }, (_, i) => ({ match: `**.block_${i}.*.w*t`, init: { kind: 'ones' } })),
  { match: '**', init: { kind: 'normal', std: 0.02 } },
];

it.each([
  ['20 rules', `"rules":${JSON.stringify(rules)},`, names.map((name) => `{"name":"${name}",${shape}}`)],
  ['a law for each', '', names.map((name) => `{"name":"${name}",${shape},${init}}`)],
])(
  'a plan of very many tensors, %s: 25 µs of CPU and 1.5 kB for each',
  { timeout: 300_000 },
  (_, head, list) => {
    const text = `{${head}"tensors":[${list.join(',')}]}`;
    const rss = process.memoryUsage.rss();
    const before = process.cpuUsage();
    const plan = parsePlan(text);
    planHash(plan);
    const { user, system } = process.cpuUsage(before);
    expect(plan.tensors).toHaveLength(count);
    // What a small plan takes is mostly the compilation of the schema.
    expect(user + system).toBeLessThan(25 * count + 2e6);
    expect(process.memoryUsage.rss() - rss).toBeLessThan(1500 * count + 1e8);
  },
);
