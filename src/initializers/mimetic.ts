import { expected, showName } from '../errors.js';
import { factorOf } from '../js/mimetic.js';
import type { Law } from '../law.js';
import { expectedHint, numberOption, oneOf, withDefault } from '../options.js';
import type { Recipe } from '../recipe.js';
import { elementCount } from '../shape.js';
import { parseName } from '../stream.js';
import { largestSingularSum } from '../theory/singular-values.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { matrixView, stridedAxes } from './matrix-view.js';

const ROLES: readonly MimeticRole[] = ['query', 'key', 'value', 'output'];

/** Which weight of a self-attention layer; see {@link mimetic}. */
export type MimeticRole = 'query' | 'key' | 'value' | 'output';

export interface MimeticInitializer {
  readonly kind: 'mimetic';
  readonly role: MimeticRole;
  readonly source: string;
  /** Only of `query` and `key`. */
  readonly heads?: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Options of {@link mimetic}. */
export interface MimeticOptions {
  /** Which of the layer's weights. */
  readonly role: MimeticRole;
  /** A name for the layer, the same for its four weights and no other layer's, such as `layers.0.attn`. */
  readonly source: string;
  /** Heads of the layer: needed for `query` and `key`, of no use for the others. */
  readonly heads?: number | undefined;
  /** How much of a random matrix; any finite number. Default 0.7 for `query` and `key`, 0.4 for `value` and `output`. */
  readonly alpha?: number | undefined;
  /** How much of the identity; any finite number. Default as of `alpha`. */
  readonly beta?: number | undefined;
}

/** @internal */
export const mimeticDefinition: Definition<MimeticInitializer> = {
  kind: 'mimetic',
  options: ['role', 'source', 'heads', 'alpha', 'beta'],
  parse: (options, where) => {
    const role = oneOf(options['role'], ROLES, `${where}.role`);
    const perHead = role === 'query' || role === 'key';
    const preset = perHead ? 0.7 : 0.4;
    return {
      kind: 'mimetic',
      role,
      source: sourceOption(options['source'], `${where}.source`),
      ...(perHead
        ? { heads: headsOption(options['heads'], `${where}.heads`) }
        : withoutHeads(options, where, role)),
      alpha: numberOption(withDefault(options['alpha'], preset), `${where}.alpha`),
      beta: numberOption(withDefault(options['beta'], preset), `${where}.beta`),
    };
  },
  law: mimeticLaw,
};

/**
 * A weight of a self-attention layer such that the layer's products look like those of a trained one. With signals as rows,
 * x·W, the paper's way, and d × d weights:
 *
 * - W_Q·W_Kᵀ of each head is the best approximation of rank d/heads to A = alpha·Z/√d + beta·I: by its singular value
 *   decomposition A = U·Σ·Vᵀ the head's columns of W_Q are those of U·√Σ, and of W_K those of V·√Σ, for the d/heads largest
 *   singular values, descending. Each head has a Z of its own.
 * - W_V·W_O = A = alpha·Z/√d − beta·I: W_V = U·√Σ, W_O = √Σ·Vᵀ.
 *
 * Z has independent standard normals. Both vectors of a pair may be negated; a throw of a coin decides. So an element's mean is 0.
 *
 * Shapes: d × d with axes `O` and `I`, and `E` axes before them for stacks of layers. By default, as PyTorch's `Linear` stores it,
 * outputs come first: the tensor is W_Qᵀ, and so on; row h·d/heads + j belongs to head h, as usual. `IO` is W_Q itself.
 *
 * The four weights have names of their own but must come from the same Z: they share `source`, which names the
 * streams instead of the tensor's name. Z(r, c) of head h of layer b of a stack is element u·d² + r·d + c, u = b·heads + h, of
 * the float64 normals of `source` in the role `queryKey` (`valueOutput`, with one head); the pair j = 0, 1, … is negated where
 * element u·d + j of `uniform({ min: -1, max: 1 })` in float32, role `queryKeySigns` (`valueOutputSigns`), is negative. All in
 * float64, rounded at the end. The decomposition is computed in JavaScript, anew for each head and tensor: a quarter of a second for
 * d = 192, 20 seconds for d = 768, growing with d³.
 *
 * Trockman, Kolter 2023, "Mimetic Initialization of Self-Attention Layers", arXiv:2305.09828, whose defaults these are.
 * @throws IsometryError `INVALID_OPTION` unless the options are such, `heads` a whole number ≥ 1 for `query` and `key`
 * and left out for the others; `INVALID_NAME` for a `source` that cannot name a stream; when used on a tensor,
 * `INVALID_OPTION` for heads that do not divide d, `INVALID_SHAPE` for one that is not square, `INVALID_LAYOUT` for one with other axes;
 * `OUT_OF_MEMORY` or `TOO_LARGE`, when filled, for a matrix that does not fit into memory.
 */
export function mimetic(options: MimeticOptions): MimeticInitializer {
  return make(mimeticDefinition, options);
}

function sourceOption(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return parseName(value, name);
  const hint = 'the weights of one layer come from one draw: give them one source, as in "layers.0.attn"';
  throw expectedHint('INVALID_OPTION', 'a non-empty string', name, value, hint);
}

function headsOption(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw expected('INVALID_OPTION', 'a whole number ≥ 1', name, value);
}

function withoutHeads(options: Readonly<Record<string, unknown>>, where: string, role: string): object {
  if (options['heads'] === undefined) return {};
  const hint = 'values and outputs of all heads are made together: leave it out';
  throw expectedHint('INVALID_OPTION', `no heads for role ${role}`, `${where}.heads`, options['heads'], hint);
}

function mimeticLaw({ role, source, heads = 1, alpha, beta }: MimeticInitializer, tensor: TensorInfo): Law {
  const { name, shape, layout } = tensor;
  const where = `mimetic tensor ${showName(name)}`;
  const { stacked, outputAxis, otherAxes, outputs: d, others } = matrixView(tensor, 'mimetic');
  if (otherAxes.length !== 1 || (layout !== undefined && layout[otherAxes[0]!] !== 'I')) {
    throw layout === undefined
      ? expected('INVALID_SHAPE', 'a shape of rank 2 or a layout', where, shape)
      : expected('INVALID_LAYOUT', 'a layout of one O, one I and any number of E before them', where, layout);
  }
  if (d !== others) {
    const hint = 'query, key, value and output weights are separate tensors here, each d × d';
    throw expectedHint('INVALID_SHAPE', 'a square matrix', where, shape, hint);
  }
  if (d % heads !== 0) throw expected('INVALID_OPTION', `a divisor of ${d}`, `heads of ${where}`, heads);
  const scale = Math.max(Math.abs(alpha), Math.abs(beta));
  if (scale === 0 || elementCount(shape) === 0) return { kind: 'constant', value: 0 };
  const rank = d / heads;
  // Of about 1, so that nothing overflows; the factors are √scale times as large.
  const sign = role === 'query' || role === 'key' ? 1 : -1;
  const recipe = factorRecipe(role, source, d, rank, alpha / scale, (sign * beta) / scale);
  // A unit is a list of singular vectors: columns of U·√Σ or V·√Σ.
  const [vectors, components] = role === 'output' ? [otherAxes[0]!, outputAxis] : [outputAxis, otherAxes[0]!];
  const axes = [
    ...stridedAxes(shape, [...Array(stacked).keys()], d * d),
    ...stridedAxes(shape, [vectors], d),
    ...stridedAxes(shape, [components], 1),
  ];
  const law = { kind: 'computed', recipe, gain: Math.sqrt(scale) } as const;
  return {
    kind: 'parts',
    stacked,
    parts: [{ law, placement: { sourceOffset: 0, origin: shape.map(() => 0), axes } }],
  };
}

/** A unit is one factor of one head, vector by vector; max(|alpha|, |beta|) is 1. */
function factorRecipe(
  role: MimeticRole,
  name: string,
  d: number,
  rank: number,
  alpha: number,
  beta: number,
): Recipe {
  const stream = role === 'query' || role === 'key' ? 'queryKey' : 'valueOutput';
  const side = role === 'query' || role === 'value' ? 'left' : 'right';
  return {
    what: `a factor of a matrix of ${d} × ${d}`,
    size: rank * d,
    std: Math.sqrt(largestSingularSum(alpha, beta, rank / d) / rank),
    // √σ, and σ ≤ ‖Z‖/√d + 1, no element of Z being larger than 9.2.
    largest: Math.sqrt(9.2 * Math.sqrt(d) + 1),
    inputs: (unit) => [
      {
        law: { kind: 'normal', mean: 0, std: 1 },
        name,
        role: stream,
        dtype: 'float64',
        offset: unit * d * d,
        length: d * d,
      },
      {
        law: { kind: 'uniform', min: -1, max: 1 },
        name,
        role: `${stream}Signs`,
        dtype: 'float32',
        offset: unit * d,
        length: rank,
      },
    ],
    make: ([z, signs], out) => factorOf(z as Float64Array, signs!, { d, rank, alpha, beta, side }, out),
  };
}
