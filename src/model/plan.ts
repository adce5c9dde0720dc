import { createReadStream } from 'node:fs';
import { type DType, dtypeInfo } from '../dtype.js';
import { describe, expected, IsometryError } from '../errors.js';
import { type Initializer, lawOf, parseInitializer } from '../initializers/index.js';
import { parseJson, positionOf } from '../json.js';
import { checkKeys } from '../options.js';
import type { StoredDType } from '../safetensors/dtypes.js';
import { parseShape } from '../shape.js';
import { parseName } from '../stream.js';
import { parseMetadata } from './metadata.js';
import { plainCopy } from './plain-copy.js';
import type { PlanDType } from './plan-dtype.js';
import { findViolation } from './plan-schema.js';

/** One tensor of a plan. */
export interface PlanTensor {
  /** Unique in the plan: the name on disk, and what chooses the tensor's random stream. */
  readonly name: string;
  /** Outermost axis first. */
  readonly shape: readonly number[];
  readonly init: Initializer;
  /** Wins over every other dtype: the plan's, and the one `writeCheckpoint` is given. */
  readonly dtype?: PlanDType;
  readonly layout?: string;
  readonly groups?: number;
  /** The tensor whose stream it draws from, where that is not its own: a copy has the other's values. */
  readonly stream?: string;
  /** Index of the rule that made it. */
  readonly rule?: number;
}

/** A tensor that is copied from a file, byte for byte. */
export interface CopiedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: StoredDType;
  readonly path: string;
  /** Bytes [begin, end) of that file. */
  readonly begin: number;
  readonly end: number;
}

/** A name that is another tensor: not stored, and tied again where the checkpoint is loaded. */
export interface Tie {
  readonly name: string;
  readonly to: string;
}

/** A validated plan: what `parsePlan` and `readPlan` return. Frozen. */
export interface Plan {
  readonly tensors: readonly PlanTensor[];
  /** For tensors without a dtype of their own; float32 when left out. */
  readonly dtype?: DType;
  /** Strings for the checkpoint's `__metadata__`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ties?: readonly Tie[];
  /** What is not made but copied. */
  readonly copied?: readonly CopiedTensor[];
  /** Names of all tensors, made and copied, in the order of the checkpoint; where some are copied. */
  readonly order?: readonly string[];
  /** What is odd but no error, such as rules that match nothing. */
  readonly warnings?: readonly string[];
  /** Files that a checkpoint's directory gets beside the weights, byte for byte; see `planFrom`. */
  readonly files?: readonly PlanFile[];
}

/** A file to be copied. */
export interface PlanFile {
  /** In the checkpoint's directory. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Longest plan, in bytes of a file or characters of a text. */
export const MAX_PLAN_BYTES = 100_000_000;

// A valid plan has five levels: plan, tensors, tensor, init, bounds.
const MAX_DEPTH = 8;

const validated = new WeakSet<object>();

/**
 * Checks a plan, given as JSON text or as the object that such a text describes, against plan.schema.json and
 * against everything a schema cannot say (unique names, initializers that fit their shapes).
 *
 * @param source a byte order mark at the start of a text is ignored.
 * @param where how messages call the plan, such as the name of its file.
 * @throws IsometryError `PLAN_ERROR`: line and column where the text is no JSON; the JSON pointer of the value that
 * is wrong, and for an unknown key the nearest known one, otherwise. `cause` is the error of the value's own check.
 */
export function parsePlan(source: unknown, where = 'the plan'): Plan {
  if (typeof source === 'object' && source !== null && validated.has(source)) return source as Plan;
  const fail = (reason: string, cause?: unknown): IsometryError =>
    new IsometryError('PLAN_ERROR', `${where} is not valid: ${reason}`, cause === undefined ? {} : { cause });
  const tree = typeof source === 'string' ? parseText(source, fail) : copyObject(source, fail);
  if (typeof tree === 'object' && tree !== null) checkNames(tree, PLAN_KEYS, where, fail);
  const violation = findViolation(tree);
  if (violation !== undefined) {
    // The value's own check knows more than the schema, such as which initializer was meant.
    const index = /^\/tensors\/(\d+)(?:\/|$)/.exec(violation.pointer)?.[1];
    if (index !== undefined) parseTensor((tree as RawPlan).tensors[Number(index)]!, Number(index), fail);
    throw fail(violation.message);
  }
  const { tensors: rawTensors, dtype, metadata } = tree as RawPlan;
  const tensors = rawTensors.map((tensor, index) => parseTensor(tensor, index, fail));
  checkUnique(tensors, fail);
  const strings = metadata === undefined ? undefined : parsePlanMetadata(metadata, fail);
  const plan: Plan = Object.freeze({
    tensors: Object.freeze(tensors),
    ...(dtype === undefined ? {} : { dtype: dtype as DType }),
    ...(strings === undefined ? {} : { metadata: strings }),
  });
  validated.add(plan);
  return plan;
}

/**
 * The plan, with files that its checkpoint is to have beside the weights.
 * @internal
 */
export function withFiles(plan: Plan, files: readonly PlanFile[]): Plan {
  const amended = Object.freeze({ ...plan, files: Object.freeze([...files]) });
  validated.add(amended);
  return amended;
}

/**
 * Reads and checks a plan file.
 * @throws IsometryError `IO_ERROR` when it cannot be read; `PLAN_ERROR` as `parsePlan`, and when it is larger than
 * `MAX_PLAN_BYTES` or not UTF-8.
 */
export async function readPlan(path: string): Promise<Plan> {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw expected('INVALID_ARGUMENT', 'the path of a plan file', 'path', path);
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of createReadStream(path)) {
      pieces.push(piece as Buffer);
      bytes += (piece as Buffer).length;
      if (bytes > MAX_PLAN_BYTES) break;
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const message = `could not read the plan ${path}: ${code}; check that the file exists and may be read`;
    throw new IsometryError('IO_ERROR', message, { cause });
  }
  if (bytes > MAX_PLAN_BYTES) throw tooLong(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (cause) {
    throw new IsometryError('PLAN_ERROR', `${path} is not valid: it is not UTF-8 text`, { cause });
  }
  return parsePlan(text, path);
}

type Fail = (reason: string, cause?: unknown) => IsometryError;
type RawTensor = Readonly<Record<string, unknown>>;
/** What has passed the schema. */
interface RawPlan {
  readonly tensors: readonly RawTensor[];
  readonly dtype?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

function parseText(text: string, fail: Fail): unknown {
  if (text.length > MAX_PLAN_BYTES) throw tooLong('the plan');
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  return parseJson(json, {
    maxDepth: MAX_DEPTH,
    fail: (reason, offset) => {
      const { line, column } = positionOf(json, offset);
      return fail(`${reason} (line ${line}, column ${column})`);
    },
  });
}

function copyObject(source: unknown, fail: Fail): unknown {
  const copy = plainCopy(source, MAX_DEPTH);
  if (copy === undefined) throw fail(`nesting deeper than ${MAX_DEPTH} levels`);
  return copy.value;
}

function tooLong(where: string): IsometryError {
  return new IsometryError(
    'PLAN_ERROR',
    `${where} is not valid: it is longer than ${MAX_PLAN_BYTES} bytes; split it`,
  );
}

const PLAN_KEYS = ['tensors', 'dtype', 'metadata', '$schema'];
const TENSOR_KEYS = ['name', 'shape', 'init', 'dtype', 'layout', 'groups'];

/** Unknown keys come before missing ones: `shpe` says more than that there is no `shape`. */
function checkNames(value: object, known: readonly string[], where: string, fail: Fail): void {
  if (Array.isArray(value)) return;
  try {
    checkKeys(value, known, where);
  } catch (error) {
    throw error instanceof IsometryError ? fail(error.message, error) : error;
  }
}

// JavaScript consumers lose a tensor named `__proto__` in a plain object, and the file format reserves the other.
const RESERVED_NAMES: ReadonlySet<string> = new Set(['__metadata__', '__proto__']);

function parseTensor(raw: RawTensor, index: number, fail: Fail): PlanTensor {
  const pointer = `/tensors/${index}`;
  if (typeof raw !== 'object' || raw === null)
    throw fail(`expected an object for ${pointer} but received ${describe(raw)}`);
  checkNames(raw, TENSOR_KEYS, pointer, fail);
  try {
    const name = parseName(raw['name'], `${pointer}/name`);
    if (RESERVED_NAMES.has(name)) {
      throw expected('INVALID_NAME', 'a name other than __metadata__ and __proto__', `${pointer}/name`, name);
    }
    const shape = parseShape(raw['shape'], `${pointer}/shape`);
    const init = parseInitializer(raw['init'], `${pointer}/init`);
    const { dtype, layout, groups } = raw;
    if (dtype !== undefined) dtypeInfo(dtype);
    const options = {
      ...(dtype === undefined ? {} : { dtype: dtype as DType }),
      ...(layout === undefined ? {} : { layout: layout as string }),
      ...(groups === undefined ? {} : { groups: groups as number }),
    };
    lawOf(init, { name, shape, ...options });
    return Object.freeze({ name, shape, init, ...options });
  } catch (error) {
    if (!(error instanceof IsometryError)) throw error;
    throw fail(withPointer(error.message, pointer), error);
  }
}

/** Makes `/tensors/3/init.std` of a message the JSON pointer `/tensors/3/init/std`; leads with `pointer` if it has none. */
function withPointer(message: string, pointer: string): string {
  const at = message.indexOf(`${pointer}/`);
  if (at < 0) return message.includes(pointer) ? message : `at ${pointer}: ${message}`;
  const path = /^[\w/]+(?:\.\w+|\[\d+\])*/.exec(message.slice(at))![0];
  return message.replace(path, () => path.replaceAll(/[.[]/g, '/').replaceAll(']', ''));
}

function checkUnique(tensors: readonly PlanTensor[], fail: Fail): void {
  const seen = new Map<string, number>();
  for (const [index, { name }] of tensors.entries()) {
    const first = seen.get(name);
    if (first !== undefined) {
      throw fail(
        `expected a unique name for /tensors/${index}/name but received ${describe(name)}, which /tensors/${first}/name has too`,
      );
    }
    seen.set(name, index);
  }
}

function parsePlanMetadata(metadata: unknown, fail: Fail): Readonly<Record<string, string>> {
  try {
    return parseMetadata(metadata, '/metadata');
  } catch (error) {
    throw error instanceof IsometryError ? fail(error.message, error) : error;
  }
}
