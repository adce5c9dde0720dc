/**
 * Neural-network weight initialization with the same bits on every device.
 * @module
 */
export type { CudaReport } from './backends/cuda.js';
export { type BackendReport, probeBackends as capabilities } from './backends/index.js';
export type { CudaDevice, CudaProbe, CudaResult } from './backends/native-cuda.js';
export type { BackendName, OnProgress, Probe } from './backends/types.js';
export type { Activations, ActivationValues } from './data-dependent/activations.js';
export type { LsuvInitialize, LsuvLayer } from './data-dependent/layers.js';
export { type LsuvForward, type LsuvOptions, type LsuvProgress, lsuv } from './data-dependent/lsuv.js';
export type { LsuvReport } from './data-dependent/rescale.js';
export { type DeviceMemoryStats, deviceMemory } from './device-memory.js';
export type { DeviceTarget } from './device-target.js';
export { DeviceTensor, type DLPackDescription, type IpcHandle } from './device-tensor.js';
export { DTYPE_NAMES, type DType, type IntegerArray, type IntegerDType, type TensorArray } from './dtype.js';
export { type ErrorCode, IsometryError } from './errors.js';
export {
  type FillIntoOptions,
  type FillOptions,
  type FillSyncOptions,
  fill,
  fillInto,
  fillSync,
} from './fill.js';
export {
  type ConstantInitializer,
  type ConstantOptions,
  type ConvolutionOrthogonalInitializer,
  type ConvolutionOrthogonalOptions,
  constant,
  convolutionOrthogonal,
  type DeltaOrthogonalInitializer,
  type DeltaOrthogonalOptions,
  type DiracInitializer,
  type DiracOptions,
  type Distribution,
  deltaOrthogonal,
  dirac,
  type FanMode,
  type GlorotNormalInitializer,
  type GlorotUniformInitializer,
  glorotNormal,
  glorotUniform,
  type HadamardOrthogonalInitializer,
  type HadamardOrthogonalOptions,
  type HeNormalInitializer,
  type HeUniformInitializer,
  hadamardOrthogonal,
  heNormal,
  heUniform,
  type IdentityInitializer,
  type IdentityOptions,
  INITIALIZER_KINDS,
  type Initializer,
  identity,
  type KaimingNormalInitializer,
  type KaimingOptions,
  type KaimingUniformInitializer,
  kaimingNormal,
  kaimingUniform,
  type LecunNormalInitializer,
  type LecunUniformInitializer,
  type LogOfUniformInitializer,
  type LogOfUniformOptions,
  type LogRampInitializer,
  type LogRampOptions,
  type LooksLinearInitializer,
  type LooksLinearMirror,
  type LooksLinearOptions,
  lecunNormal,
  lecunUniform,
  logOfUniform,
  logRamp,
  looksLinear,
  type MimeticInitializer,
  type MimeticOptions,
  type MimeticRole,
  mimetic,
  type NormalInitializer,
  type NormalOptions,
  normal,
  type OnesInitializer,
  type OrthogonalInitializer,
  type OrthogonalMethod,
  type OrthogonalOptions,
  ones,
  orthogonal,
  type RampInitializer,
  type RampOptions,
  ramp,
  type SinusoidalInitializer,
  type SinusoidalOptions,
  type SinusoidalOrder,
  type SoftplusInverseLogUniformInitializer,
  type SoftplusInverseLogUniformOptions,
  type SparseInitializer,
  type SparseOptions,
  type StoredBounds,
  sinusoidal,
  softplusInverseLogUniform,
  sparse,
  type TruncatedNormalInitializer,
  type TruncatedNormalOptions,
  truncatedNormal,
  type UniformInitializer,
  type UniformOptions,
  uniform,
  type VarianceScalingInitializer,
  type VarianceScalingOptions,
  varianceScaling,
  type XavierNormalInitializer,
  type XavierOptions,
  type XavierUniformInitializer,
  xavierNormal,
  xavierUniform,
  type ZeroInitializer,
  type ZeroRowsInitializer,
  type ZeroRowsOptions,
  type ZerosInitializer,
  zero,
  zeroRows,
  zeros,
} from './initializers/index.js';
export {
  type CheckpointFormat,
  type CheckpointOptions,
  type CheckpointShard,
  type CheckpointSummary,
  writeCheckpoint,
} from './model/checkpoint/checkpoint.js';
export {
  type FinalizeOptions,
  type FinalizeSummary,
  finalizeCheckpoint,
} from './model/checkpoint/finalize.js';
export type { CheckpointProgress } from './model/checkpoint/progress.js';
export { type FillModelOptions, fillModel, type ModelTensor } from './model/fill-model.js';
export { type PlanLikeOptions, planLike } from './model/plan/like.js';
export {
  type CopiedTensor,
  type Plan,
  type PlanFile,
  type PlanTensor,
  parsePlan,
  readPlan,
  serializePlan,
  type Tie,
} from './model/plan/plan.js';
export type { PlanDType } from './model/plan/plan-dtype.js';
export { type PlanFromOptions, planFrom, type RecipeChoice } from './model/plan/plan-from.js';
export {
  type CheckpointDiff,
  type DiffOptions,
  type DiffProgress,
  type DiffSide,
  diffCheckpoints,
  type MetadataDifference,
  type TensorDifference,
} from './model/verify/diff.js';
export { type VerifyOptions, verifyCheckpoint } from './model/verify/verify.js';
export type {
  VerifyProblem,
  VerifyProblemKind,
  VerifyProgress,
  VerifyReport,
  VerifySkipped,
} from './model/verify/verify-report.js';
export { RECOMMEND_ACTIVATIONS, type Recommendation, recommend } from './recommend.js';
export type { Slice } from './region.js';
export type { StoredDType } from './safetensors/dtypes.js';
export type { FileIdentity } from './safetensors/stable-file.js';
export { type ArrayOf, Tensor, toFloat32 } from './tensor.js';
export { ACTIVATIONS, type Activation, type ActivationFunction } from './theory/activations.js';
export { type CriticalLineOptions, type CriticalPoint, criticalLine } from './theory/critical-line.js';
export { type GainConvention, type GainOptions, gain } from './theory/gain.js';
export { type MeanField, type MeanFieldOptions, meanField } from './theory/mean-field.js';
export type { ActivationOptions } from './theory/resolve.js';
export { GAIN_ACTIVATIONS, type GainActivation } from './theory/torch-gains.js';
export { truncationConstant } from './theory/truncation.js';
export { STREAM_VERSION, VERSION } from './version.js';
