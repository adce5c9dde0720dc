#!/usr/bin/env node
// npm run test:oracle: what this project computes against what others compute, each from its own code: cuRAND's host
// generator, SciPy, PyTorch, transformers and the safetensors library. Needs Python 3 and, once, a network.
// Arguments go to the Python test runner: npm run test:oracle -- test_philox
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

// A comparison with what was built from yesterday's source would prove nothing.
run('npm', ['run', 'build'], 'inherit');
const python = run(process.execPath, [join(root, 'tools', 'python', 'env.mjs'), 'oracle'], 'pipe').trim();
run(python, ['-B', join(root, 'test', 'oracle', 'main.py'), ...process.argv.slice(2)], 'inherit');

function run(command, args, stdout) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
  });
  if (result.status === 0) return result.stdout ?? '';
  process.stderr.write(`oracle: ${command} failed${result.error ? `: ${result.error.message}` : ''}\n`);
  process.exit(1);
}
