import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeFileOps } from '../../src/file-ops.js';
import { sweepDirectory, sweepStaleTemps, tempName } from '../../src/temp-names.js';

let dir: string;
let target: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-temp-'));
  target = join(dir, 'model.safetensors');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A temp name of ours with some of its parts changed. */
function nameWith(parts: { host?: string; pid?: number; start?: number }, of = target): string {
  const [, prefix, host, pid, start, random] = /^(\.isometry-\w+-)(\w+)-(\d+)-(\d+)-(\w+\.tmp)$/.exec(
    basename(tempName(of)),
  )!;
  return `${prefix}${parts.host ?? host}-${parts.pid ?? pid}-${parts.start ?? start}-${random}`;
}

const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

async function survives(name: string, ageHours = 0): Promise<boolean> {
  const path = join(dir, name);
  writeFileSync(path, '');
  const seconds = Date.now() / 1000 - ageHours * 3600;
  utimesSync(path, seconds, seconds);
  await sweepStaleTemps(target, nodeFileOps);
  return readdirSync(dir).includes(name);
}

test('names are beside the target, fresh, short and ASCII', () => {
  const long = join(dir, 'é'.repeat(127));
  const names = [tempName(target), tempName(target), tempName(long)];
  expect(new Set(names).size).toBe(3);
  for (const name of names) {
    expect(dirname(name)).toBe(dir);
    expect(basename(name)).toMatch(/^[\x21-\x7e]{1,100}$/);
  }
});

test('files of living writers stay, those of dead ones go', async () => {
  expect(await survives(nameWith({}))).toBe(true);
  expect(await survives(nameWith({ pid: 1, start: 0 }))).toBe(true);
  expect(await survives(nameWith({ pid: deadPid() }))).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'a process that merely has the dead writer’s id does not protect its file',
  async () => {
    expect(await survives(nameWith({ start: 12345 }))).toBe(false);
  },
);

test('files of writers elsewhere stay for a day', async () => {
  const elsewhere = { host: '00000000', pid: deadPid() };
  expect(await survives(nameWith(elsewhere), 23)).toBe(true);
  expect(await survives(nameWith(elsewhere), 25)).toBe(false);
});

test('other names are never touched', async () => {
  const pid = deadPid();
  expect(await survives(nameWith({ pid }, join(dir, 'other')), 48)).toBe(true);
  expect(await survives(`${nameWith({ pid })}x`, 48)).toBe(true);
  expect(await survives(nameWith({ pid }).slice(1), 48)).toBe(true);
  expect(await survives('model.safetensors', 48)).toBe(true);
});

test('a directory that cannot be listed is not a failure', async () => {
  await sweepStaleTemps(join(dir, 'none', 'x'), nodeFileOps);
});

test('a whole directory is swept of what dead writers left, and of nothing else', async () => {
  const dead = [nameWith({ pid: deadPid() }), nameWith({ pid: deadPid() }, join(dir, 'other'))];
  const kept = [nameWith({}), '.isometry-x.tmp', 'model.safetensors', '.isometry.json'];
  for (const name of [...dead, ...kept]) writeFileSync(join(dir, name), '');
  await sweepDirectory(dir, nodeFileOps);
  expect(readdirSync(dir).sort()).toEqual([...kept].sort());
  await sweepDirectory(join(dir, 'none'), nodeFileOps);
});
