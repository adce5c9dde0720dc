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

const smooth = (name: string): string =>
  `${name} is close to ReLU, so about half the second moment of its input is lost and He's variance 2/fanIn makes up for it.`;
const unity = (name: string): string =>
  `${name} passes signals around 0 on in proportion, so Glorot's variance 2/(fanIn + fanOut) keeps both activations and gradients near their size.`;

const RECTIFIED =
  'ReLU sets half of its inputs to 0, which halves the second moment of the signal; variance 2/fanIn doubles it back.';
const LEAKY = (name: string): string =>
  `${name} acts as ReLU with a small slope a below 0; He's variance 2/fanIn is exact at a = 0 and 2/((1 + a²)·fanIn), kaimingNormal({ a }), for a known slope.`;

/** By canonical name; functions, so that every answer is a fresh object. */
const TABLE: ReadonlyMap<string, () => Recommendation> = new Map<string, () => Recommendation>([
  ['relu', () => he(RECTIFIED)],
  ['leakyRelu', () => he(LEAKY('Leaky ReLU'))],
  ['prelu', () => he(LEAKY('PReLU'))],
  ['rrelu', () => he(LEAKY('Randomized leaky ReLU'))],
  [
    'elu',
    () =>
      he(smooth('ELU'), 'Clevert, Unterthiner, Hochreiter 2016, Exponential Linear Units, arXiv:1511.07289'),
  ],
  ['gelu', () => he(smooth('GELU'))],
  ['silu', () => he(smooth('SiLU'))],
  ['swish', () => he(smooth('Swish'))],
  ['mish', () => he(smooth('Mish'))],
  [
    'selu',
    () => ({
      initializer: lecunNormal(),
      reason:
        "SELU's constants make mean 0 and variance 1 a stable fixed point only when weights have mean 0 and variance 1/fanIn.",
      source: SNN_PAPER,
    }),
  ],
  ['tanh', () => glorot(unity('tanh'))],
  ['sigmoid', () => glorot(unity('The sigmoid'))],
  ['softmax', () => glorot(unity('An output layer under softmax'))],
  ['linear', () => glorot(unity('A layer without activation'))],
  ['identity', () => glorot(unity('A layer without activation'))],
  ['none', () => glorot(unity('A layer without activation'))],
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
