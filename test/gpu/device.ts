// Tests that need a real GPU: registered with `describeGpu`, they show as skipped with the reason where there is none.
// ISOMETRY_TEST_FAKE_GPU=1 lets them run on the stand-in of test/native/fake_cuda (LD_LIBRARY_PATH must lead to it),
// which shows that the tests themselves work.
import { describe, expect, it } from 'vitest';
import { capabilities } from '../../src/index.js';

const report = capabilities().find(({ name }) => name === 'cuda');
const device = report?.cuda?.devices.find(({ usable }) => usable);
const fake = device?.name.startsWith('Fake GPU') ?? false;

/** Why there is no GPU to test on; empty when there is one. */
export const gpuMissing: string =
  device === undefined
    ? report === undefined || report.probe.available
      ? 'no usable GPU'
      : report.probe.reason
    : fake && process.env['ISOMETRY_TEST_FAKE_GPU'] !== '1'
      ? 'only the stand-in for a GPU'
      : '';

/** Whether what is tested is the stand-in, on which large sizes take for ever and other processes see nothing. */
export const onFake: boolean = fake;

/** `describe` for tests that need a GPU. With ISOMETRY_REQUIRE_GPU=1 its absence is a failure. */
export function describeGpu(name: string, body: () => void): void {
  if (gpuMissing === '') describe(`${name} [${device!.name}]`, body);
  else if (process.env['ISOMETRY_REQUIRE_GPU'] === '1') it(name, () => expect(gpuMissing).toBe(''));
  else describe.skip(`${name} [${gpuMissing}]`, body);
}
