// A header as large as they may be, within bounds of time and memory. ISOMETRY_EXHAUSTIVE=1 takes the largest, of 10^6
// tensors and 82 MB; otherwise a twentieth of it.
import { expect, it } from 'vitest';
import { MAX_TENSORS, parseHeader } from '../../src/safetensors/parse-header.js';

const everything = process.env['ISOMETRY_EXHAUSTIVE'] === '1';
const count = everything ? MAX_TENSORS : MAX_TENSORS / 20;

/** A header of `tensors` tensors of four bytes. */
function headerOf(tensors: number): Buffer {
  const entries = Array.from({ length: tensors }, (_, i) => {
    const name = `model.layers.${String(i).padStart(8, '0')}.w`;
    return `"${name}":{"dtype":"F32","shape":[1],"data_offsets":[${4 * i},${4 * i + 4}]}`;
  });
  return Buffer.from(`{${entries.join(',')}}`);
}

it('a header of very many tensors takes less than 10 µs of CPU and 1.5 kB for each', {
  timeout: 300_000,
}, () => {
  const header = headerOf(count);
  const rss = process.memoryUsage.rss();
  const before = process.cpuUsage();
  const { tensors } = parseHeader(header, 4 * count, 'f');
  const { user, system } = process.cpuUsage(before);
  expect(tensors.length).toBe(count);
  // What a small header takes is mostly what the engine takes to compile.
  expect(user + system).toBeLessThan(10 * count + 2e6);
  expect(process.memoryUsage.rss() - rss).toBeLessThan(1500 * count + 1e8);
});

if (everything) {
  it('one tensor more than the most is refused', { timeout: 300_000 }, () => {
    expect(() => parseHeader(headerOf(MAX_TENSORS + 1), 4 * (MAX_TENSORS + 1), 'f')).toThrow(
      /more than 1000000 tensors/,
    );
  });
}
