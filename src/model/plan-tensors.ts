import { type DType, dtypeInfo } from '../dtype.js';
import { describe, expected, IsometryError, showName } from '../errors.js';
import { type Initializer, lawOf, parseInitializer } from '../initializers/index.js';
import { checkKeys, expectedHint } from '../options.js';
import { type StoredDType, storedDType } from '../safetensors/dtypes.js';
import { elementCount, parseShape } from '../shape.js';
import { parseName } from '../stream.js';
import { checkIntegers } from './integers.js';
import type { CopiedTensor, PlanTensor, Tie } from './plan.js';
import { integerInfo, type PlanDType, parsePlanDType } from './plan-dtype.js';
import type { Fail } from './plan-text.js';
import { type Rule, RuleMatcher } from './rules.js';

/** A tensor as JSON has it, whose keys have passed the schema. */
export type RawTensor = Readonly<Record<string, unknown>>;

/** What a plan's tensors and rules come to. */
export interface ParsedTensors {
  readonly tensors: readonly PlanTensor[];
  readonly ties: readonly Tie[];
  readonly copied: readonly CopiedTensor[];
  /** All stored names, in order. */
  readonly order: readonly string[];
  readonly warnings: readonly string[];
}

/** Keys of a tensor. */
export const TENSOR_KEYS: readonly string[] = [
  'name',
  'shape',
  'init',
  'dtype',
  'layout',
  'groups',
  'zeroRows',
  'tie',
  'copyOf',
  'copied',
];

// JavaScript consumers lose a tensor named `__proto__` in a plain object, and the file format reserves the other.
const RESERVED_NAMES: ReadonlySet<string> = new Set(['__metadata__', '__proto__']);

/** So many names are listed in a message. */
const MOST_LISTED = 20;

/** Checks the tensors of a plan and gives each what its rule says. */
export class TensorParser {
  private readonly fail: Fail;
  private readonly matcher: RuleMatcher;
  private readonly names = new Map<string, number>();
  private readonly made = new Map<string, PlanTensor>();
  private readonly copies: { name: string; of: string; raw: RawTensor; pointer: string; rule?: number }[] =
    [];
  private readonly ties: (Tie & { readonly pointer: string })[] = [];
  private readonly copied: CopiedTensor[] = [];
  private readonly order: string[] = [];
  private readonly unmatched: string[] = [];

  constructor(rules: readonly Rule[], fail: Fail) {
    this.fail = fail;
    this.matcher = this.located('/rules', () => new RuleMatcher(rules));
  }

  /** All of them. */
  parse(raw: readonly RawTensor[]): ParsedTensors {
    for (const [index, tensor] of raw.entries()) this.add(tensor, index);
    this.refuseUnmatched();
    for (const copy of this.copies) this.resolveCopy(copy);
    for (const tie of this.ties) this.checkTie(tie);
    return {
      tensors: this.order.flatMap((name) => this.made.get(name) ?? []),
      ties: this.ties.map(({ name, to }) => Object.freeze({ name, to })),
      copied: this.copied,
      order: this.order,
      warnings: this.matcher.warnings(),
    };
  }

  /** One tensor; its own keys win over its rule's. */
  add(raw: RawTensor, index: number): void {
    const pointer = `/tensors/${index}`;
    if (typeof raw !== 'object' || raw === null) {
      throw this.fail(`expected an object for ${pointer} but received ${describe(raw)}`);
    }
    this.located(pointer, () => checkKeys(raw, TENSOR_KEYS, pointer));
    const name = this.located(pointer, () => this.nameOf(raw, pointer));
    this.checkUnique(name, index);
    const ways = checkWays(raw, pointer, this.fail);
    const rule = ways.length > 0 ? undefined : this.matcher.find(name);
    if (ways.length === 0 && rule === undefined) {
      if (this.matcher.rules.length === 0) this.located(pointer, () => initOf(raw, pointer));
      this.unmatched.push(name);
      return;
    }
    const facts = rule === undefined ? raw : { ...this.matcher.rules[rule]!.facts, ...raw };
    if (facts['tie'] !== undefined) {
      const to = this.located(pointer, () => parseName(facts['tie'], `${pointer}/tie`));
      this.ties.push({ name, to, pointer });
      return;
    }
    this.order.push(name);
    if (facts['copied'] !== undefined) {
      this.copied.push(this.located(pointer, () => parseCopied(name, facts, pointer)));
      return;
    }
    if (facts['copyOf'] !== undefined) {
      const of = this.located(pointer, () => parseName(facts['copyOf'], `${pointer}/copyOf`));
      this.copies.push({ name, of, raw: facts, pointer, ...(rule === undefined ? {} : { rule }) });
      return;
    }
    const tensor = this.located(pointer, () => parseTensor(name, facts, pointer));
    this.made.set(name, Object.freeze(rule === undefined ? tensor : { ...tensor, rule }));
  }

  private nameOf(raw: RawTensor, pointer: string): string {
    const name = parseName(raw['name'], `${pointer}/name`);
    if (!RESERVED_NAMES.has(name)) return name;
    throw expected('INVALID_NAME', 'a name other than __metadata__ and __proto__', `${pointer}/name`, name);
  }

  private checkUnique(name: string, index: number): void {
    const first = this.names.get(name);
    this.names.set(name, index);
    if (first === undefined) return;
    throw this.fail(
      `expected a unique name for /tensors/${index}/name but received ${describe(name)}, which /tensors/${first}/name has too`,
    );
  }

  private refuseUnmatched(): void {
    const { unmatched } = this;
    if (unmatched.length === 0) return;
    const shown = unmatched.slice(0, MOST_LISTED).map(showName).join(', ');
    const more = unmatched.length > MOST_LISTED ? ` and ${unmatched.length - MOST_LISTED} more` : '';
    throw this.fail(
      `expected a rule for each tensor without an init, but none matches ${unmatched.length} of them: ${shown}${more}; add rules, such as one for "**" at the end`,
    );
  }

  private resolveCopy({ name, of, raw, pointer, rule }: (typeof this.copies)[number]): void {
    const target = this.made.get(of);
    if (target === undefined || target.stream !== undefined) {
      throw this.fail(
        `expected the name of a tensor that the plan makes, and that is no copy itself, for ${pointer}/copyOf but received ${describe(of)}`,
      );
    }
    for (const key of ['dtype', 'layout', 'groups', 'zeroRows']) {
      if (raw[key] === undefined) continue;
      throw this.fail(`expected no ${key} in ${pointer}: a copy has all of ${showName(of)}'s`);
    }
    const shape = raw['shape'];
    if (shape !== undefined && String(shape) !== String(target.shape)) {
      throw this.fail(
        `expected the shape [${target.shape.join(', ')}], which ${showName(of)} has, for ${pointer}/shape but received ${describe(shape)}`,
      );
    }
    const { rule: _, ...facts } = target;
    this.made.set(
      name,
      Object.freeze({ ...facts, name, stream: of, ...(rule === undefined ? {} : { rule }) }),
    );
  }

  private checkTie({ to, pointer }: Tie & { readonly pointer: string }): void {
    if (this.made.has(to) || this.copied.some(({ name }) => name === to)) return;
    const hint = this.ties.some(({ name }) => name === to) ? ', which is a tie itself' : '';
    throw this.fail(
      `expected the name of a stored tensor for ${pointer}/tie but received ${describe(to)}${hint}`,
    );
  }

  /** Errors of a value's own check, with the place in the plan. */
  private located<T>(pointer: string, check: () => T): T {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof IsometryError)) throw error;
      throw this.fail(withPointer(error.message, pointer), error);
    }
  }
}

/**
 * Which of the keys are there that say where a tensor comes from: one at most.
 * @throws what `fail` makes.
 */
export function checkWays(raw: RawTensor, pointer: string, fail: Fail): readonly string[] {
  const ways = ['init', 'tie', 'copyOf', 'copied'].filter((key) => raw[key] !== undefined);
  if (ways.length < 2) return ways;
  throw fail(`expected one of init, tie, copyOf and copied in ${pointer} but it has ${ways.join(' and ')}`);
}

function parseTensor(name: string, raw: RawTensor, pointer: string): PlanTensor {
  const shape = parseShape(raw['shape'], `${pointer}/shape`);
  const init = initOf(raw, pointer);
  const { dtype, layout, groups } = raw;
  if (dtype !== undefined) parsePlanDType(dtype);
  const options = {
    ...(dtype === undefined ? {} : { dtype: dtype as PlanDType }),
    ...(layout === undefined ? {} : { layout: layout as string }),
    ...(groups === undefined ? {} : { groups: groups as number }),
  };
  lawOf(init, { name, shape, ...options });
  const tensor = { name, shape, init, ...options };
  const integers = options.dtype === undefined ? undefined : integerInfo(options.dtype);
  if (integers === undefined) {
    if (dtype !== undefined) dtypeInfo(dtype as DType);
  } else checkIntegers(tensor, integers);
  return tensor;
}

function initOf(raw: RawTensor, pointer: string): Initializer {
  const init = parseInitializer(raw['init'], `${pointer}/init`);
  const rows = raw['zeroRows'];
  if (rows === undefined || (Array.isArray(rows) && rows.length === 0)) return init;
  return parseInitializer({ kind: 'zeroRows', init, rows }, `${pointer}/zeroRows`);
}

/** Of a plan that says what became of a checkpoint: where from is not known any more. */
function parseCopied(name: string, raw: RawTensor, pointer: string): CopiedTensor {
  const shape = parseShape(raw['shape'], `${pointer}/shape`);
  const { dtype } = checkKeys(raw['copied'], ['dtype'], `${pointer}/copied`);
  const info = storedDType(dtype);
  if (info === undefined) {
    const hint = 'as a safetensors header has it: F32, BF16, I64, …';
    throw expectedHint('INVALID_DTYPE', 'the name of a stored dtype', `${pointer}/copied/dtype`, dtype, hint);
  }
  const end = (elementCount(shape) * info.bits) / 8;
  return Object.freeze({ name, shape, dtype: dtype as StoredDType, path: '', begin: 0, end });
}

/** Makes `/tensors/3/init.std` of a message the JSON pointer `/tensors/3/init/std`; leads with `pointer` if it has none. */
function withPointer(message: string, pointer: string): string {
  const at = message.indexOf(`${pointer}/`);
  if (at < 0) return message.includes(pointer) ? message : `at ${pointer}: ${message}`;
  const path = /^[\w/]+(?:\.\w+|\[\d+\])*/.exec(message.slice(at))![0];
  return message.replace(path, () => path.replaceAll(/[.[]/g, '/').replaceAll(']', ''));
}
