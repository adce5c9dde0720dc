import { type ErrorCode, expected, IsometryError } from './errors.js';

/** Longest text that is compared for a suggestion; longer ones are no typing error. */
const LONGEST_COMPARED = 64;

/** {@link expected} with a remedy behind it: *expected … but received …; HINT*. */
export function expectedHint(
  code: ErrorCode,
  what: string,
  name: string,
  received: unknown,
  hint: string,
): IsometryError {
  return new IsometryError(code, `${expected(code, what, name, received).message}; ${hint}`);
}

/**
 * Whether `value` is an object literal, from this realm or another one, or an object without a prototype. Arrays,
 * Maps, promises and class instances are not: their own keys are not what their owner means by options.
 */
export function isPlainObject(value: unknown): value is object {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The Object.prototype of any realm is the only prototype here that has none itself and owns a `valueOf`.
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'valueOf'))
  );
}

/**
 * The own enumerable properties of `object`, each read once, without a prototype: whatever getters or proxies do
 * later, what was checked is what is used. Properties that are `undefined` are kept, so that their names are checked.
 */
export function snapshot(object: object): Record<string, unknown> {
  const copy = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(object)) copy[key] = (object as Record<string, unknown>)[key];
  return copy;
}

/**
 * Reads an options object: a copy without a prototype, with only known keys, and without those that are `undefined`.
 * @param options - `undefined` and `null` mean no options.
 * @param known - every allowed key.
 * @param where - what the options are for, as the message names it: `fill`, `normal`, `tensors[3].init`.
 * @throws IsometryError `INVALID_ARGUMENT` when it is no plain object; `UNKNOWN_OPTION`, naming the nearest known
 * key, for any other key (`__proto__` and the like included).
 */
export function checkKeys(
  options: unknown,
  known: readonly string[],
  where: string,
): Record<string, unknown> {
  if (options === undefined || options === null) return Object.create(null) as Record<string, unknown>;
  if (!isPlainObject(options)) {
    throw expected('INVALID_ARGUMENT', 'a plain object', `the options of ${where}`, options);
  }
  const checked = snapshot(options);
  for (const key of Object.keys(checked)) {
    if (!known.includes(key)) {
      throw new IsometryError('UNKNOWN_OPTION', unknownMessage(key, known, where));
    }
    if (checked[key] === undefined) delete checked[key];
  }
  return checked;
}

function unknownMessage(key: string, known: readonly string[], where: string): string {
  const shown = JSON.stringify(key.length > LONGEST_COMPARED ? `${key.slice(0, LONGEST_COMPARED)}…` : key);
  const list = known.length === 0 ? 'it takes no options' : `known options: ${known.join(', ')}`;
  const near = nearest(key, known);
  const guess = near === undefined ? '' : `did you mean ${JSON.stringify(near)}? `;
  return `unknown option ${shown} for ${where}; ${guess}${list}`;
}

/**
 * `value`, when it is one of `names`.
 * @throws IsometryError `code`, with the nearest name.
 */
export function oneOf<T extends string>(
  value: unknown,
  names: readonly T[],
  name: string,
  code: ErrorCode = 'INVALID_OPTION',
): T {
  const found = names.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const near = typeof value === 'string' ? nearest(value, names) : undefined;
  const what = `one of ${names.join(', ')}`;
  if (near === undefined) throw expected(code, what, name, value);
  throw expectedHint(code, what, name, value, `did you mean ${JSON.stringify(near)}?`);
}

/**
 * The name that `value` was most likely meant to be: fewest edits apart, letter case and `_`, `-`, blanks not counted
 * (`fan_in` is `fanIn`); nothing when more than half of it would have to change. Ties go to the earlier name.
 */
export function nearest(value: string, names: readonly string[]): string | undefined {
  if (value.length > LONGEST_COMPARED) return undefined;
  const wanted = foldName(value);
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const folded = foldName(candidate);
    const edits = editDistance(wanted, folded);
    if (edits < fewest && edits <= Math.max(wanted.length, folded.length) / 2) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** A name with everything gone that spellings differ in: `Leaky_ReLU`, `leaky-relu` and `leakyRelu` are one. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[_\-\s]/g, '');
}

/** Levenshtein's distance: insertions, deletions and substitutions of UTF-16 units. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** `value`, or `preset` where it was not given; `null` is no way not to give a value. */
export function withDefault(value: unknown, preset: unknown): unknown {
  return value === undefined ? preset : value;
}

/** Which numbers {@link numberOption} lets through; both ends are allowed unless they are `above`. */
export interface NumberRange {
  /** Smallest allowed value. */
  readonly min?: number;
  /** Largest allowed value. */
  readonly max?: number;
  /** Exclusive lower end. */
  readonly above?: number;
}

/**
 * `value`, when it is a finite number within `range`; −0 becomes 0, as JSON would make it.
 * @throws IsometryError `INVALID_OPTION`.
 */
export function numberOption(value: unknown, name: string, range: NumberRange = {}): number {
  const {
    min = Number.NEGATIVE_INFINITY,
    max = Number.POSITIVE_INFINITY,
    above = Number.NEGATIVE_INFINITY,
  } = range;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max || value <= above) {
    throw expected('INVALID_OPTION', `a finite number${rangeText(range)}`, name, value);
  }
  return value + 0;
}

function rangeText({ min, max, above }: NumberRange): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` ≥ ${min}`;
  if (max !== undefined) return above === undefined ? ` ≤ ${max}` : ` > ${above} and ≤ ${max}`;
  return above === undefined ? '' : ` > ${above}`;
}

/**
 * `value`, when it is a boolean.
 * @throws IsometryError `INVALID_OPTION`.
 */
export function booleanOption(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw expected('INVALID_OPTION', 'true or false', name, value);
  return value;
}

/**
 * Two bounds in ascending order, copied. An open side is `null`, or the infinity of that side, and comes back as
 * `null`, which JSON can write.
 * @throws IsometryError `INVALID_OPTION` for anything else: NaN, the wrong infinity, three numbers, `lower ≥ upper`.
 */
export function boundsOption(value: unknown, name: string): readonly [number | null, number | null] {
  const what = 'two numbers [lower, upper] with lower < upper (null leaves a side open)';
  if (!Array.isArray(value) || value.length !== 2) throw expected('INVALID_OPTION', what, name, value);
  const [first, second] = value as unknown[];
  const lower = bound(first, Number.NEGATIVE_INFINITY);
  const upper = bound(second, Number.POSITIVE_INFINITY);
  if (lower === undefined || upper === undefined || (lower !== null && upper !== null && lower >= upper)) {
    // As text, because JSON would show NaN and infinities as null.
    const shown = [first, second].map((end) => (typeof end === 'number' ? String(end) : end));
    throw expected('INVALID_OPTION', what, name, shown);
  }
  return Object.freeze([lower, upper] as const);
}

function bound(value: unknown, open: number): number | null | undefined {
  if (value === null || value === open) return null;
  return typeof value === 'number' && Number.isFinite(value) ? value + 0 : undefined;
}
