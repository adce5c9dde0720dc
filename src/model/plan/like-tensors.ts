import { IsometryError, showName } from '../../errors.js';
import { listed } from '../../safetensors/model-index.js';
import type { ModelEntry } from '../../safetensors/read-model.js';
import type { Plan, PlanTensor } from './plan.js';
import { dtypeOfStored, type PlanDType } from './plan-dtype.js';

/** A tensor in the words of a plan's JSON. */
export type LikeTensor = Readonly<Record<string, unknown>>;

/** Which tensors of a file are made again. */
export interface LikeChoice {
  /** Path of the file, for messages. */
  readonly path: string;
  /** Whether a tensor of the file is made again; it is copied otherwise. */
  readonly chosen: (name: string) => boolean;
  /** Whether tensors that the file lacks are made. */
  readonly fillMissing: boolean;
}

/** What a plan like the file consists of. */
export interface LikeTensors {
  /** In the order of the checkpoint to be. */
  readonly tensors: readonly LikeTensor[];
  readonly warnings: readonly string[];
}

/** The tensors of a file, those that are made again for rules to match. */
export function tensorsByRules(entries: readonly ModelEntry[], choice: LikeChoice): LikeTensors {
  const tensors = entries.map((entry) => (choice.chosen(entry.name) ? header(entry, choice) : copied(entry)));
  return { tensors, warnings: [] };
}

/**
 * The tensors of a file, those that are made again as a plan says.
 * @throws IsometryError `PLAN_ERROR` where plan and file contradict each other.
 */
export function tensorsByPlan(entries: readonly ModelEntry[], plan: Plan, choice: LikeChoice): LikeTensors {
  return new Matching(entries, plan, choice).tensors();
}

/** Name, shape and dtype as the file has them. */
function header(entry: ModelEntry, { path }: LikeChoice): LikeTensor {
  return { name: entry.name, shape: entry.shape, dtype: dtypeOf(entry, path) };
}

function dtypeOf({ name, dtype }: ModelEntry, path: string): PlanDType {
  const made = dtypeOfStored(dtype.name);
  if (made !== undefined) return made;
  throw planError(
    `expected a dtype that can be initialized for ${showName(name)} but ${path} has ${dtype.name}; have it copied: with the option only name what is to be made`,
  );
}

function copied({ name, shape, dtype }: ModelEntry): LikeTensor {
  return { name, shape, copied: { dtype: dtype.name } };
}

/** A plan and a file that have most of their names in common. */
class Matching {
  private readonly entries: ReadonlyMap<string, ModelEntry>;
  private readonly plan: Plan;
  private readonly choice: LikeChoice;
  /** Other names of a tensor, by its own. */
  private readonly tiesOf = new Map<string, string[]>();
  /** Of the plan's tensors and ties. */
  private readonly known = new Set<string>();
  private readonly missing: string[] = [];

  constructor(entries: readonly ModelEntry[], plan: Plan, choice: LikeChoice) {
    this.entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.plan = plan;
    this.choice = choice;
    for (const { name } of plan.tensors) this.known.add(name);
    for (const { name, to } of plan.ties ?? []) {
      this.known.add(name);
      const others = this.tiesOf.get(to);
      if (others === undefined) this.tiesOf.set(to, [name]);
      else others.push(name);
    }
  }

  tensors(): LikeTensors {
    this.refuseUnknown();
    this.refuseOtherShapes();
    const tensors = this.plan.tensors.flatMap((tensor) => this.withTies(tensor));
    for (const entry of this.entries.values()) if (!this.known.has(entry.name)) tensors.push(copied(entry));
    return { tensors, warnings: this.warnings() };
  }

  /** A tensor of the plan and the names that are tied to it, as far as the file has them or is to get them. */
  private withTies(tensor: PlanTensor): readonly LikeTensor[] {
    const { fillMissing, path, chosen } = this.choice;
    const names = [tensor.name, ...(this.tiesOf.get(tensor.name) ?? [])];
    const stored = names.filter((name) => this.entries.has(name));
    // Which one of tied names a file stores is its writer's choice.
    const first = stored[0] ?? tensor.name;
    const ties = names.filter((name) => name !== first && !this.entries.has(name));
    const others = ties.map((name) => ({ name, tie: first }));
    if (stored.length === 0) {
      // Asked also where the answer is known, so that a glob for a missing tensor counts as one that is of use.
      if (fillMissing) names.forEach(chosen);
      if (fillMissing) return [lawful(tensor), ...others];
      this.missing.push(tensor.name);
      return [];
    }
    const made = stored.filter(chosen);
    if (made.length === 0) return [...stored.map((name) => copied(this.entries.get(name)!)), ...others];
    if (made.length < stored.length) {
      throw planError(
        `expected all of ${listed(stored)} to be made, or none, as they are one tensor, but only ${listed(made)} would be; name the others too`,
      );
    }
    const dtypes = new Set(stored.map((name) => this.entries.get(name)!.dtype.name));
    if (dtypes.size > 1) {
      throw planError(
        `expected one dtype for ${listed(stored)}, which are one tensor, but ${path} has ${[...dtypes].join(' and ')}`,
      );
    }
    const dtype = dtypeOf(this.entries.get(first)!, path);
    const copies = stored.slice(1).map((name) => ({ name, copyOf: first }));
    return [{ ...lawful(tensor), name: first, dtype }, ...copies, ...others];
  }

  private refuseUnknown(): void {
    const { chosen, path } = this.choice;
    const unknown = [...this.entries.keys()].filter((name) => !this.known.has(name) && chosen(name));
    if (unknown.length === 0) return;
    throw planError(
      `expected a tensor of the plan for each tensor of ${path} that is to be made, but the plan lacks ${unknown.length} of them: ${listed(unknown)}; it may be of another model, or the option only can leave them out`,
    );
  }

  private refuseOtherShapes(): void {
    const conflicts: string[] = [];
    const compare = (name: string, shape: readonly number[]): void => {
      const found = this.entries.get(name)?.shape;
      if (found === undefined || String(found) === String(shape)) return;
      conflicts.push(`${showName(name)} is [${found.join(', ')}], and [${shape.join(', ')}] in the plan`);
    };
    for (const { name, shape } of this.plan.tensors) {
      compare(name, shape);
      for (const other of this.tiesOf.get(name) ?? []) compare(other, shape);
    }
    if (conflicts.length === 0) return;
    const more = conflicts.length > MOST_CONFLICTS ? `; and ${conflicts.length - MOST_CONFLICTS} more` : '';
    throw planError(
      `expected the shapes of ${this.choice.path} but ${conflicts.slice(0, MOST_CONFLICTS).join('; ')}${more}`,
    );
  }

  private warnings(): readonly string[] {
    const { missing } = this;
    if (missing.length === 0) return [];
    return [
      `${missing.length} of the plan's tensors are not in ${this.choice.path}: ${listed(missing)}; the option fillMissing (--fill-missing) would make them`,
    ];
  }
}

/** So many are told in a message. */
const MOST_CONFLICTS = 5;

/** All that makes a tensor what it is, in the words of a plan. */
function lawful({ rule: _, stream, ...tensor }: PlanTensor): LikeTensor {
  return stream === undefined ? tensor : { name: tensor.name, copyOf: stream };
}

function planError(message: string): IsometryError {
  return new IsometryError('PLAN_ERROR', message);
}
