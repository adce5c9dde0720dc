/** Stable error codes; the table for people is `docs/errors.md`. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_NAME'
  | 'INVALID_SHAPE'
  | 'INVALID_SLICE'
  | 'INVALID_LAYOUT'
  | 'INVALID_DTYPE'
  | 'INVALID_SEED'
  | 'INVALID_OPTION'
  | 'UNKNOWN_OPTION'
  | 'INVALID_INITIALIZER'
  | 'INVALID_TARGET'
  | 'TOO_LARGE'
  | 'OUT_OF_MEMORY'
  | 'BACKEND_UNAVAILABLE'
  | 'DEVICE_ERROR'
  | 'DISPOSED'
  | 'ACTIVATION_ERROR'
  | 'PLAN_ERROR'
  | 'CONFIG_ERROR'
  | 'CHECKPOINT_ERROR'
  | 'FORMAT_ERROR'
  | 'IO_ERROR'
  | 'INTERNAL';

/**
 * Every error this library throws, apart from an `AbortSignal`'s own reason.
 * `code` is stable across releases; `message` is for people and may change.
 */
export class IsometryError extends Error {
  override readonly name = 'IsometryError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The one message form: *expected X for NAME but received V of type T*. */
export function expected(code: ErrorCode, what: string, name: string, received: unknown): IsometryError {
  return new IsometryError(code, `expected ${what} for ${name} but received ${describe(received)}`);
}

/** A value as an error message shows it: short, never throwing, with its type. */
export function describe(value: unknown): string {
  return `${show(value)} of type ${typeName(value)}`;
}

/** UTF-16 units. */
const LONGEST_SHOWN = 80;
/** Entries of an array that are looked at, as each takes two characters; an array may have 2^32 − 1. */
const MOST_ENTRIES = LONGEST_SHOWN / 2;
/** Values inside an object that are looked at. */
const MOST_VISITED = 256;
/** Larger integers are not printed: the digits of a bigint of a billion bits take hours. */
const LARGEST_PRINTED = 2n ** 128n;

function show(value: unknown): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value.slice(0, LONGEST_SHOWN + 1)));
  if (typeof value === 'bigint') return showBigInt(value);
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return shorten(String(value));
  return shorten(attempt(() => showObject(value), 'an object'));
}

function showBigInt(value: bigint): string {
  if (value < LARGEST_PRINTED && value > -LARGEST_PRINTED) return `${value}n`;
  return value > 0n ? 'an integer of 2^128 or more' : 'an integer of -2^128 or less';
}

function showObject(value: object): string {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  let left = MOST_VISITED;
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (left-- === 0) throw new RangeError('enough');
    if (typeof inner === 'string') return inner.slice(0, LONGEST_SHOWN + 1);
    return Array.isArray(inner) && inner.length > MOST_ENTRIES ? inner.slice(0, MOST_ENTRIES) : inner;
  });
  return text ?? 'an object';
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const tag = attempt(() => Object.prototype.toString.call(value).slice(8, -1), 'object');
  return tag === 'Object' ? 'object' : shorten(tag);
}

/** What `read` returns; `otherwise` when it throws, as a getter, a `toJSON` or a revoked proxy may. */
function attempt(read: () => string, otherwise: string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** A name as an error message shows it, in quotes: names may be megabytes long. */
export function showName(name: string): string {
  return JSON.stringify(shorten(name));
}

/** A text of at most 80 UTF-16 units; the end of a longer one is left out. */
export function shorten(text: string): string {
  if (text.length <= LONGEST_SHOWN) return text;
  return `${text.slice(0, LONGEST_SHOWN - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
