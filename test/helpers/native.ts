// What the tests know about the native addon. A test of it is registered with `describeNative` or `itNative`: where
// the addon is missing it shows as skipped with the reason, and the run says so at its end (test/helpers/setup.ts).
import { describe, it, type TestOptions } from 'vitest';
import { loadNative, type NativeBinding } from '../../src/backends/native.js';

const loaded = loadNative();

/** The addon's functions, or null. */
export const native: NativeBinding | null = loaded.binding;

/** Why there is no addon; empty when there is one. */
export const nativeMissing: string = loaded.binding === null ? loaded.reason : '';

/** The SIMD targets that this machine runs, best first; empty without the addon. */
export const simdTargets: readonly string[] = (native?.targets() ?? [])
  .filter((target) => target.supported)
  .map((target) => target.name);

/** `describe` for tests that need the addon. */
export function describeNative(name: string, body: () => void): void {
  if (native !== null) describe(name, body);
  else describe.skip(`${name} [no native addon: ${nativeMissing}]`, body);
}

/** `it` for a test that needs the addon. */
export function itNative(name: string, body: () => void | Promise<void>, options: TestOptions = {}): void {
  if (native !== null) it(name, options, body);
  else it.skip(`${name} [no native addon: ${nativeMissing}]`, options, body);
}

/** For tests that take the time: a busy machine may be slow once, not three times. */
export const TIMED: TestOptions = { retry: 2 };
