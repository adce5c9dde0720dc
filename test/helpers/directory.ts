import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A plan of several shards with 2 kB each: every dtype, a scalar, an empty tensor, an integer and a large tensor. */
export const MODEL: object = {
  metadata: { license: 'mit' },
  tensors: [
    { name: 'embed', shape: [100, 7], init: { kind: 'normal', std: 0.02 } },
    ...Array.from({ length: 6 }, (_, layer) => [
      { name: `layers.${layer}.weight`, shape: [13, 17], init: { kind: 'heNormal' } },
      { name: `layers.${layer}.bias`, shape: [13], init: { kind: 'zeros' }, dtype: 'float64' },
      {
        name: `layers.${layer}.square`,
        shape: [9, 9],
        init: { kind: 'truncatedNormal' },
        dtype: 'bfloat16',
      },
    ]).flat(),
    { name: 'scale', shape: [], init: { kind: 'constant', value: 2.5 } },
    { name: 'empty', shape: [4, 0], init: { kind: 'ones' } },
    { name: 'head', shape: [30, 7], init: { kind: 'orthogonal' }, dtype: 'float16' },
  ],
};

/** Names of all files of a directory, with the SHA-256 of their bytes. */
export function contents(directory: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(directory)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex'),
      ]),
  );
}
