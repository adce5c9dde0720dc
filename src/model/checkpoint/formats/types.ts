import type { Backend } from '../../../backends/types.js';
import type { FileOps } from '../../../file-ops.js';
import type { StoredPlanTensor } from '../../plan/stored-tensors.js';
import type { TensorSource } from '../../plan/tensor-source.js';

/** A model to be written in some format. */
export interface WriteJob {
  /** In the plan's order. */
  readonly tensors: readonly StoredPlanTensor[];
  /** Strings about the model; formats that have no place for them leave them out. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Absolute; of the directory, where the format makes one, else of the file. */
  readonly path: string;
  readonly backend: Backend;
  /** What makes a tensor; asked for when its turn comes. */
  readonly source: (tensor: StoredPlanTensor) => TensorSource;
  readonly signal?: AbortSignal | undefined;
  /** Whether another model's files in the directory may be removed. Default false. */
  readonly overwrite?: boolean | undefined;
  /** How many files are written at a time, where that is possible. Default 1. */
  readonly concurrency?: number | undefined;
  readonly ops?: FileOps | undefined;
  /** Bytes that are computed at a time, a multiple of 8. */
  readonly chunkBytes?: number | undefined;
  /** Called now and then with the bytes of tensor data that are written, of all tensors. */
  readonly onWritten?: ((bytes: number) => void) | undefined;
}

/** One file that was written. */
export interface WrittenFile {
  /** Its name: in the directory, where the format makes one. */
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
}

/** Writes models in one format. */
export interface FormatWriter {
  readonly name: 'npy' | 'npz' | 'tfjs';
  /** Whether a model is a directory and not a file. */
  readonly directory: boolean;
  /**
   * Whether the format can hold the tensors; looks at nothing else.
   * @throws IsometryError `INVALID_DTYPE`, `INVALID_NAME`, `INVALID_SHAPE`.
   */
  check(job: Pick<WriteJob, 'tensors'>): void;
  /**
   * Writes the files, each of which appears complete or not at all.
   * @returns all of them, in the order of their names in the format.
   * @throws (rejects with) IsometryError as `check`; `CHECKPOINT_ERROR` where another model is; `IO_ERROR`; or the signal's
   * reason.
   */
  write(job: WriteJob): Promise<readonly WrittenFile[]>;
}
