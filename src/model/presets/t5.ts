import { constant, type Initializer, normal, ones } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, ModelTensor, Preset, Role } from './types.js';

/**
 * T5 as transformers 5 has it (Raffel et al. 2020): standard deviations from the widths, so that no scaling by the width
 * of a head is needed in attention; the head is always the embedding.
 */
export const t5: Preset = {
  id: 'hf5/t5',
  modelType: 't5',
  architectures: ['T5ForConditionalGeneration', 'T5Model', 'T5EncoderModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const hidden = config.size(['d_model', 'hidden_size']);
  const layers = config.blocks(['num_layers', 'num_hidden_layers']);
  const architecture = config.architecture(t5.architectures);
  const decoder = architecture !== 'T5EncoderModel';
  if (!decoder && config.flag('is_decoder', false)) {
    throw config.wrong('false for T5EncoderModel', 'is_decoder', true);
  }
  const decoderLayers = decoder ? config.blocks('num_decoder_layers', layers) : 0;
  const factor = config.number('initializer_factor', 1, 0);
  const list = new TensorList();
  list.embedding('shared', config.size('vocab_size'), hidden, {
    init: normal({ std: factor }),
    role: 'tokenEmbedding',
  });
  const stack = stackOf(config, list, hidden, factor);
  stack('encoder', layers, false);
  if (decoder) stack('decoder', decoderLayers, true);
  return {
    modelType: 't5',
    family: decoder ? 'encoderDecoder' : 'encoder',
    hidden,
    layers: new Map([['encoder', layers], ...(decoder ? [['decoder', decoderLayers] as const] : [])]),
    tensors: list.tensors,
    ties: [
      'encoder.embed_tokens.weight',
      ...(decoder ? ['decoder.embed_tokens.weight'] : []),
      ...(architecture === 'T5ForConditionalGeneration' ? ['lm_head.weight'] : []),
    ].map((name) => ({ name, to: 'shared.weight' })),
  };
}

function stackOf(
  config: ModelConfig,
  list: TensorList,
  hidden: number,
  factor: number,
): (stack: string, layers: number, cross: boolean) => void {
  const heads = config.size(['num_heads', 'num_attention_heads']);
  const width = heads * config.size(['d_kv', 'head_dim'], 64);
  const inner = config.size('d_ff');
  const buckets = config.size('relative_attention_num_buckets', 32);
  const activation = config.text('feed_forward_proj', 'relu');
  if (!/^(?:gated-)?[^-]+$/.test(activation)) {
    throw config.wrong('an activation, or gated- and one,', 'feed_forward_proj', activation);
  }
  const gated = config.flag('is_gated_act', activation.startsWith('gated-'));
  const std = (inputs: number): Initializer => normal({ std: factor / Math.sqrt(inputs) });
  const scale = factor === 1 ? ones() : constant({ value: factor });
  const widthOfHead = width / heads;
  return (stack, layers, cross) => {
    type Place = Pick<ModelTensor, 'layer' | 'stack'>;
    const attention = (prefix: string, place: Place, relative: boolean): void => {
      const input = { ...place, branch: { position: 0, length: 2 } };
      const add = (name: string, role: Role, init: Initializer): void =>
        list.linear(`${prefix}.${name}`, width, hidden, { ...input, role, init });
      add('q', 'query', std(hidden * widthOfHead));
      add('k', 'key', std(hidden));
      add('v', 'value', std(hidden));
      const output = { ...place, branch: { position: 1, length: 2 }, init: std(width) };
      list.linear(`${prefix}.o`, hidden, width, { ...output, role: 'attentionOutput' });
      if (!relative) return;
      const facts = { ...place, init: std(hidden), role: 'relativePositionBias' } as const;
      list.embedding(`${prefix}.relative_attention_bias`, buckets, heads, facts);
    };
    for (let layer = 0; layer < layers; layer++) {
      const place = { layer, stack };
      const block = `${stack}.block.${layer}.layer`;
      const norm = (index: number): void =>
        list.norm(`${block}.${index}.layer_norm`, hidden, { bias: false, scale, ...place });
      attention(`${block}.0.SelfAttention`, place, layer === 0);
      norm(0);
      if (cross) {
        attention(`${block}.1.EncDecAttention`, place, false);
        norm(1);
      }
      const last = cross ? 2 : 1;
      const mlp = `${block}.${last}.DenseReluDense`;
      const input = { ...place, branch: { position: 0, length: 2 }, init: std(hidden) };
      if (gated) {
        list.linear(`${mlp}.wi_0`, inner, hidden, { ...input, role: 'mlpGate' });
        list.linear(`${mlp}.wi_1`, inner, hidden, { ...input, role: 'mlpUp' });
      } else list.linear(`${mlp}.wi`, inner, hidden, { ...input, role: 'mlpUp' });
      const output = { ...place, branch: { position: 1, length: 2 }, init: std(inner) };
      list.linear(`${mlp}.wo`, hidden, inner, { ...output, role: 'mlpDown' });
      norm(last);
    }
    list.norm(`${stack}.final_layer_norm`, hidden, { bias: false, scale, stack });
  };
}
