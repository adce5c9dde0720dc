import type { BackendName } from '../../backends/types.js';

/** What can be wrong with a checkpoint. */
export type VerifyProblemKind =
  /** It is no valid checkpoint: nothing else was looked at. */
  | 'structure'
  /** What it says of its origin contradicts the plan or the seed. */
  | 'origin'
  /** The plan has a tensor that the checkpoint lacks. */
  | 'missing'
  /** The checkpoint has a tensor that no rule of the plan made. */
  | 'unexpected'
  | 'shape'
  | 'dtype'
  /** Elements differ from what the seed and the plan give. */
  | 'values'
  /** NaN or infinite elements. */
  | 'notFinite'
  /** Two tensors, or two parts, that should be random hold the same elements. */
  | 'duplicate';

/** Something that is wrong with a checkpoint. */
export interface VerifyProblem {
  readonly kind: VerifyProblemKind;
  /** Left out where it is the whole checkpoint's. */
  readonly tensor?: string;
  /** In words. */
  readonly message: string;
}

/** A tensor whose values were not compared, and why. */
export interface VerifySkipped {
  readonly tensor: string;
  readonly reason: string;
}

/** What `verifyCheckpoint` found. */
export interface VerifyReport {
  /** Absolute. */
  readonly path: string;
  /** No problems. */
  readonly ok: boolean;
  /** The first `MOST_LISTED` of them. */
  readonly problems: readonly VerifyProblem[];
  /** How many there are in all. */
  readonly problemCount: number;
  /** What the checkpoint has. */
  readonly tensors: number;
  readonly parameters: number;
  readonly files: number;
  /** Of all files. */
  readonly bytes: number;
  /** What is right, but will not load everywhere, in words. */
  readonly notes: readonly string[];
  /** Where the plan came from; without one only structure, finiteness and repetitions are looked at. */
  readonly plan: 'given' | 'recorded' | 'none';
  /** Decimal; left out where none is known. */
  readonly seed?: string;
  /** What was computed again and compared, bit for bit. */
  readonly compared: {
    readonly tensors: number;
    /** Slices of tensors. */
    readonly samples: number;
    readonly bytes: number;
  };
  /** Tensors that the plan copies from another checkpoint: what they should hold is not known here. */
  readonly copied: number;
  /** The first `MOST_LISTED` tensors whose turn it was, but which were not compared. */
  readonly skipped: readonly VerifySkipped[];
  readonly skippedCount: number;
  readonly seconds: number;
  /** What computed it; left out where nothing was. */
  readonly backend?: BackendName;
}

/** How far verifying is. */
export interface VerifyProgress {
  readonly stage: 'values' | 'duplicates';
  /** Name of the tensor that is looked at. */
  readonly tensor: string;
  /** Tensors of this stage. */
  readonly tensorsDone: number;
  readonly tensorsTotal: number;
}

/** Of a million wrong tensors nobody reads all; what is more is counted. */
export const MOST_LISTED = 1000;

/** A list that does not grow for ever. */
export class Findings<T> {
  readonly listed: T[] = [];
  count = 0;

  add(entry: T): void {
    this.count++;
    if (this.listed.length < MOST_LISTED) this.listed.push(entry);
  }
}
