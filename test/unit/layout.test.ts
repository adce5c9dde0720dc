import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fans, parseGroups, parseLayout } from '../../src/layout.js';

describe('fans of real layers', () => {
  it.each<[string, number[], string | undefined, number | undefined, number, number]>([
    // name, stored shape, layout, groups, fanIn, fanOut
    ['PyTorch Linear(1024, 4096)', [4096, 1024], undefined, undefined, 1024, 4096],
    ['Keras Dense(4096) on 1024', [1024, 4096], 'IO', undefined, 1024, 4096],
    ['GPT-2 Conv1D c_attn', [768, 2304], 'IO', undefined, 768, 2304],
    ['PyTorch Conv1d(80, 384, 3) of Whisper', [384, 80, 3], undefined, undefined, 240, 1152],
    ['PyTorch ResNet conv1', [64, 3, 7, 7], undefined, undefined, 147, 3136],
    ['Keras ResNet conv1', [7, 7, 3, 64], 'HWIO', undefined, 147, 3136],
    ['MLX ResNet conv1', [64, 7, 7, 3], 'OHWI', undefined, 147, 3136],
    ['PyTorch Conv3d(3, 64, 3)', [64, 3, 3, 3, 3], undefined, undefined, 81, 1728],
    ['Keras Conv3D', [3, 3, 3, 3, 64], 'DHWIO', undefined, 81, 1728],
    ['DCGAN ConvTranspose2d(100, 512, 4)', [100, 512, 4, 4], 'IOHW', undefined, 1600, 8192],
    ['Keras Conv2DTranspose', [4, 4, 512, 100], 'HWOI', undefined, 1600, 8192],
    ['MobileNet depthwise, PyTorch', [32, 1, 3, 3], undefined, 32, 9, 9],
    ['depthwise with multiplier 2, PyTorch', [64, 1, 3, 3], undefined, 32, 9, 18],
    ['depthwise with multiplier 2, Keras', [3, 3, 32, 2], 'HWEO', undefined, 9, 18],
    ['ResNeXt-50 32x4d, 128 to 128', [128, 4, 3, 3], undefined, 32, 36, 36],
    ['ResNeXt in Flax', [3, 3, 4, 128], 'HWIO', 32, 36, 36],
    ['ConvTranspose2d(64, 32, 4, groups=8)', [64, 4, 4, 4], 'IOHW', 8, 128, 64],
    ['Mixtral expert stack', [8, 14336, 4096], 'EOI', undefined, 4096, 14336],
    ['layers of experts', [32, 8, 4096, 14336], 'EEIO', undefined, 4096, 14336],
    ['stacked transposed convolutions', [3, 64, 4, 4], 'EIOL', 8, 32, 16],
    ['a vector, named', [512], 'O', undefined, 1, 512],
    ['stacked kernels, one input, one output', [512, 3], 'EK', undefined, 3, 3],
  ])('%s', (_, shape, layout, groups, fanIn, fanOut) => {
    expect(fans(shape, layout, groups)).toMatchObject({ fanIn, fanOut });
  });

  it('have the receptive field beside them', () => {
    expect(fans([64, 3, 7, 5]).receptiveField).toBe(35);
    expect(fans([8, 16]).receptiveField).toBe(1);
    expect(fans([9, 8, 16], 'EOI').receptiveField).toBe(1);
  });

  it('are plain numbers for empty tensors', () => {
    expect(fans([0, 5])).toEqual({ fanIn: 5, fanOut: 0, receptiveField: 1 });
    expect(fans([4, 3, 0, 3], undefined, 2)).toEqual({ fanIn: 0, fanOut: 0, receptiveField: 0 });
    expect(fans([0, 3, 3, 3], undefined, 4)).toEqual({ fanIn: 27, fanOut: 0, receptiveField: 9 });
  });
});

/** Connections of a grouped convolution, counted: input channel, tap and output channel are joined within a group. */
function count(inputs: number, outputs: number, taps: number, groups: number) {
  const fanIn = new Array<number>(outputs).fill(0);
  const fanOut = new Array<number>(inputs).fill(0);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      if (Math.floor((o * groups) / outputs) !== Math.floor((i * groups) / inputs)) continue;
      fanIn[o]! += taps;
      fanOut[i]! += taps;
    }
  }
  return { fanIn, fanOut };
}

describe('fans of grouped convolutions', () => {
  const size = fc.integer({ min: 1, max: 5 });

  it('are the connections of each unit, also transposed', () => {
    fc.assert(
      fc.property(size, size, size, size, (groups, inPerGroup, outPerGroup, taps) => {
        const [inputs, outputs] = [groups * inPerGroup, groups * outPerGroup];
        const counted = count(inputs, outputs, taps, groups);
        for (const { fanIn, fanOut } of [
          fans([outputs, inPerGroup, taps], 'OIL', groups),
          fans([taps, inPerGroup, outputs], 'LIO', groups),
          fans([outputs, taps, inPerGroup], 'OLI', groups),
          fans([inputs, outPerGroup, taps], 'IOL', groups),
        ]) {
          expect(new Set(counted.fanIn)).toEqual(new Set([fanIn]));
          expect(new Set(counted.fanOut)).toEqual(new Set([fanOut]));
        }
      }),
    );
  });

  it.each<[number[], string | undefined, number, string]>([
    [[10, 4, 3], undefined, 3, 'O (10)'],
    [[10, 4, 3], 'IOL', 3, 'I (10)'],
    [[3, 3, 7], 'HWE', 2, 'O (1)'],
    [[4, 8], undefined, 8, 'O (4)'],
  ])('of %j, layout %s, reject %d groups', (shape, layout, groups, axis) => {
    expect(() => fans(shape, layout, groups)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(axis) }),
    );
  });
});

describe('fans without a layout', () => {
  it.each([
    [[], 'zeros()'],
    [[5], 'normal({ std })'],
    [[1, 2, 3, 4, 5, 6], 'layout'],
  ])('reject %j with a way out', (shape, remedy) => {
    expect(() => fans(shape)).toThrow(
      expect.objectContaining({ code: 'INVALID_SHAPE', message: expect.stringContaining(remedy) }),
    );
  });

  it('take any rank with one', () => {
    expect(fans([2, 3, 4, 5, 6, 7], 'EODHWI')).toEqual({ fanIn: 840, fanOut: 360, receptiveField: 120 });
    expect(fans([], '')).toEqual({ fanIn: 1, fanOut: 1, receptiveField: 1 });
  });
});

describe('parseLayout', () => {
  it.each([
    ['OIHW', 4],
    ['EEOI', 4],
    ['E', 1],
    ['', 0],
    ['ODHWLKTXYZI', 11],
  ])('accepts %s', (layout, rank) => {
    expect(parseLayout(layout, rank)).toBe(layout);
  });

  it.each<[unknown, number, string]>([
    ['OI', 4, 'the tensor has 4 axes'],
    ['OIHW', 2, 'the tensor has 2 axes'],
    ['oi', 2, '"o"'],
    ['NCHW', 4, '"N"'],
    ['OO', 2, 'O appears more than once'],
    ['IIHW', 4, 'I appears more than once'],
    ['OIHH', 4, 'H appears more than once'],
    ['O I', 3, '" "'],
    ['O\u{1D43C}', 3, '\u{1D43C}'],
    ['__proto__', 9, '"_"'],
    [['O', 'I'], 2, 'of type Array'],
    [null, 2, 'of type null'],
    [2, 2, 'of type number'],
  ])('rejects %j for rank %d', (layout, rank, text) => {
    expect(() => parseLayout(layout, rank)).toThrow(
      expect.objectContaining({ code: 'INVALID_LAYOUT', message: expect.stringContaining(text) }),
    );
  });
});

describe('parseGroups', () => {
  it('accepts whole numbers from 1', () => {
    expect(parseGroups(1)).toBe(1);
    expect(parseGroups(2 ** 53 - 1)).toBe(2 ** 53 - 1);
  });

  it.each([0, -1, 1.5, Number.NaN, '2', 2n, null, Number.POSITIVE_INFINITY])('rejects %s', (groups) => {
    expect(() => parseGroups(groups)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});
