import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredDType } from '../../src/safetensors/dtypes.js';
import { encodeHeader, placeTensors } from '../../src/safetensors/header.js';

/** A tensor of a file that a test makes. */
export interface TestTensor {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** Writes a safetensors file by hand. */
export function writeSafetensors(
  path: string,
  tensors: readonly TestTensor[],
  metadata: Readonly<Record<string, string>> = {},
): void {
  const placed = placeTensors(tensors);
  const header = encodeHeader(placed, new Map(Object.entries(metadata)));
  const pieces = placed.map(({ tensor: { data } }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  );
  writeFileSync(path, Buffer.concat([header, ...pieces]));
}

/** Writes shards and their index. */
export function writeSharded(
  directory: string,
  shards: readonly (readonly TestTensor[])[],
  metadata: Readonly<Record<string, string>> = {},
): void {
  mkdirSync(directory, { recursive: true });
  const number = (value: number): string => String(value).padStart(5, '0');
  const map: Record<string, string> = {};
  let total = 0;
  for (const [index, tensors] of shards.entries()) {
    const file = `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`;
    writeSafetensors(join(directory, file), tensors, metadata);
    for (const { name, data } of tensors) {
      map[name] = file;
      total += data.byteLength;
    }
  }
  const index = { metadata: { total_size: total }, weight_map: map };
  writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify(index));
}
