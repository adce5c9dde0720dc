import { expected, IsometryError, shorten, showName } from '../../errors.js';
import { isPlainObject } from '../../options.js';
import { isWellFormed } from '../../safetensors/header.js';
import { STREAM_VERSION, VERSION } from '../../version.js';
import type { Plan } from '../plan/plan.js';
import { planHash } from '../plan/plan-hash.js';

/** Keys of `__metadata__` that say where a checkpoint comes from and what a file of it holds: never a user's to set. */
export const PROVENANCE_KEYS: readonly string[] = [
  'generator',
  'version',
  'stream_version',
  'seed',
  'plan_sha256',
  'shard',
  'DCP_VERSION',
  'DCP_SHARDING_INFO',
];

/**
 * What a checkpoint says of itself: nothing that differs between two runs of the same plan and seed, so that the
 * files are equal to the byte. `format` tells consumers whose conventions the tensors follow; a plan may change it.
 */
export function checkpointMetadata(
  plan: Plan,
  seed: bigint,
  extra: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  return new Map([
    ['format', 'pt'],
    ...Object.entries(plan.metadata ?? {}),
    ...Object.entries(extra),
    ['generator', 'isometry'],
    ['version', VERSION],
    ['stream_version', String(STREAM_VERSION)],
    ['seed', String(seed)],
    ['plan_sha256', planHash(plan)],
  ]);
}

/**
 * A checked copy of metadata given by a user.
 * @throws IsometryError `INVALID_OPTION` unless it is a plain object of well-formed strings without provenance keys.
 */
export function parseMetadata(metadata: unknown, where: string): Readonly<Record<string, string>> {
  const copy: Record<string, string> = Object.create(null);
  if (metadata === undefined) return copy;
  if (!isPlainObject(metadata)) throw expected('INVALID_OPTION', 'an object of strings', where, metadata);
  for (const [key, value] of Object.entries(metadata) as [string, unknown][]) {
    const name = `${where}/${shorten(key)}`;
    if (PROVENANCE_KEYS.includes(key)) {
      throw new IsometryError(
        'INVALID_OPTION',
        `expected a key other than ${PROVENANCE_KEYS.join(', ')} for ${where} but received ${showName(key)}; the writer sets it`,
      );
    }
    if (typeof value !== 'string') throw expected('INVALID_OPTION', 'a string', name, value);
    if (!isWellFormed(key) || !isWellFormed(value)) {
      throw expected('INVALID_OPTION', 'well-formed Unicode', name, value);
    }
    copy[key] = value;
  }
  return Object.freeze(copy);
}
