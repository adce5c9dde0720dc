#!/usr/bin/env node
// npm run bench:model: whole models from config.json to a directory that from_pretrained loads, ours and transformers
// (construct, then save_pretrained), and dd writing as many bytes. They take turns; a ratio is the median of the turns'
// own ratios.
//   --models gpt2,llama-1b    only these
//   --places memory,disk      where to: a file system in memory (what the code can do), and a disk, with fsync by all
//   --turns N                 default 3
//   --disk FOLDER             default: a folder in the system's temporary one
//   --save                    also writes bench/results/DATE-model-MACHINE.md
//   --no-build                measures what was built last
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildFirst, saveReport } from '../machine.mjs';
import { caseTable, goalTable } from './report.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const MODELS = new Map([
  ['gpt2', { config: 'examples/gpt2/config.json', dtype: 'float32' }],
  ['llama-1b', { config: 'examples/llama-1b/config.json', dtype: 'bfloat16' }],
]);
const PLACES = ['memory', 'disk'];
const MEMORY = '/dev/shm';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: [...MODELS.keys()].join(',') },
    places: { type: 'string', default: PLACES.join(',') },
    turns: { type: 'string', default: '3' },
    disk: { type: 'string', default: tmpdir() },
    save: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  },
});
const turns = Number(options.turns);
const models = pick('models', [...MODELS.keys()]);
const places = pick('places', PLACES).filter((place) => {
  if (place !== 'memory' || existsSync(MEMORY)) return true;
  console.log(`no ${MEMORY} here: nothing is measured in memory`);
  return false;
});
if (!Number.isSafeInteger(turns) || turns < 1)
  usage(`expected a whole number from 1 for --turns but received ${options.turns}`);

if (!options['no-build']) buildFirst();
const python = run(process.execPath, [join(root, 'tools/python/env.mjs'), 'oracle']).stdout.trim();
const versions = new Map();
const folders = [];
const clean = () => folders.forEach((folder) => void rmSync(folder, { recursive: true, force: true }));
process.once('exit', clean);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const results = [];
for (const place of places) {
  const folder = mkdtempSync(join(place === 'memory' ? MEMORY : options.disk, 'isometry-bench-'));
  folders.push(folder);
  for (const model of models) {
    const result = measure(model, place, folder);
    results.push(result);
    console.log(`\n### ${result.title}\n\n${caseTable(result)}\n`);
  }
}
const goals = goalTable(results);
console.log(`\n${goals}\n`);
if (options.save) {
  const facts = [
    `${turns} turns after one to warm up; "ours is" = median over the turns of (their time / our time) in the same turn`,
    'memory: a file system in memory, nobody waits for a disk. disk: everybody waits for fsync of every file',
    'transformers: the class of the config constructed with torch.manual_seed, then save_pretrained; imports are not counted, but are in "process"',
    'isometry: the command `isometry init`, seconds of its summary; "process" is from its start to its end',
    'dd: as many bytes of zeros in blocks of 1 MiB (larger ones were slower here), conv=fsync',
  ];
  const body = results.map((result) => `### ${result.title}\n\n${caseTable(result)}\n`).join('\n');
  saveReport(
    'model',
    'Benchmark of whole models',
    facts,
    versions,
    `## Goals\n\n${goals}\n\n## Cases\n\n${body}`,
  );
}

/** Seconds of each turn by contender. */
function measure(name, place, folder) {
  const { config, dtype } = MODELS.get(name);
  const seconds = new Map();
  const add = (contender, value) => seconds.set(contender, [...(seconds.get(contender) ?? []), value]);
  let bytes = 0;
  let parameters = 0;
  for (let turn = -1; turn < turns; turn++) {
    const out = join(folder, 'out');
    const ours = init(config, out, dtype);
    bytes = sizeOf(out);
    parameters = ours.summary.parameters;
    rmSync(out, { recursive: true });
    const theirs = transformers(config, out, dtype, place);
    if (theirs.parameters !== parameters)
      throw new Error(`${name}: ${theirs.parameters} parameters, ours ${parameters}`);
    rmSync(out, { recursive: true });
    const copied = dd(join(folder, 'dd'), bytes);
    if (turn === -1) continue; // caches, pages, the disk's own buffers
    add('isometry', ours.summary.seconds);
    add('isometry, process', ours.process);
    add('transformers', theirs.construct + theirs.save);
    add('transformers, construct', theirs.construct);
    add('transformers, save', theirs.save);
    add('transformers, process', theirs.process);
    add('dd', copied);
  }
  return { name, place, title: `${name}, ${dtype}, ${place}`, bytes, parameters, seconds };
}

function init(config, out, dtype) {
  const started = performance.now();
  const args = [join(root, 'dist/cli/main.js'), 'init', join(root, config), '--out', `${out}/`];
  const { stdout } = run(process.execPath, [...args, '--seed', '42', '--dtype', dtype, '--json']);
  const process_ = (performance.now() - started) / 1000;
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const summary = records.find(({ type }) => type === 'summary');
  versions.set(
    'isometry',
    `${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version} (${summary.backend}: ${summary.reason})`,
  );
  return { summary, process: process_ };
}

function transformers(config, out, dtype, place) {
  const started = performance.now();
  const args = [join(root, 'bench/model/transformers_peer.py'), join(root, config), out, dtype, '42'];
  const { stdout } = run(python, ['-B', ...args, place === 'disk' ? 'durable' : 'cached']);
  const answer = JSON.parse(stdout.trim().split('\n').at(-1));
  versions.set('transformers', answer.version);
  return { ...answer, process: (performance.now() - started) / 1000 };
}

function dd(path, bytes) {
  const started = performance.now();
  run('dd', [
    'if=/dev/zero',
    `of=${path}`,
    'bs=1M',
    `count=${bytes}`,
    'iflag=count_bytes',
    'conv=fsync',
    'status=none',
  ]);
  const seconds = (performance.now() - started) / 1000;
  rmSync(path);
  return seconds;
}

function sizeOf(folder) {
  return readdirSync(folder).reduce((total, file) => total + statSync(join(folder, file)).size, 0);
}

function run(command, args) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (result.status === 0) return result;
  process.stderr.write(
    `bench: ${command} ${args.join(' ')} failed${result.error ? `: ${result.error.message}` : ''}\n`,
  );
  process.exit(1);
}

function pick(option, known) {
  const chosen = options[option].split(',');
  for (const name of chosen) {
    if (!known.includes(name))
      usage(`expected some of ${known.join(', ')} for --${option} but received ${name}`);
  }
  return chosen;
}

function usage(message) {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}
