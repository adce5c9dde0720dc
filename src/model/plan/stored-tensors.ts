import type { DType } from '../../dtype.js';
import { IsometryError, showName } from '../../errors.js';
import { type FillOptions, type Prepared, prepareFill } from '../../fill.js';
import { lawOf } from '../../initializers/index.js';
import { checkLaw } from '../../jobs.js';
import { FilePool } from '../../safetensors/file-pool.js';
import type { StoredTensor } from '../../safetensors/header.js';
import { elementCount } from '../../shape.js';
import { integerSource } from './integers.js';
import type { CopiedTensor, Plan, PlanTensor } from './plan.js';
import { bytesOfDType, integerInfo, storedNameOf } from './plan-dtype.js';
import type { TensorSource } from './tensor-source.js';

/** A tensor of a plan as files have it. */
export interface StoredPlanTensor extends StoredTensor {
  /** Size of its data. */
  readonly bytes: number;
  readonly source: PlanTensor | CopiedTensor;
}

/** Whether a tensor is copied from a file. */
export function isCopied(source: PlanTensor | CopiedTensor): source is CopiedTensor {
  return 'path' in source;
}

/**
 * What a checkpoint of a plan holds, in the plan's order. Checked as far as the plan alone could not be: whether each law
 * fits its dtype.
 *
 * @param dtype - of the tensors that have none of their own.
 * @throws IsometryError as `checkLaw`.
 */
export function storedTensors(plan: Plan, dtype: DType): readonly StoredPlanTensor[] {
  const made = plan.tensors.map((tensor) => madeTensor(tensor, dtype));
  if (plan.copied === undefined || plan.order === undefined) return made;
  const all = new Map([...made, ...plan.copied.map(copiedTensor)].map((tensor) => [tensor.name, tensor]));
  return plan.order.map((name) => all.get(name)!);
}

function madeTensor(source: PlanTensor, defaultDType: DType): StoredPlanTensor {
  const { name, shape } = source;
  const dtype = source.dtype ?? defaultDType;
  if (integerInfo(dtype) === undefined) checkLaw(lawOf(source.init, source), dtype as DType, name);
  const bytes = elementCount(shape) * bytesOfDType(dtype);
  return { name, shape, dtype: storedNameOf(dtype), bytes, source };
}

function copiedTensor(source: CopiedTensor): StoredPlanTensor {
  const { name, shape, dtype, begin, end } = source;
  return { name, shape, dtype, bytes: end - begin, source };
}

/** What all tensors of a checkpoint have in common. */
export interface SourceOptions {
  readonly seed: number | bigint;
  /** Of the tensors that have none of their own. */
  readonly dtype: DType;
  readonly device?: FillOptions['device'];
  readonly signal?: AbortSignal;
}

/**
 * The work that a tensor of a plan takes; of a part of it with `slice`.
 * @throws IsometryError as `fill`.
 */
export function preparePlanTensor(
  { name, shape, init, dtype, stream, layout, groups }: PlanTensor,
  options: SourceOptions & Pick<FillOptions, 'slice' | 'keep'>,
): Prepared {
  return prepareFill(stream ?? name, shape, init, {
    ...options,
    ...(dtype === undefined ? {} : { dtype }),
    ...(layout === undefined ? {} : { layout }),
    ...(groups === undefined ? {} : { groups }),
  });
}

/** Makes the tensors of one checkpoint. Close it when done. */
export class TensorSources {
  private readonly options: SourceOptions;
  private readonly files = new FilePool();

  constructor(options: SourceOptions) {
    this.options = options;
  }

  /**
   * What makes a tensor: prepared now, computed or read when it is asked for bytes.
   * @throws IsometryError as `fill`; `PLAN_ERROR` for a copied tensor of a plan that does not know where from.
   */
  of({ source }: Pick<StoredPlanTensor, 'source'>): TensorSource {
    if (isCopied(source)) return this.copyOf(source);
    const dtype = source.dtype ?? this.options.dtype;
    const integers = integerInfo(dtype);
    if (integers !== undefined) return integerSource(source, integers);
    return { kind: 'fill', request: preparePlanTensor(source, this.options).request };
  }

  /** Closes the files that were copied from. */
  close(): Promise<void> {
    return this.files.close();
  }

  private copyOf({ name, path, identity, begin }: CopiedTensor): TensorSource {
    if (identity === undefined) {
      throw new IsometryError(
        'PLAN_ERROR',
        `expected the plan of planLike (--like), which knows the file that ${showName(name)} is copied from; this one only says that it was copied`,
      );
    }
    const { files } = this;
    return {
      kind: 'bytes',
      async read(target, from) {
        // One piece, as the target is the buffer; the pool checks behind it that the file is still the same.
        const start = begin + from;
        for await (const _ of files.pieces(path, identity, start, start + target.length, target));
      },
    };
  }
}
