import { expect, it } from 'vitest';
import { applyFactor } from '../../../src/js/convolution-orthogonal.js';
import { orthogonalize } from '../../../src/js/qr.js';

/** Numbers without pattern. */
function noise(length: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

it('multiplies by dense matrices P + (I − P)·z, as the definition says', () => {
  const [n, inputs, size] = [6, 5, 3];
  const matrix = n * inputs;
  for (const count of [0, 2, 6]) {
    for (const complement of [false, true]) {
      const columns = noise(n * count, 3);
      if (count > 0) for (const _ of orthogonalize(columns, n, count));
      const p = (r: number, c: number): number => {
        let sum = 0;
        for (let k = 0; k < count; k++) sum += columns[k * n + r]! * columns[k * n + c]!;
        return complement ? (r === c ? 1 : 0) - sum : sum;
      };
      for (const [extents, axis] of [
        [[2, 1], 1],
        [[2, 1], 0],
        [[1, 2], 0],
      ] as const) {
        const taps = new Float64Array(size * size * matrix);
        for (let a = 0; a < extents[0]; a++)
          for (let b = 0; b < extents[1]; b++)
            taps.set(noise(matrix, 7 + a * 3 + b), (a * size + b) * matrix);
        const before = taps.slice();
        const grown = [...extents];
        const projection = { columns, count, complement };
        for (const _ of applyFactor(taps, { outputs: n, inputs, size }, projection, grown, axis));
        expect(grown[axis]).toBe(extents[axis] + 1);
        const step = axis === 0 ? size * matrix : matrix;
        for (let at = 0; at < taps.length; at++) {
          const [row, col] = [at % n, at - (at % n)];
          let sum = 0;
          for (let k = 0; k < n; k++) {
            sum += p(row, k) * before[col + k]!;
            const moved = (axis === 0 ? at : at % (size * matrix)) >= step ? before[col - step + k]! : 0;
            sum += ((k === row ? 1 : 0) - p(row, k)) * moved;
          }
          expect(Math.abs(taps[at]! - sum)).toBeLessThan(1e-13);
        }
      }
    }
  }
});
