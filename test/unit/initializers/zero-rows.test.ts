import { describe, expect, it } from 'vitest';
import {
  fillSync,
  type Initializer,
  normal,
  ones,
  orthogonal,
  sparse,
  uniform,
  zeroRows,
} from '../../../src/index.js';
import { lawOf } from '../../../src/initializers/index.js';
import { lawMoments } from '../../../src/moments.js';

const init = normal({ mean: 3, std: 0.02 });

describe('zeroRows', () => {
  it.each(['float64', 'float32', 'float16', 'bfloat16'] as const)(
    'leaves the other rows as they are, %s',
    (dtype) => {
      for (const device of ['js', 'cpu', 'auto'] as const) {
        if (device === 'cpu' && process.env['ISOMETRY_BACKEND'] === 'js') continue;
        const options = { seed: 7, dtype, device: device === 'cpu' ? ('auto' as const) : device };
        const whole = fillSync('e', [9, 5], init, options).data;
        const rows = [8, 0, 3, 4];
        const made = fillSync('e', [9, 5], zeroRows({ init, rows }), options).data;
        const expected = whole.map((value, index) => (rows.includes(Math.floor(index / 5)) ? 0 : value));
        expect(made).toEqual(expected);
        expect(made.filter((value) => value === 0)).toHaveLength(20);
      }
    },
  );

  it('of slices is the slice of the whole', () => {
    const law = zeroRows({ init: uniform({ min: 1, max: 2 }), rows: [1, 2, 6] });
    const whole = fillSync('e', [7, 3, 2], law, { seed: 1 }).data;
    for (const [a, b] of [
      [0, 7],
      [1, 3],
      [2, 7],
      [3, 4],
    ] as const) {
      const part = fillSync('e', [7, 3, 2], law, { seed: 1, slice: [[a, b], null, [1, 2]] }).data;
      expect(part).toEqual(whole.filter((_, i) => i >= a * 6 && i < b * 6 && i % 2 === 1));
    }
  });

  it('has the moments of both parts', () => {
    const law = lawOf(zeroRows({ init: ones(), rows: [0] }), { name: 'e', shape: [4, 8] });
    expect(lawMoments(law, 32)).toEqual({ mean: 0.75, std: Math.sqrt(0.75 - 0.75 ** 2) });
  });

  it('of no rows is the law alone, and of all rows zeros', () => {
    expect(lawOf(zeroRows({ init, rows: [] }), { name: 'e', shape: [2, 2] })).toMatchObject({
      kind: 'normal',
    });
    expect(fillSync('e', [2, 2], zeroRows({ init, rows: [0, 1] }), { seed: 1 }).data).toEqual(
      new Float32Array(4),
    );
    expect(fillSync('e', [3, 0], zeroRows({ init, rows: [0, 1] }), { seed: 1 }).data).toHaveLength(0);
  });

  it('is data with its rows in order', () => {
    expect(zeroRows({ init: ones(), rows: [5, 1] })).toEqual({
      kind: 'zeroRows',
      init: { kind: 'ones' },
      rows: [1, 5],
    });
    expect(Object.isFrozen(zeroRows({ init, rows: [1] }).rows)).toBe(true);
  });

  const bad: [string, () => unknown, string, RegExp][] = [
    [
      'no list',
      () => zeroRows({ init, rows: 0 as unknown as number[] }),
      'INVALID_OPTION',
      /different whole numbers/,
    ],
    ['a fraction', () => zeroRows({ init, rows: [0.5] }), 'INVALID_OPTION', /different whole numbers/],
    ['a row twice', () => zeroRows({ init, rows: [1, 1] }), 'INVALID_OPTION', /different whole numbers/],
    ['a negative row', () => zeroRows({ init, rows: [-1] }), 'INVALID_OPTION', /different whole numbers/],
    [
      'no law',
      () => zeroRows({ init: 3 as unknown as Initializer, rows: [] }),
      'INVALID_INITIALIZER',
      /zeroRows.init/,
    ],
    [
      'itself',
      () => zeroRows({ init: zeroRows({ init, rows: [] }), rows: [] }),
      'INVALID_INITIALIZER',
      /all rows at once/,
    ],
    [
      'a row too many',
      () => fillSync('e', [2, 2], zeroRows({ init, rows: [2] }), { seed: 1 }),
      'INVALID_OPTION',
      /from 0 to 1/,
    ],
    [
      'a scalar',
      () => fillSync('e', [], zeroRows({ init, rows: [0] }), { seed: 1 }),
      'INVALID_SHAPE',
      /one axis/,
    ],
    [
      'orthogonal rows',
      () => fillSync('e', [2, 2], zeroRows({ init: orthogonal(), rows: [0] }), { seed: 1 }),
      'INVALID_INITIALIZER',
      /independent/,
    ],
    [
      'orthogonal rows by QR',
      () => fillSync('e', [2, 2], zeroRows({ init: orthogonal({ method: 'qr' }), rows: [0] }), { seed: 1 }),
      'INVALID_INITIALIZER',
      /independent/,
    ],
    [
      'exact counts',
      () => fillSync('e', [4, 4], zeroRows({ init: sparse({ sparsity: 0.5 }), rows: [0] }), { seed: 1 }),
      'INVALID_INITIALIZER',
      /independent/,
    ],
  ];
  it.each(bad)('refuses %s', (_, make, code, message) => {
    expect(make).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});
