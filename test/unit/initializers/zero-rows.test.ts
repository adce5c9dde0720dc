import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES } from '../../../src/dtype.js';
import { fillSync } from '../../../src/fill.js';
import * as api from '../../../src/initializers/index.js';
import { lawOf, normal, zeroRows } from '../../../src/initializers/index.js';
import { lawMoments } from '../../../src/moments.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('zeroRows', () => {
  it('sorts its rows', () => {
    const init = normal({ std: 0.02 });
    expect(zeroRows({ init, rows: [5, 0, -0 + 2] })).toEqual({
      kind: 'zeroRows',
      init: { ...init },
      rows: [0, 2, 5],
    });
  });

  it.each(DTYPE_NAMES)('is what init gives, with rows of +0, in %s', (dtype) => {
    const shape = [9, 3, 4];
    for (const layout of ['OIK', 'LIO', undefined]) {
      const options = { seed: 8, dtype, ...(layout === undefined ? {} : { layout }) };
      const init = api.heNormal();
      const all = fillSync('w', shape, init, options).data;
      const rows = [0, 3, 4, 5, 8];
      const found = fillSync('w', shape, zeroRows({ init, rows }), options).data;
      for (const [i, x] of found.entries())
        expect(Object.is(x, rows.includes(Math.floor(i / 12)) ? 0 : all[i])).toBe(true);
    }
  });

  it('makes one box of neighbouring rows', () => {
    const law = lawOf(zeroRows({ init: normal({ std: 1 }), rows: [0, 1, 2, 7, 9, 10] }), {
      name: 'w',
      shape: [11, 2],
    });
    expect(law).toMatchObject({ kind: 'parts', parts: { length: 4 } });
    if (law.kind !== 'parts') throw new Error();
    expect(
      law.parts.slice(1).map(({ placement }) => [placement.origin[0], placement.axes[0]!.extent]),
    ).toEqual([
      [0, 3],
      [7, 1],
      [9, 2],
    ]);
  });

  it('gives every slice alone', () => {
    const init = zeroRows({ init: normal({ std: 1 }), rows: [2, 5] });
    const all = fillSync('w', [8, 5], init, { seed: 1 }).data;
    const slice = [
      [1, 6],
      [2, 4],
    ] as const;
    const part = fillSync('w', [8, 5], init, { seed: 1, slice }).data;
    expect([...part]).toEqual([1, 2, 3, 4, 5].flatMap((r) => [all[r * 5 + 2], all[r * 5 + 3]]));
  });

  it('knows its moments', () => {
    const law = lawOf(zeroRows({ init: normal({ mean: 3, std: 2 }), rows: [1] }), {
      name: 'w',
      shape: [4, 5],
    });
    const { mean, std } = lawMoments(law, 20);
    expect(mean).toBeCloseTo(9 / 4, 14);
    expect(std).toBeCloseTo(Math.sqrt((3 / 4) * (4 + 9) - (9 / 4) ** 2), 13);
  });

  it('is simpler where there is nothing to tell apart', () => {
    const tensor = { name: 'w', shape: [2, 3] };
    const init = normal({ std: 1 });
    expect(lawOf(zeroRows({ init, rows: [] }), tensor)).toEqual(lawOf(init, tensor));
    expect(lawOf(zeroRows({ init, rows: [1, 0] }), tensor)).toEqual({ kind: 'constant', value: 0 });
    expect(fillSync('w', [3, 0], zeroRows({ init, rows: [1] }), { seed: 1 }).data.length).toBe(0);
  });

  it.each([
    api.orthogonal(),
    api.sparse({ sparsity: 0.5 }),
    api.zero(),
    api.sinusoidal({ order: 'halves' }),
    api.orthogonal({ method: 'qr' }),
  ])('refuses $kind, whose elements depend on each other', (init) => {
    expect(() => fillSync('w', [6, 4], zeroRows({ init, rows: [1] }), { seed: 1 })).toThrow(
      invalid('INVALID_INITIALIZER', 'independent elements'),
    );
  });

  it('rejects other rows and initializers', () => {
    const init = normal({ std: 1 });
    for (const rows of [[-1], [0.5], [1, 1], '0', undefined, [Number.NaN]])
      expect(() => zeroRows({ init, rows } as never)).toThrow(invalid('INVALID_OPTION', 'zeroRows.rows'));
    expect(() => zeroRows({ rows: [0] } as never)).toThrow(invalid('INVALID_INITIALIZER', 'zeroRows.init'));
    expect(() => zeroRows({ init: { kind: 'normall', std: 1 }, rows: [0] } as never)).toThrow(
      invalid('INVALID_INITIALIZER', 'normal'),
    );
    const nested = zeroRows({ init, rows: [0] });
    expect(() => zeroRows({ init: nested, rows: [1] })).toThrow(
      invalid('INVALID_INITIALIZER', 'name all rows'),
    );
    expect(() => fillSync('w', [2, 3], zeroRows({ init, rows: [2] }), { seed: 1 })).toThrow(
      invalid('INVALID_OPTION', 'rows from 0 to 1'),
    );
    expect(() => fillSync('w', [], zeroRows({ init, rows: [0] }), { seed: 1 })).toThrow(
      invalid('INVALID_SHAPE', 'at least one axis'),
    );
  });
});
