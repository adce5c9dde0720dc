import { InvalidArgumentError } from 'commander';
import { parseDevice } from '../backends/index.js';
import { IsometryError } from '../errors.js';
import { parseShardSize } from '../model/checkpoint/shards.js';
import { MAX_SEED } from '../seed.js';

/** The longest a 64-bit number gets, in decimal or hexadecimal, with room for leading zeros. */
const LONGEST_SEED = 40;

/** A seed as typed: decimal, or hexadecimal with `0x`. */
export function seedOption(text: string): bigint {
  if (text.length <= LONGEST_SEED && /^(?:\d+|0x[0-9a-f]+)$/i.test(text)) {
    const seed = BigInt(text);
    if (seed <= MAX_SEED) return seed;
  }
  throw new InvalidArgumentError('It must be a whole number from 0 to 2^64 − 1, in decimal or as 0x… .');
}

/** A device's name. */
export function deviceOption(text: string): string {
  return usage(() => parseDevice(text));
}

/** A number of threads, as text for the environment variable that the backend reads. */
export function threadsOption(text: string): string {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return text;
}

function usage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof IsometryError ? new InvalidArgumentError(error.message) : error;
  }
}

/** A count: a whole number from 1 on. */
export function numberOption(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

/** Which of several processes: a whole number from 0 on. */
export function rankOption(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return Number(text);
}

/** A size of shards, as `writeCheckpoint` takes it. */
export function sizeOption(text: string): number {
  return usage(() => parseShardSize(text, 'the size'));
}

/** An option that may be repeated. */
export function collect(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text];
}

/** A recipe's options by name. */
export type Settings = ReadonlyMap<string, number | boolean | string>;

/** `key=value`, which may be repeated: numbers, `true` and `false`, and everything else as text. */
export function setOption(text: string, earlier: Settings | undefined): Settings {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be key=value, as in std=0.01.');
  const key = text.slice(0, at);
  if (earlier?.has(key) === true) throw new InvalidArgumentError(`${key} was set before.`);
  return new Map([...(earlier ?? []), [key, settingOf(text.slice(at + 1))]]);
}

function settingOf(text: string): number | boolean | string {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}
