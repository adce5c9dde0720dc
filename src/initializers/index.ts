import { expected } from '../errors.js';
import type { ElementLaw, Law } from '../law.js';
import { parseGroups, parseLayout } from '../layout.js';
import { checkKeys, expectedHint, isPlainObject, oneOf, snapshot } from '../options.js';
import type { Definition, TensorInfo } from './definition.js';
import { type CompositeKind, INITIALIZER_KINDS, type Initializer, REGISTRY } from './registry.js';

// Named one by one: the definitions in these files are no part of the public API.
export {
  type ConstantInitializer,
  type ConstantOptions,
  constant,
  type OnesInitializer,
  ones,
  type ZerosInitializer,
  zeros,
} from './constant.js';
export {
  type ConvolutionOrthogonalInitializer,
  type ConvolutionOrthogonalOptions,
  convolutionOrthogonal,
} from './convolution-orthogonal.js';
export type { TensorInfo } from './definition.js';
export {
  type DeltaOrthogonalInitializer,
  type DeltaOrthogonalOptions,
  deltaOrthogonal,
} from './delta-orthogonal.js';
export { type DiracInitializer, type DiracOptions, dirac } from './dirac.js';
export {
  type GlorotNormalInitializer,
  type GlorotUniformInitializer,
  glorotNormal,
  glorotUniform,
} from './glorot.js';
export {
  type HadamardOrthogonalInitializer,
  type HadamardOrthogonalOptions,
  hadamardOrthogonal,
} from './hadamard-orthogonal.js';
export { type HeNormalInitializer, type HeUniformInitializer, heNormal, heUniform } from './he.js';
export { type IdentityInitializer, type IdentityOptions, identity } from './identity.js';
export {
  type KaimingNormalInitializer,
  type KaimingOptions,
  type KaimingUniformInitializer,
  kaimingNormal,
  kaimingUniform,
} from './kaiming.js';
export {
  type LecunNormalInitializer,
  type LecunUniformInitializer,
  lecunNormal,
  lecunUniform,
} from './lecun.js';
export { type LogOfUniformInitializer, type LogOfUniformOptions, logOfUniform } from './log-of-uniform.js';
export { type LogRampInitializer, type LogRampOptions, logRamp } from './log-ramp.js';
export {
  type LooksLinearInitializer,
  type LooksLinearMirror,
  type LooksLinearOptions,
  looksLinear,
} from './looks-linear.js';
export {
  type MimeticInitializer,
  type MimeticOptions,
  type MimeticRole,
  mimetic,
} from './mimetic.js';
export { type NormalInitializer, type NormalOptions, normal } from './normal.js';
export {
  type OrthogonalInitializer,
  type OrthogonalMethod,
  type OrthogonalOptions,
  orthogonal,
} from './orthogonal.js';
export { type RampInitializer, type RampOptions, ramp } from './ramp.js';
export { INITIALIZER_KINDS, type Initializer } from './registry.js';
export {
  type SinusoidalInitializer,
  type SinusoidalOptions,
  type SinusoidalOrder,
  sinusoidal,
} from './sinusoidal.js';
export {
  type SoftplusInverseLogUniformInitializer,
  type SoftplusInverseLogUniformOptions,
  softplusInverseLogUniform,
} from './softplus-inverse-log-uniform.js';
export { type SparseInitializer, type SparseOptions, sparse } from './sparse.js';
export {
  type StoredBounds,
  type TruncatedNormalInitializer,
  type TruncatedNormalOptions,
  truncatedNormal,
} from './truncated-normal.js';
export { type UniformInitializer, type UniformOptions, uniform } from './uniform.js';
export {
  type Distribution,
  type FanMode,
  type VarianceScalingInitializer,
  type VarianceScalingOptions,
  varianceScaling,
} from './variance-scaling.js';
export {
  type XavierNormalInitializer,
  type XavierOptions,
  type XavierUniformInitializer,
  xavierNormal,
  xavierUniform,
} from './xavier.js';
export { type ZeroInitializer, zero } from './zero.js';
export { type ZeroRowsInitializer, type ZeroRowsOptions, zeroRows } from './zero-rows.js';

/**
 * A validated, frozen copy of an initializer, with every default filled in: of what a factory made, or of a plain
 * object such as JSON gives, `{ "kind": "normal", "std": 0.02 }`.
 *
 * @param where - what messages call it, as in `tensors[3].init`.
 * @throws IsometryError `INVALID_INITIALIZER` when it is none, or of unknown kind (naming the nearest);
 * `UNKNOWN_OPTION` for an unknown key (naming the nearest); `INVALID_OPTION` for a bad value.
 */
export function parseInitializer(value: unknown, where: string): Initializer {
  if (!isPlainObject(value)) {
    const what = 'an initializer';
    if (typeof value === 'function') {
      throw expectedHint('INVALID_INITIALIZER', what, where, value, 'call the function, as in heNormal()');
    }
    const hint = 'make one with a function such as heNormal(), or write { kind: "heNormal" }';
    throw expectedHint('INVALID_INITIALIZER', what, where, value, hint);
  }
  const { kind, ...options } = snapshot(value);
  const definition = definitionOf(kind, where);
  return Object.freeze(definition.parse(checkKeys(options, definition.options, where), where));
}

/**
 * The law that an initializer means for one tensor. Pure: no element is computed.
 *
 * @param initializer - from a factory or {@link parseInitializer}.
 * @param tensor - the whole tensor, never a shard: fans come from the full shape.
 * @throws IsometryError `INVALID_SHAPE` when the initializer needs fans and the rank gives none; `INVALID_LAYOUT` and
 * `INVALID_OPTION` for a layout or groups that do not fit, also where the initializer has no use for them.
 */
export function lawOf(
  initializer: Exclude<Initializer, { kind: CompositeKind }>,
  tensor: TensorInfo,
): ElementLaw;
export function lawOf(initializer: Initializer, tensor: TensorInfo): Law;
export function lawOf(initializer: Initializer, tensor: TensorInfo): Law {
  if (tensor.layout !== undefined) parseLayout(tensor.layout, tensor.shape.length);
  if (tensor.groups !== undefined) parseGroups(tensor.groups);
  return definitionOf(initializer.kind, 'initializer').law(initializer, tensor);
}

function definitionOf(kind: unknown, where: string): Definition<Initializer> {
  const definition = REGISTRY.get(kind);
  if (definition !== undefined) return definition;
  if (typeof kind === 'string') oneOf(kind, INITIALIZER_KINDS, `${where}.kind`, 'INVALID_INITIALIZER');
  throw expected('INVALID_INITIALIZER', `one of ${INITIALIZER_KINDS.join(', ')}`, `${where}.kind`, kind);
}
