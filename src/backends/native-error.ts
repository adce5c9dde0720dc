import { type ErrorCode, IsometryError } from '../errors.js';

/** The codes that the addon gives its errors; anything else it throws is a mistake of ours. */
const CODES: ReadonlySet<unknown> = new Set<ErrorCode>([
  'BACKEND_UNAVAILABLE',
  'OUT_OF_MEMORY',
  'INVALID_TARGET',
  'TOO_LARGE',
  'DEVICE_ERROR',
]);

/** An error of the addon's as one of the library's. */
export function fromNative(error: unknown): IsometryError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return new IsometryError(
    CODES.has(code) ? (code as ErrorCode) : 'INTERNAL',
    typeof message === 'string' ? message : String(error),
    { cause: error },
  );
}
