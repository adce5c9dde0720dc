import { type ModelEntry, ModelReader } from '../../safetensors/read-model.js';
import { openSlices, sliceFilesIn } from './open-slices.js';

/** A tensor of an open checkpoint. Of slices put together, `begin` is 0 and `file` the directory. */
export type OpenTensor = ModelEntry;

/** A checkpoint to be read, of one file or of many. Close it when done. */
export interface OpenCheckpoint {
  /** File by file, in the order of their data. */
  readonly tensors: readonly OpenTensor[];
  /** What all files say. */
  readonly metadata: ReadonlyMap<string, string>;
  /** How many files of tensors. */
  readonly files: number;
  /** Bytes of all of them. */
  readonly size: number;
  /** What is right, but will not load everywhere, in words. */
  readonly notes: readonly string[];
  /** As `ModelReader.chunks`: also of a part of a tensor, that is with another `begin` and `end`. */
  chunks(tensor: OpenTensor, buffer: Uint8Array): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a checkpoint and checks its structure: a file, a sharded index, a directory with either, or one with slices of
 * torch.distributed.checkpoint.
 * @throws (rejects with) IsometryError as `ModelReader.open` and `openSlices`.
 */
export async function openCheckpoint(path: string): Promise<OpenCheckpoint> {
  const slices = await sliceFilesIn(path);
  if (slices.length > 0) return openSlices(path, slices);
  const reader = await ModelReader.open(path);
  return {
    tensors: reader.tensors,
    metadata: reader.metadata,
    files: reader.files.length,
    size: reader.size,
    notes: reader.notes,
    chunks: (tensor, buffer) => reader.chunks(tensor, buffer),
    close: () => reader.close(),
  };
}
