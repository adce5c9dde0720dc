import { describe, expect, it } from 'vitest';
import { parsePlan } from '../../../../src/model/plan/plan.js';

const ones = { kind: 'ones' };
const zeros = { kind: 'zeros' };

describe('rules', () => {
  it('the first that matches makes a tensor; what the tensor says itself wins', () => {
    const plan = parsePlan({
      rules: [
        { match: ['a.*', 'b'], init: ones, dtype: 'bfloat16', layout: 'IO' },
        { match: '**', init: zeros, zeroRows: [1] },
      ],
      tensors: [
        { name: 'a.x', shape: [2, 2] },
        { name: 'b', shape: [2, 2], dtype: 'float64' },
        { name: 'c', shape: [2, 2], zeroRows: [0] },
        { name: 'a.y', shape: [2], init: { kind: 'constant', value: 3 } },
      ],
    });
    expect(plan.tensors).toEqual([
      { name: 'a.x', shape: [2, 2], init: ones, dtype: 'bfloat16', layout: 'IO', rule: 0 },
      { name: 'b', shape: [2, 2], init: ones, dtype: 'float64', layout: 'IO', rule: 0 },
      { name: 'c', shape: [2, 2], init: { kind: 'zeroRows', init: zeros, rows: [0] }, rule: 1 },
      { name: 'a.y', shape: [2], init: { kind: 'constant', value: 3 } },
    ]);
    expect(plan.warnings).toBeUndefined();
  });

  it('that make nothing are a warning', () => {
    const { warnings } = parsePlan({
      rules: [
        { match: 'a', init: ones },
        { match: ['a', 'nothing'], init: zeros },
      ],
      tensors: [{ name: 'a', shape: [] }],
    });
    expect(warnings).toHaveLength(1);
    expect(warnings![0]).toMatch(/^rule 1 \("a", "nothing"\) made no tensor/);
  });

  it('that leave tensors over are an error with their names', () => {
    const tensors = Array.from({ length: 25 }, (_, index) => ({ name: `t${index}`, shape: [1] }));
    expect(() => parsePlan({ rules: [{ match: 't1*', init: ones }], tensors })).toThrow(
      /none matches 14 of them: "t0", "t2", .*; add rules/,
    );
    expect(() => parsePlan({ rules: [{ match: 'x', init: ones }], tensors })).toThrow(
      /25 of them: .* and 5 more/,
    );
  });

  it('can tie and copy', () => {
    const plan = parsePlan({
      rules: [
        { match: 'head', tie: 'embed' },
        { match: 'again', copyOf: 'embed' },
      ],
      tensors: [
        { name: 'head', shape: [2] },
        { name: 'again', shape: [2] },
        { name: 'embed', shape: [2], init: ones, dtype: 'float16' },
      ],
    });
    expect(plan.ties).toEqual([{ name: 'head', to: 'embed' }]);
    expect(plan.tensors).toEqual([
      { name: 'again', shape: [2], init: ones, dtype: 'float16', stream: 'embed', rule: 1 },
      { name: 'embed', shape: [2], init: ones, dtype: 'float16' },
    ]);
  });

  const tensors = [{ name: 'a', shape: [2], init: ones }];
  it.each<[string, unknown, RegExp]>([
    ['no tensors', { rules: [{ match: 'a', init: ones }] }, /expected tensors beside the rules.*planLike/],
    [
      'an unknown key',
      { rules: [{ match: 'a', initt: ones }], tensors },
      /"initt" for \/rules\/0; did you mean "init"/,
    ],
    ['no match', { rules: [{ init: ones }], tensors }, /"match" in \/rules\/0/],
    ['an empty match', { rules: [{ match: [], init: ones }], tensors }, /\/rules\/0\/match/],
    ['a bad glob', { rules: [{ match: '[', init: ones }], tensors }, /a glob .* for \/rules\/0\/match/],
    [
      'a bad law',
      { rules: [{ match: '**', init: { kind: 'one' } }], tensors: [{ name: 'b', shape: [] }] },
      /did you mean "ones"/,
    ],
    [
      'a rule with two ways',
      { rules: [{ match: '**', init: ones, tie: 'a' }], tensors: [...tensors, { name: 'b', shape: [] }] },
      /one of init, tie/,
    ],
    [
      'a tensor with two ways',
      { tensors: [{ name: 'a', shape: [2], init: ones, tie: 'b' }] },
      /one of init, tie/,
    ],
    [
      'a tie to nothing',
      { tensors: [...tensors, { name: 'b', tie: 'c' }] },
      /stored tensor for \/tensors\/1\/tie but received "c"/,
    ],
    [
      'a tie to a tie',
      { tensors: [...tensors, { name: 'b', tie: 'a' }, { name: 'c', tie: 'b' }] },
      /a tie itself/,
    ],
    ['a tie to itself', { tensors: [...tensors, { name: 'b', tie: 'b' }] }, /a tie itself/],
    ['a copy of itself', { tensors: [{ name: 'b', copyOf: 'b' }] }, /no copy itself/],
    [
      'a copy of a copy',
      { tensors: [...tensors, { name: 'b', copyOf: 'a' }, { name: 'c', copyOf: 'b' }] },
      /no copy itself/,
    ],
    [
      'a copy of another shape',
      { tensors: [...tensors, { name: 'b', copyOf: 'a', shape: [3] }] },
      /the shape \[2\]/,
    ],
    [
      'a copy of another dtype',
      { tensors: [...tensors, { name: 'b', copyOf: 'a', dtype: 'float16' }] },
      /no dtype in \/tensors\/1/,
    ],
    [
      'a row too many',
      { tensors: [{ name: 'a', shape: [2], init: ones, zeroRows: [2] }] },
      /rows from 0 to 1/,
    ],
    [
      'half a byte that was copied',
      { tensors: [...tensors, { name: 'b', shape: [3], copied: { dtype: 'F4' } }] },
      /whole bytes of 4-bit elements for \/tensors\/1\/shape/,
    ],
    [
      'a rule that makes nothing',
      { rules: [{ match: '**', dtype: 'float16' }], tensors },
      /init, tie and copyOf in \/rules\/0/,
    ],
    [
      'a law that no tensor may have, though none does',
      { rules: [{ match: 'x', init: { kind: 'kaimingNormal', nonlinearity: 'what' } }], tensors },
      /\/rules\/0\/init\/nonlinearity/,
    ],
    [
      'drawn integers',
      { tensors: [{ name: 'a', shape: [2], init: { kind: 'normal', std: 1 }, dtype: 'int64' }] },
      /int64/,
    ],
    [
      'an integer too large',
      { tensors: [{ name: 'a', shape: [2], init: { kind: 'constant', value: 256 }, dtype: 'uint8' }] },
      /from 0 to 255/,
    ],
  ])('refuses %s', (_, plan, message) => {
    expect(() => parsePlan(plan)).toThrow(
      expect.objectContaining({ code: 'PLAN_ERROR', message: expect.stringMatching(message) }),
    );
  });
});
