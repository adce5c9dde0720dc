import {
  constant,
  type Initializer,
  kaimingUniform,
  logRamp,
  normal,
  ones,
  softplusInverseLogUniform,
  uniform,
} from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/**
 * Mamba as transformers 5 has it (Gu, Dao 2023): A_log in S4D's way, time steps log-uniform, the convolution and the output
 * as torch starts layers, all other matrices N(0, initializer_range²).
 */
export const mamba: Preset = {
  id: 'hf5/mamba',
  modelType: 'mamba',
  architectures: ['MambaForCausalLM', 'MambaModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const { intermediate: widened, hidden, layers, states, init } = mixerSizes(config);
  // What transformers saves beside `expand`, and goes by; Mamba-2 has no such key.
  const intermediate = config.size('intermediate_size', widened);
  const rank =
    config.raw('time_step_rank') === 'auto'
      ? Math.ceil(hidden / 16)
      : config.size('time_step_rank', Math.ceil(hidden / 16));
  const list = new TensorList();
  const frame = describeFrame(config, mamba, list);
  frame.blocks(layers, (mixer, layer) => {
    const state = { layer, role: 'mixerState' } as const;
    const part = 'weight';
    list.add({ name: `${mixer}.A_log`, shape: [intermediate, states], part, init: logRamp(), ...state });
    list.add({ name: `${mixer}.D`, shape: [intermediate], part, init: ones(), ...state });
    addConvolution(config, list, mixer, intermediate, layer);
    const bias = config.flag('use_bias', false);
    const branch = { position: 0, length: 2 };
    list.linear(`${mixer}.in_proj`, 2 * intermediate, hidden, {
      layer,
      init,
      bias,
      branch,
      role: 'mixerInput',
    });
    list.linear(`${mixer}.x_proj`, rank + 2 * states, intermediate, { ...state, init });
    list.linear(`${mixer}.dt_proj`, intermediate, rank, {
      ...state,
      init: stepWeights(config, rank),
      bias: stepBiases(config),
    });
    addOutput(config, list, mixer, { hidden, intermediate, layers, layer });
  });
  return frame.end(layers, true);
}

/** Sizes that Mamba and Mamba-2 have in common. */
export function mixerSizes(config: ModelConfig): {
  readonly hidden: number;
  readonly layers: number;
  readonly intermediate: number;
  readonly states: number;
  readonly init: Initializer;
} {
  const hidden = config.size('hidden_size');
  const expand = config.number('expand', 2, 0);
  const intermediate = Math.floor(expand * hidden);
  if (intermediate < 1 || intermediate > 2 ** 31) {
    throw config.wrong('a factor that leaves a width from 1 to 2^31', 'expand', expand);
  }
  return {
    hidden,
    layers: config.blocks('num_hidden_layers'),
    intermediate,
    states: config.size('state_size'),
    init: matrixInit(config),
  };
}

/** Transformers takes 0.02 for a range of 0. */
function matrixInit(config: ModelConfig): Initializer {
  return normal({ std: config.number('initializer_range', 0.1, 0) || 0.02 });
}

/** What stands around the mixers: embedding, norms, head. */
export function describeFrame(
  config: ModelConfig,
  preset: Preset,
  list: TensorList,
): {
  /** Adds the blocks, with the mixers' tensors by `add`. */
  blocks(layers: number, add: (mixer: string, layer: number) => void): void;
  /** Adds the head and describes all. */
  end(layers: number, tiedByDefault: boolean): ModelDescription;
} {
  const hidden = config.size('hidden_size');
  const vocabulary = config.size('vocab_size');
  const init = matrixInit(config);
  const withHead = config.architecture(preset.architectures) === preset.architectures[0];
  const prefix = withHead ? 'backbone.' : '';
  return {
    blocks: (layers, add) => {
      // The padding token's row is like any other.
      list.embedding(`${prefix}embeddings`, vocabulary, hidden, { init, role: 'tokenEmbedding' });
      for (let layer = 0; layer < layers; layer++) {
        const block = `${prefix}layers.${layer}`;
        list.norm(`${block}.norm`, hidden, { bias: false, layer });
        add(`${block}.mixer`, layer);
      }
      list.norm(`${prefix}norm_f`, hidden, { bias: false });
    },
    end: (layers, tiedByDefault) => {
      const tied = config.flag('tie_word_embeddings', tiedByDefault);
      if (withHead && !tied) list.linear('lm_head', vocabulary, hidden, { init, role: 'head' });
      return {
        modelType: preset.modelType,
        family: 'stateSpace',
        hidden,
        layers: new Map([['', layers]]),
        tensors: list.tensors,
        ties: withHead && tied ? [{ name: 'lm_head.weight', to: 'backbone.embeddings.weight' }] : [],
      };
    },
  };
}

/** The convolution over time, of each channel alone: as torch starts it, U(±1/√taps). */
export function addConvolution(
  config: ModelConfig,
  list: TensorList,
  mixer: string,
  channels: number,
  layer: number,
): void {
  list.convolution(`${mixer}.conv1d`, channels, channels, [config.size('conv_kernel', 4)], {
    layer,
    groups: channels,
    init: kaimingUniform({ a: Math.sqrt(5) }),
    bias: config.flag('use_conv_bias', true),
    role: 'convolution',
  });
}

/** As torch starts a layer, U(±1/√inputs), and with `rescale_prenorm_residual` that over √layers. */
export function addOutput(
  config: ModelConfig,
  list: TensorList,
  mixer: string,
  sizes: {
    readonly hidden: number;
    readonly intermediate: number;
    readonly layers: number;
    readonly layer: number;
  },
): void {
  const { hidden, intermediate, layers, layer } = sizes;
  const max = 1 / Math.sqrt(intermediate) / Math.sqrt(layers);
  list.linear(`${mixer}.out_proj`, hidden, intermediate, {
    layer,
    init: config.flag('rescale_prenorm_residual', false)
      ? uniform({ min: -max, max })
      : kaimingUniform({ a: Math.sqrt(5) }),
    bias: config.flag('use_bias', false),
    branch: { position: 1, length: 2 },
    role: 'mixerOutput',
  });
}

/** ±rank^−½, or just that. */
function stepWeights(config: ModelConfig, rank: number): Initializer {
  const scale = config.number('time_step_scale', 1, 0);
  const max = scale / Math.sqrt(rank);
  const scheme = config.choice('time_step_init_scheme', ['random', 'constant'], 'random');
  return scheme === 'constant' || max === 0 ? constant({ value: max }) : uniform({ min: -max, max });
}

/** Biases whose softplus is a log-uniform time step. */
export function stepBiases(config: ModelConfig): Initializer {
  const min = config.number('time_step_min', 0.001, 0);
  if (min === 0) throw config.wrong('a number > 0', 'time_step_min', min);
  const max = config.number('time_step_max', 0.1, 0);
  if (max < min) throw config.wrong(`a number ≥ time_step_min, which is ${min}`, 'time_step_max', max);
  return softplusInverseLogUniform({ min, max, floor: config.number('time_step_floor', 1e-4, 0) });
}
