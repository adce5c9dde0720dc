// What could go wrong: the process ends, one way or another, while the addon's threads are at work.
import { expect } from 'vitest';
import { type ChildResult, runNode } from '../helpers/child.js';
import { describeNative, itNative, TIMED } from '../helpers/native.js';

// Several seconds of work: float64, no SIMD, one thread.
const SLOW = { ISOMETRY_CPU_TARGET: 'portable', ISOMETRY_THREADS: '1' };
const START = `
  const { writeSync } = await import('node:fs');
  const start = () => isometry.fill('w', [2 ** 27], isometry.normal({ std: 1 }), { seed: 1, dtype: 'float64' });
  const mark = () => writeSync(1, 'ending ' + Date.now() + '\\n');
`;

/** Milliseconds from the child's mark to its end. */
async function runToEnd(
  code: string,
  env: Record<string, string> = SLOW,
): Promise<ChildResult & { ending: number }> {
  const result = await runNode(START + code, { env });
  const at = /ending (\d+)/.exec(result.stdout);
  if (at === null) throw new Error(`the child never got to its end: ${result.stdout}${result.stderr}`);
  return { ...result, ending: Date.now() - Number(at[1]) };
}

describeNative('a process that ends during a fill', () => {
  itNative(
    'exits at once on process.exit()',
    async () => {
      const result = await runToEnd(`start(); setTimeout(() => { mark(); process.exit(7); }, 100);`);
      expect([result.code, result.signal]).toEqual([7, null]);
      expect(result.ending).toBeLessThan(300);
    },
    TIMED,
  );

  itNative(
    'exits at once on an uncaught exception',
    async () => {
      const result = await runToEnd(
        `start(); setTimeout(() => { mark(); throw new Error('planned'); }, 100);`,
      );
      expect([result.code, result.signal]).toEqual([1, null]);
      expect(result.stderr).toContain('planned');
      expect(result.ending).toBeLessThan(300);
    },
    TIMED,
  );

  itNative(
    'ends at once on SIGTERM',
    async () => {
      const result = await runToEnd(
        `start(); setTimeout(() => { mark(); process.kill(process.pid, 'SIGTERM'); }, 100);`,
      );
      expect([result.code, result.signal]).toEqual([null, 'SIGTERM']);
      expect(result.ending).toBeLessThan(300);
    },
    TIMED,
  );

  itNative(
    'refuses a fill started in an exit handler',
    async () => {
      const result = await runToEnd(`
      start();
      process.on('exit', () => { start().catch(() => {}); isometry.fillSync('b', [70000], isometry.ones(), { seed: 1 }); });
      setTimeout(() => { mark(); process.exit(3); }, 50);`);
      expect([result.code, result.signal]).toEqual([3, null]);
      expect(result.ending).toBeLessThan(300);
    },
    TIMED,
  );

  itNative('does not end by itself before the fill is done', async () => {
    const result = await runNode(
      `isometry.fill('w', [2 ** 24], isometry.normal({ std: 1 }), { seed: 1, dtype: 'float64' })
         .then((w) => console.log('filled', w.data.at(-1) !== 0));`,
    );
    expect([result.code, result.stdout]).toEqual([0, 'filled true\n']);
  });

  itNative(
    'is not kept alive once the fill is done, nor by the addon alone',
    async () => {
      const result = await runNode(
        `const kept = setTimeout(() => console.log('still here'), 5000); kept.unref();
       await isometry.fill('w', [2 ** 20], isometry.ones(), { seed: 1 });`,
      );
      expect([result.code, result.stdout]).toEqual([0, '']);
      expect(result.ms).toBeLessThan(4000);
    },
    TIMED,
  );
});
