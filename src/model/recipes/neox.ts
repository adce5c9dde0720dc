import {
  type Initializer,
  normal,
  orthogonal,
  xavierNormal,
  xavierUniform,
  zeros,
} from '../../initializers/index.js';
import { oneOf, withDefault } from '../../options.js';
import { depthOf, endsBranch, kindOf, stdOption } from './facts.js';
import type { WeightRecipe } from './types.js';

/** Names of laws, as EleutherAI/gpt-neox has them in its configurations. */
type NeoxMethod =
  | 'normal'
  | 'scaled_normal'
  | 'orthogonal'
  | 'scaled_orthogonal'
  | 'xavier_uniform'
  | 'xavier_normal'
  | 'wang_init'
  | 'small_init';

/** For h hidden units, L blocks and the standard deviation of the options. */
const METHODS: ReadonlyMap<NeoxMethod, (hidden: number, layers: number, std: number) => Initializer> =
  new Map<NeoxMethod, (hidden: number, layers: number, std: number) => Initializer>([
    ['normal', (_h, _L, std) => normal({ std })],
    ['scaled_normal', (_h, L, std) => normal({ std: std / Math.sqrt(2 * L) })],
    ['orthogonal', () => orthogonal({ gain: Math.sqrt(2) })],
    ['scaled_orthogonal', (_h, L) => orthogonal({ gain: Math.sqrt(2 / L) })],
    ['xavier_uniform', () => xavierUniform()],
    ['xavier_normal', () => xavierNormal()],
    ['wang_init', (h, L) => normal({ std: 2 / L / Math.sqrt(h) })],
    ['small_init', (h) => normal({ std: Math.sqrt(2 / (5 * h)) })],
  ]);

/**
 * GPT-NeoX (EleutherAI/gpt-neox, megatron/model/init_functions.py, `get_init_methods`): `outputMethod` for what ends a
 * residual branch, `initMethod` for all other matrices and embeddings, biases 0. The defaults are those of the 20B model
 * and of Pythia, not of the program (`normal` and `scaled_normal`):
 *
 * - `small_init` N(0, 2/(5h)): Nguyen and Salazar 2019, "Transformers without Tears", arXiv:1910.05895, section 2.2
 * - `wang_init` N(0, (2/(L√h))²): Black et al. 2022, arXiv:2204.06745, section 2.1.3
 * - `normal` N(0, std²), `scaled_normal` N(0, std²/(2L)), `xavier_uniform`, `xavier_normal`
 * - `orthogonal`, `scaled_orthogonal`: gain √2, √(2/L)
 *
 * Options: `initMethod` [`small_init`], `outputMethod` [`wang_init`], `std` [0.02], which only the two normals use.
 */
export const neox: WeightRecipe = {
  id: 'neox',
  title: 'GPT-NeoX: small_init, and wang_init where a residual branch ends',
  families: ['decoder'],
  options: ['initMethod', 'outputMethod', 'std'],
  lawsOf(model, options) {
    const std = stdOption(options, 'std', 0.02, 'neox');
    const method = (key: string, preset: NeoxMethod): ((layers: number) => Initializer) => {
      const names = [...METHODS.keys()];
      const name = oneOf(withDefault(options[key], preset), names, `${key} of the recipe neox`);
      return (layers) => METHODS.get(name)!(model.hidden, layers, std);
    };
    const inner = method('initMethod', 'small_init');
    const output = method('outputMethod', 'wang_init');
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind === 'own') return undefined;
      if (kind === 'bias') return zeros();
      return (endsBranch(tensor) ? output : inner)(depthOf(model, tensor));
    };
  },
};
