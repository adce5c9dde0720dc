import { type Initializer, normal } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** In what the models that descend from Llama differ. */
export interface DecoderVariant {
  readonly preset: Preset;
  /** Whether the matrices of attention have biases. */
  readonly queryBias?: boolean;
  readonly outputBias?: boolean;
  readonly mlpBias?: boolean;
  /** Normalization of queries and keys: of each head, or of all of them at once. */
  readonly queryNorm?: 'head' | 'all';
  /** Norms of a block, in the order of its state dict. */
  readonly norms: readonly string[];
  /** Law of the norms' scales; ones where left out. */
  readonly normScale?: Initializer;
  /** Width of a head where the configuration has none: hidden / heads where this is left out too. */
  readonly headWidth?: number;
  /** Heads of keys and values where the configuration has none; all heads where left out. */
  readonly keyValueHeads?: number;
  readonly tied?: boolean;
  /** Row of the padding token where the configuration has none. */
  readonly padding?: number;
  /** Attention of a block other than the usual one. */
  attention?(list: TensorList, block: string, layer: number): void;
  /** What stands for the MLP of a block; the usual one where left out or where it returns false. */
  mlp?(list: TensorList, block: string, layer: number): boolean;
}

/** Sizes that all of them have. */
export interface DecoderSizes {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  readonly intermediate: number;
  readonly init: Initializer;
}

/**
 * The sizes of a decoder.
 * @throws IsometryError `CONFIG_ERROR`.
 */
export function decoderSizes(
  config: ModelConfig,
  variant: Pick<DecoderVariant, 'headWidth' | 'keyValueHeads'> = {},
): DecoderSizes {
  const hidden = config.size('hidden_size');
  const heads = config.size('num_attention_heads');
  const keyValueHeads = config.size('num_key_value_heads', variant.keyValueHeads ?? heads);
  config.divide(heads, 'num_attention_heads', keyValueHeads, 'num_key_value_heads');
  const headWidth = config.has('head_dim')
    ? config.size('head_dim')
    : (variant.headWidth ?? config.divide(hidden, 'hidden_size', heads, 'num_attention_heads'));
  return {
    hidden,
    layers: config.blocks('num_hidden_layers'),
    heads,
    keyValueHeads,
    headWidth,
    intermediate: config.size('intermediate_size'),
    init: normal({ std: config.range() }),
  };
}

/** A decoder of blocks of attention and a gated MLP, as Llama has it: names, shapes, and N(0, initializer_range²). */
export function describeDecoder(config: ModelConfig, variant: DecoderVariant): ModelDescription {
  const sizes = decoderSizes(config, variant);
  const { hidden, layers, init } = sizes;
  const vocabulary = config.size('vocab_size');
  const architecture = config.architecture(variant.preset.architectures);
  const withHead = architecture === variant.preset.architectures[0];
  const tied = config.flag('tie_word_embeddings', variant.tied ?? false);
  const padding = config.row('pad_token_id', vocabulary, variant.padding);
  const prefix = withHead ? 'model.' : '';
  const scale = variant.normScale === undefined ? {} : { scale: variant.normScale };
  const list = new TensorList();
  list.embedding(`${prefix}embed_tokens`, vocabulary, hidden, {
    init,
    role: 'tokenEmbedding',
    ...(padding === undefined ? {} : { zeroRows: [padding] }),
  });
  for (let layer = 0; layer < layers; layer++) {
    const block = `${prefix}layers.${layer}`;
    if (variant.attention) variant.attention(list, block, layer);
    else addAttention(list, `${block}.self_attn`, layer, sizes, variant);
    if (!variant.mlp?.(list, block, layer)) {
      addGatedMlp(list, `${block}.mlp`, sizes.intermediate, hidden, {
        layer,
        init,
        bias: variant.mlpBias ?? false,
      });
    }
    for (const norm of variant.norms) list.norm(`${block}.${norm}`, hidden, { bias: false, layer, ...scale });
  }
  list.norm(`${prefix}norm`, hidden, { bias: false, ...scale });
  if (withHead && !tied) list.linear('lm_head', vocabulary, hidden, { init, role: 'head' });
  return {
    modelType: variant.preset.modelType,
    family: 'decoder',
    hidden,
    layers: new Map([['', layers]]),
    tensors: list.tensors,
    ties: withHead && tied ? [{ name: 'lm_head.weight', to: 'model.embed_tokens.weight' }] : [],
  };
}

function addAttention(
  list: TensorList,
  prefix: string,
  layer: number,
  { hidden, heads, keyValueHeads, headWidth, init }: DecoderSizes,
  { queryBias = false, outputBias = false, queryNorm, normScale }: DecoderVariant,
): void {
  const [width, narrow] = [heads * headWidth, keyValueHeads * headWidth];
  const input = { layer, init, bias: queryBias, branch: { position: 0, length: 2 } };
  list.linear(`${prefix}.q_proj`, width, hidden, { ...input, role: 'query' });
  list.linear(`${prefix}.k_proj`, narrow, hidden, { ...input, role: 'key' });
  list.linear(`${prefix}.v_proj`, narrow, hidden, { ...input, role: 'value' });
  list.linear(`${prefix}.o_proj`, hidden, width, {
    layer,
    init,
    bias: outputBias,
    branch: { position: 1, length: 2 },
    role: 'attentionOutput',
  });
  if (queryNorm === undefined) return;
  const scale = normScale === undefined ? {} : { scale: normScale };
  list.norm(`${prefix}.q_norm`, queryNorm === 'head' ? headWidth : width, { bias: false, layer, ...scale });
  list.norm(`${prefix}.k_norm`, queryNorm === 'head' ? headWidth : narrow, { bias: false, layer, ...scale });
}

/** `gate_proj`, `up_proj` and `down_proj`. */
export function addGatedMlp(
  list: TensorList,
  prefix: string,
  intermediate: number,
  hidden: number,
  facts: { layer: number; init: Initializer; bias: boolean },
): void {
  const [first, last] = [0, 1].map((position) => ({ ...facts, branch: { position, length: 2 } }));
  list.linear(`${prefix}.gate_proj`, intermediate, hidden, { ...first!, role: 'mlpGate' });
  list.linear(`${prefix}.up_proj`, intermediate, hidden, { ...first!, role: 'mlpUp' });
  list.linear(`${prefix}.down_proj`, hidden, intermediate, { ...last!, role: 'mlpDown' });
}

/** The law of routers and stacked experts: unlike other matrices they take an `initializer_range` of 0 as it is. */
export function expertInit(config: ModelConfig): Initializer {
  return normal({ std: config.number('initializer_range', 0.02, 0) });
}

/** Names of the three matrices of an expert, by what they do. */
export interface ExpertNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/**
 * Experts, each a gated MLP of its own on disk. In memory transformers 5 has them stacked, gate and up in one, which decides
 * their order: all `down`, then all `gate`, then all `up`.
 */
export function addExperts(
  list: TensorList,
  prefix: string,
  names: ExpertNames,
  {
    experts,
    intermediate,
    hidden,
    layer,
    init,
    key,
  }: {
    experts: number;
    intermediate: number;
    hidden: number;
    layer: number;
    init: Initializer;
    /** What `prefix` is in memory. */
    key: string;
  },
): void {
  const each = (add: (expert: string) => void): void => {
    for (let expert = 0; expert < experts; expert++) add(`${prefix}.${expert}`);
  };
  const facts = { layer, init };
  const [first, last] = [0, 1].map((position) => ({ ...facts, branch: { position, length: 2 } }));
  const stacked = { ...first!, key: `${key}.gate_up_proj` };
  each((expert) => {
    const down = { ...last!, key: `${key}.down_proj` };
    list.linear(`${expert}.${names.down}`, hidden, intermediate, { ...down, role: 'mlpDown' });
  });
  each((expert) => {
    list.linear(`${expert}.${names.gate}`, intermediate, hidden, { ...stacked, role: 'mlpGate' });
  });
  each((expert) => {
    list.linear(`${expert}.${names.up}`, intermediate, hidden, { ...stacked, role: 'mlpUp' });
  });
}
