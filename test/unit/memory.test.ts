import { describe, expect, it } from 'vitest';
import { allocateTensor, checkWorkMemory, markTouched, promisedBytes } from '../../src/memory.js';

describe('allocateTensor', () => {
  it('gives the dtype’s array', () => {
    expect(allocateTensor('float64', 3, 'w')).toEqual(new Float64Array(3));
    expect(allocateTensor('bfloat16', 3, 'w')).toEqual(new Uint16Array(3));
    expect(allocateTensor('float32', 0, 'w')).toHaveLength(0);
  });

  it('refuses more than is available, naming both sizes and the remedies', () => {
    const refused = () => allocateTensor('float32', 2 ** 26, 'decoder.weight', () => 2 ** 28 - 1);
    expect(refused).toThrowError(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
    expect(refused).toThrow(/decoder\.weight needs 268435456 bytes.*only 268435455.*slice.*writeCheckpoint/);
    expect(allocateTensor('float32', 2 ** 26, 'w', () => 2 ** 28)).toHaveLength(2 ** 26);
  });

  it('does not ask the system for small arrays', () => {
    const never = () => {
      throw new Error('asked');
    };
    expect(allocateTensor('float32', 2 ** 20, 'w', never)).toHaveLength(2 ** 20);
  });

  it('refuses what no array can hold', () => {
    expect(() => allocateTensor('float32', 2 ** 53 - 1, 'w', () => Number.MAX_VALUE)).toThrowError(
      expect.objectContaining({ code: expect.stringMatching(/TOO_LARGE|OUT_OF_MEMORY/) }),
    );
  });
});

describe('checkWorkMemory', () => {
  const large = 2 ** 24; // numbers of float32: 64 MiB

  it('counts what is promised to a target that nobody has written to', () => {
    const target = allocateTensor('float32', large, 'w');
    expect(promisedBytes(target.subarray(1))).toBe(2 ** 26);
    const check = (): void => checkWorkMemory(1000, target, 'a matrix', () => 2 ** 26 + 999);
    expect(check).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringContaining('a matrix needs 1000 bytes of work memory, but only 999 are'),
      }),
    );
    expect(() => checkWorkMemory(1000, target, 'a matrix', () => 2 ** 26 + 1000)).not.toThrow();
    markTouched(target);
    expect(promisedBytes(target)).toBe(0);
    expect(check).not.toThrow();
  });

  it('does not ask the system about little', () => {
    const asked = (): number => {
      throw new Error('asked');
    };
    expect(() => checkWorkMemory(1000, new Float32Array(10), 'a matrix', asked)).not.toThrow();
  });
});
