import { SafetensorsReader, type TensorEntry } from '../safetensors/read.js';

/** A tensor of an open checkpoint. */
export type OpenTensor = TensorEntry;

/** A checkpoint to be read, of one file or of many. Close it when done. */
export interface OpenCheckpoint {
  /** File by file, in the order of their data. */
  readonly tensors: readonly OpenTensor[];
  /** What all files say, where they agree; else the sorted list of what they say. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly size: number;
  chunks(tensor: OpenTensor, buffer: Uint8Array): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a checkpoint and checks its structure. */
export async function openCheckpoint(path: string): Promise<OpenCheckpoint> {
  return SafetensorsReader.open(path);
}
