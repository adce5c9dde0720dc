import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parsePlan } from '../../../../src/model/plan/plan.js';
import { planHash } from '../../../../src/model/plan/plan-hash.js';

const a = { name: 'a', shape: [2, 3], init: { kind: 'normal', std: 0.02 } };
const b = { name: '\u{1f600}', shape: [], init: { kind: 'truncatedNormal' }, dtype: 'float16' };
const c = { name: '\uffff', shape: [1], init: { kind: 'zeros' } };

const hash = (plan: object): string => planHash(parsePlan(plan));

test('is the SHA-256 of the documented form', () => {
  const text =
    '{"dtype":"float32","tensors":[' +
    '{"init":{"kind":"normal","mean":0,"std":0.02},"name":"a","shape":[2,3]},' +
    '{"init":{"kind":"zeros"},"name":"\uffff","shape":[1]},' +
    '{"dtype":"float16","init":{"kind":"truncatedNormal","mean":0,"rescale":false,"sigmas":[-2,2],"std":1},"name":"\u{1f600}","shape":[]}]}';
  expect(hash({ tensors: [a, b, c] })).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
});

test('order, spelling, defaults, metadata and $schema do not matter', () => {
  const same = hash({ tensors: [a, b, c] });
  expect(hash({ tensors: [c, b, a], dtype: 'float32', metadata: { x: 'y' }, $schema: 'z' })).toBe(same);
  expect(
    hash({ tensors: [b, { init: { std: 2e-2, mean: -0, kind: 'normal' }, shape: [2, 3], name: 'a' }, c] }),
  ).toBe(same);
});

test('everything that changes a weight matters', () => {
  const plans = [
    { tensors: [a] },
    { tensors: [a, c] },
    { tensors: [a], dtype: 'float16' },
    { tensors: [{ ...a, dtype: 'float32' }] },
    { tensors: [{ ...a, name: 'A' }] },
    { tensors: [{ ...a, shape: [3, 2] }] },
    { tensors: [{ ...a, init: { kind: 'normal', std: 0.020000000000000004 } }] },
    { tensors: [{ ...a, layout: 'IO' }] },
    { tensors: [{ ...a, groups: 1 }] },
    // What is within an initializer, and what is no tensor of its own.
    { tensors: [{ ...a, zeroRows: [0] }] },
    { tensors: [{ ...a, zeroRows: [1] }] },
    { tensors: [{ ...a, zeroRows: [0, 1] }] },
    { tensors: [{ ...a, init: { kind: 'zeroRows', init: { kind: 'normal', std: 0.03 }, rows: [0] } }] },
    { tensors: [a, { name: 'c', tie: 'a' }] },
    { tensors: [a, { name: 'd', tie: 'a' }] },
    { tensors: [a, { ...a, name: 'c' }] },
    { tensors: [a, { name: 'c', copyOf: 'a' }] },
    { tensors: [a, { name: 'c', shape: [2, 3], copied: { dtype: 'F32' } }] },
    { tensors: [a, { name: 'c', shape: [2, 3], copied: { dtype: 'I32' } }] },
    { tensors: [{ name: 'c', shape: [1], dtype: 'int64', init: { kind: 'zeros' } }] },
    { tensors: [{ name: 'c', shape: [1], dtype: 'int32', init: { kind: 'zeros' } }] },
  ];
  expect(new Set(plans.map(hash)).size).toBe(plans.length);
});

test('of ties, copies and what is copied is the documented form', () => {
  const text =
    '{"copied":[{"dtype":"U8","name":"k","shape":[4]}],"dtype":"float32","tensors":[' +
    '{"init":{"init":{"kind":"normal","mean":0,"std":0.02},"kind":"zeroRows","rows":[1]},"name":"a","shape":[2,3]},' +
    '{"copyOf":"a","init":{"init":{"kind":"normal","mean":0,"std":0.02},"kind":"zeroRows","rows":[1]},"name":"b","shape":[2,3]}],' +
    '"ties":[{"name":"t","to":"a"}]}';
  const tensors = [
    { name: 't', tie: 'a' },
    { name: 'k', shape: [4], copied: { dtype: 'U8' } },
    { name: 'b', copyOf: 'a' },
    { ...a, zeroRows: [1] },
  ];
  expect(hash({ tensors })).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
});

test('rules are what they come to', () => {
  const rules = [
    { match: 'a', init: { kind: 'normal', std: 0.02 }, zeroRows: [1] },
    { match: '**', init: { kind: 'zeros' } },
  ];
  const tensors = [
    { name: 'a', shape: [2, 3] },
    { name: 'b', shape: [1] },
  ];
  expect(hash({ rules, tensors })).toBe(
    hash({
      tensors: [
        { ...a, zeroRows: [1] },
        { name: 'b', shape: [1], init: { kind: 'zeros' } },
      ],
    }),
  );
});

test('more initializers than are remembered, and texts longer than are hashed at once', () => {
  const tensors = Array.from({ length: 3000 }, (_, i) => ({
    name: String(i).padStart(40, '0'),
    shape: [1],
    init: { kind: 'constant', value: i % 2000 },
  }));
  const shown = tensors.map(
    ({ name, init }) => `{"init":{"kind":"constant","value":${init.value}},"name":"${name}","shape":[1]}`,
  );
  const text = `{"dtype":"float32","tensors":[${shown.join(',')}]}`;
  expect(hash({ tensors })).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
});
