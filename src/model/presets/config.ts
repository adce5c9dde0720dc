import { describe, expected, IsometryError, showName } from '../../errors.js';
import { nearest } from '../../options.js';

/** Larger than any model's, and small enough that products of two are exact. */
const LARGEST_SIZE = 2 ** 31;

/** A model with more blocks than this is a slip of the hand, and would take all memory for its names alone. */
const MOST_BLOCKS = 100_000;

/**
 * A model's configuration (Hugging Face's config.json), read key by key: each is checked where it is used. Keys that
 * nothing asks for are ignored, as they are many and change from release to release.
 */
export class ModelConfig {
  private readonly values: Readonly<Record<string, unknown>>;
  /** How messages call it: a file's name, or `config.vision_config`. */
  readonly where: string;

  /**
   * @param values - as `parseConfig` returns them.
   */
  constructor(values: object, where: string) {
    this.values = values as Readonly<Record<string, unknown>>;
    this.where = where;
  }

  /** Whether one of the keys is there and not null. */
  has(...keys: readonly string[]): boolean {
    return this.find(keys) !== undefined;
  }

  /** Whether a key is there, be it null. */
  names(key: string): boolean {
    return Object.hasOwn(this.values, key);
  }

  /**
   * A whole number ≥ 1, by a key or its aliases, of which the last that is there counts; `fallback` where none is.
   * @throws IsometryError `CONFIG_ERROR` for anything else, and without a fallback when there is none.
   */
  size(keys: string | readonly string[], fallback?: number): number {
    return this.whole(keys, fallback, 1);
  }

  /** A whole number ≥ 0, as `size`. */
  count(keys: string | readonly string[], fallback?: number): number {
    return this.whole(keys, fallback, 0);
  }

  /** A number of blocks: a `size`, of at most 100,000. */
  blocks(keys: string | readonly string[], fallback?: number): number {
    const count = this.size(keys, fallback);
    if (count > MOST_BLOCKS) throw this.wrong(`at most ${MOST_BLOCKS} blocks`, name(keys), count);
    return count;
  }

  /** A finite number ≥ `min`, as `size`. */
  number(
    keys: string | readonly string[],
    fallback?: number,
    min: number = Number.NEGATIVE_INFINITY,
  ): number {
    const value = this.find(keys) ?? fallback;
    if (value === undefined) throw this.missing(name(keys));
    if (typeof value !== 'number' || !Number.isFinite(value) || value < min) {
      throw this.wrong(
        min === Number.NEGATIVE_INFINITY ? 'a finite number' : `a finite number ≥ ${min}`,
        name(keys),
        value,
      );
    }
    return value;
  }

  flag(keys: string | readonly string[], fallback: boolean): boolean {
    const value = this.find(keys) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong('true or false', name(keys), value);
    return value;
  }

  /** One of some texts; `fallback` where the key is missing. */
  choice<T extends string>(key: string, choices: readonly T[], fallback?: T): T {
    const value = this.find(key) ?? fallback;
    if (value === undefined) throw this.missing(key);
    if (!(choices as readonly unknown[]).includes(value)) {
      const near = typeof value === 'string' ? nearest(value, choices) : undefined;
      const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
      throw this.wrong(`one of ${choices.join(', ')}`, key, value, hint);
    }
    return value as T;
  }

  /** A list of whole numbers ≥ `min`; `fallback` where the key is missing. */
  list(keys: string | readonly string[], fallback?: readonly number[], min: number = 1): readonly number[] {
    const value = this.find(keys) ?? fallback;
    const key = name(keys);
    if (value === undefined) throw this.missing(key);
    const whole = (size: unknown): boolean =>
      Number.isSafeInteger(size) && (size as number) >= min && (size as number) <= LARGEST_SIZE;
    if (!Array.isArray(value) || !value.every(whole) || value.length > MOST_BLOCKS) {
      throw this.wrong(`a list of whole numbers from ${min} on`, key, value);
    }
    return value as number[];
  }

  /** A row's number, such as `pad_token_id`: from 0 to below `rows`; `undefined` where it is missing or null. */
  row(key: string, rows: number, fallback?: number): number | undefined {
    // A null says that there is none, whatever the framework's default.
    const value = Object.hasOwn(this.values, key) ? (this.values[key] ?? undefined) : fallback;
    if (value === undefined) return undefined;
    // torch counts negative ones from the end.
    const row = typeof value === 'number' && value < 0 ? value + rows : value;
    if (!Number.isSafeInteger(row) || (row as number) < 0 || (row as number) >= rows) {
      throw this.wrong(`a row of ${rows}`, key, value);
    }
    return row as number;
  }

  /**
   * The class that `architectures` names, of those that a preset knows; the first of them where it names none.
   * @throws IsometryError `CONFIG_ERROR` for any other.
   */
  architecture<T extends string>(known: readonly [T, ...T[]]): T {
    const value = this.find('architectures');
    if (value === undefined) return known[0];
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (first === undefined) return known[0];
    if ((known as readonly unknown[]).includes(first)) return first as T;
    const near = typeof first === 'string' ? nearest(first, known) : undefined;
    const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
    throw this.wrong(`one of ${known.join(', ')}`, 'architectures', first, hint);
  }

  /** `initializer_range`, for which transformers takes 0.02 also where it is 0. */
  range(): number {
    return this.number('initializer_range', 0.02, 0) || 0.02;
  }

  /** How many classes, perhaps none: by `num_labels`, else those of `id2label`, else transformers' default, 2. */
  labels(): number {
    const labels = this.find('id2label');
    const named = typeof labels === 'object' && !Array.isArray(labels);
    return this.count('num_labels', named ? Object.keys(labels as object).length : 2);
  }

  /** Height and width: two sizes, or one for both. */
  pair(key: string, fallback: number): readonly [number, number] {
    const value = this.find(key) ?? fallback;
    if (!Array.isArray(value)) return [this.size(key, fallback), this.size(key, fallback)];
    const sizes = this.list(key);
    if (sizes.length !== 2) throw this.wrong('one size or two', key, value);
    return [sizes[0]!, sizes[1]!];
  }

  /** A text; `fallback` where the key is missing. */
  text(key: string, fallback: string): string {
    const value = this.find(key) ?? fallback;
    if (typeof value !== 'string') throw this.wrong('a text', key, value);
    return value;
  }

  /** A configuration within this one, such as `vision_config`; empty where it is missing and `optional`. */
  inner(key: string, optional = false): ModelConfig {
    const value = this.find(key);
    if (value === undefined && !optional) throw this.missing(key);
    if (value !== undefined && (typeof value !== 'object' || Array.isArray(value))) {
      throw this.wrong('an object', key, value);
    }
    return new ModelConfig((value ?? {}) as object, `${this.where}: ${key}`);
  }

  /** Any value of a key, for what needs more than the readers above. */
  raw(key: string): unknown {
    return this.find(key);
  }

  /**
   * Checks that `size` is a multiple of `parts`, and returns how many times.
   * @throws IsometryError `CONFIG_ERROR`, as for heads that do not divide a width.
   */
  divide(size: number, sizeName: string, parts: number, partsName: string): number {
    if (size % parts === 0) return size / parts;
    throw new IsometryError(
      'CONFIG_ERROR',
      `expected ${sizeName} to be a multiple of ${partsName} in ${this.where} but ${sizeName} is ${size} and ${partsName} is ${parts}; correct one of them`,
    );
  }

  /** An error about a value of this configuration. */
  wrong(what: string, key: string, received: unknown, hint = ''): IsometryError {
    return new IsometryError(
      'CONFIG_ERROR',
      `expected ${what} for ${key} in ${this.where} but received ${describe(received)}${hint}`,
    );
  }

  private missing(key: string): IsometryError {
    const others = Object.keys(this.values).filter((other) => other !== key);
    const near = nearest(key, others);
    const guess = near === undefined ? '' : `; is it ${showName(near)}?`;
    return new IsometryError(
      'CONFIG_ERROR',
      `expected a key ${showName(key)} in ${this.where}, but it is missing${guess}`,
    );
  }

  private find(keys: string | readonly string[]): unknown {
    // An alias is set after the key that it stands for, as transformers does, and so takes its place.
    for (const key of [keys].flat().reverse()) {
      // Own keys only: a config has no `constructor`.
      const value = Object.hasOwn(this.values, key) ? this.values[key] : undefined;
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  }

  private whole(keys: string | readonly string[], fallback: number | undefined, min: number): number {
    const value = this.find(keys) ?? fallback;
    if (value === undefined) throw this.missing(name(keys));
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > LARGEST_SIZE) {
      throw this.wrong(`a whole number from ${min} to 2^31`, name(keys), value);
    }
    return value as number;
  }
}

/**
 * A configuration given as an object.
 * @throws IsometryError `INVALID_ARGUMENT` unless it is one.
 */
export function parseConfig(values: unknown, where = 'the config'): ModelConfig {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw expected('INVALID_ARGUMENT', 'an object', where, values);
  }
  return new ModelConfig(values, where);
}

function name(keys: string | readonly string[]): string {
  return [keys].flat()[0]!;
}
