// Small models, and what a recipe makes of them.
import type { Initializer } from '../../../../src/initializers/index.js';
import { type PlanFromOptions, planFrom } from '../../../../src/model/plan-from.js';
import { parseConfig } from '../../../../src/model/presets/config.js';
import { presetFor } from '../../../../src/model/presets/index.js';
import type { ModelDescription } from '../../../../src/model/presets/types.js';

export const gpt2 = {
  model_type: 'gpt2',
  n_embd: 64,
  n_layer: 3,
  n_head: 4,
  vocab_size: 100,
  n_positions: 32,
};

export const llama = {
  model_type: 'llama',
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 160,
  vocab_size: 100,
  tie_word_embeddings: false,
};

export const gptNeox = {
  model_type: 'gpt_neox',
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 256,
  vocab_size: 100,
};

export const mixtral: object = { ...llama, model_type: 'mixtral', num_local_experts: 3 };

/** A model's description, as recipes get it. */
export function describeModel(config: object): ModelDescription {
  const parsed = parseConfig(config);
  return presetFor(parsed).describe(parsed);
}

/** Laws by the ends of names: the law of the only tensor, or of all tensors, whose name ends so. */
export type Laws = (ending: string) => Initializer;

/** The laws that a recipe gives the tensors of a model. */
export async function lawsOf(config: object, options: PlanFromOptions): Promise<Laws> {
  const { tensors } = await planFrom(config, options);
  return (ending) => {
    const found = tensors.filter(({ name }) => name.endsWith(ending));
    const laws = new Set(found.map(({ init }) => JSON.stringify(init)));
    if (laws.size !== 1) throw new Error(`${laws.size} laws for ${ending}`);
    return found[0]!.init;
  };
}
