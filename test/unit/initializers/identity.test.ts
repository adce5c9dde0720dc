import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { type IdentityOptions, identity, lawOf } from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const values = (shape: readonly number[], options: object = {}, init = identity()): number[] => [
  ...fillSync('w', shape, init, { seed: 1, ...options }).toFloat32(),
];

describe('identity', () => {
  it.each([
    [[1, 1], [1]],
    [
      [2, 2],
      [1, 0, 0, 1],
    ],
    [
      [2, 4],
      [1, 0, 0, 0, 0, 1, 0, 0],
    ],
    [
      [4, 2],
      [1, 0, 0, 1, 0, 0, 0, 0],
    ],
    [
      [1, 3],
      [1, 0, 0],
    ],
    [[0, 3], []],
    [[3, 0], []],
  ])('of shape %j has ones on the main diagonal', (shape, expected) => {
    expect(values(shape)).toEqual(expected);
    expect(values(shape, { layout: 'IO' })).toEqual(expected);
  });

  it('is stacked along E, wherever it is', () => {
    const three = [1, 0, 0, 0, 1, 0];
    expect(values([2, 2, 3], { layout: 'EOI' })).toEqual([...three, ...three]);
    expect(values([2, 3, 2], { layout: 'OIE' })).toEqual(three.flatMap((x) => [x, x]));
    expect(values([2, 1, 1], { layout: 'EOI' })).toEqual([1, 1]);
    expect(values([2, 2, 2, 2], { layout: 'EEOI' })).toEqual([1, 2, 3, 4].flatMap(() => [1, 0, 0, 1]));
  });

  it('has one input where the layout has no axis of them', () => {
    expect(values([3], { layout: 'O' })).toEqual([1, 0, 0]);
  });

  it.each(['float64', 'float32', 'float16', 'bfloat16'] as const)('has its gain in %s', (dtype) => {
    expect(values([2, 2], { dtype }, identity({ gain: -0.375 }))).toEqual([-0.375, 0, 0, -0.375]);
  });

  it('of gain 0 is zero', () => {
    expect(lawOf(identity({ gain: -0 }), { name: 'w', shape: [2, 2] })).toEqual({
      kind: 'constant',
      value: 0,
    });
  });

  it('does not depend on seed and name', () => {
    const other = fillSync('other', [3, 5], identity(), { seed: 2 }).toFloat32();
    expect([...other]).toEqual(values([3, 5]));
  });

  it.each([[{ gain: Number.NaN }], [{ gain: null }], [{ gain: '1' }], [{ gain: 1n }]])(
    'rejects %o',
    (options) => {
      expect(() => identity(options as IdentityOptions)).toThrow(invalid('INVALID_OPTION', 'identity.gain'));
    },
  );

  it.each([
    [[3], {}, 'INVALID_SHAPE', 'a bias or scale is no kernel'],
    [[], {}, 'INVALID_SHAPE', 'a shape of rank 2 to 5 or a layout'],
    [[2, 2, 2], {}, 'INVALID_SHAPE', 'use dirac()'],
    [[2, 2, 3, 3], { layout: 'OIHW' }, 'INVALID_LAYOUT', 'use dirac()'],
    [[2, 2], { layout: 'IH' }, 'INVALID_LAYOUT', 'a layout with an axis O'],
    [[4, 2], { groups: 2 }, 'INVALID_OPTION', 'expected 1 for groups of identity tensor "w"'],
  ])('of shape %j with %j is an error', (shape, options, code, text) => {
    expect(() => values(shape, options)).toThrow(invalid(code, text));
  });

  it('does not overflow its dtype', () => {
    const large = identity({ gain: 65520 });
    expect(() => values([2, 2], { dtype: 'float16' }, large)).toThrow(
      invalid('INVALID_OPTION', 'overflows float16'),
    );
    expect(values([1, 1], {}, large)).toEqual([65520]);
  });

  it('stands in a plan', () => {
    const plan = (tensor: object): object => ({
      tensors: [{ name: 'w', shape: [3, 2], init: { kind: 'identity', gain: 2 }, ...tensor }],
    });
    expect(parsePlan(plan({})).tensors[0]!.init).toEqual(identity({ gain: 2 }));
    expect(() => parsePlan(plan({ shape: [3, 2, 3] }))).toThrow(invalid('PLAN_ERROR', '/tensors/0'));
  });
});
