import { describe, IsometryError, showName } from '../../errors.js';
import { parseInitializer } from '../../initializers/index.js';
import { checkKeys } from '../../options.js';
import { listed } from '../../safetensors/model-index.js';
import { parseName } from '../../stream.js';
import type { CopiedTensor, PlanTensor, Tie } from './plan.js';
import { parseCopied, parseTensor, parseTensorName } from './plan-tensor.js';
import type { Fail } from './plan-text.js';
import { type Facts, parseRule, type Rule, RuleMatcher, wayOf } from './rules.js';
import { isCopied } from './stored-tensors.js';

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

/** A tensor whose values are another one's, until that one is known. */
interface Copy {
  readonly name: string;
  readonly index: number;
  readonly of: string;
  readonly rule: number | undefined;
}

/** Checks the tensors of a plan and gives each what its rule says. Plans have up to 10^6 of them: every object counts. */
export class TensorParser {
  private readonly fail: Fail;
  private readonly rules: readonly Rule[];
  private readonly matcher: RuleMatcher;
  /** Where in the list a name is. */
  private readonly names = new Map<string, number>();
  /** By that place. */
  private readonly stored: (PlanTensor | CopiedTensor | undefined)[] = [];
  private readonly copies: Copy[] = [];
  private readonly ties: (Tie & { readonly index: number })[] = [];
  private readonly unmatched: string[] = [];

  /** @throws what `fail` makes, for rules that are none. */
  constructor(rules: readonly Facts[], fail: Fail) {
    this.fail = fail;
    this.rules = rules.map((rule, index) => {
      const pointer = `/rules/${index}`;
      return located(pointer, fail, () => parseRule(rule, pointer));
    });
    this.matcher = located('/rules', fail, () => new RuleMatcher(this.rules));
  }

  /** All of them. */
  parse(raw: readonly Facts[]): ParsedTensors {
    for (const [index, tensor] of raw.entries()) this.take(tensor, index);
    this.refuseUnmatched();
    for (const copy of this.copies) this.resolveCopy(copy, raw[copy.index]!);
    for (const tie of this.ties) this.checkTie(tie);
    const tensors: PlanTensor[] = [];
    const copied: CopiedTensor[] = [];
    const order: string[] = [];
    for (const tensor of this.stored) {
      if (tensor === undefined) continue;
      if (isCopied(tensor)) copied.push(tensor);
      else tensors.push(tensor);
      order.push(tensor.name);
    }
    return {
      tensors,
      ties: this.ties.map(({ name, to }) => Object.freeze({ name, to })),
      copied,
      order,
      warnings: this.matcher.warnings(),
    };
  }

  /** What is wrong with a tensor that the schema refuses, if the checks of its values know. */
  explain(raw: Facts, index: number): void {
    const pointer = `/tensors/${index}`;
    if (typeof raw !== 'object' || raw === null) {
      throw this.fail(`expected an object for ${pointer} but received ${describe(raw)}`);
    }
    located(pointer, this.fail, () => checkKeys(raw, TENSOR_KEYS, pointer));
    this.take(raw, index);
  }

  /** One tensor; its own keys win over its rule's. */
  private take(raw: Facts, index: number): void {
    const pointer = `/tensors/${index}`;
    const name = located(pointer, this.fail, () => parseTensorName(raw['name'], `${pointer}/name`));
    this.checkUnique(name, index);
    located(pointer, this.fail, () => {
      const way = wayOf(raw, pointer);
      const found = way === undefined ? this.matcher.find(name) : undefined;
      const rule = found === undefined ? undefined : this.rules[found]!;
      switch (way ?? rule?.way) {
        case 'tie':
          this.ties.push({ name, to: parseName(raw['tie'] ?? rule?.facts['tie'], `${pointer}/tie`), index });
          break;
        case 'copyOf': {
          const of = parseName(raw['copyOf'] ?? rule?.facts['copyOf'], `${pointer}/copyOf`);
          this.copies.push({ name, index, of, rule: found });
          break;
        }
        case 'copied':
          this.stored[index] = parseCopied(name, raw, pointer);
          break;
        case 'init':
          this.stored[index] = parseTensor(name, raw, pointer, rule, found);
          break;
        default:
          // Without rules the tensor lacks an init; with them, a rule.
          if (this.rules.length === 0) parseInitializer(raw['init'], `${pointer}/init`);
          this.unmatched.push(name);
      }
    });
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
    throw this.fail(
      `expected a rule for each tensor without an init, but none matches ${unmatched.length} of them: ${listed(unmatched)}; add rules, such as one for "**" at the end`,
    );
  }

  private find(name: string): PlanTensor | CopiedTensor | undefined {
    const index = this.names.get(name);
    return index === undefined ? undefined : this.stored[index];
  }

  private resolveCopy({ name, index, of, rule }: Copy, raw: Facts): void {
    const pointer = `/tensors/${index}`;
    const target = this.find(of);
    if (target === undefined || isCopied(target) || target.stream !== undefined) {
      throw this.fail(
        `expected the name of a tensor that the plan makes, and that is no copy itself, for ${pointer}/copyOf but received ${describe(of)}`,
      );
    }
    const facts = rule === undefined ? raw : { ...this.rules[rule]!.facts, ...raw };
    for (const key of ['dtype', 'layout', 'groups', 'zeroRows'] as const) {
      if (facts[key] === undefined || (key !== 'zeroRows' && facts[key] === target[key])) continue;
      throw this.fail(`expected no ${key} in ${pointer}: a copy has all of ${showName(of)}'s`);
    }
    const { shape } = facts;
    if (shape !== undefined && String(shape) !== String(target.shape)) {
      throw this.fail(
        `expected the shape [${target.shape.join(', ')}], which ${showName(of)} has, for ${pointer}/shape but received ${describe(shape)}`,
      );
    }
    const { rule: _, ...own } = target;
    this.stored[index] = Object.freeze({
      ...own,
      name,
      stream: of,
      ...(rule === undefined ? {} : { rule }),
    });
  }

  private checkTie({ to, index }: Tie & { readonly index: number }): void {
    if (this.find(to) !== undefined) return;
    const hint = this.names.has(to) ? ', which is a tie itself' : '';
    throw this.fail(
      `expected the name of a stored tensor for /tensors/${index}/tie but received ${describe(to)}${hint}`,
    );
  }
}

/** Errors of a value's own check, with the place in the plan. */
function located<T>(pointer: string, fail: Fail, check: () => T): T {
  try {
    return check();
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
