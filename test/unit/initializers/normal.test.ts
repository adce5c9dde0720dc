import { describe, expect, it } from 'vitest';
import { lawOf, type NormalOptions, normal } from '../../../src/initializers/index.js';

const tensor = { name: 'w', shape: [3] };

describe('normal', () => {
  it('writes its default mean out', () => {
    expect(normal({ std: 0.02 })).toEqual({ kind: 'normal', mean: 0, std: 0.02 });
    expect(lawOf(normal({ mean: 1, std: 0.02 }), tensor)).toEqual({ kind: 'normal', mean: 1, std: 0.02 });
  });

  it('of std 0 is its mean', () => {
    expect(lawOf(normal({ mean: 3, std: 0 }), tensor)).toEqual({ kind: 'constant', value: 3 });
    expect(lawOf(normal({ std: -0 }), tensor)).toEqual({ kind: 'constant', value: 0 });
  });

  it.each([
    [{ std: -1 }, 'normal.std'],
    [{ std: Number.NaN }, 'normal.std'],
    [{ std: Number.POSITIVE_INFINITY }, 'normal.std'],
    [{ std: null }, 'normal.std'],
    [{ std: '0.02' }, 'normal.std'],
    [{}, 'normal.std'],
    [undefined, 'normal.std'],
    [{ std: 1, mean: Number.NaN }, 'normal.mean'],
    [{ std: 1, mean: null }, 'normal.mean'],
  ])('rejects %j', (options, name) => {
    expect(() => normal(options as NormalOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    );
  });

  it('names the option meant by stddev', () => {
    expect(() => normal({ stddev: 1 } as never)).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_OPTION',
        message: expect.stringContaining('did you mean "std"'),
      }),
    );
  });
});
