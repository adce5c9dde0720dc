import { logRamp, ones } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { addConvolution, addOutput, describeFrame, mixerSizes, stepBiases } from './mamba.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** Mamba-2 as transformers 5 has it (Dao, Gu 2024): one A and one time step for each head. */
export const mamba2: Preset = {
  id: 'hf5/mamba2',
  modelType: 'mamba2',
  architectures: ['Mamba2ForCausalLM', 'Mamba2Model'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const { hidden, layers, intermediate, states, init } = mixerSizes(config);
  const heads = config.size('num_heads');
  const headWidth = config.size('head_dim');
  if (heads * headWidth !== intermediate) {
    throw config.wrong(
      `num_heads times head_dim to be hidden_size times expand, ${intermediate},`,
      'num_heads',
      heads,
    );
  }
  const channels = intermediate + 2 * config.size('n_groups') * states;
  const list = new TensorList();
  const frame = describeFrame(config, mamba2, list);
  frame.blocks(layers, (mixer, layer) => {
    const state = { shape: [heads], layer, role: 'mixerState' } as const;
    list.add({ name: `${mixer}.dt_bias`, part: 'bias', init: stepBiases(config), ...state });
    list.add({ name: `${mixer}.A_log`, part: 'weight', init: logRamp(), ...state });
    list.add({ name: `${mixer}.D`, part: 'weight', init: ones(), ...state });
    addConvolution(config, list, mixer, channels, layer);
    list.linear(`${mixer}.in_proj`, intermediate + channels + heads, hidden, {
      layer,
      init,
      bias: config.flag('use_bias', false),
      branch: { position: 0, length: 2 },
      role: 'mixerInput',
    });
    list.norm(`${mixer}.norm`, intermediate, { bias: false, layer });
    addOutput(config, list, mixer, { hidden, intermediate, layers, layer });
  });
  return frame.end(layers, false);
}
