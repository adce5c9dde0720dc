import { createReadStream } from 'node:fs';
import { IsometryError } from '../../errors.js';
import { parseJson, positionOf } from '../../json.js';
import { readError } from '../../safetensors/stable-file.js';
import { plainCopy } from './plain-copy.js';

/**
 * Longest plan, in bytes of a file or characters of a text: that of 10^6 tensors has 100 to 200 MB. What is written is
 * never longer than what is read, so that each checkpoint's plan can be read back.
 */
export const MAX_PLAN_BYTES: number = 2 ** 28;

// A valid plan has five levels, plan, tensors, tensor, init, bounds, and one more for each init within an init.
const MAX_DEPTH = 8;

/** Makes an error of the plan out of a reason. */
export type Fail = (reason: string, cause?: unknown) => IsometryError;

/** @param where how messages call the plan. */
export function failOf(where: string): Fail {
  return (reason, cause) =>
    new IsometryError('PLAN_ERROR', `${where} is not valid: ${reason}`, cause === undefined ? {} : { cause });
}

/**
 * The text of a plan file.
 * @throws (rejects with) IsometryError `IO_ERROR`; `PLAN_ERROR` when it is too long or not UTF-8.
 */
export async function readPlanText(path: string): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of createReadStream(path)) {
      pieces.push(piece as Buffer);
      bytes += (piece as Buffer).length;
      if (bytes > MAX_PLAN_BYTES) break;
    }
  } catch (cause) {
    throw readError(`the plan ${path}`, cause);
  }
  if (bytes > MAX_PLAN_BYTES) throw tooLong(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (cause) {
    throw failOf(path)('it is not UTF-8 text', cause);
  }
}

/**
 * What the text of a plan says, before any of it is checked.
 * @throws IsometryError `PLAN_ERROR` with line and column.
 */
export function parsePlanText(text: string, where: string): unknown {
  if (text.length > MAX_PLAN_BYTES) throw tooLong(where);
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  return parseJson(json, {
    maxDepth: MAX_DEPTH,
    fail: (reason, offset) => {
      const { line, column } = positionOf(json, offset);
      return failOf(where)(`${reason} (line ${line}, column ${column})`);
    },
  });
}

/**
 * The same of an object, which nobody can change any more.
 * @throws IsometryError `PLAN_ERROR` when it is nested too deeply.
 */
export function copyPlanObject(source: unknown, where: string): unknown {
  const copy = plainCopy(source, MAX_DEPTH);
  if (copy === undefined) throw failOf(where)(`nesting deeper than ${MAX_DEPTH} levels`);
  return copy.value;
}

function tooLong(where: string): IsometryError {
  return failOf(where)(`it is longer than ${MAX_PLAN_BYTES} bytes; use rules, or split it`);
}
