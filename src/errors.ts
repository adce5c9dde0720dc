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
  | 'PLAN_ERROR'
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

const LONGEST_SHOWN = 80;

function show(value: unknown): string {
  let text: string;
  if (typeof value === 'string') text = JSON.stringify(value);
  else if (typeof value === 'bigint') text = `${value}n`;
  else if (Object.is(value, -0)) text = '-0';
  else if (value === null || typeof value !== 'object') text = typeof value === 'function' ? 'a function' : String(value);
  else if (ArrayBuffer.isView(value)) text = `[${value.byteLength} bytes]`;
  else {
    try {
      text = JSON.stringify(value) ?? 'an object';
    } catch {
      text = 'an object';
    }
  }
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 1)}…` : text;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return tag === 'Object' ? 'object' : tag;
}
