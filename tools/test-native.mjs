#!/usr/bin/env node
// npm run test:native: builds and runs test/native under AddressSanitizer with UBSan, then under ThreadSanitizer.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`FAILED: ${command} ${args.join(' ')}${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

for (const sanitizers of ['address,undefined', 'thread']) {
  const folder = `build/sanitize-${sanitizers.replace(',', '-')}`;
  console.log(`\n== test/native with -fsanitize=${sanitizers}`);
  const options = ['-DISOMETRY_TESTS=ON', '-DISOMETRY_CUDA=OFF', `-DISOMETRY_SANITIZE=${sanitizers}`];
  run('cmake', '-S', '.', '-B', folder, ...options, '--log-level=WARNING');
  run('cmake', '--build', folder, '--parallel');
  // Each test is mostly one thread.
  run('ctest', '--test-dir', folder, '--output-on-failure', '--parallel', '2');
}
