#!/usr/bin/env node
// npm run bench:orthogonal: orthogonal matrices, ours and the peers in one run. Contenders take turns, and a ratio is the
// median of the turns' own ratios, because a shared machine is slow for seconds at a time.
//   --sizes 64,256   only these, of 64 (1024 matrices of 64²), 256, 1024, 2048, 4096, 4096x1024, 1024x4096
//   --only TEXT      only cases whose title contains it
//   --turns N        default 7; fewer, but 3, for a contender that would take more than --seconds for a case
//   --seconds N      default 30
//   --save           also writes bench/results/DATE-orthogonal-MACHINE.md
//   --no-build       measures what was built last
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contenders } from '../contenders.mjs';
import { buildFirst, saveReport } from '../machine.mjs';
import { makeCases, SIZES } from './cases.mjs';
import { measureMemory } from './memory.mjs';
import { goalsOf, memoryTable, rowsOf, tableOf, titleOf } from './report.mjs';
import { turnsWithin } from './turns.mjs';

/** A turn is the mean of as many matrices as take this many milliseconds: 256² alone is over before a clock has settled. */
const AT_LEAST = 50;
/** Milliseconds between contenders: threads of OpenMP go on spinning for up to 200 ms, on the cores of who comes next. */
const PAUSE = 250;

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: [...SIZES.keys()].join(',') },
    only: { type: 'string', default: '' },
    turns: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '30' },
    save: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  },
});
const turns = positive('turns');
const budget = positive('seconds') * 1e3;
const sizes = options.sizes.split(',');
for (const size of sizes) {
  if (!SIZES.has(size))
    usage(`expected some of ${[...SIZES.keys()].join(', ')} for --sizes but received ${size}`);
}

if (!options['no-build']) buildFirst();
const cpus = availableParallelism();
const contenders = new Contenders();
const folder = mkdtempSync(join(tmpdir(), 'isometry-bench-'));
const clean = () => rmSync(folder, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    clean();
    process.exit(130);
  });
}
const results = [];
try {
  for (const testCase of makeCases({ sizes, cpus })) {
    if (!titleOf(testCase).includes(options.only)) continue;
    const measured = await measure(testCase);
    const [ours] = measured.values();
    if (ours?.milliseconds === undefined) throw new Error(`${titleOf(testCase)}: ours took no part`);
    const rows = rowsOf(testCase, measured);
    results.push({ testCase, rows });
    console.log(tableOf(testCase, rows));
  }
} finally {
  contenders.stop();
  clean();
}
const memory = results
  .filter(({ testCase }) => testCase.threads === cpus || testCase.contenders[0] === 'isometry js')
  .map(
    ({
      testCase: {
        shape,
        dtype,
        threads,
        contenders: [ours],
      },
    }) => measureMemory(shape, dtype, ours === 'isometry js' ? 'js' : 'cpu', threads),
  )
  .filter((row) => row !== null);

const summary = `## Goals\n\n${goalsOf(results)}\n\n## Memory of ours\n\n${memoryTable(memory)}\n`;
console.log(summary);
if (options.save) save();

/** By contender its turns and its error, or the reason why it takes no part. */
async function measure(testCase) {
  const measured = new Map();
  const taking = [];
  const prepared = new Map();
  for (const name of testCase.contenders) {
    const library = name.replace(/ qr$/, '');
    const contender = await contenders.get(library, testCase.threads);
    if (contender === null) continue;
    const question = { law: 'orthogonal', dtype: testCase.dtype, shape: testCase.shape };
    if (library !== name) question.method = 'qr';
    const { unable, reason } = await contender.ask({ op: 'prepare', ...question });
    const once = testCase.once.includes(name);
    if (!unable) taking.push({ name, contender, question, turns: once ? 1 : undefined });
    prepared.set(contender, name);
    measured.set(name, unable ? { reason } : { milliseconds: [] });
  }
  // The first turn warms caches, pages and compilers; it is not counted, but tells how many others there is time for. Who
  // is known to be too slow for that has one only.
  for (let turn = -1; turn < turns; turn++) {
    for (const entry of taking) {
      const { name, contender, question } = entry;
      if (turn === -1 ? entry.turns !== undefined : turn >= entry.turns) continue;
      const result = measured.get(name);
      // Two ways may share a process, and a peer does what it has prepared last.
      if (prepared.get(contender) !== name) await contender.ask({ op: 'prepare', ...question });
      prepared.set(contender, name);
      const first = result.error === undefined && name !== 'matmul';
      const path = join(folder, 'matrix');
      const asked = { ...question, atLeast: AT_LEAST, ...(first && { path }) };
      const { milliseconds } = await contender.ask({ op: 'repeat', ...asked });
      if (turn >= 0) result.milliseconds.push(milliseconds);
      else entry.turns = turnsWithin(budget, Math.max(milliseconds, AT_LEAST), turns);
      if (first) result.error = errorOf(path, testCase);
      await setTimeout(PAUSE);
    }
  }
  for (const { contender } of taking) await contender.ask({ op: 'release' });
  return measured;
}

/** max|QᵀQ − I| of the matrix that a contender has written. */
function errorOf(path, { shape, dtype }) {
  const kind = dtype === 'float64' ? 'float64' : 'float32';
  const script = fileURLToPath(new URL('gram.py', import.meta.url));
  const { status, stdout } = spawnSync(contenders.python, ['-B', script, path, kind, ...shape.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  rmSync(path);
  if (status !== 0) throw new Error(`${script} ended with ${status}`);
  return Number(stdout);
}

function save() {
  const facts = [
    `up to ${turns} turns; "ours is" = median over the turns of (their time / our time) in the same turn`,
    `a turn is the mean of as many matrices as take ${AT_LEAST} ms`,
    'GFLOP/s: as if all did the work of the reflections, 2·M·N² − 2/3·N³ operations; QR does twice as many',
    'matmul: PyTorch, the product of two matrices with that many operations',
    'isometry qr: `method: "qr"`, in float64 by one thread. PyTorch qr: one torch.linalg.qr of the stack',
    'NumPy: linalg.qr computes float32 in float64, then rounds',
    'memory: the most that is resident beyond what was before the call, in a fresh process, output included',
  ];
  const tables = results.map(({ testCase, rows }) => tableOf(testCase, rows)).join('\n');
  const body = `${summary}\n## Cases\n\n${tables}`;
  saveReport('orthogonal', 'Benchmark of orthogonal matrices', facts, contenders.versions, body);
}

function positive(name) {
  const value = Number(options[name]);
  if (!(value > 0)) usage(`expected a positive number for --${name} but received ${options[name]}`);
  return value;
}

function usage(message) {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}
