import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { IsometryError } from '../errors.js';
import type { CheckpointOptions } from '../model/checkpoint/checkpoint.js';
import type { Plan } from '../model/plan/plan.js';
import { printable } from './output.js';

/** Where a checkpoint goes, and as what. */
export interface Target {
  /** As `writeCheckpoint` wants it: with `/` at the end for a directory. */
  readonly path: string;
  readonly directory: boolean;
  /** Left out for the default. */
  readonly format?: 'safetensors' | 'npy' | 'npz' | 'tfjs';
}

/** What of the command line decides it. */
export interface TargetOptions extends Pick<CheckpointOptions, 'format' | 'maxShardSize' | 'rank' | 'world'> {
  readonly out: string;
  readonly slices?: true;
  readonly like?: string;
}

/**
 * What `--out` means. A path that ends in `.safetensors` or `.npz` is a file, one that ends in `/` or that is a
 * directory is a directory. Any other is what the source is: a directory for a config.json, for `--like` with a
 * directory, and with options that only a directory can have; a file for a plan.
 *
 * @throws (rejects with) IsometryError `INVALID_OPTION` for a file with options that need a directory.
 */
export async function targetOf(plan: Plan, options: TargetOptions): Promise<Target> {
  const { out, like } = options;
  const format = options.format ?? (out.endsWith('.npz') ? 'npz' : undefined);
  const withFormat = format === undefined ? {} : { format };
  if (out.endsWith('/') || out.endsWith(sep) || (await isDirectory(out)))
    return { path: out.endsWith('/') ? out : `${out}/`, directory: true, ...withFormat };
  const flag = FLAGS.find(([key]) => options[key] !== undefined)?.[1];
  if (/\.(?:safetensors|npz)$/.test(out) || format === 'npz') {
    const many = format === 'npy' || format === 'tfjs' ? `--format ${format}` : flag;
    if (many === undefined) return { path: out, directory: false, ...withFormat };
    throw new IsometryError(
      'INVALID_OPTION',
      `expected a directory for --out with ${many} but received the file ${printable(out)}; end it with /`,
    );
  }
  const directory =
    flag !== undefined ||
    format === 'npy' ||
    format === 'tfjs' ||
    (like === undefined
      ? plan.files !== undefined
      : like.endsWith('.index.json') || (await isDirectory(like)));
  return { path: directory ? `${out}/` : out, directory, ...withFormat };
}

const FLAGS = [
  ['rank', '--rank'],
  ['world', '--world'],
  ['slices', '--slices'],
  ['maxShardSize', '--max-shard-size'],
] as const;

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
