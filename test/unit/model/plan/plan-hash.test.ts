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
  ];
  expect(new Set(plans.map(hash)).size).toBe(plans.length);
});
