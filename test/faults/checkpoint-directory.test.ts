import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dist, runFixture, runShell } from '../helpers/cli.js';
import { contents } from '../helpers/directory.js';

let dir: string;
let plan: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-kill-directory-'));
  plan = join(dir, 'plan.json');
  out = join(dir, 'model');
  // Five shards of two chunks of the fixture's 64 KiB, and the rest.
  const tensors = Array.from({ length: 5 }, (_, i) => ({
    name: `w${i}`,
    shape: [30_000],
    init: { kind: 'normal', std: 1 },
  }));
  writeFileSync(
    plan,
    JSON.stringify({ tensors: [...tensors, { name: 'b', shape: [7], init: { kind: 'zeros' } }] }),
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

const OPTIONS = { maxShardSize: 130_000 };
const INDEX = 'model.safetensors.index.json';
const run = (action: string, n = 0, options: object = {}, target = out) =>
  runFixture('write.mjs', [plan, target, action, String(n), JSON.stringify({ ...OPTIONS, ...options })]);

describe('kill -9', () => {
  test('before file operations all over the run; the next run makes the same directory', async () => {
    const counted = await run('count', 0, {}, join(dir, 'alone'));
    const operations: string[] = JSON.parse(counted.stdout);
    const expected = contents(join(dir, 'alone'));
    expect(operations.length).toBeGreaterThan(60);
    const indexAt = operations.lastIndexOf('rename');
    // Places that are spread over the run, the same in every test run; the order of parallel shards differs anyway.
    const places = [0.1, 0.35, 0.6, 0.85].map((part) => Math.floor(operations.length * part));
    for (const n of [...places, indexAt]) {
      rmSync(out, { recursive: true, force: true });
      const killed = await run('kill', n);
      expect(killed.signal, String(n)).toBe('SIGKILL');
      if (n <= indexAt) expect(existsSync(join(out, INDEX)), String(n)).toBe(false);
      expect(await run('none'), String(n)).toMatchObject({ code: 0, stderr: '' });
      expect(contents(out), String(n)).toEqual(expected);
    }
  }, 60_000);

  test('again and again, at random moments: what is finished stays finished', async () => {
    await run('none', 0, {}, join(dir, 'alone'));
    const expected = contents(join(dir, 'alone'));
    let shards = 0;
    for (const n of [35, 50]) {
      await run('kill', n, { concurrency: 1 });
      const now = existsSync(out)
        ? readdirSync(out).filter((name) => /^model-.*safetensors$/.test(name)).length
        : 0;
      expect(now).toBeGreaterThanOrEqual(shards);
      shards = now;
    }
    expect(shards).toBeGreaterThan(0);
    expect(await run('none')).toMatchObject({ code: 0 });
    expect(contents(out)).toEqual(expected);
  });

  test('of one that replaces another model: no index shows a mixture, and overwriting again ends it', async () => {
    await run('none', 0, { seed: 2 }, join(dir, 'alone'));
    const expected = contents(join(dir, 'alone'));
    for (const n of [3, 25]) {
      rmSync(out, { recursive: true, force: true });
      await run('none');
      expect((await run('kill', n, { seed: 2, overwrite: true })).signal).toBe('SIGKILL');
      const { [INDEX]: index, ...files } = contents(out);
      if (index !== undefined) {
        // Then nothing has been touched yet.
        await run('none', 0, {}, join(dir, 'first'));
        expect({ ...files, [INDEX]: index }).toEqual(contents(join(dir, 'first')));
      }
      expect(await run('none', 0, { seed: 2, overwrite: true })).toMatchObject({ code: 0, stderr: '' });
      expect(contents(out)).toEqual(expected);
    }
  });
});

test('three processes, all at once, make what one makes', async () => {
  await run('none', 0, {}, join(dir, 'alone'));
  const expected = contents(join(dir, 'alone'));
  const finalize = `import { finalizeCheckpoint } from ${JSON.stringify(join(dist, 'model/checkpoint/finalize.js'))};
    await finalizeCheckpoint(${JSON.stringify(out)});`;
  const world = 3;
  const ranks = Array.from({ length: world }, (_, rank) => run('none', 0, { rank, world }));
  // One of them is started twice, as a queue does that thinks a worker dead.
  const all = await Promise.all([...ranks, run('none', 0, { rank: 1, world })]);
  for (const ended of all) expect(ended).toMatchObject({ code: 0, stderr: '' });
  execFileSync(process.execPath, ['--input-type=module', '-e', finalize]);
  expect(contents(out)).toEqual(expected);
});

describe('a directory that cannot be written', () => {
  test('read-only: an error, nothing in it', async () => {
    mkdirSync(out);
    chmodSync(dir, 0o755);
    chmodSync(out, 0o555);
    // Root may write anywhere, so the fixture gives up root's rights.
    const { code, stderr } = await run(process.getuid?.() === 0 ? 'nobody' : 'none');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^IO_ERROR: could not .*EACCES; permission denied; make the directory writable/);
    expect(readdirSync(out)).toEqual([]);
  });

  test('a dangling link, a file as parent, a long name', async () => {
    symlinkSync(join(dir, 'nowhere'), out);
    for (const target of [`${out}/`, join(plan, 'x/'), join(dir, `${'x'.repeat(300)}/`)]) {
      const { code, stderr } = await run('none', 0, {}, target);
      expect(code, target).toBe(1);
      expect(stderr).toMatch(/^IO_ERROR: could not /);
    }
  });

  // Mounting needs a user namespace, which some containers forbid.
  const allowed = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
  test.skipIf(!allowed)(
    'a disk that fills up: whole shards stay, and with space the rest is written',
    async () => {
      mkdirSync(out);
      const fixture = join(import.meta.dirname, 'fixtures/write.mjs');
      const command = `"$NODE" "${fixture}" "${plan}" ./`;
      const options = JSON.stringify({ ...OPTIONS, concurrency: 1 });
      const { stdout, stderr } = await runShell(
        `unshare -rm bash -c 'mount -t tmpfs -o size=300k none "${out}" && cd "${out}" && ${command} full 0 "\\$O"; echo "rc=\\$?"; ls -A; mount -o remount,size=2m "${out}"; ${command} none 0 "\\$O"; echo "rc=\\$?"; ls -A'`
          .replaceAll('\\$', '$')
          .replace('unshare', `O='${options}' unshare`),
      );
      expect(stderr).toMatch(/^IO_ERROR: could not write .*ENOSPC; no space left/);
      const [, first, second] = stdout.split(/rc=/);
      expect(first!.trim().split('\n')).toEqual([
        '1',
        'isometry.json',
        'model-00001-of-00005.safetensors',
        'model-00002-of-00005.safetensors',
      ]);
      expect(second).toMatch(/^0\n/);
      expect(second).toContain(INDEX);
    },
  );
});
