import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Measurement, measureTensor } from '../../../../src/model/verify/measure.js';
import type { StoredDType } from '../../../../src/safetensors/dtypes.js';
import { encodeHeader, placeTensors } from '../../../../src/safetensors/header.js';
import { SafetensorsReader } from '../../../../src/safetensors/read.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-measure-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function measure(dtype: StoredDType, data: ArrayBufferView & { length: number }, near?: number) {
  const path = join(dir, 'f');
  const header = encodeHeader(placeTensors([{ name: 'w', dtype, shape: [data.length] }]));
  writeFileSync(path, Buffer.concat([header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
  const reader = await SafetensorsReader.open(path);
  try {
    return await measureTensor(reader, reader.tensors[0]!, near);
  } finally {
    await reader.close();
  }
}

/** The textbook's two passes. */
function moments(values: number[]): Omit<Measurement, 'nonFinite'> {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const power = (k: number): number => values.reduce((a, b) => a + (b - mean) ** k, 0) / n;
  return {
    count: n,
    mean,
    std: Math.sqrt(power(2)),
    kurtosis: power(4) / power(2) ** 2,
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

function expectClose(measured: Measurement | undefined, values: number[]): void {
  for (const [key, value] of Object.entries(moments(values))) {
    expect(measured![key as keyof Measurement], key).toBeCloseTo(value, 9);
  }
}

const VALUES = [0.5, -1.25, 3, 0, 2, -0.5, 1.5];

test('float64 and float32', async () => {
  expectClose(await measure('F64', Float64Array.from(VALUES)), VALUES);
  expectClose(await measure('F32', Float32Array.from(VALUES), 0.3), VALUES);
});

test('bfloat16 and float16 bit patterns', async () => {
  const asFloat = new Float32Array(VALUES);
  const bits = Array.from(new Uint32Array(asFloat.buffer), (word) => word >>> 16);
  expectClose(await measure('BF16', Uint16Array.from(bits)), VALUES);
  // 0.5, −1.25, 3, 0 in IEEE binary16
  expectClose(await measure('F16', Uint16Array.of(0x3800, 0xbd00, 0x4200, 0)), [0.5, -1.25, 3, 0]);
});

test('more than one piece, far from zero', async () => {
  const values = Float64Array.from({ length: 1_500_000 }, (_, i) => 1e6 + (i % 10));
  const measured = await measure('F64', values, 1e6);
  expect(measured!.mean).toBeCloseTo(1e6 + 4.5, 6);
  expect(measured!.std).toBeCloseTo(Math.sqrt(8.25), 6);
});

test('NaN and infinities are counted and left out', async () => {
  const measured = await measure('F32', Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, 3));
  expect(measured).toMatchObject({ count: 4, nonFinite: 2, mean: 2, std: 1, min: 1, max: 3 });
});

test('equal elements have exactly no deviation', async () => {
  expect(await measure('F32', new Float32Array(1000).fill(0.1))).toMatchObject({
    mean: Math.fround(0.1),
    std: 0,
  });
});

test('empty tensors and dtypes that are not floats', async () => {
  expect(await measure('F32', new Float32Array(0))).toMatchObject({
    count: 0,
    nonFinite: 0,
    mean: Number.NaN,
  });
  expect(await measure('I64', new BigInt64Array(3))).toBeUndefined();
});
