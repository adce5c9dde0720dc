import type { Initializer } from '../../initializers/index.js';
import type { Tie } from '../plan/plan.js';
import type { PlanDType } from '../plan/plan-dtype.js';
import type { ModelConfig } from './config.js';

/** What a tensor's module is to its model. Recipes decide by it, never by names. */
export type Role =
  | 'tokenEmbedding'
  | 'positionEmbedding'
  | 'typeEmbedding'
  /** The convolution that cuts an image or a spectrogram into the first features. */
  | 'patchEmbedding'
  /** A learned vector beside the tokens: a class token, a mask token. */
  | 'learnedToken'
  | 'query'
  | 'key'
  | 'value'
  /** Several of the three above in one matrix. */
  | 'queryKeyValue'
  /** Low-rank key and value of multi-head latent attention. */
  | 'keyValue'
  | 'attentionOutput'
  | 'relativePositionBias'
  /** The matrix that goes through the activation in a gated MLP (w1). */
  | 'mlpGate'
  /** Into the MLP: c_fc, fc1, up_proj (w3). */
  | 'mlpUp'
  /** Out of the MLP: c_proj, fc2, down_proj (w2). */
  | 'mlpDown'
  | 'router'
  /** Into and out of a state-space mixer. */
  | 'mixerInput'
  | 'mixerOutput'
  /** What else a state-space mixer has: A_log, D, dt, x_proj. */
  | 'mixerState'
  | 'convolution'
  /** To the vocabulary or to classes. */
  | 'head'
  /** Any other matrix: poolers, projections, transforms. */
  | 'dense'
  | 'norm'
  | 'layerScale'
  /** Scalars and other parameters with a law of their own. */
  | 'other';

/** Which of its module's tensors it is; `buffer`s are not trained (running statistics, counters). */
export type Part = 'weight' | 'bias' | 'buffer';

/** One tensor of a model. */
export interface ModelTensor {
  /** As on disk. */
  readonly name: string;
  /** Outermost axis first; a matrix is [outputs, inputs] unless `layout` says otherwise. */
  readonly shape: readonly number[];
  readonly role: Role;
  readonly part: Part;
  /** The law that the preset's own framework gives it. */
  readonly init: Initializer;
  /** Number of its block from 0 on, within its stack. */
  readonly layer?: number;
  /** Which stack of blocks `layer` counts in, where there are several: `encoder`, `decoder`, `vision`, `text`. */
  readonly stack?: string;
  /** Where it is not output-first: `IO` for GPT-2's matrices. */
  readonly layout?: string;
  readonly groups?: number;
  /** Where the framework keeps one of its own. */
  readonly dtype?: PlanDType;
  /** Rows along axis 0 that are zero, such as a padding token's: kept by every recipe. */
  readonly zeroRows?: readonly number[];
  /** Inputs of the module's weight: what a bias's law may depend on. */
  readonly fanIn?: number;
  /** Its name in memory, where the framework sorts by that before it renames; see `naturalOrder`. */
  readonly key?: string;
  /** Its place among the weights of a residual branch, first 0, and how many those are. */
  readonly branch?: { readonly position: number; readonly length: number };
}

/** What kind of network it is. */
export type Family = 'decoder' | 'encoder' | 'encoderDecoder' | 'vision' | 'stateSpace' | 'convolutional';

/** A model as its configuration has it. */
export interface ModelDescription {
  readonly modelType: string;
  readonly family: Family;
  /** Width of the residual stream; of the first stage where it changes. */
  readonly hidden: number;
  /** Blocks of each stack; one stack is called `''`. */
  readonly layers: ReadonlyMap<string, number>;
  /** In the order of the framework's state dict, which decides how a checkpoint is cut into shards. */
  readonly tensors: readonly ModelTensor[];
  readonly ties: readonly Tie[];
}

/** Names, shapes and the framework's own laws of one type of model. One file each. */
export interface Preset {
  /** Versioned, as in `hf5/gpt2`: the laws of transformers 5. */
  readonly id: string;
  /** `model_type` of the configuration. */
  readonly modelType: string;
  /** Names that `architectures` may have; the first one where it has none. */
  readonly architectures: readonly [string, ...string[]];
  /**
   * @throws IsometryError `CONFIG_ERROR` for a configuration that lacks a key, has a wrong one or contradicts itself.
   */
  describe(config: ModelConfig): ModelDescription;
}
