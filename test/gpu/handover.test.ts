// The examples of docs/guides/gpu-handover.md: another process reads a tensor where it is. They need a real GPU and a
// Python with the library.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeGpu, onFake } from './device.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const python = process.env['PYTHON'] ?? 'python3';

describeGpu('another process opens the memory', () => {
  for (const library of ['torch', 'cupy']) {
    const found = spawnSync(python, ['-c', `import ${library}`], { encoding: 'utf8' });
    const missing = onFake
      ? 'the stand-in shares no memory'
      : found.status === 0
        ? ''
        : `${python} has no ${library}`;
    it.skipIf(missing !== '')(
      `open_${library}.py${missing && ` [${missing}]`}`,
      () => {
        expect(existsSync(`${root}dist/index.js`)).toBe(true);
        for (const dtype of ['float32', 'bfloat16', 'float16', 'float64']) {
          const script = `examples/gpu-handover/open_${library}.py`;
          const run = spawnSync(process.execPath, ['examples/gpu-handover/share.mjs', script, dtype], {
            cwd: root,
            encoding: 'utf8',
            env: { ...process.env, PYTHON: python },
          });
          expect(`${run.stdout}${run.stderr}`).toContain('the same bytes in both processes');
          expect(run.status).toBe(0);
        }
      },
      120_000,
    );
  }
});
