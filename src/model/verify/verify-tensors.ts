import { DTYPE_NAMES, type DType } from '../../dtype.js';
import { lawOf } from '../../initializers/index.js';
import type { Law } from '../../law.js';
import type { Plan } from '../plan/plan.js';
import { isCopied, type StoredPlanTensor, storedTensors } from '../plan/stored-tensors.js';
import type { Candidate } from './duplicates.js';
import type { OpenCheckpoint, OpenTensor } from './open-checkpoint.js';
import type { Findings, VerifyProblem } from './verify-report.js';

/** What a plan says of a checkpoint. */
export interface Expectation {
  /** Tensors that are as the plan has them, so that their values can be compared; in the plan's order. */
  readonly pairs: readonly { readonly stored: StoredPlanTensor; readonly found: OpenTensor }[];
  /** Of the tensors that have none of their own. */
  readonly dtype: DType;
}

/**
 * Holds names, shapes and dtypes of a checkpoint against a plan.
 * @param recorded - the dtype of tensors without one of their own, where it is known; else the checkpoint shows it.
 */
export function expectTensors(
  checkpoint: OpenCheckpoint,
  plan: Plan,
  recorded: DType | undefined,
  problems: Findings<VerifyProblem>,
): Expectation {
  const found = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
  const dtype = recorded ?? shownDType(plan, found) ?? plan.dtype ?? 'float32';
  const pairs: { stored: StoredPlanTensor; found: OpenTensor }[] = [];
  for (const stored of storedTensors(plan, dtype)) {
    const tensor = found.get(stored.name);
    found.delete(stored.name);
    const problem = problemOf(stored, tensor);
    if (problem !== undefined) problems.add({ ...problem, tensor: stored.name });
    else pairs.push({ stored, found: tensor! });
  }
  const ties = new Map(plan.ties?.map(({ name, to }) => [name, to]));
  for (const name of found.keys()) {
    const to = ties.get(name);
    const message =
      to === undefined
        ? 'it is in the checkpoint, but no rule of the plan made it'
        : `it is stored, but the plan ties it to ${JSON.stringify(to)}`;
    problems.add({ kind: 'unexpected', tensor: name, message });
  }
  return { pairs, dtype };
}

function problemOf(
  { shape, dtype }: StoredPlanTensor,
  found: OpenTensor | undefined,
): VerifyProblem | undefined {
  if (found === undefined)
    return { kind: 'missing', message: 'the plan has it, but the checkpoint does not' };
  if (found.shape.join() !== shape.join()) {
    const message = `its shape is [${found.shape.join(', ')}], but the plan has [${shape.join(', ')}]`;
    return { kind: 'shape', message };
  }
  if (found.dtype.name !== dtype)
    return { kind: 'dtype', message: `its dtype is ${found.dtype.name}, but the plan has ${dtype}` };
  return undefined;
}

/** Tensors without a dtype of their own have what `writeCheckpoint` was given, which only they can tell. */
function shownDType(plan: Plan, found: ReadonlyMap<string, OpenTensor>): DType | undefined {
  for (const { name, dtype } of plan.tensors) {
    const shown = dtype === undefined ? found.get(name)?.dtype.dtype : undefined;
    if (shown !== undefined && DTYPE_NAMES.includes(shown)) return shown;
  }
  return undefined;
}

/** The tensors that should repeat no other: drawn, and with a stream of their own. */
export function repeatsOf({ pairs }: Expectation): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const { stored, found } of pairs) {
    const { source } = stored;
    // A copy of the plan's is equal to another on purpose.
    if (isCopied(source) || source.stream !== undefined || found.dtype.dtype === undefined) continue;
    const law = lawOf(source.init, source);
    if (law.kind === 'constant') continue;
    candidates.push({ tensor: found, repeats: isIndependent(law) ? 'anywhere' : 'whole' });
  }
  return candidates;
}

const INDEPENDENT: ReadonlySet<string> = new Set([
  'constant',
  'uniform',
  'normal',
  'truncatedNormal',
  'mask',
]);

/** Whether all elements are drawn on their own, so that no part should be like another. */
function isIndependent(law: Law): boolean {
  return law.kind === 'parts'
    ? law.parts.every((part) => isIndependentKind(part.law))
    : isIndependentKind(law);
}

function isIndependentKind({ kind }: { readonly kind: string }): boolean {
  return INDEPENDENT.has(kind);
}
