import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { parseDevice } from '../../backends/index.js';
import { type DType, dtypeInfo } from '../../dtype.js';
import { expected, IsometryError } from '../../errors.js';
import { parseSignal } from '../../fill.js';
import { booleanOption, checkKeys, expectedHint, oneOf, withDefault } from '../../options.js';
import { parseSeed } from '../../seed.js';
import { findRank } from './launcher.js';
import { parseMetadata } from './metadata.js';
import type { CheckpointProgress } from './progress.js';
import { DEFAULT_SHARD_SIZE, parseShardSize } from './shards.js';

/** How weights are stored: safetensors files, one .npy file per tensor, one .npz file, or tfjs' model.json and its binary files. */
export type CheckpointFormat = 'safetensors' | 'npy' | 'npz' | 'tfjs';

/** What `writeCheckpoint` takes beside the plan and the path. */
export interface CheckpointOptions {
  /** 0 … 2^64 − 1, as a number up to 2^53 − 1 or as a bigint. Required. */
  readonly seed: number | bigint;
  /** Wins over the plan's dtype; a tensor's own dtype wins over this. */
  readonly dtype?: DType;
  /** Default `auto`: the fastest there is. Never changes a byte. Any other works or throws. */
  readonly device?: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
  /** Default `safetensors`. `npy` and `tfjs` make a directory, `npz` makes one file. */
  readonly format?: 'safetensors' | 'npy' | 'npz' | 'tfjs';
  /**
   * Most bytes of tensor data in one file of a directory, as a number or as text: `5GB` (the default), `500MB`, `1GiB`. A
   * larger tensor is alone in its file. A part of what the files are called and of what they hold.
   */
  readonly maxShardSize?: number | string;
  /** Which of `world` processes this is, from 0 on: it writes its share of the files and no others. */
  readonly rank?: number;
  /** How many processes there are. With more than one, call `finalizeCheckpoint` when all are done. */
  readonly world?: number;
  /** Whether each of `world` processes writes its rows of every tensor, for torch.distributed.checkpoint. Default false. */
  readonly slices?: boolean;
  /** Whether another model in the directory may be removed. Default false. A single file is always replaced. */
  readonly overwrite?: boolean;
  /** How many files are written at a time: 1 … 64, default 4. Each takes 25 MB of memory (100 MB with `cuda`). */
  readonly concurrency?: number;
  /** Stops the work when it aborts; the promise then rejects with the signal's reason and no unfinished file is left. */
  readonly signal?: AbortSignal;
  /** Called now and then while files are written, and at the end of each. What it throws stops the work. */
  readonly onProgress?: (progress: CheckpointProgress) => void;
  /** More strings for the files' `__metadata__`; they win over the plan's. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The options, checked. */
export interface ParsedOptions {
  readonly seed: bigint;
  readonly dtype: DType | undefined;
  readonly device: NonNullable<CheckpointOptions['device']>;
  readonly format: CheckpointFormat;
  readonly maxShardSize: number;
  readonly rank: number;
  readonly world: number;
  readonly slices: boolean;
  readonly overwrite: boolean;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: CheckpointOptions['onProgress'];
  readonly metadata: Readonly<Record<string, string>>;
  /** Options that only a directory can have, by name. */
  readonly forDirectories: readonly string[];
}

const KEYS = [
  ...['seed', 'dtype', 'device', 'format', 'maxShardSize', 'rank', 'world', 'slices', 'overwrite'],
  ...['concurrency', 'signal', 'onProgress', 'metadata'],
];

const FORMAT_NAMES: readonly CheckpointFormat[] = ['safetensors', 'npy', 'npz', 'tfjs'];
const DIRECTORY_KEYS = ['maxShardSize', 'rank', 'world', 'slices'];
const MOST_AT_ONCE = 64;

/**
 * Checks the options of `writeCheckpoint`.
 * @throws IsometryError `UNKNOWN_OPTION`, `INVALID_OPTION`, `INVALID_SEED`, `INVALID_DTYPE`, `INVALID_ARGUMENT`.
 */
export function parseCheckpointOptions(options: unknown): ParsedOptions {
  const given = checkKeys(options, KEYS, 'writeCheckpoint');
  const { onProgress, dtype, world, rank, maxShardSize } = given;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw expected('INVALID_OPTION', 'a function', 'onProgress', onProgress);
  }
  const metadata = parseMetadata(given['metadata'], 'metadata');
  const seed = parseSeed(given['seed']);
  if (dtype !== undefined) dtypeInfo(dtype);
  const format = oneOf(withDefault(given['format'], 'safetensors'), FORMAT_NAMES, 'format');
  const forDirectories = DIRECTORY_KEYS.filter((key) => given[key] !== undefined && given[key] !== false);
  if (format !== 'safetensors' && forDirectories.length > 0) {
    throw new IsometryError(
      'INVALID_OPTION',
      `expected no ${forDirectories[0]} with format ${format}: only safetensors files are made in parts; leave it out`,
    );
  }
  const slices = booleanOption(withDefault(given['slices'], false), 'slices');
  if (slices && maxShardSize !== undefined) {
    throw new IsometryError(
      'INVALID_OPTION',
      'expected no maxShardSize with slices: each rank has one file; use more ranks',
    );
  }
  // An option that is there but has no value is one that was not given.
  const ranks = findRank({}, { rank: rank as number | undefined, world: world as number | undefined });
  return {
    seed,
    dtype: dtype as DType | undefined,
    device: parseDevice(withDefault(given['device'], 'auto')) as ParsedOptions['device'],
    format,
    maxShardSize: parseShardSize(withDefault(maxShardSize, DEFAULT_SHARD_SIZE)),
    rank: ranks?.rank ?? 0,
    world: ranks?.world ?? 1,
    slices,
    overwrite: booleanOption(withDefault(given['overwrite'], false), 'overwrite'),
    concurrency: parseConcurrency(withDefault(given['concurrency'], 4)),
    signal: parseSignal(given['signal']),
    onProgress: onProgress as CheckpointOptions['onProgress'],
    metadata,
    forDirectories,
  };
}

function parseConcurrency(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MOST_AT_ONCE) {
    return value as number;
  }
  throw expected('INVALID_OPTION', `a whole number from 1 to ${MOST_AT_ONCE}`, 'concurrency', value);
}

/**
 * Whether a checkpoint becomes a directory: its path ends in `/`, or is one that exists, or the options ask for it.
 * @throws (rejects with) IsometryError `INVALID_ARGUMENT` for what is no path; `INVALID_OPTION` where the format is one file and the path a
 * directory's.
 */
export async function isDirectoryTarget(path: unknown, options: ParsedOptions): Promise<boolean> {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw expected('INVALID_ARGUMENT', 'the path of a file or of a directory', 'path', path);
  }
  const { format, forDirectories } = options;
  const named = path.endsWith('/') || path.endsWith(sep);
  const exists = named || ((await stat(path).catch(() => undefined))?.isDirectory() ?? false);
  if (format === 'npz' && exists) {
    throw expectedHint(
      'INVALID_OPTION',
      'the path of a file',
      'path with format npz',
      path,
      'an npz file holds all tensors',
    );
  }
  if (exists || format === 'npy' || format === 'tfjs') return true;
  if (forDirectories.length > 0 && /\.safetensors$/i.test(path)) {
    const what = `the path of a directory for ${forDirectories[0]}`;
    throw expectedHint('INVALID_OPTION', what, 'path', path, 'shards have names of their own; end it in "/"');
  }
  return forDirectories.length > 0;
}
