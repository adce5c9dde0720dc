import { type Initializer, ones, zeros } from '../../initializers/index.js';
import type { ModelTensor, Role } from './types.js';

/** What belongs to a tensor beside its name, shape and law. */
export type TensorFacts = Pick<ModelTensor, 'role'> &
  Partial<
    Pick<ModelTensor, 'layer' | 'stack' | 'layout' | 'groups' | 'dtype' | 'zeroRows' | 'branch' | 'key'>
  >;

/** Options of a module with a matrix. */
export interface LinearFacts extends TensorFacts {
  /** Law of the weight. */
  readonly init: Initializer;
  /** Whether it has a bias; or the bias's law, zeros otherwise. */
  readonly bias?: boolean | Initializer;
}

/** Collects a model's tensors in the order of its state dict, a module at a time. */
export class TensorList {
  readonly tensors: ModelTensor[] = [];

  /** One tensor. */
  add(tensor: ModelTensor): void {
    this.tensors.push(tensor);
  }

  /** `PREFIX.weight` of [outputs, inputs] (with `layout: 'IO'` of [inputs, outputs]), and `PREFIX.bias`. */
  linear(prefix: string, outputs: number, inputs: number, { init, bias, ...facts }: LinearFacts): void {
    const shape = facts.layout === 'IO' ? [inputs, outputs] : [outputs, inputs];
    this.weightAndBias(prefix, shape, inputs, init, bias, facts);
  }

  /** A linear layer that tells `labels` classes apart; of none, what transformers has for that: no layer. */
  classifier(prefix: string, labels: number, inputs: number, facts: Omit<LinearFacts, 'role'>): void {
    if (labels > 0) this.linear(prefix, labels, inputs, { ...facts, role: 'head' });
  }

  /** A convolution of `kernel` taps: `PREFIX.weight` of [outputs, inputs / groups, ...kernel], and `PREFIX.bias`. */
  convolution(
    prefix: string,
    outputs: number,
    inputs: number,
    kernel: readonly number[],
    { init, bias, ...facts }: LinearFacts,
  ): void {
    const perGroup = inputs / (facts.groups ?? 1);
    const fanIn = kernel.reduce((product, taps) => product * taps, perGroup);
    this.weightAndBias(prefix, [outputs, perGroup, ...kernel], fanIn, init, bias, facts);
  }

  /** `PREFIX.weight` of [rows, width]. */
  embedding(prefix: string, rows: number, width: number, facts: TensorFacts & { init: Initializer }): void {
    this.add({ name: `${prefix}.weight`, shape: [rows, width], part: 'weight', ...facts });
  }

  /** A normalization's scale `PREFIX.weight`, 1 unless `scale` says otherwise, and with `bias` its shift, 0. */
  norm(
    prefix: string,
    width: number,
    { bias, scale, ...facts }: Partial<TensorFacts> & { bias: boolean; scale?: Initializer },
  ): void {
    const role: Role = 'norm';
    this.add({
      name: `${prefix}.weight`,
      shape: [width],
      part: 'weight',
      init: scale ?? ones(),
      role,
      ...facts,
    });
    if (!bias) return;
    const key = facts.key === undefined ? {} : { key: facts.key.replace(/weight$/, 'bias') };
    this.add({ name: `${prefix}.bias`, shape: [width], part: 'bias', init: zeros(), role, ...facts, ...key });
  }

  /** A batch normalization: scale, shift, running mean and variance, and torch's counter of batches. */
  batchNorm(prefix: string, width: number, facts: Partial<TensorFacts> & { scale?: Initializer } = {}): void {
    this.norm(prefix, width, { bias: true, ...facts });
    const buffer = { role: 'norm', part: 'buffer' } as const;
    this.add({ name: `${prefix}.running_mean`, shape: [width], init: zeros(), ...buffer });
    this.add({ name: `${prefix}.running_var`, shape: [width], init: ones(), ...buffer });
    this.add({
      name: `${prefix}.num_batches_tracked`,
      shape: [],
      init: zeros(),
      dtype: 'int64',
      ...buffer,
    });
  }

  private weightAndBias(
    prefix: string,
    shape: readonly number[],
    fanIn: number,
    init: Initializer,
    bias: boolean | Initializer | undefined,
    facts: TensorFacts,
  ): void {
    this.add({ name: `${prefix}.weight`, shape, part: 'weight', init, fanIn, ...facts });
    if (bias === undefined || bias === false) return;
    // The layout, groups, zero rows and place in a branch are the weight's.
    const { role, layer, stack, dtype, key } = facts;
    const outputs = facts.layout === 'IO' ? shape[1]! : shape[0]!;
    this.add({
      name: `${prefix}.bias`,
      shape: [outputs],
      part: 'bias',
      init: bias === true ? zeros() : bias,
      fanIn,
      role,
      ...(layer === undefined ? {} : { layer }),
      ...(stack === undefined ? {} : { stack }),
      ...(dtype === undefined ? {} : { dtype }),
      ...(key === undefined ? {} : { key: key.replace(/weight$/, 'bias') }),
    });
  }
}
