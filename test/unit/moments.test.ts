import { describe, expect, it } from 'vitest';
import { fillSync } from '../../src/fill.js';
import * as api from '../../src/initializers/index.js';
import { type Initializer, lawOf } from '../../src/initializers/index.js';
import { lawMoments, type Moments } from '../../src/moments.js';
import { elementCount } from '../../src/shape.js';

type Case = [init: Initializer, shape: readonly number[], options?: { layout?: string; groups?: number }];

function ofLaw([init, shape, options]: Case): Moments {
  return lawMoments(lawOf(init, { name: 'w', shape, ...options }), elementCount(shape));
}

/** Of the elements themselves. */
function measured([init, shape, options]: Case, seed = 1): Moments {
  const { data } = fillSync('w', shape, init, { seed, dtype: 'float64', device: 'js', ...options });
  const mean = (data as Float64Array).reduce((sum, x) => sum + x, 0) / data.length;
  const square = (data as Float64Array).reduce((sum, x) => sum + x * x, 0) / data.length;
  return { mean, std: Math.sqrt(Math.max(0, square - mean * mean)) };
}

const label = ([{ kind }, shape, options]: Case): string =>
  `${kind} [${shape.join(', ')}] ${JSON.stringify(options ?? {})}`;
const named = (cases: Case[]): [string, Case][] => cases.map((test) => [label(test), test]);

describe('lawMoments', () => {
  it.each(
    named([
      [api.ones(), [3]],
      [api.identity({ gain: 0.3 }), [5, 7]],
      [api.identity(), [1, 1]],
      [api.identity(), [3, 4, 2], { layout: 'EOI' }],
      [api.dirac(), [6, 2, 3, 4], { groups: 3 }],
      [api.dirac(), [12, 1, 1], { groups: 12 }],
      [api.zero(), [6, 5]],
      [api.zero(), [16, 3]],
      [api.zero(), [6, 1]],
      [api.zero(), [3, 13, 6], { layout: 'LIO' }],
      [api.zero(), [13, 4, 6, 2], { layout: 'OEIL' }],
      [api.zero(), [12, 2, 3], { groups: 2 }],
      [api.zero(), [4, 4]],
      [api.deltaOrthogonal({ gain: 0 }), [4, 4, 3]],
    ]),
  )('of what is not random are those of its elements: %s', (_, test) => {
    const [law, found] = [ofLaw(test), measured(test)];
    expect(law.mean).toBeCloseTo(found.mean, 14);
    // A square root of what cancels.
    expect(law.std ** 2).toBeCloseTo(found.std ** 2, 14);
  });

  it.each(
    named([
      [api.orthogonal({ gain: 3 }), [12, 5]],
      [api.deltaOrthogonal({ gain: -2 }), [12, 5, 3]],
      [api.deltaOrthogonal(), [12, 2, 3, 3], { groups: 4 }],
      [api.deltaOrthogonal(), [5, 3, 12], { layout: 'ELO' }],
      [api.looksLinear({ gain: 0.5 }), [7, 6]],
      [api.looksLinear({ mirror: 'both' }), [3, 8, 6], { layout: 'LOI' }],
      [api.hadamardOrthogonal({ gain: 2 }), [16, 5]],
      [api.hadamardOrthogonal(), [3, 4, 8], { layout: 'EOI' }],
    ]),
  )('of orthonormal vectors: their length is certain, their mean is 0 on average: %s', (_, test) => {
    const law = ofLaw(test);
    expect(law.mean).toBe(0);
    let sum = 0;
    const seeds = 200;
    for (let seed = 0; seed < seeds; seed++) {
      const { mean, std } = measured(test, seed);
      expect(Math.hypot(mean, std)).toBeCloseTo(law.std, 12);
      sum += mean;
    }
    // Means of single tensors lie around 0 like those of as many independent elements.
    const standardError = law.std / Math.sqrt(elementCount(test[1]) * seeds);
    expect(Math.abs(sum / seeds)).toBeLessThan(5.5 * standardError);
  });

  it('of no elements are 0', () => {
    for (const init of [api.orthogonal(), api.identity(), api.looksLinear(), api.hadamardOrthogonal()])
      expect(lawMoments(lawOf(init, { name: 'w', shape: [4, 0] }), 0)).toEqual({ mean: 0, std: 0 });
  });
});
