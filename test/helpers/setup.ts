// Runs once around the whole test run: a run in which the native addon was not tested must not look like one in which
// it was. With ISOMETRY_REQUIRE_NATIVE=1, or when the build says that it made the addon, that is a failure; with
// ISOMETRY_REQUIRE_CUDA=1 so is an addon without GPU code, which nearly all tests of the GPU backend would skip.
import { existsSync, readFileSync } from 'node:fs';
import { cpuBackend } from '../../src/backends/cpu.js';
import { loadNative } from '../../src/backends/native.js';

const STATUS_FILE = new URL('../../build/native-status.json', import.meta.url);

function builtHere(): boolean {
  return existsSync(STATUS_FILE) && JSON.parse(readFileSync(STATUS_FILE, 'utf8')).built === true;
}

/** Throws when the addon must be there and is not; tells how it was at the end. */
export default function setup(): () => void {
  const probe = cpuBackend.probe();
  const turnedOff = process.env['ISOMETRY_BACKEND'] === 'js';
  if (!probe.available) {
    const required = process.env['ISOMETRY_REQUIRE_NATIVE'] === '1';
    if (required || (builtHere() && !turnedOff)) {
      const why = required ? 'ISOMETRY_REQUIRE_NATIVE=1' : 'build/native-status.json says that it was built';
      throw new Error(`the native addon must be tested (${why}) but did not load: ${probe.reason}`);
    }
  }
  if (process.env['ISOMETRY_REQUIRE_CUDA'] === '1' && !turnedOff) {
    const cuda = loadNative().binding?.cudaProbe();
    if (cuda === undefined || cuda.result === 'noGpuCode') {
      throw new Error(
        `the GPU code must be tested (ISOMETRY_REQUIRE_CUDA=1) but is not there: ${cuda?.reason ?? 'no addon'}`,
      );
    }
  }
  return () => {
    const text = probe.available
      ? `native addon: tested (${probe.detail})`
      : `native addon: NOT TESTED, only the JavaScript backend was: ${probe.reason}`;
    const line = '='.repeat(Math.min(100, text.length));
    console.log(probe.available ? `\n${text}` : `\n${line}\n${text}\n${line}`);
  };
}
