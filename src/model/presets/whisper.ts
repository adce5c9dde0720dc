import { type Initializer, normal, sinusoidal } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset, Role } from './types.js';

/**
 * Whisper as transformers 5 has it (Radford et al. 2023): matrices and convolutions N(0, init_std²), the encoder's positions
 * a table of sinusoids that is not trained; keys have no bias.
 */
export const whisper: Preset = {
  id: 'hf5/whisper',
  modelType: 'whisper',
  architectures: ['WhisperForConditionalGeneration', 'WhisperModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const hidden = config.size(['d_model', 'hidden_size']);
  const vocabulary = config.size('vocab_size');
  const encoderLayers = config.blocks(['encoder_layers', 'num_hidden_layers']);
  const decoderLayers = config.blocks('decoder_layers');
  if (hidden % 2 === 1)
    throw config.wrong('an even number, as a row has sines and cosines,', 'd_model', hidden);
  const heads = ['encoder_attention_heads', 'num_attention_heads'];
  config.divide(hidden, 'd_model', config.size(heads), 'encoder_attention_heads');
  config.divide(hidden, 'd_model', config.size('decoder_attention_heads'), 'decoder_attention_heads');
  const padding = config.row('pad_token_id', vocabulary, 50256);
  const tied = config.flag('tie_word_embeddings', true);
  const withHead = config.architecture(whisper.architectures) === 'WhisperForConditionalGeneration';
  const prefix = withHead ? 'model.' : '';
  // Transformers looks for the key of other models first.
  const std = config.has('initializer_range') ? config.range() : config.number('init_std', 0.02, 0);
  const init = normal({ std });
  const list = new TensorList();

  const encoder = `${prefix}encoder`;
  const inEncoder = { stack: 'encoder', init, bias: true } as const;
  const mels = config.size('num_mel_bins', 80);
  list.convolution(`${encoder}.conv1`, hidden, mels, [3], { ...inEncoder, role: 'patchEmbedding' });
  list.convolution(`${encoder}.conv2`, hidden, hidden, [3], { ...inEncoder, role: 'convolution' });
  list.add({
    name: `${encoder}.embed_positions.weight`,
    shape: [config.size('max_source_positions', 1500), hidden],
    part: 'buffer',
    init: sinusoidal({ order: 'halves' }),
    stack: 'encoder',
    role: 'positionEmbedding',
  });
  addBlocks(list, encoder, 'encoder', encoderLayers, { hidden, inner: config.size('encoder_ffn_dim'), init });

  const decoder = `${prefix}decoder`;
  list.embedding(`${decoder}.embed_tokens`, vocabulary, hidden, {
    stack: 'decoder',
    init,
    role: 'tokenEmbedding',
    ...(padding === undefined ? {} : { zeroRows: [padding] }),
  });
  const positions = config.size('max_target_positions', 448);
  const inDecoder = { stack: 'decoder', init } as const;
  list.embedding(`${decoder}.embed_positions`, positions, hidden, {
    ...inDecoder,
    role: 'positionEmbedding',
  });
  addBlocks(list, decoder, 'decoder', decoderLayers, { hidden, inner: config.size('decoder_ffn_dim'), init });
  if (withHead && !tied) list.linear('proj_out', vocabulary, hidden, { init, role: 'head' });
  return {
    modelType: 'whisper',
    family: 'encoderDecoder',
    hidden,
    layers: new Map([
      ['encoder', encoderLayers],
      ['decoder', decoderLayers],
    ]),
    tensors: list.tensors,
    ties: withHead && tied ? [{ name: 'proj_out.weight', to: 'model.decoder.embed_tokens.weight' }] : [],
  };
}

function addBlocks(
  list: TensorList,
  prefix: string,
  stack: 'encoder' | 'decoder',
  layers: number,
  { hidden, inner, init }: { readonly hidden: number; readonly inner: number; readonly init: Initializer },
): void {
  for (let layer = 0; layer < layers; layer++) {
    const place = { stack, layer };
    const block = `${prefix}.layers.${layer}`;
    const [first, last] = [0, 1].map((position) => ({ ...place, init, branch: { position, length: 2 } }));
    const attention = (name: string): void => {
      const add = (matrix: string, role: Role, bias: boolean): void =>
        list.linear(`${block}.${name}.${matrix}`, hidden, hidden, {
          ...(role === 'attentionOutput' ? last! : first!),
          bias,
          role,
        });
      add('k_proj', 'key', false);
      add('v_proj', 'value', true);
      add('q_proj', 'query', true);
      add('out_proj', 'attentionOutput', true);
      list.norm(`${block}.${name}_layer_norm`, hidden, { bias: true, ...place });
    };
    attention('self_attn');
    if (stack === 'decoder') attention('encoder_attn');
    list.linear(`${block}.fc1`, inner, hidden, { ...first!, bias: true, role: 'mlpUp' });
    list.linear(`${block}.fc2`, hidden, inner, { ...last!, bias: true, role: 'mlpDown' });
    list.norm(`${block}.final_layer_norm`, hidden, { bias: true, ...place });
  }
  list.norm(`${prefix}.layer_norm`, hidden, { bias: true, stack });
}
