import { glorotUniform } from './initializers/glorot.js';
import { heNormal } from './initializers/he.js';
import { lecunNormal } from './initializers/lecun.js';
import type { Initializer } from './initializers/registry.js';
import { foldName, oneOf } from './options.js';

/** What {@link recommend} answers. */
export interface Recommendation {
  /** For the weights of the layer in front of the activation. */
  readonly initializer: Initializer;
  /** Why, in one sentence. */
  readonly reason: string;
  /** The paper that says so. */
  readonly source: string;
}

const HE_PAPER = 'He, Zhang, Ren, Sun 2015, Delving Deep into Rectifiers, arXiv:1502.01852';
const GLOROT_PAPER =
  'Glorot, Bengio 2010, Understanding the difficulty of training deep feedforward neural networks, AISTATS';
const ELU_PAPER =
  'Clevert, Unterthiner, Hochreiter 2016, Fast and Accurate Deep Network Learning by Exponential Linear Units (ELUs), arXiv:1511.07289';
const SNN_PAPER =
  'Klambauer, Unterthiner, Mayr, Hochreiter 2017, Self-Normalizing Neural Networks, arXiv:1706.02515';

const he = (reason: string, source: string = HE_PAPER): Recommendation => ({
  initializer: heNormal(),
  reason,
  source,
});
const glorot = (reason: string): Recommendation => ({
  initializer: glorotUniform(),
  reason,
  source: GLOROT_PAPER,
});

const RECTIFIED =
  'ReLU sets half of its inputs to 0, which halves the second moment of the signal; variance 2/fanIn doubles it back.';
const leaky = (name: string): string =>
  `${name} is ReLU with a slope a below 0: variance 2/fanIn is exact at a = 0, kaimingNormal({ a }) for a known slope.`;
const smooth = (name: string): string =>
  `${name} is close to ReLU, which loses half the second moment of its input; He's variance 2/fanIn makes up for it.`;
const linear = (fact: string): string =>
  `${fact}, so variance 2/(fanIn + fanOut) keeps both activations and gradients near their size.`;
const SELF_NORMALIZING =
  "SELU's constants make mean 0 and variance 1 a fixed point only for weights of mean 0 and variance 1/fanIn.";

/** By canonical name; functions, so that every answer is a fresh object. */
const TABLE: ReadonlyMap<string, () => Recommendation> = new Map<string, () => Recommendation>([
  ['relu', () => he(RECTIFIED)],
  ['leakyRelu', () => he(leaky('Leaky ReLU'))],
  ['prelu', () => he(leaky('PReLU'))],
  ['rrelu', () => he(leaky('Randomized leaky ReLU'))],
  ['elu', () => he(smooth('ELU'), ELU_PAPER)],
  ['gelu', () => he(smooth('GELU'))],
  ['silu', () => he(smooth('SiLU'))],
  ['swish', () => he(smooth('Swish'))],
  ['mish', () => he(smooth('Mish'))],
  [
    'selu',
    () => ({
      initializer: lecunNormal(),
      reason: SELF_NORMALIZING,
      source: SNN_PAPER,
    }),
  ],
  ['tanh', () => glorot(linear('tanh is nearly linear around 0'))],
  ['sigmoid', () => glorot(linear('The sigmoid is nearly linear around 0'))],
  ['softmax', () => glorot(linear('Softmax reads the outputs of a linear layer'))],
  ['linear', () => glorot(linear('A layer without activation is linear'))],
  ['identity', () => glorot(linear('A layer without activation is linear'))],
  ['none', () => glorot(linear('A layer without activation is linear'))],
]);

/** Every activation that {@link recommend} knows. */
export const RECOMMEND_ACTIVATIONS: readonly string[] = [...TABLE.keys()];

const FOLDED: ReadonlyMap<string, () => Recommendation> = new Map(
  [...TABLE].map(([name, answer]) => [foldName(name), answer] as const),
);

/**
 * The initializer that the literature has for a layer followed by an activation, with the reason: He for ReLU and its
 * kin (`relu`, `leakyRelu`, `prelu`, `rrelu`, `elu`, `gelu`, `silu`, `swish`, `mish`), LeCun for `selu`, Glorot for
 * `tanh`, `sigmoid`, `softmax` and no activation (`linear`, `identity`, `none`).
 *
 * @param activation - its name; case, `_`, `-` and blanks do not count, so `leaky_relu` and `LeakyReLU` are one.
 * @throws IsometryError `INVALID_OPTION` for an unknown one, naming the nearest.
 */
export function recommend(activation: string): Recommendation {
  const answer = typeof activation === 'string' ? FOLDED.get(foldName(activation)) : undefined;
  if (answer !== undefined) return Object.freeze(answer());
  // Never one of the names as it stands; throws with the nearest.
  return TABLE.get(oneOf(activation, RECOMMEND_ACTIVATIONS, 'activation'))!();
}
