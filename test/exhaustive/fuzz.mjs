#!/usr/bin/env node
// npm run test:fuzz: test/oracle/test_reader.py with many more files and a seed of its own each time, which is printed.
// Arguments: how many files (default 100000) and a seed, for example `-- 1000000 7`.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const [rounds = '100000', seed = String(randomInt(2 ** 32))] = process.argv.slice(2);
process.stdout.write(`${rounds} files, seed ${seed}\n`);
const { status } = spawnSync(
  process.execPath,
  [fileURLToPath(new URL('../oracle/run.mjs', import.meta.url)), 'test_reader'],
  { stdio: 'inherit', env: { ...process.env, ISOMETRY_FUZZ_ROUNDS: rounds, ISOMETRY_FUZZ_SEED: seed } },
);
process.exit(status ?? 1);
