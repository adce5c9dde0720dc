import { constants } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { prepareFill } from '../../../src/fill.js';
import { orthogonal } from '../../../src/initializers/index.js';
import type { QrPrimitive } from '../../../src/job.js';
import { allocateNormals, makeMatrix, normalsOf } from '../../../src/js/qr-matrices.js';

function normals(shape: number[], dtype: 'float64' | 'float32' | 'float16' = 'float32') {
  const { request } = prepareFill('w', shape, orthogonal({ method: 'qr' }), { seed: 1, dtype });
  const primitive = request.jobs[0]!.primitive as QrPrimitive;
  return { primitive, normals: normalsOf(request, primitive), request };
}

describe('allocateNormals', () => {
  const refusal = (code: string, text: string) =>
    expect.objectContaining({ name: 'IsometryError', code, message: expect.stringContaining(text) });

  it('has room for one matrix, in the precision of the factorization', () => {
    expect(allocateNormals(normals([4, 3]).normals)).toEqual(new Float32Array(12));
    expect(allocateNormals(normals([3, 4], 'float16').normals)).toEqual(new Float32Array(12));
    expect(allocateNormals(normals([3, 4], 'float64').normals)).toEqual(new Float64Array(12));
  });

  it('asks how much memory there is before it takes much, and says what is missing', () => {
    // Normals of 4 bytes, and for a moment the same in 8.
    const { normals: large } = normals([4096, 4096]);
    const needed = 4096 * 4096 * 12;
    expect(() => allocateNormals(large, () => needed - 1)).toThrow(
      refusal('OUT_OF_MEMORY', `4096 × 4096 matrix needs ${needed} bytes of memory, but only ${needed - 1}`),
    );
    expect(allocateNormals(large, () => needed)).toHaveLength(4096 * 4096);
    const { normals: double } = normals([4096, 4096], 'float64');
    expect(() => allocateNormals(double, () => 4096 * 4096 * 8 - 1)).toThrow(
      refusal('OUT_OF_MEMORY', '134217728'),
    );
    const unasked = () => {
      throw new Error('nobody asks for so little');
    };
    expect(allocateNormals(normals([1000, 1000]).normals, unasked)).toHaveLength(1_000_000);
  });

  it('refuses what no array holds, however much memory there is', () => {
    const { normals: huge } = normals([2 ** 17, 2 ** 17]);
    // From Node 22 on arrays are limited by memory alone.
    const error =
      constants.MAX_LENGTH < 2 ** 34
        ? refusal(
            'TOO_LARGE',
            `has ${2 ** 34} elements, but one array holds at most ${constants.MAX_LENGTH}; use`,
          )
        : refusal('OUT_OF_MEMORY', 'but only 1 are available');
    expect(() => allocateNormals(huge, () => 1)).toThrow(error);
  });
});

describe('makeMatrix', () => {
  it('writes rows of outputs, with the signs of R and times gain, rounded once', () => {
    // Columns (0, −2, 0) and (−3, 5, 0): Q has −e₁ and −e₀, R₀₀ = 2 and R₁₁ = 3, both of them positive.
    const g = Float32Array.of(0, -2, 0, -3, 5, 0);
    const of = (shape: number[], gain: number, dtype: 'float32' | 'float64' | 'float16') => {
      const { primitive, normals: sizes } = normals(shape, dtype);
      const out =
        dtype === 'float16'
          ? new Uint16Array(6)
          : dtype === 'float64'
            ? new Float64Array(6)
            : new Float32Array(6);
      const work = makeMatrix(g.slice(), sizes, { ...primitive, gain }, dtype, out);
      let pauses = 0;
      while (work.next().done !== true) pauses++;
      expect(pauses).toBeGreaterThan(shape[0]!);
      return Array.from(out, (x) => x + 0);
    };
    expect(of([3, 2], 2, 'float64')).toEqual([0, -2, -2, 0, 0, 0]);
    expect(of([2, 3], 2, 'float64')).toEqual([0, -2, 0, -2, 0, 0]);
    expect(of([2, 3], -0.1, 'float32')).toEqual([0, Math.fround(0.1), 0, Math.fround(0.1), 0, 0]);
    // 0.1 is nearest 0x2e66 of the float16 numbers; a zero may have either sign.
    expect(of([2, 3], 0.1, 'float16').map((bits) => (bits === 0x8000 ? 0 : bits))).toEqual([
      0, 0xae66, 0, 0xae66, 0, 0,
    ]);
  });
});
