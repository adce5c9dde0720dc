// orthogonal({ method: 'qr' }) by cuSOLVER on a real device: as orthogonal as the CPU's, and equal to it to rounding.
import { expect, it } from 'vitest';
import { type DType, fill, orthogonal, type Tensor } from '../../src/index.js';
import { describeGpu } from './device.js';

const init = orthogonal({ method: 'qr', gain: 1.5 });
const SHAPES: readonly (readonly [number, number])[] = [
  [1, 1],
  [64, 64],
  [300, 65],
  [65, 300],
];
/** Largest difference, of numbers up to 1.5: some 100 roundings. */
const TOLERANCE: readonly (readonly [DType, number])[] = [
  ['float32', 2e-5],
  ['float64', 1e-13],
];

/** The largest |QᵀQ − gain²·I|, by rows or by columns, whichever are fewer. */
function error({ data, shape }: Tensor): number {
  const [rows, columns] = shape as [number, number];
  const [vectors, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const at = (v: number, i: number): number =>
    Number(rows <= columns ? data[v * columns + i] : data[i * columns + v]);
  let worst = 0;
  for (let a = 0; a < vectors; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = a === b ? -(1.5 ** 2) : 0;
      for (let i = 0; i < length; i++) sum += at(a, i) * at(b, i);
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

describeGpu('orthogonal by QR on the device', () => {
  it.each(TOLERANCE)('%s', async (dtype, tolerance) => {
    for (const shape of SHAPES) {
      const ours = await fill('q', shape, init, { seed: 5, dtype, device: 'cuda' });
      const cpu = await fill('q', shape, init, { seed: 5, dtype, device: 'cpu' });
      expect(error(ours)).toBeLessThan(tolerance);
      let difference = 0;
      for (let i = 0; i < ours.data.length; i++) {
        difference = Math.max(difference, Math.abs(Number(ours.data[i]) - Number(cpu.data[i])));
      }
      expect(difference).toBeLessThan(100 * tolerance); // a badly conditioned G moves Q by more than a rounding
    }
  });
});
