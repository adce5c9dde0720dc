#!/usr/bin/env node
// npm run test:launch: the recipes of examples/ for many machines, on the real thing: BullMQ with a Redis of its own, a Slurm cluster
// of one machine, Kubernetes' schema. Needs a registry for bullmq, ioredis and kubernetes-validate, Python 3, and, where
// Redis and Slurm are not installed, root on Debian. Arguments are names: npm run test:launch -- slurm
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { root } from './common.mjs';

const ALL = ['bullmq', 'slurm', 'kubernetes'];
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !ALL.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`expected some of ${ALL.join(', ')} but received ${unknown.join(', ')}\n`);
  process.exit(2);
}

// What was built from yesterday's source would prove nothing.
const build = spawnSync('npm', ['run', 'build'], { cwd: root, encoding: 'utf8' });
if (build.status !== 0) {
  process.stderr.write(`${build.stdout}${build.stderr}`);
  process.exit(1);
}
let failed = 0;
for (const name of chosen.length === 0 ? ALL : chosen) {
  const script = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
  if (spawnSync(process.execPath, [script], { stdio: 'inherit' }).status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
