import { describe, expect, it } from 'vitest';
import { type ConstantOptions, constant, lawOf, ones, zeros } from '../../../src/initializers/index.js';

const tensor = { name: 'b', shape: [4] };

describe('zeros, ones, constant', () => {
  it('mean their value, for any shape', () => {
    expect(lawOf(zeros(), tensor)).toEqual({ kind: 'constant', value: 0 });
    expect(lawOf(ones(), { name: 'g', shape: [] })).toEqual({ kind: 'constant', value: 1 });
    expect(lawOf(constant({ value: -2.5 }), tensor)).toEqual({ kind: 'constant', value: -2.5 });
  });

  it('are what JSON would say', () => {
    expect(JSON.stringify(zeros())).toBe('{"kind":"zeros"}');
    expect(JSON.stringify(constant({ value: 1e-5 }))).toBe('{"kind":"constant","value":0.00001}');
    expect(Object.is(constant({ value: -0 }).value, 0)).toBe(true);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined, true, [1]])(
    'reject value %s',
    (value) => {
      expect(() => constant({ value } as unknown as ConstantOptions)).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          message: expect.stringContaining('constant.value'),
        }),
      );
    },
  );

  it('take no other options', () => {
    expect(() => zeros({ value: 1 } as never)).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }));
    expect(() => ones({ value: 1 } as never)).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }));
    expect(() => constant({ val: 1 } as never)).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_OPTION',
        message: expect.stringContaining('did you mean "value"'),
      }),
    );
    expect(() => constant(3 as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
