/**
 * How a model is cut into files, and what they are called: as huggingface_hub and transformers do it, so that
 * `from_pretrained` loads the result. Nothing here depends on how many processes write.
 */
import { expectedHint } from '../../options.js';
import { compareUtf8 } from '../../safetensors/header.js';

/** As in huggingface_hub; transformers itself has 50GB. */
export const DEFAULT_SHARD_SIZE = '5GB';

/** The index of a model of several files. */
export const INDEX_FILE = 'model.safetensors.index.json';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KIB', 2 ** 10],
  ['MIB', 2 ** 20],
  ['GIB', 2 ** 30],
  ['TIB', 2 ** 40],
]);

/**
 * The largest size of a shard in bytes: a number, or a text such as `5GB`, `500MB` (decimal, as in huggingface_hub,
 * and like there rounded down to whole bytes), `1.5GiB` (binary) or `5000000`.
 * @throws IsometryError `INVALID_OPTION` for anything else, and for less than one byte.
 */
export function parseShardSize(value: unknown, name = 'maxShardSize'): number {
  const bytes = typeof value === 'string' ? parseText(value) : value;
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw expectedHint(
    'INVALID_OPTION',
    'a whole number of bytes from 1 to 2^53 − 1 or a text such as "5GB"',
    name,
    value,
    'units are KB, MB, GB, TB (decimal) and KiB, MiB, GiB, TiB',
  );
}

function parseText(text: string): number | undefined {
  const [, digits, unit] = /^ *(\d{1,20}(?:\.\d{1,20})?) *([a-z]{0,3}) *$/i.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const factor = UNITS.get(unit.toUpperCase());
  return factor === undefined ? undefined : Math.trunc(Number(digits) * factor);
}

/**
 * Cuts tensors, in the order of the model's state dict, into shards of at most `maxShardSize` bytes of data: a tensor
 * that is larger is alone in its shard, the others go one after the other into the same shard until the next one would
 * not fit. As `split_state_dict_into_shards_factory` of huggingface_hub does it: the shard of a large tensor comes
 * before the one that was being filled when it was met, which is filled further.
 */
export function cutShards<T extends { readonly bytes: number }>(
  tensors: readonly T[],
  maxShardSize: number,
): readonly (readonly T[])[] {
  const shards: T[][] = [];
  let current: T[] = [];
  let size = 0;
  for (const tensor of tensors) {
    if (tensor.bytes > maxShardSize) {
      shards.push([tensor]);
      continue;
    }
    if (size + tensor.bytes > maxShardSize) {
      shards.push(current);
      current = [];
      size = 0;
    }
    current.push(tensor);
    size += tensor.bytes;
  }
  if (current.length > 0) shards.push(current);
  return shards;
}

/** Name of shard `index`, counted from 0, of `count`: `model-00001-of-00003.safetensors`; `model.safetensors` of one. */
export function shardName(index: number, count: number): string {
  if (count === 1) return 'model.safetensors';
  return `model-${fiveDigits(index + 1)}-of-${fiveDigits(count)}.safetensors`;
}

/** A number as shards' names have it. */
export function fiveDigits(value: number): string {
  return String(value).padStart(5, '0');
}

/** Which of `world` processes writes shard `index`: they take turns, so that each has about as many bytes. */
export function rankOfShard(index: number, world: number): number {
  return index % world;
}

/** What the index says of a model. */
export interface IndexedModel {
  /** Bytes of tensor data. */
  readonly totalSize: number;
  /** Trained numbers. */
  readonly totalParameters: number;
  /** Pairs of a tensor's name and its file. */
  readonly weightMap: readonly (readonly [name: string, file: string])[];
}

/**
 * `model.safetensors.index.json`, byte for byte as `save_pretrained` of transformers 5 writes it: keys sorted by code
 * point, indented by two spaces, everything outside of ASCII escaped, a newline at the end.
 */
export function indexJson({ totalSize, totalParameters, weightMap }: IndexedModel): string {
  const sorted = [...weightMap].sort(([a], [b]) => compareUtf8(a, b));
  const lines = sorted.map(([name, file]) => `    ${asciiJson(name)}: ${asciiJson(file)}`);
  const map = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  return `{
  "metadata": {
    "total_parameters": ${totalParameters},
    "total_size": ${totalSize}
  },
  "weight_map": ${map}
}
`;
}

/** A string as Python's `json.dumps` writes it. */
function asciiJson(text: string): string {
  const json = JSON.stringify(text);
  // Nearly all names are ASCII.
  if (/^[ -~]*$/.test(json)) return json;
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Rows [begin, end) of axis 0 that rank `rank` of `world` holds: as `torch.chunk` cuts, and so `Shard(0)` of DTensor
 * and FSDP2. The last ranks may have none.
 */
export function rowsOfRank(rows: number, rank: number, world: number): readonly [begin: number, end: number] {
  const chunk = Math.ceil(rows / world);
  return [Math.min(rows, rank * chunk), Math.min(rows, (rank + 1) * chunk)];
}
