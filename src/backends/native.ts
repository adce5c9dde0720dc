import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TensorArray } from '../dtype.js';
import type { NativeCuda } from './native-cuda.js';

/** How an asynchronous fill ended; `detached` means that someone took the target's buffer away. */
export type Outcome = 'done' | 'cancelled' | 'detached';

/** The addon's functions (binding/addon.cc). `words` is an encoded request; a window that starts at `start` goes into `target`. */
export interface NativeBinding extends NativeCuda {
  targets(): { name: string; supported: boolean }[];
  /** CPUs that this process may use. */
  cpus(): number;
  fillSync(words: Float64Array, target: TensorArray, start: number, simd?: string, threads?: number): void;
  fillAsync(
    words: Float64Array,
    target: TensorArray,
    start: number,
    simd: string | undefined,
    threads: number | undefined,
    callback: (outcome: Outcome) => void,
  ): number;
  /** `words` are encoded orthogonal matrices. Only their elements are written. */
  orthogonalSync(
    words: Float64Array,
    target: TensorArray,
    start: number,
    simd?: string,
    threads?: number,
  ): void;
  orthogonalAsync(
    words: Float64Array,
    target: TensorArray,
    start: number,
    simd: string | undefined,
    threads: number | undefined,
    callback: (outcome: Outcome) => void,
  ): number;
  /** Bytes of work memory that such a call needs beside the target. */
  orthogonalBytes(
    words: Float64Array,
    target: TensorArray,
    start: number,
    simd?: string,
    threads?: number,
  ): number;
  /**
   * Writes to an open file at a position, and has the system begin to bring that to the disk. `written` bytes were taken; where
   * those are not all, `errno` says why. On Linux only.
   */
  fileWrite?(
    fd: number,
    data: Uint8Array,
    position: number,
    callback: (written: number, errno: number) => void,
  ): void;
  /**
   * Computes windows, one behind the other, and writes them as `fileWrite` does, on a thread of Node's pool; without an array
   * between. `windows` has start and length of each. On Linux only.
   */
  fileFill?(
    fd: number,
    position: number,
    words: readonly Float64Array[],
    windows: Float64Array,
    simd: string | undefined,
    callback: (written: number, errno: number) => void,
  ): void;
  cancel(id: number): void;
  /** Cancels everything that runs for this environment and waits for it. */
  stop(): void;
}

/** What came of looking for the addon. `expected`: a binary is there, so that its not loading deserves a warning. */
export type Loaded =
  | { readonly binding: NativeBinding; readonly path: string }
  | { readonly binding: null; readonly reason: string; readonly expected: boolean };

/** Both src/ and dist/ are one below the package's root, and this file one below them. */
const packageRoot: string = fileURLToPath(new URL('../..', import.meta.url));

let cached: Loaded | undefined;

/** The addon, loaded at the first call; never throws. */
export function loadNative(): Loaded {
  cached ??= load(packageRoot);
  return cached;
}

/**
 * Finds, checks and opens the addon of the package in `root`.
 * @internal
 */
export function load(root: string): Loaded {
  if (process.env['ISOMETRY_BACKEND'] === 'js') {
    return { binding: null, reason: 'turned off by ISOMETRY_BACKEND=js', expected: false };
  }
  const require = createRequire(import.meta.url);
  let path: string;
  try {
    path = (require('node-gyp-build') as { resolve(folder: string): string }).resolve(root);
  } catch (error) {
    return { binding: null, reason: whyNotBuilt(root) ?? firstLine(error), expected: false };
  }
  let damage: string | null;
  try {
    damage = findDamage(path);
  } catch (error) {
    damage = `it cannot be read (${firstLine(error)})`;
  }
  if (damage !== null) return { binding: null, reason: `${path}: ${damage}`, expected: true };
  try {
    return { binding: require(path) as NativeBinding, path };
  } catch (error) {
    return { binding: null, reason: `${path}: ${firstLine(error)}`, expected: true };
  }
}

/**
 * What is wrong with a binary's bytes, or null. A truncated library must be caught before the system's loader opens
 * it: that ends in SIGBUS, which no `catch` sees.
 */
function findDamage(path: string): string | null {
  let known: { size: number; sha256: string } | null | undefined;
  try {
    known = readManifest(path);
  } catch (error) {
    return `its manifest cannot be read (${firstLine(error)})`;
  }
  if (known === undefined || known === null)
    return 'no size and checksum are recorded for it; rebuild with: npm run build:native';
  const bytes = readFileSync(path);
  if (bytes.length !== known.size)
    return `it has ${bytes.length} bytes instead of ${known.size}; it is incomplete`;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return sha256 === known.sha256 ? null : 'its SHA-256 is not the recorded one; it is damaged';
}

/** `NAME.node.json` beside a local build; one `manifest.json` for a folder of prebuilds. */
function readManifest(path: string): { size: number; sha256: string } | undefined {
  const own = `${path}.json`;
  if (existsSync(own)) return JSON.parse(readFileSync(own, 'utf8'));
  const shared = join(dirname(path), 'manifest.json');
  if (!existsSync(shared)) return undefined;
  return new Map<string, { size: number; sha256: string }>(
    Object.entries(JSON.parse(readFileSync(shared, 'utf8'))),
  ).get(basename(path));
}

/** What the build wrote down when it could not compile. */
function whyNotBuilt(root: string): string | undefined {
  try {
    const status = JSON.parse(readFileSync(join(root, 'build/native-status.json'), 'utf8'));
    return status.built ? undefined : `not built: ${status.reason}`;
  } catch {
    return undefined;
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!;
}
