import type { DType } from '../../dtype.js';
import { expected, IsometryError } from '../../errors.js';
import type { Initializer } from '../../initializers/index.js';
import { checkKeys } from '../../options.js';
import type { StoredDType } from '../../safetensors/dtypes.js';
import type { FileIdentity } from '../../safetensors/stable-file.js';
import { parseMetadata } from '../checkpoint/metadata.js';
import type { PlanDType } from './plan-dtype.js';
import { findViolation, type SchemaViolation } from './plan-schema.js';
import { TensorParser } from './plan-tensors.js';
import {
  copyPlanObject,
  type Fail,
  failOf,
  MAX_PLAN_BYTES,
  parsePlanText,
  readPlanText,
} from './plan-text.js';
import type { Facts } from './rules.js';

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
  /** What the file was when its header was read, and must still be; not known of a plan that was serialized. */
  readonly identity?: FileIdentity;
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
  const fail = failOf(where);
  const tree = typeof source === 'string' ? parsePlanText(source, where) : copyPlanObject(source, where);
  if (typeof tree === 'object' && tree !== null) checkNames(tree, PLAN_KEYS, where, fail);
  const rules = (tree as Partial<RawPlan> | null)?.rules;
  if (Array.isArray(rules)) {
    for (const [index, rule] of rules.entries())
      checkNames(rule as object, RULE_KEYS, `/rules/${index}`, fail);
  }
  const violation = findViolation(tree);
  if (violation !== undefined) throw explain(tree as RawPlan | null, violation, fail);
  const { tensors: rawTensors, dtype, metadata } = tree as RawPlan;
  if (rawTensors === undefined) {
    throw fail(
      rules === undefined
        ? 'expected a key "tensors" in the plan, but it is missing'
        : 'expected tensors beside the rules; for those of an existing checkpoint use planLike, or --like',
    );
  }
  const parser = new TensorParser((rules as readonly Facts[] | undefined) ?? [], fail);
  const { copied, order, ties, warnings, tensors } = parser.parse(rawTensors);
  const strings = metadata === undefined ? undefined : parsePlanMetadata(metadata, fail);
  const plan: Plan = Object.freeze({
    tensors: Object.freeze(tensors),
    ...(dtype === undefined ? {} : { dtype: dtype as DType }),
    ...(strings === undefined ? {} : { metadata: strings }),
    ...(ties.length === 0 ? {} : { ties: Object.freeze(ties) }),
    ...(copied.length === 0 ? {} : { copied: Object.freeze(copied), order: Object.freeze(order) }),
    ...(warnings.length === 0 ? {} : { warnings: Object.freeze(warnings) }),
  });
  validated.add(plan);
  return plan;
}

const SEPARATOR = ',\n    ';

/**
 * A plan as JSON that `parsePlan` makes an equal plan of: rules are resolved, defaults written out. Files are not part of
 * it, and of what is copied only that it was.
 * @throws IsometryError `TOO_LARGE` when the text would be longer than what `readPlan` reads, 2^28 bytes.
 */
export function serializePlan(plan: Plan): string {
  const made = new Map<string, object>();
  for (const { rule: _, stream, ...tensor } of plan.tensors) {
    made.set(tensor.name, stream === undefined ? tensor : { name: tensor.name, copyOf: stream });
  }
  for (const { name, shape, dtype } of plan.copied ?? []) made.set(name, { name, shape, copied: { dtype } });
  const order = plan.order ?? plan.tensors.map(({ name }) => name);
  const tensors = [
    ...order.map((name) => made.get(name)),
    ...(plan.ties ?? []).map(({ name, to }) => ({ name, tie: to })),
  ];
  const { dtype, metadata } = plan;
  const head = JSON.stringify({ dtype, metadata });
  // One tensor to a line: a plan is read by people too, and compared by lines.
  const lines = tensors.map((tensor) => JSON.stringify(tensor));
  const bytes = lines.reduce((total, line) => total + Buffer.byteLength(line), Buffer.byteLength(head));
  if (bytes + SEPARATOR.length * lines.length + 32 > MAX_PLAN_BYTES) {
    throw new IsometryError(
      'TOO_LARGE',
      `expected a plan of at most ${MAX_PLAN_BYTES} bytes, but written out it has more for its ${lines.length} tensors; use shorter names and metadata, or make several models`,
    );
  }
  return `{\n  ${head.slice(1, -1)}${head === '{}' ? '' : ',\n  '}"tensors": [\n    ${lines.join(SEPARATOR)}\n  ]\n}\n`;
}

/**
 * The plan, with files that its checkpoint is to have beside the weights.
 * @internal
 */
export function withFiles(plan: Plan, files: readonly PlanFile[]): Plan {
  return amendPlan(plan, { files: Object.freeze([...files]) });
}

/**
 * The plan, with facts that need no check any more.
 * @internal
 */
export function amendPlan(plan: Plan, facts: Partial<Plan>): Plan {
  const amended = Object.freeze({ ...plan, ...facts });
  validated.add(amended);
  return amended;
}

/**
 * Reads and checks a plan file.
 * @throws IsometryError `IO_ERROR` when it cannot be read; `PLAN_ERROR` as `parsePlan`, and when it is larger than
 * 2^28 bytes or not UTF-8.
 */
export async function readPlan(path: string): Promise<Plan> {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw expected('INVALID_ARGUMENT', 'the path of a plan file', 'path', path);
  }
  return parsePlan(await readPlanText(path), path);
}

/** What has passed the schema. */
interface RawPlan {
  readonly tensors?: readonly Facts[];
  readonly rules?: readonly Facts[];
  readonly dtype?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The value's own check knows more than the schema, such as which initializer was meant. */
function explain(tree: RawPlan | null, { pointer, message }: SchemaViolation, fail: Fail): IsometryError {
  const [, list, digits] = /^\/(tensors|rules)\/(\d+)(?:\/|$)/.exec(pointer) ?? [];
  const index = Number(digits);
  try {
    if (list === 'tensors') new TensorParser([], fail).explain(tree!.tensors![index]!, index);
    if (list === 'rules' && pointer.endsWith('/init')) new TensorParser([tree!.rules![index]!], fail);
  } catch (error) {
    if (error instanceof IsometryError) return error;
    throw error;
  }
  return fail(message);
}

const PLAN_KEYS = ['tensors', 'rules', 'dtype', 'metadata', '$schema'];
const RULE_KEYS = ['match', 'init', 'dtype', 'layout', 'groups', 'zeroRows', 'tie', 'copyOf'];

/** Unknown keys come before missing ones: `shpe` says more than that there is no `shape`. */
function checkNames(value: object, known: readonly string[], where: string, fail: Fail): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  try {
    checkKeys(value, known, where);
  } catch (error) {
    throw error instanceof IsometryError ? fail(error.message, error) : error;
  }
}

function parsePlanMetadata(metadata: unknown, fail: Fail): Readonly<Record<string, string>> {
  try {
    return parseMetadata(metadata, '/metadata');
  } catch (error) {
    throw error instanceof IsometryError ? fail(error.message, error) : error;
  }
}
