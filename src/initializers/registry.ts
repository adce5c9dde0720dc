import * as basic from './constant.js';
import * as convolution from './convolution-orthogonal.js';
import type { Definition } from './definition.js';
import * as delta from './delta-orthogonal.js';
import * as dirac from './dirac.js';
import * as glorot from './glorot.js';
import * as hadamard from './hadamard-orthogonal.js';
import * as he from './he.js';
import * as identity from './identity.js';
import * as kaiming from './kaiming.js';
import * as lecun from './lecun.js';
import * as logOfUniform from './log-of-uniform.js';
import * as logRamp from './log-ramp.js';
import * as looksLinear from './looks-linear.js';
import * as mimetic from './mimetic.js';
import * as normal from './normal.js';
import * as orthogonal from './orthogonal.js';
import * as ramp from './ramp.js';
import * as sinusoidal from './sinusoidal.js';
import * as softplusInverseLogUniform from './softplus-inverse-log-uniform.js';
import * as sparse from './sparse.js';
import * as truncated from './truncated-normal.js';
import * as uniform from './uniform.js';
import * as scaling from './variance-scaling.js';
import * as xavier from './xavier.js';
import * as zero from './zero.js';
import * as zeroRows from './zero-rows.js';

/**
 * What to fill a tensor with, as data: a frozen, JSON-serializable object made by a function such as `heNormal()`,
 * with every default written out. The same object stands in a plan file.
 */
export type Initializer =
  | basic.ZerosInitializer
  | basic.OnesInitializer
  | basic.ConstantInitializer
  | uniform.UniformInitializer
  | normal.NormalInitializer
  | truncated.TruncatedNormalInitializer
  | scaling.VarianceScalingInitializer
  | glorot.GlorotUniformInitializer
  | glorot.GlorotNormalInitializer
  | he.HeUniformInitializer
  | he.HeNormalInitializer
  | lecun.LecunUniformInitializer
  | lecun.LecunNormalInitializer
  | xavier.XavierUniformInitializer
  | xavier.XavierNormalInitializer
  | kaiming.KaimingUniformInitializer
  | kaiming.KaimingNormalInitializer
  | orthogonal.OrthogonalInitializer
  | sparse.SparseInitializer
  | mimetic.MimeticInitializer
  | delta.DeltaOrthogonalInitializer
  | convolution.ConvolutionOrthogonalInitializer
  | looksLinear.LooksLinearInitializer
  | identity.IdentityInitializer
  | dirac.DiracInitializer
  | zero.ZeroInitializer
  | hadamard.HadamardOrthogonalInitializer
  | logRamp.LogRampInitializer
  | logOfUniform.LogOfUniformInitializer
  | ramp.RampInitializer
  | sinusoidal.SinusoidalInitializer
  | softplusInverseLogUniform.SoftplusInverseLogUniformInitializer
  | zeroRows.ZeroRowsInitializer;

/** Those that are not one law for independent elements. */
export type CompositeKind =
  | 'orthogonal'
  | 'sparse'
  | 'mimetic'
  | 'deltaOrthogonal'
  | 'convolutionOrthogonal'
  | 'looksLinear'
  | 'identity'
  | 'dirac'
  | 'zero'
  | 'hadamardOrthogonal'
  | 'logRamp'
  | 'logOfUniform'
  | 'ramp'
  | 'sinusoidal'
  | 'softplusInverseLogUniform'
  | 'zeroRows';

/** Every kind that a plan or a call may name; a kind missing here does not compile. */
const DEFINITIONS: { readonly [K in Initializer['kind']]: Definition<Extract<Initializer, { kind: K }>> } = {
  zeros: basic.zerosDefinition,
  ones: basic.onesDefinition,
  constant: basic.constantDefinition,
  uniform: uniform.uniformDefinition,
  normal: normal.normalDefinition,
  truncatedNormal: truncated.truncatedNormalDefinition,
  varianceScaling: scaling.varianceScalingDefinition,
  glorotUniform: glorot.glorotUniformDefinition,
  glorotNormal: glorot.glorotNormalDefinition,
  heUniform: he.heUniformDefinition,
  heNormal: he.heNormalDefinition,
  lecunUniform: lecun.lecunUniformDefinition,
  lecunNormal: lecun.lecunNormalDefinition,
  xavierUniform: xavier.xavierUniformDefinition,
  xavierNormal: xavier.xavierNormalDefinition,
  kaimingUniform: kaiming.kaimingUniformDefinition,
  kaimingNormal: kaiming.kaimingNormalDefinition,
  orthogonal: orthogonal.orthogonalDefinition,
  sparse: sparse.sparseDefinition,
  mimetic: mimetic.mimeticDefinition,
  deltaOrthogonal: delta.deltaOrthogonalDefinition,
  convolutionOrthogonal: convolution.convolutionOrthogonalDefinition,
  looksLinear: looksLinear.looksLinearDefinition,
  identity: identity.identityDefinition,
  dirac: dirac.diracDefinition,
  zero: zero.zeroDefinition,
  hadamardOrthogonal: hadamard.hadamardOrthogonalDefinition,
  ramp: ramp.rampDefinition,
  logRamp: logRamp.logRampDefinition,
  sinusoidal: sinusoidal.sinusoidalDefinition,
  logOfUniform: logOfUniform.logOfUniformDefinition,
  softplusInverseLogUniform: softplusInverseLogUniform.softplusInverseLogUniformDefinition,
  zeroRows: zeroRows.zeroRowsDefinition,
};

/**
 * The definitions by kind. A Map, because kinds come from users: `__proto__` must be unknown.
 * @internal
 */
export const REGISTRY: ReadonlyMap<unknown, Definition<Initializer>> = new Map<
  unknown,
  Definition<Initializer>
>(Object.values(DEFINITIONS).map((definition) => [definition.kind, definition as Definition<Initializer>]));

/** The name of every initializer. */
export const INITIALIZER_KINDS: readonly Initializer['kind'][] = [...REGISTRY.values()].map(
  ({ kind }) => kind,
);
