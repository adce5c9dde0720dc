import type { Initializer } from '../../initializers/index.js';
import type { Family, ModelDescription, ModelTensor } from '../presets/types.js';

/** Gives each tensor of a model its law, for one configuration of the recipe. */
export type RecipeLaw = (tensor: ModelTensor) => Initializer | undefined;

/** How one framework or paper starts a model. One file each; `init` depends on roles, never on names. */
export interface WeightRecipe {
  /** As in `nanogpt/gpt2`: what stands before the model type. */
  readonly id: string;
  /** For people: what it is, in a few words. */
  readonly title: string;
  /** Kinds of networks it is defined for. */
  readonly families: readonly Family[];
  /** Names of its options. */
  readonly options: readonly string[];
  /** Whether it scales from a smaller model, the base; where left out, a base is an error. */
  readonly base?: 'optional' | 'required';
  /**
   * Checks the options and returns the law of each tensor; `undefined` leaves a tensor as the preset has it. Zero rows
   * and dtypes are kept by the caller.
   * @param options - known keys only, none `undefined`.
   * @param base - the description of the model that is scaled from: there if `base` is `required`, never if it is left out.
   * @throws IsometryError `INVALID_OPTION`.
   */
  lawsOf(
    model: ModelDescription,
    options: Readonly<Record<string, unknown>>,
    base: ModelDescription | undefined,
  ): RecipeLaw;
}
