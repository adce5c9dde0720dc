import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli, runFixture, runShell } from '../helpers/cli.js';

let dir: string;
let plan: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-disk-'));
  plan = join(dir, 'plan.json');
  out = join(dir, 'out', 'file');
  mkdirSync(join(dir, 'out'));
  writeFileSync(
    plan,
    JSON.stringify({ tensors: [{ name: 'w', shape: [250_000], init: { kind: 'normal', std: 1 } }] }),
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

const init = (): Promise<{ code: number | null; stderr: string }> =>
  runCli(['init', plan, '--out', out, '--seed', '1']);
const left = (): string[] => readdirSync(join(dir, 'out'));

describe('a disk that is full', () => {
  // Mounting needs a user namespace, which some containers forbid.
  const allowed = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
  const onTmpfs = (
    size: string,
    command: string,
  ): Promise<{ code: number | null; stderr: string; stdout: string }> =>
    runShell(
      `unshare -rm bash -c 'mount -t tmpfs -o size=${size} none "${join(dir, 'out')}" && cd "${join(dir, 'out')}" && ${command}; echo "rc=$?"; ls -A'`,
    );

  test.skipIf(!allowed)('is noticed before the work', async () => {
    const { stderr, stdout } = await onTmpfs(
      '512k',
      `"$NODE" "$ISOMETRY" init "${plan}" --out file --seed 1`,
    );
    expect(stderr).toMatch(
      /^isometry: IO_ERROR: could not write .*ENOSPC; 1000\d{3} bytes are needed and \d+ are available/,
    );
    expect(stdout).toBe('rc=1\n');
  });

  test.skipIf(!allowed)('is an error when it fills up in the middle, and nothing is left', async () => {
    const fixture = join(import.meta.dirname, 'fixtures/write.mjs');
    const { stderr, stdout } = await onTmpfs('512k', `"$NODE" "${fixture}" "${plan}" file full`);
    expect(stderr).toMatch(/^IO_ERROR: could not write .*ENOSPC; no space left/);
    expect(stdout).toBe('rc=1\n');
  });

  test.skipIf(!allowed)('keeps the old file', async () => {
    const fixture = join(import.meta.dirname, 'fixtures/write.mjs');
    const { stdout } = await onTmpfs(
      '512k',
      `echo old > file; "$NODE" "${fixture}" "${plan}" file full; cat file`,
    );
    expect(stdout).toBe('old\nrc=0\nfile\n');
  });

  test('a limit on the size of files (ulimit -f) is an error, not a signal', async () => {
    writeFileSync(out, 'old');
    const { code, signal, stderr } = await runShell(
      `ulimit -f 100; "$NODE" "$ISOMETRY" init "${plan}" --out "${out}" --seed 1`,
    );
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toMatch(/^isometry: IO_ERROR: could not size .*EFBIG; larger than/);
    expect(left()).toEqual(['file']);
    expect(readFileSync(out, 'utf8')).toBe('old');
  });
});

describe('a target that cannot be', () => {
  test('a read-only directory', async () => {
    chmodSync(dir, 0o755);
    chmodSync(join(dir, 'out'), 0o555);
    // Root may write anywhere, so the fixture gives up root's rights.
    const action = process.getuid?.() === 0 ? 'nobody' : 'none';
    const { code, stderr } = await runFixture('write.mjs', [plan, out, action]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^IO_ERROR: could not create a temporary file for .*EACCES; permission denied; make the directory writable/,
    );
    expect(left()).toEqual([]);
  });

  test.each([
    ['a missing directory', 'none/file', /ENOENT; its directory does not exist; create it first/],
    ['a file as directory', 'plan.json/file', /ENOTDIR/],
    ['a device', '/dev/full', /device, pipe or socket/],
    ['a long name', 'x'.repeat(300), /ENAMETOOLONG/],
  ])('%s', async (_, path, reason) => {
    const target = path.startsWith('/') ? path : join(dir, path);
    const { code, stderr } = await runCli(['init', plan, '--out', target, '--seed', '1']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^isometry: IO_ERROR: could not write /);
    expect(stderr).toMatch(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

test('a symbolic link at the target is replaced, what it leads to is not touched', async () => {
  const victim = join(dir, 'victim');
  writeFileSync(victim, 'victim');
  symlinkSync(victim, out);
  expect(await init()).toMatchObject({ code: 0, stderr: '' });
  expect(lstatSync(out).isFile()).toBe(true);
  expect(readFileSync(victim, 'utf8')).toBe('victim');
});

test('ten processes that write the same target all succeed, and the file is whole', async () => {
  const seeds = Array.from({ length: 10 }, (_, seed) => String(seed));
  const all = await Promise.all(seeds.map((seed) => runCli(['init', plan, '--out', out, '--seed', seed])));
  for (const ended of all) expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(left()).toEqual(['file']);
  const content = readFileSync(out);
  const seed = /"seed":"(\d)"/.exec(content.toString('latin1'))![1]!;
  const alone = join(dir, 'alone');
  await runCli(['init', plan, '--out', alone, '--seed', seed]);
  expect(content.equals(readFileSync(alone))).toBe(true);
});

test('memory stays below 100 MB for a tensor of 400 MB', () => {
  // 400 MB of float32.
  writeFileSync(
    plan,
    JSON.stringify({ tensors: [{ name: 'w', shape: [100_000_000], init: { kind: 'ones' } }] }),
  );
  const script = `
    import { writeCheckpoint, readPlan } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    const plan = await readPlan(${JSON.stringify(plan)});
    const before = process.memoryUsage().rss;
    let peak = 0;
    await writeCheckpoint(plan, ${JSON.stringify(out)}, { seed: 1, onProgress() {
      peak = Math.max(peak, process.memoryUsage().rss);
    } });
    console.log(Math.round((peak - before) / 1e6));
  `;
  const grown = Number(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
  expect(grown).toBeGreaterThan(0);
  expect(grown).toBeLessThan(100);
}, 120_000);
