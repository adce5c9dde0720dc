import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { constant, normal, ones } from '../../../src/initializers/index.js';
import { fillModel, type ModelTensor } from '../../../src/model/fill-model.js';
import { planLike } from '../../../src/model/plan/like.js';
import { writeSafetensors } from '../../helpers/safetensors.js';

const law = normal({ std: 0.5 });

describe('fillModel', () => {
  it('makes integers, copies and ties', async () => {
    const model = await fillModel(
      {
        tensors: [
          { name: 'again', copyOf: 'w' },
          { name: 'w', shape: [3, 2], init: law, zeroRows: [1] },
          { name: 'head', tie: 'w' },
          ...['int64', 'int32', 'int16', 'int8', 'uint8', 'bool'].map((dtype) => ({
            name: dtype,
            shape: [2],
            dtype,
            init: ones(),
          })),
          { name: 'low', shape: [], dtype: 'int16', init: constant({ value: -300 }) },
        ],
      },
      { seed: 4 },
    );
    expect([...model.keys()]).toEqual([
      'again',
      'w',
      'int64',
      'int32',
      'int16',
      'int8',
      'uint8',
      'bool',
      'low',
      'head',
    ]);
    const w = fillSync('w', [3, 2], law, { seed: 4 }).data.fill(0, 2, 4);
    expect(model.get('w')!.data).toEqual(w);
    expect(model.get('again')).toMatchObject({ name: 'again', shape: [3, 2], dtype: 'float32', data: w });
    expect(model.get('again')!.data).not.toBe(model.get('w')!.data);
    expect(model.get('head')).toBe(model.get('w'));
    expect(model.get('int64')!.data).toEqual(BigInt64Array.of(1n, 1n));
    expect(model.get('int32')!.data).toEqual(Int32Array.of(1, 1));
    expect(model.get('int16')!.data).toEqual(Int16Array.of(1, 1));
    expect(model.get('int8')!.data).toEqual(Int8Array.of(1, 1));
    expect(model.get('uint8')!.data).toEqual(Uint8Array.of(1, 1));
    expect(model.get('bool')!.data).toEqual(Uint8Array.of(1, 1));
    expect([...model.get('low')!.toFloat32()]).toEqual([-300]);
    expect([...model.get('int64')!.toFloat32()]).toEqual([1, 1]);
    expect(model.get('int64')!.byteLength).toBe(16);
    expectTypeOf(model.get('w')).toEqualTypeOf<ModelTensor | undefined>();
  });

  it('keeps neither integers nor copies on a device', async () => {
    const plan = { tensors: [{ name: 'steps', shape: [], dtype: 'int64', init: ones() }] };
    await expect(fillModel(plan, { seed: 1, keep: 'device' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('"steps"'),
    });
  });

  describe('with tensors of a file', () => {
    let folder: string;
    let path: string;
    const steps = BigInt64Array.of(5n, -6n);
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'isometry-fill-model-'));
      path = join(folder, 'm.safetensors');
      writeSafetensors(path, [
        { name: 'w', dtype: 'BF16', shape: [2], data: Uint16Array.of(1, 2) },
        { name: 'steps', dtype: 'I64', shape: [2], data: steps },
        { name: 'scale', dtype: 'F8_E5M2', shape: [3], data: Uint8Array.of(1, 2, 3) },
        { name: 'x', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) },
      ]);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it('reads them', async () => {
      const plan = await planLike(path, { rules: [{ match: '**', init: law }] }, { only: ['x', 'w'] });
      await expect(fillModel(plan, { seed: 1 })).rejects.toMatchObject({
        code: 'INVALID_DTYPE',
        message: expect.stringMatching(/"scale".*"F8_E5M2"/),
      });
      const known = join(folder, 'known.safetensors');
      writeSafetensors(known, [
        { name: 'w', dtype: 'BF16', shape: [2], data: Uint16Array.of(1, 2) },
        { name: 'steps', dtype: 'I64', shape: [2], data: steps },
      ]);
      const more = { tensors: [{ name: 'x', shape: [2], init: law }] };
      const model = await fillModel(await planLike(known, more, { fillMissing: true }), { seed: 1 });
      expect(model.get('steps')).toMatchObject({ dtype: 'int64', shape: [2], data: steps });
      expect(model.get('w')).toMatchObject({ dtype: 'bfloat16', data: Uint16Array.of(1, 2) });
      expect(model.get('x')!.data).toEqual(fillSync('x', [2], law, { seed: 1 }).data);
      expect([...model.keys()]).toEqual(['x', 'steps', 'w']);
    });
  });
});
