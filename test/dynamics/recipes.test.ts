// What training recipes are for: forward passes of the models that they start, one token at a time.
import { describe, expect, it } from 'vitest';
import { fillSync, type Tensor } from '../../src/index.js';
import { type PlanFromOptions, planFrom } from '../../src/model/plan/plan-from.js';
import { combine, gaussian, layer, norm, relu, type Signal } from './network.js';

type Apply = (name: string, x: Signal) => Signal;

/** Multiplies by the matrices of a model, [outputs, inputs], by the ends of their names. */
async function matrices(config: object, options: PlanFromOptions): Promise<Apply> {
  const { tensors } = await planFrom(config, options);
  const filled = new Map<string, Tensor>();
  return (name, x) => {
    const found = tensors.find((tensor) => tensor.name.endsWith(`${name}.weight`))!;
    const weight =
      filled.get(name) ??
      (fillSync(found.name, found.shape, found.init, { seed: 4, dtype: 'float64' }) as Tensor);
    filled.set(name, weight);
    return layer(weight, x, [1]);
  };
}

const llama = (width: number, layers: number): object => ({
  model_type: 'llama',
  hidden_size: width,
  num_hidden_layers: layers,
  num_attention_heads: 4,
  intermediate_size: 2 * width,
  vocab_size: 8,
  tie_word_embeddings: false,
});

const rms = (x: Signal): number => norm(x) / Math.sqrt(x.length);

describe('Fixup', () => {
  const neox = (layers: number): object => ({
    model_type: 'gpt_neox',
    hidden_size: 48,
    num_hidden_layers: layers,
    num_attention_heads: 4,
    intermediate_size: 192,
    vocab_size: 8,
  });
  const x = gaussian('x', 48);
  const hidden = (apply: Apply, block: number): Signal => relu(apply(`layers.${block}.mlp.dense_h_to_4h`, x));

  it('starts every residual network as the identity, and the head at 0', async () => {
    const apply = await matrices(neox(4), { recipe: 'fixup' });
    let now = x;
    for (let block = 0; block < 4; block++) {
      now = combine(1, now, 1, apply(`layers.${block}.mlp.dense_4h_to_h`, hidden(apply, block)));
    }
    expect(now).toEqual(x);
    expect(norm(apply('embed_out', x))).toBe(0);
  });

  // A step down the gradient g of the output changes the last matrix of a branch by −η·g·hᵀ, h being what goes into it,
  // and the output by −η·g·Σ|h|²: over all branches as much as |x|², whatever their number. MLPs are half of the branches.
  it.each([2, 8, 32])('takes first steps of the same size at depth %d', async (layers) => {
    const sum = (apply: Apply): number =>
      Array.from({ length: layers }, (_, block) => norm(hidden(apply, block)) ** 2).reduce(
        (a, b) => a + b,
        0,
      );
    const ours = sum(await matrices(neox(layers), { recipe: 'fixup' })) / norm(x) ** 2;
    expect(ours).toBeGreaterThan(0.35);
    expect(ours).toBeLessThan(0.65);
  });
});

describe('μP', () => {
  it('keeps the size of every hidden activation, whatever the width', async () => {
    const sizes: number[][] = [];
    for (const width of [64, 128, 256, 512]) {
      const apply = await matrices(llama(width, 1), { recipe: { id: 'mup', std: 0.1 }, base: llama(64, 1) });
      const x = gaussian('x', width);
      const value = apply('v_proj', x);
      const up = apply('up_proj', x);
      sizes.push([rms(value), rms(apply('o_proj', value)), rms(up), rms(apply('down_proj', up))]);
    }
    const [first] = sizes as [number[]];
    // Three standard errors of the smallest width's 64 activations.
    for (const [index, size] of sizes.flat().entries()) {
      expect(Math.abs(size / first[index % 4]! - 1)).toBeLessThan(3 * Math.sqrt(2 / (2 * 64)));
    }
    // One standard deviation for all widths, by which activations grow with each matrix: √8 for each.
    const wide = await matrices(llama(512, 1), { recipe: { id: 'nanogpt', std: 0.1 } });
    expect(rms(wide('v_proj', gaussian('x', 512))) / sizes[3]![0]!).toBeCloseTo(Math.sqrt(8), 1);
  });
});

describe('DeepNorm', () => {
  /** Post-normalization with a weight of α on the stream, of attention's branches alone: one token attends to itself. */
  const forward = (apply: Apply, layers: number, alpha: number, step: number): Signal => {
    let now = gaussian('x', 64);
    for (let block = 0; block < layers; block++) {
      const nudge = gaussian(`nudge${block}`, 64, step);
      const value = apply(`layers.${block}.self_attn.v_proj`, now);
      // A step of the output's matrix along nudge·valueᵀ/|value|: of the same length in every block.
      const changed = combine(1, apply(`layers.${block}.self_attn.o_proj`, value), norm(value), nudge);
      const sum = combine(alpha, now, 1, changed);
      now = sum.map((element) => element / rms(sum));
    }
    return now;
  };
  const change = (apply: Apply, layers: number, alpha: number): number =>
    norm(combine(1, forward(apply, layers, alpha, 1e-3), -1, forward(apply, layers, alpha, 0)));

  it('bounds how far a step moves the output, whatever the depth', async () => {
    const moves: number[] = [];
    for (const layers of [4, 16, 64]) {
      const apply = await matrices(llama(64, layers), { recipe: 'deepnorm' });
      moves.push(change(apply, layers, (2 * layers) ** 0.25));
    }
    expect(Math.max(...moves) / Math.min(...moves)).toBeLessThan(1.5);
    // Xavier alone, without β and α.
    const plain = await matrices(llama(64, 64), {
      recipe: { id: 'neox', initMethod: 'xavier_normal', outputMethod: 'xavier_normal' },
    });
    expect(change(plain, 64, 1) / moves[2]!).toBeGreaterThan(3);
  });
});
