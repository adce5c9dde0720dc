import { npy } from './npy.js';
import { npz } from './npz.js';
import { tfjs } from './tfjs.js';
import type { FormatWriter } from './types.js';

export type { FormatWriter, WriteJob, WrittenFile } from './types.js';

/** How models are written beside safetensors, by name. */
export const FORMATS: ReadonlyMap<string, FormatWriter> = new Map(
  [npy, npz, tfjs].map((format) => [format.name, format]),
);
