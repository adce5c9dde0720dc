// Builds the fake libcuda.so.1 of test/native/fake_cuda once, for tests in TypeScript, or knows why it cannot be used.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadNative } from '../../src/backends/native.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'test/native/fake_cuda');
const build = join(root, 'build/fake-cuda');
const stamp = join(build, 'inputs.sha256');
const lock = join(root, 'build/fake-cuda.lock');

/** The folder for `LD_LIBRARY_PATH`. */
export const fakeFolder: string = join(build, 'lib');

/** The folder of a library of that name that lacks most functions. */
export const incompleteFolder: string = join(build, 'incomplete');

/** A build takes about half a minute; a lock older than this is of a process that died. */
const LOCK_MS = 300_000;

/** What the addon finds on this machine without the fake; null without an addon. */
const real: { result: string; reason: string } | null = probeReal();

/** Whether this machine has a driver of its own, which a test that wants none would find. */
export const hasRealDriver: boolean = real !== null && !['noDriver', 'noGpuCode'].includes(real.result);

/** Why nothing can be tested on the fake driver here; empty when it can. */
export const fakeMissing: string = whyNot();

function whyNot(): string {
  if (process.platform !== 'linux') return 'the fake driver is made for Linux';
  if (real === null) return 'no native addon';
  if (real.result === 'noGpuCode') return real.reason;
  for (const tool of ['cmake', process.env['CXX'] || 'c++']) {
    if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0) return `no ${tool}`;
  }
  buildOnce();
  return '';
}

/** Asked in another process: this one is not to open a driver, so that it can still open the fake one. */
function probeReal(): { result: string; reason: string } | null {
  const loaded = loadNative();
  if (loaded.binding === null) return null;
  const code = `console.log(JSON.stringify(require(${JSON.stringify(loaded.path)}).cudaProbe()))`;
  return JSON.parse(spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' }).stdout);
}

/** One hash over what the fake is made of. */
function inputs(): string {
  const hash = createHash('sha256');
  for (const folder of [source, join(root, 'core'), join(root, 'cuda')]) {
    for (const name of readdirSync(folder).sort()) {
      if (/\.(h|cc|txt)$/.test(name)) hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex');
}

/** Test files run in processes of their own: one builds, the others wait. */
function buildOnce(): void {
  const wanted = inputs();
  const ready = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  mkdirSync(join(root, 'build'), { recursive: true });
  while (!ready()) {
    if (!tryLock()) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      continue;
    }
    try {
      if (!ready()) compile();
      writeFileSync(stamp, wanted);
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

function tryLock(): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const age = existsSync(lock) ? Date.now() - statSync(lock).mtimeMs : 0;
    if (age > LOCK_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function compile(): void {
  for (const args of [
    ['-S', source, '-B', build, '--log-level=WARNING'],
    ['--build', build, '--parallel', '2'],
  ]) {
    const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`cmake ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}
