import { expect, test } from 'vitest';
import { lawInWords, shapeInWords, shortNumber } from '../../../src/cli/words.js';
import type { Initializer } from '../../../src/index.js';
import * as isometry from '../../../src/index.js';
import { lawOf } from '../../../src/initializers/index.js';

const { constant, heNormal, kaimingUniform, normal, ones, orthogonal, truncatedNormal, uniform, zeros } =
  isometry;

const words = (init: Initializer, shape = [64, 64]): string =>
  lawInWords(init, lawOf(init, { name: 'w', shape }));

test.each([
  [zeros(), 'zeros'],
  [ones(), 'ones'],
  [constant({ value: 1 / 3 }), 'constant 0.33333'],
  [constant({ value: 0 }), 'zeros'],
  [uniform({ min: -0.05, max: 0.05 }), 'uniform from -0.05 to 0.05'],
  [normal({ std: 0.02 }), 'normal'],
  [normal({ mean: 1, std: 0.02 }), 'normal around 1'],
  [truncatedNormal({ std: 0.02, sigmas: [-3, 3] }), 'normal cut at ±3σ'],
  [truncatedNormal({ std: 0.02, sigmas: [-3, null] }), 'normal cut at -3σ and nothing'],
  [truncatedNormal({ absolute: [-2, 2] }), 'normal cut to [-2, 2]'],
  [heNormal(), 'heNormal: normal cut at ±2σ'],
  [kaimingUniform({ a: 1 }), 'kaimingUniform: uniform from -0.21651 to 0.21651'],
  [orthogonal({ gain: Math.SQRT2 }), 'orthogonal (gain 1.4142, method reflections)'],
  [orthogonal({ method: 'qr' }), 'orthogonal (gain 1, method qr)'],
] as [Initializer, string][])('%j', (init, text) => expect(words(init)).toBe(text));

test('numbers and shapes', () => {
  expect([0.02, 1 / 3, 1e-12, 123456].map(shortNumber)).toEqual(['0.02', '0.33333', '1e-12', '123460']);
  expect([[], [1], [2, 3]].map(shapeInWords)).toEqual(['[]', '[1]', '[2, 3]']);
});
