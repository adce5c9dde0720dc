import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { type DiracOptions, dirac } from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { indicesOf } from '../../helpers/elements.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const values = (shape: readonly number[], options: object = {}, init = dirac()): number[] => [
  ...fillSync('w', shape, init, { seed: 1, ...options }).toFloat32(),
];

/** One by one: output o of group g is its input o − g·(O/g), at the middle. */
function expected(shape: readonly number[], groups: number): number[] {
  const within = shape[0]! / groups;
  return [...indicesOf(shape)].map(([output, input, ...taps]) => {
    const middle = taps.every((tap, axis) => tap === Math.floor(shape[axis + 2]! / 2));
    return middle && output! % within === input ? 1 : 0;
  });
}

describe('dirac', () => {
  it.each([
    [[3, 3, 3], 1],
    [[3, 5, 4], 1],
    [[5, 3, 1], 1],
    [[6, 2, 3, 4], 3],
    [[6, 3, 3, 3], 2],
    [[6, 1, 3, 3], 6],
    [[12, 1, 2, 2], 4],
    [[12, 2, 2, 1], 6],
    [[4, 9, 1, 1], 2],
    [[2, 2, 2, 3, 5], 1],
    [[4, 2, 3, 1, 2], 2],
  ])('of shape %j and %i groups', (shape, groups) => {
    const ours = values(shape, {}, dirac({ groups }));
    expect(ours).toEqual(expected(shape, groups));
    expect(ours.filter((x) => x === 1)).toHaveLength(groups * Math.min(shape[0]! / groups, shape[1]!));
    // The tensor's groups mean the same.
    expect(values(shape, { groups })).toEqual(ours);
    expect(values(shape, { groups }, dirac({ groups }))).toEqual(ours);
  });

  it('is the same in other layouts, moved', () => {
    const torch = values([4, 2, 3, 5], { groups: 2 });
    const hwio = values([3, 5, 2, 4], { layout: 'HWIO', groups: 2 });
    for (const [k, [h, w, i, o]] of [...indicesOf([3, 5, 2, 4])].entries())
      expect(hwio[k]).toBe(torch[((o! * 2 + i!) * 3 + h!) * 5 + w!]);
  });

  it('of a transposed convolution has groups of inputs', () => {
    // [I, O/g, L]: input j·(I/g) + k is output k of group j.
    expect(values([4, 2, 1], { layout: 'IOL', groups: 2 })).toEqual([1, 0, 0, 1, 1, 0, 0, 1]);
    expect(values([2, 4, 1], { layout: 'IOL' })).toEqual([1, 0, 0, 0, 0, 1, 0, 0]);
  });

  it('is stacked along E, and of depthwise kernels of Keras', () => {
    expect(values([2, 1, 1, 3], { layout: 'EOIL' })).toEqual([0, 1, 0, 0, 1, 0]);
    // HWEO: each of the channels has one input, and its first output is that.
    const [channels, outputs] = [3, 2];
    const depthwise = values([3, 3, channels, outputs], { layout: 'HWEO' });
    for (const [k, [h, w, , o]] of [...indicesOf([3, 3, channels, outputs])].entries())
      expect(depthwise[k]).toBe(h === 1 && w === 1 && o === 0 ? 1 : 0);
  });

  it('of one tap, one output and one input is all ones; of no elements nothing', () => {
    expect(values([3, 1, 1], { groups: 3 })).toEqual([1, 1, 1]);
    expect(values([0, 3, 3])).toEqual([]);
    expect(values([3, 0, 3])).toEqual([]);
    expect(values([3, 3, 0])).toEqual([]);
  });

  it('passes a signal on', () => {
    const kernel = values([3, 3, 5]);
    const signal = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12],
    ];
    for (let o = 0; o < 3; o++) {
      for (let t = 0; t < 4; t++) {
        let sum = 0;
        for (let i = 0; i < 3; i++)
          for (let k = 0; k < 5; k++) sum += kernel[(o * 3 + i) * 5 + k]! * (signal[i]![t + k - 2] ?? 0);
        expect(sum).toBe(signal[o]![t]);
      }
    }
  });

  it('leaves groups out where they are not given', () => {
    expect(dirac()).toEqual({ kind: 'dirac' });
    expect(dirac({ groups: 2 })).toEqual({ kind: 'dirac', groups: 2 });
  });

  it.each([[0], [-1], [1.5], ['2'], [null], [2 ** 53]])('rejects %o groups', (groups) => {
    expect(() => dirac({ groups } as DiracOptions)).toThrow(invalid('INVALID_OPTION', 'dirac.groups'));
  });

  it.each([
    [[4, 4], {}, 'INVALID_SHAPE', 'for a matrix use identity()'],
    [[4, 4], { layout: 'IO' }, 'INVALID_LAYOUT', 'for a matrix use identity()'],
    [[4], {}, 'INVALID_SHAPE', 'zeros() or ones()'],
    [[1, 1, 1, 1, 1, 1], {}, 'INVALID_SHAPE', 'layout: "EOIDHW"'],
    [[4, 4, 3], { layout: 'IEL' }, 'INVALID_LAYOUT', 'an axis O'],
    [[4, 4, 3], { groups: 3 }, 'INVALID_OPTION', 'a divisor of axis O (4)'],
    [[4, 4, 3], { layout: 'IOL', groups: 3 }, 'INVALID_OPTION', 'a divisor of axis I (4)'],
  ])('of shape %j with %j is an error', (shape, options, code, text) => {
    expect(() => values(shape, options)).toThrow(invalid(code, text));
  });

  it('has the groups of the tensor or none', () => {
    expect(() => values([4, 2, 3], { groups: 2 }, dirac({ groups: 4 }))).toThrow(
      invalid(
        'INVALID_OPTION',
        'expected 2, as the tensor has, for groups of dirac tensor "w" but received 4',
      ),
    );
    expect(() => values([4, 2, 3], {}, dirac({ groups: 3 }))).toThrow(
      invalid('INVALID_OPTION', 'a divisor of axis O (4)'),
    );
  });

  it('stands in a plan', () => {
    const plan = (init: object, groups?: number): object => ({
      tensors: [{ name: 'w', shape: [4, 2, 3], init, ...(groups === undefined ? {} : { groups }) }],
    });
    expect(parsePlan(plan({ kind: 'dirac', groups: 2 })).tensors[0]!.init).toEqual(dirac({ groups: 2 }));
    expect(parsePlan(plan({ kind: 'dirac' }, 2)).tensors[0]!.init).toEqual(dirac());
    for (const wrong of [plan({ kind: 'dirac', groups: 0 }), plan({ kind: 'dirac', groups: 4 }, 2)])
      expect(() => parsePlan(wrong)).toThrow(invalid('PLAN_ERROR', '/tensors/0'));
  });
});
