import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli, runFixture, startCli } from '../helpers/cli.js';

let dir: string;
let plan: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-kill-'));
  plan = join(dir, 'plan.json');
  out = join(dir, 'out');
  // Four chunks of the fixture's 64 KiB.
  writeFileSync(
    plan,
    JSON.stringify({ tensors: [{ name: 'w', shape: [60_000], init: { kind: 'normal', std: 1 } }] }),
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

const temps = (): string[] => readdirSync(dir).filter((name) => name.startsWith('.isometry-'));

/** What a run without faults writes, and how many file operations it takes. */
async function reference(before = 'no file'): Promise<{ content: Buffer; operations: string[] }> {
  if (before === 'an old file') writeFileSync(out, 'old');
  const ended = await runFixture('write.mjs', [plan, out, 'count']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const content = readFileSync(out);
  rmSync(out);
  return { content, operations: JSON.parse(ended.stdout) };
}

describe('kill -9 before each file operation', () => {
  test.each(['an old file', 'no file'])(
    'over %s: that or the whole new one, and the next run cleans up',
    async (before) => {
      const { content, operations } = await reference(before);
      expect(operations.slice(-4)).toEqual(['sync', 'close', 'rename', 'syncDirectory']);
      expect(operations.filter((name) => name === 'write')).toHaveLength(5);
      // One run of the writer for each operation from the first that changes anything.
      for (let n = operations.indexOf('create'); n < operations.length; n++) {
        if (before === 'an old file') writeFileSync(out, 'old');
        const killed = await runFixture('write.mjs', [plan, out, 'kill', String(n)]);
        const where = `${operations[n]} (${n})`;
        expect(killed.signal, where).toBe('SIGKILL');
        const renamed = operations[n] === 'syncDirectory';
        if (renamed) expect(readFileSync(out).equals(content), where).toBe(true);
        else if (before === 'an old file') expect(readFileSync(out, 'utf8'), where).toBe('old');
        else expect(existsSync(out), where).toBe(false);
        // The dead writers' files are there until the next one comes.
        expect(temps().length, where).toBe(n > operations.indexOf('create') && !renamed ? 1 : 0);
        if (renamed || n % 3 === 0) {
          expect(await runFixture('write.mjs', [plan, out, 'none'])).toMatchObject({ code: 0, stderr: '' });
          expect(readFileSync(out).equals(content), where).toBe(true);
          expect(temps()).toEqual([]);
          rmSync(out);
        }
      }
    },
    120_000,
  );

  test('process.exit and an uncaught exception in the middle remove the temporary file', async () => {
    const { operations } = await reference('an old file');
    writeFileSync(out, 'old');
    for (const [action, code] of [
      ['exit', 3],
      ['throw', 1],
    ] as const) {
      for (const operation of ['write', 'sync', 'rename']) {
        const ended = await runFixture('write.mjs', [
          plan,
          out,
          action,
          String(operations.indexOf(operation)),
        ]);
        expect(ended.code, `${action} before ${operation}`).toBe(code);
        expect(readdirSync(dir).sort()).toEqual(['out', 'plan.json']);
        expect(readFileSync(out, 'utf8')).toBe('old');
      }
    }
  });
});

describe('the command', () => {
  beforeEach(() => {
    // Some seconds of plain JavaScript, so that a signal finds it at work.
    const tensor = { name: 'w', shape: [60_000_000], init: { kind: 'normal', std: 1 } };
    writeFileSync(plan, JSON.stringify({ tensors: [tensor], dtype: 'bfloat16' }));
    writeFileSync(out, 'old');
  });

  /** Starts it and waits for its first progress, so that it is in the middle of writing. */
  async function working(...args: string[]) {
    const running = startCli([
      'init',
      plan,
      '--out',
      out,
      '--seed',
      '1',
      '--device',
      'js',
      '--json',
      ...args,
    ]);
    await new Promise((resolve) => running.child.stdout.once('data', resolve));
    expect(temps()).toHaveLength(1);
    return running;
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends it with %i, without a trace', async (signal, code) => {
    const { child, ended } = await working();
    const start = performance.now();
    child.kill(signal);
    const { code: got, stderr, stdout } = await ended;
    expect(got).toBe(code);
    expect(performance.now() - start).toBeLessThan(3000);
    expect(stderr).toBe(`isometry: INTERRUPTED: interrupted by ${signal}\n`);
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({
      type: 'error',
      code: 'INTERRUPTED',
    });
    expect(readdirSync(dir).sort()).toEqual(['out', 'plan.json']);
    expect(readFileSync(out, 'utf8')).toBe('old');
  });

  test('kill -9, then another model at the same place', async () => {
    const { child, ended } = await working();
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(readFileSync(out, 'utf8')).toBe('old');
    expect(temps()).toHaveLength(1);
    writeFileSync(plan, JSON.stringify({ tensors: [{ name: 'w', shape: [10], init: { kind: 'ones' } }] }));
    expect(await runCli(['init', plan, '--out', out, '--seed', '1'])).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(dir).sort()).toEqual(['out', 'plan.json']);
  });

  test('a living writer keeps its temporary file when another one starts', async () => {
    const { child, ended } = await working();
    const small = join(dir, 'small.json');
    writeFileSync(small, JSON.stringify({ tensors: [{ name: 'w', shape: [10], init: { kind: 'ones' } }] }));
    expect(await runCli(['init', small, '--out', out, '--seed', '1'])).toMatchObject({ code: 0 });
    expect(temps()).toHaveLength(1);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(temps()).toEqual([]);
  });
});
