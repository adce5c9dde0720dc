import { describe, expect, it } from 'vitest';
import { RECOMMEND_ACTIVATIONS, recommend } from '../../src/recommend.js';

describe('recommend', () => {
  it.each([
    ['relu', 'heNormal', '1502.01852'],
    ['ReLU', 'heNormal', '1502.01852'],
    ['leakyRelu', 'heNormal', '1502.01852'],
    ['leaky_relu', 'heNormal', '1502.01852'],
    ['Leaky ReLU', 'heNormal', '1502.01852'],
    ['PReLU', 'heNormal', '1502.01852'],
    ['RReLU', 'heNormal', '1502.01852'],
    ['ELU', 'heNormal', '1511.07289'],
    ['gelu', 'heNormal', '1502.01852'],
    ['swish', 'heNormal', '1502.01852'],
    ['SiLU', 'heNormal', '1502.01852'],
    ['mish', 'heNormal', '1502.01852'],
    ['SELU', 'lecunNormal', '1706.02515'],
    ['tanh', 'glorotUniform', 'Glorot'],
    ['sigmoid', 'glorotUniform', 'Glorot'],
    ['softmax', 'glorotUniform', 'Glorot'],
    ['none', 'glorotUniform', 'Glorot'],
    ['linear', 'glorotUniform', 'Glorot'],
    ['identity', 'glorotUniform', 'Glorot'],
  ])('for %s: %s', (activation, kind, source) => {
    const answer = recommend(activation);
    expect(answer.initializer).toEqual({ kind });
    expect(answer.source).toContain(source);
    expect(answer.reason).toMatch(/^[A-Zt].{40,}\.$/);
  });

  it('answers every name that it lists', () => {
    expect(RECOMMEND_ACTIVATIONS.length).toBe(16);
    for (const name of RECOMMEND_ACTIVATIONS)
      expect(recommend(name).initializer.kind).toMatch(/Normal|Uniform/);
  });

  it.each([
    ['rleu', 'did you mean "relu"'],
    ['softmaxx', 'did you mean "softmax"'],
    ['__proto__', 'one of relu'],
    ['constructor', 'one of relu'],
    ['', 'one of relu'],
    [undefined, 'one of relu'],
    [null, 'one of relu'],
    [Math.tanh, 'one of relu'],
  ])('rejects %s', (activation, text) => {
    expect(() => recommend(activation as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
    );
  });
});
