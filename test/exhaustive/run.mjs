#!/usr/bin/env node
// npm run test:exhaustive: builds test/exhaustive/normal.cc and walks all 2^32 words through every SIMD target of this
// CPU, with the accuracy report. Arguments are passed on (see normal.cc), for example `-- --targets avx2`.
// With `--js` the JavaScript normal walks all words too.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = `${root}build/exhaustive`;

function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

const args = process.argv.slice(2);
run('cmake', [
  '-S',
  '.',
  '-B',
  build,
  '-DISOMETRY_TESTS=ON',
  '-DISOMETRY_CUDA=OFF',
  '-DCMAKE_BUILD_TYPE=Release',
]);
run('cmake', ['--build', build, '--target', 'isometry_exhaustive_normal']);
const own = args.filter((arg) => arg !== '--js');
run(`${build}/test/native/isometry_exhaustive_normal`, [
  'test/golden/normal-f32.hashes',
  ...(own.length > 0 ? own : ['--accuracy']),
]);
if (args.includes('--js')) run('npx', ['vitest', 'run', 'test/exhaustive'], { ISOMETRY_EXHAUSTIVE: '1' });
