// The fake libcuda.so.1 of test/native/fake_cuda for tests in TypeScript: put before a child process, and asked
// afterwards whether anything leaked or was done wrong.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestOptions } from 'vitest';
import { type ChildOptions, type ChildResult, runNode } from './child.js';
import { fakeFolder, fakeMissing } from './fake-cuda-build.js';

/** With ISOMETRY_REQUIRE_CUDA=1 what cannot be tested is a failure. */
const required = process.env['ISOMETRY_REQUIRE_CUDA'] === '1';

/** `describe` for tests that need the addon with its GPU code, and the fake driver. */
export function describeFakeCuda(name: string, body: () => void): void {
  if (fakeMissing === '') describe(name, body);
  else if (required) it(`${name}: can be tested here`, () => expect(fakeMissing).toBe(''));
  else describe.skip(`${name} [${fakeMissing}]`, body);
}

/** What the fake is told; test/native/fake_cuda/control.h says what each means. */
export interface FakeSettings {
  readonly version?: number;
  readonly init?: number;
  readonly devices?: number;
  readonly capability?: number;
  readonly memory?: number;
  readonly async?: 0 | 1;
  readonly delay?: number;
  readonly failAt?: string | number;
  readonly failCode?: number;
  readonly failForever?: 0 | 1;
  readonly log?: string;
}

/** The environment of a process that is to find the fake driver. */
export function fakeEnv(settings: FakeSettings = {}, folder: string = fakeFolder): Record<string, string> {
  const env: Record<string, string> = { LD_LIBRARY_PATH: folder };
  for (const [key, value] of Object.entries(settings)) {
    env[`FAKE_CUDA_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`] = String(value);
  }
  return env;
}

/**
 * Makes this very process find the fake driver; to be called before anything asks for GPUs. The system opens a library
 * by its name only if none of that name is loaded.
 */
export function openFakeHere(settings: FakeSettings = {}): void {
  Object.assign(process.env, fakeEnv(settings));
  try {
    process.dlopen({ exports: {} }, join(fakeFolder, 'libcuda.so.1'));
  } catch {
    // Loaded, and no addon of Node's: that is the error.
  }
}

/** What the fake found when the process ended. */
export interface FakeReport {
  /** Objects that were never freed. */
  readonly live: number;
  readonly bytes: number;
  readonly streams: number;
  readonly events: number;
  readonly modules: number;
  readonly contexts: number;
  readonly calls: number;
  readonly launches: number;
  readonly allocations: number;
  /** What was done wrong, in words. */
  readonly damage: readonly string[];
}

export interface FakeResult extends ChildResult {
  /** Whether the process opened the driver. */
  readonly opened: boolean;
  /** Null when it did not, or was killed. */
  readonly report: FakeReport | null;
}

/** A small law to fill with, how to compare, and the fake's controls; see fake-control.mjs. */
const PREPARE = `
  const { gpu, failCall, initReturns } = await import(${JSON.stringify(new URL('fake-control.mjs', import.meta.url).href)});
  const { fill, fillSync, fillInto, normal, uniform, truncatedNormal, zeros, deviceMemory } = isometry;
  const law = normal({ std: 0.5 });
  const bytesOf = ({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const same = (a, b) => a.data.length === b.data.length && bytesOf(a).equals(bytesOf(b));
  /** How a promise or a function ends: 'ok', an error's code, or its name. */
  const outcome = async (action) => {
    try {
      await (typeof action === 'function' ? action() : action);
      return 'ok';
    } catch (error) {
      globalThis.last = error;
      return error?.name === 'IsometryError' ? error.code : error?.name ?? String(error);
    }
  };
  const settled = async (test, ms = 5000) => {
    for (const end = Date.now() + ms; !(await test()) && Date.now() < end; ) await new Promise((go) => setTimeout(go, 5));
  };
  const print = (...values) => console.log(values.map((value) => JSON.stringify(value)).join(' '));
`;

/** Runs `code` in a Node of its own on the fake driver. `gpu()`, `failCall()`, `fill`, `law` … are defined in it. */
export async function runFake(
  code: string,
  settings: FakeSettings = {},
  options: ChildOptions & { readonly folder?: string } = {},
): Promise<FakeResult> {
  const scratch = await mkdtemp(join(tmpdir(), 'isometry-fake-'));
  try {
    const control = join(scratch, 'control');
    const reportFile = join(scratch, 'report.json');
    writeFileSync(control, Buffer.alloc(24 * 8));
    const { folder = fakeFolder, env, ...rest } = options;
    const result = await runNode(PREPARE + code, {
      ...rest,
      env: {
        ...fakeEnv(settings, folder),
        FAKE_CUDA_CONTROL: control,
        FAKE_CUDA_REPORT: reportFile,
        ...env,
      },
    });
    const report = existsSync(reportFile)
      ? (JSON.parse(readFileSync(reportFile, 'utf8')) as FakeReport)
      : null;
    return { ...result, opened: readFileSync(control).readBigInt64LE(0) === 1n, report };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** {@link runFake} of code that must end well, leak nothing and do nothing wrong; what it printed, line by line. */
export async function runClean(
  code: string,
  settings: FakeSettings = {},
  options: ChildOptions & { readonly folder?: string } = {},
): Promise<string[]> {
  const result = await runFake(code, settings, options);
  expect([result.code, result.signal, result.stderr]).toEqual([0, null, '']);
  if (result.opened) expect(result.report).toMatchObject({ damage: [], live: 0 });
  return result.stdout.split('\n').slice(0, -1);
}

/** For tests that take seconds: the kernels run on the CPU, and the machine may be busy. */
export const SLOW: TestOptions = { timeout: 60_000 };
