import { DTYPE_NAMES, type DType, dtypeInfo, type IntegerDType } from '../../dtype.js';
import { expected } from '../../errors.js';
import type { StoredDType } from '../../safetensors/dtypes.js';

/** What a tensor of a plan may be made of. */
export type PlanDType = DType | IntegerDType;

/** What the rest of the library needs to know of a dtype that is not of real numbers. */
export interface IntegerInfo {
  readonly name: IntegerDType;
  readonly bytes: number;
  readonly safetensors: StoredDType;
  readonly min: bigint;
  readonly max: bigint;
}

const INTEGERS: ReadonlyMap<unknown, IntegerInfo> = new Map<unknown, IntegerInfo>([
  ['int64', { name: 'int64', bytes: 8, safetensors: 'I64', min: -(2n ** 63n), max: 2n ** 63n - 1n }],
  ['int32', { name: 'int32', bytes: 4, safetensors: 'I32', min: -(2n ** 31n), max: 2n ** 31n - 1n }],
  ['int16', { name: 'int16', bytes: 2, safetensors: 'I16', min: -(2n ** 15n), max: 2n ** 15n - 1n }],
  ['int8', { name: 'int8', bytes: 1, safetensors: 'I8', min: -128n, max: 127n }],
  ['uint8', { name: 'uint8', bytes: 1, safetensors: 'U8', min: 0n, max: 255n }],
  ['bool', { name: 'bool', bytes: 1, safetensors: 'BOOL', min: 0n, max: 1n }],
]);

/** All names, those of real numbers first. */
export const PLAN_DTYPE_NAMES: readonly PlanDType[] = [
  ...DTYPE_NAMES,
  ...[...INTEGERS.values()].map(({ name }) => name),
];

/** Facts about an integer dtype; `undefined` for one of real numbers. */
export function integerInfo(dtype: PlanDType): IntegerInfo | undefined {
  return INTEGERS.get(dtype);
}

/** @throws IsometryError `INVALID_DTYPE`. */
export function parsePlanDType(dtype: unknown): PlanDType {
  if (INTEGERS.has(dtype)) return dtype as IntegerDType;
  if (!(DTYPE_NAMES as readonly unknown[]).includes(dtype)) {
    throw expected('INVALID_DTYPE', `one of ${PLAN_DTYPE_NAMES.join(', ')}`, 'dtype', dtype);
  }
  return dtype as DType;
}

/** Its name in a safetensors header. */
export function storedNameOf(dtype: PlanDType): StoredDType {
  return integerInfo(dtype)?.safetensors ?? dtypeInfo(dtype).safetensors;
}

const BY_STORED_NAME: ReadonlyMap<unknown, PlanDType> = new Map(
  PLAN_DTYPE_NAMES.map((dtype) => [storedNameOf(dtype), dtype]),
);

/** The dtype that a safetensors header calls so; `undefined` for one that cannot be made. */
export function dtypeOfStored(name: StoredDType): PlanDType | undefined {
  return BY_STORED_NAME.get(name);
}

/** Bytes of one element. */
export function bytesOfDType(dtype: PlanDType): number {
  return integerInfo(dtype)?.bytes ?? dtypeInfo(dtype).bytes;
}
