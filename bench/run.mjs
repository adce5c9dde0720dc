#!/usr/bin/env node
// npm run bench: ours and the peers in one run, one table. Contenders take turns (A B C A B C …), and a ratio is the
// median of the turns' own ratios, because a shared machine is slow for seconds at a time.
//   --quick         tiny sizes, three turns: shows that everything works
//   --turns N       default 9
//   --only TEXT     only cases whose title contains it
//   --save          also writes bench/results/DATE-MACHINE.md
//   --no-build      measures what was built last
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { makeCases } from './cases.mjs';
import { Contenders } from './contenders.mjs';
import { buildFirst, saveReport } from './machine.mjs';
import { goalsOf, rowsOf, tableOf, titleOf } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    turns: { type: 'string' },
    only: { type: 'string', default: '' },
    save: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  },
});
const turns = Number(options.turns ?? (options.quick ? 3 : 9));

if (!options['no-build']) buildFirst();
const contenders = new Contenders();
const results = [];
try {
  for (const testCase of makeCases({ quick: options.quick, cpus: availableParallelism() })) {
    if (!titleOf(testCase).includes(options.only)) continue;
    const measured = await measure(testCase);
    if (measured.size < 2) continue; // nothing to compare
    const rows = rowsOf(testCase, measured);
    results.push({ testCase, rows });
    console.log(tableOf(testCase, rows));
  }
} finally {
  contenders.stop();
}
const summary = options.quick
  ? 'Quick run: it shows that everything works; the numbers mean nothing.\n'
  : `## Goals\n\n${goalsOf(results)}\n`;
console.log(summary);
if (options.save) save();

/** Milliseconds by contender, turn by turn. */
async function measure(testCase) {
  const { law, dtype, elements, memory, threads } = testCase;
  const question = { law, dtype, elements, memory };
  const taking = [];
  for (const name of testCase.contenders) {
    const contender = await contenders.get(name, threads);
    if (contender === null) continue;
    const { unable } = await contender.ask({ op: 'prepare', ...question });
    if (!unable) taking.push(contender);
  }
  const measured = new Map(taking.map(({ name }) => [name, []]));
  // The first turn warms caches, pages and compilers, and is not counted.
  for (let turn = -1; turn < turns; turn++) {
    for (const contender of taking) {
      const { milliseconds } = await contender.ask({ op: 'repeat', ...question });
      if (turn >= 0) measured.get(contender.name).push(milliseconds);
    }
  }
  for (const contender of taking) await contender.ask({ op: 'release' });
  return measured;
}

function save() {
  const facts = [
    `${turns} turns; "ours is" = median over the turns of (their time / our time) in the same turn`,
  ];
  const tables = results.map(({ testCase, rows }) => tableOf(testCase, rows)).join('\n');
  saveReport('', 'Benchmark', facts, contenders.versions, `${summary}\n## Cases\n\n${tables}`);
}
