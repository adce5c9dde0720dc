import type { Initializer } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import type { TensorList } from './tensor-list.js';

/** Sizes of BERT and what descends from it. */
export interface EncoderSizes {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly intermediate: number;
}

/**
 * The sizes of an encoder.
 * @throws IsometryError `CONFIG_ERROR`.
 */
export function encoderSizes(config: ModelConfig): EncoderSizes {
  const hidden = config.size('hidden_size');
  config.divide(hidden, 'hidden_size', config.size('num_attention_heads'), 'num_attention_heads');
  if (config.flag('add_cross_attention', false)) {
    throw config.wrong('false', 'add_cross_attention', true, '; only encoders are known here');
  }
  return {
    vocabulary: config.size('vocab_size'),
    hidden,
    layers: config.blocks('num_hidden_layers'),
    intermediate: config.size('intermediate_size'),
  };
}

/** The blocks of BERT: attention and MLP, each with its norm behind it. */
export function addEncoder(
  list: TensorList,
  prefix: string,
  { hidden, layers, intermediate }: EncoderSizes,
  init: Initializer,
): void {
  for (let layer = 0; layer < layers; layer++) {
    const block = `${prefix}.layer.${layer}`;
    const [first, last] = [0, 1].map((position) => ({
      layer,
      init,
      bias: true,
      branch: { position, length: 2 },
    }));
    for (const role of ['query', 'key', 'value'] as const) {
      list.linear(`${block}.attention.self.${role}`, hidden, hidden, { ...first!, role });
    }
    list.linear(`${block}.attention.output.dense`, hidden, hidden, { ...last!, role: 'attentionOutput' });
    list.norm(`${block}.attention.output.LayerNorm`, hidden, { bias: true, layer });
    list.linear(`${block}.intermediate.dense`, intermediate, hidden, { ...first!, role: 'mlpUp' });
    list.linear(`${block}.output.dense`, hidden, intermediate, { ...last!, role: 'mlpDown' });
    list.norm(`${block}.output.LayerNorm`, hidden, { bias: true, layer });
  }
}
