import type { DType } from '../dtype.js';
import { lawOf } from '../initializers/index.js';
import type { Law } from '../law.js';
import type { CopiedTensor, Plan, PlanTensor } from '../model/plan/plan.js';
import { storedNameOf } from '../model/plan/plan-dtype.js';
import { planFrom } from '../model/plan/plan-from.js';
import { isCopied } from '../model/plan/stored-tensors.js';
import { judge, type Verdict } from '../model/verify/judge.js';
import { type Measurement, measureTensor } from '../model/verify/measure.js';
import { type OpenCheckpoint, type OpenTensor, openCheckpoint } from '../model/verify/open-checkpoint.js';
import { lawMoments } from '../moments.js';
import { formatBytes, groupDigits, Output, printable, TableStream } from './output.js';
import { shapeInWords, shortNumber } from './words.js';

/** Options of `isometry inspect`, checked. */
export interface InspectOptions {
  readonly plan?: string;
  readonly json?: true;
}

/** What was found out about one tensor. */
interface Row {
  readonly entry: OpenTensor;
  readonly measured: Measurement | undefined;
  readonly verdict: Verdict | undefined;
  /** What is wrong with it, in words. */
  readonly problems: readonly string[];
}

/** Tensors of a plan that a checkpoint should have, by name. */
type Wanted = Map<string, PlanTensor | CopiedTensor>;

/**
 * `isometry inspect PATH`: names, shapes, dtypes, measured mean and standard deviation; with a plan, against its laws.
 * Returns 1 when the checkpoint does not fit the plan, or has elements that are not finite.
 */
export async function inspect(path: string, options: InspectOptions, signal: AbortSignal): Promise<number> {
  const output = new Output(options.json === true);
  const plan = options.plan === undefined ? undefined : await planFrom(options.plan);
  const checkpoint = await openCheckpoint(path);
  try {
    const wanted: Wanted = new Map(
      [...(plan?.tensors ?? []), ...(plan?.copied ?? [])].map((tensor) => [tensor.name, tensor]),
    );
    const judged = plan !== undefined;
    const table = new TableStream(output, headingOf(judged), new Set([3, 4, 5, 6]));
    let bad = 0;
    for (const entry of checkpoint.tensors) {
      const row = await examine(checkpoint, entry, plan, wanted.get(entry.name), signal);
      wanted.delete(entry.name);
      if (row.problems.length > 0) bad++;
      output.record('tensor', recordOf(row));
      table.row(cells(row, judged));
      await output.ready();
    }
    table.end();
    const missing = [...wanted.keys()];
    report(output, checkpoint, bad, missing, judged);
    return missing.length > 0 || bad > 0 ? 1 : 0;
  } finally {
    await checkpoint.close();
  }
}

async function examine(
  checkpoint: OpenCheckpoint,
  entry: OpenTensor,
  plan: Plan | undefined,
  wanted: PlanTensor | CopiedTensor | undefined,
  signal: AbortSignal,
): Promise<Row> {
  const problems: string[] = [];
  let law: Law | undefined;
  if (plan !== undefined) {
    if (wanted === undefined) problems.push('not in the plan');
    else if (wanted.shape.join() !== entry.shape.join())
      problems.push(`the plan has shape ${shapeInWords(wanted.shape)}`);
    else if (!isCopied(wanted)) law = lawOf(wanted.init, wanted);
    // Only a tensor's own dtype is certain: the others' may be chosen when the file is written.
    if (wanted?.dtype !== undefined && storedDTypeOf(wanted) !== entry.dtype.name)
      problems.push(`the plan has ${wanted.dtype}`);
  }
  const near = law === undefined ? undefined : lawMoments(law, entry.elements).mean;
  const measured = await measureTensor(checkpoint, entry, near, signal);
  if (measured !== undefined && measured.nonFinite > 0)
    problems.push(`${measured.nonFinite} elements are not finite`);
  let verdict: Verdict | undefined;
  if (law !== undefined && measured !== undefined) {
    verdict = judge(measured, law, entry.dtype.dtype as DType, entry.name);
    if (!verdict.plausible) {
      problems.push(
        `does not follow its law (mean ${shortNumber(verdict.mean)}, std ${shortNumber(verdict.std)})`,
      );
    }
  }
  return { entry, measured, verdict, problems };
}

function storedDTypeOf(wanted: PlanTensor | CopiedTensor): string {
  return isCopied(wanted) ? wanted.dtype : storedNameOf(wanted.dtype!);
}

function recordOf({ entry, measured, verdict, problems }: Row): object {
  const { name, dtype, shape, elements, file } = entry;
  return {
    name,
    dtype: dtype.name,
    shape,
    elements,
    file,
    measured: measured ?? null,
    law: verdict ?? null,
    problems,
  };
}

function report(
  output: Output,
  { tensors, metadata, size, files, notes }: OpenCheckpoint,
  bad: number,
  missing: readonly string[],
  judged: boolean,
): void {
  for (const name of missing) output.text(`missing: ${printable(name)}`);
  const parameters = tensors.reduce((total, { elements }) => total + elements, 0);
  const where = files > 1 ? ` in ${groupDigits(files)} files` : '';
  output.text('');
  output.text(
    `${groupDigits(tensors.length)} tensors, ${groupDigits(parameters)} parameters, ${formatBytes(size)}${where}`,
  );
  for (const [key, value] of metadata) output.text(`${printable(key)}: ${printable(value)}`);
  for (const note of notes) output.text(`note: ${printable(note)}`);
  if (judged) {
    const fits = bad === 0 && missing.length === 0;
    output.text(
      fits ? 'every tensor follows its law' : `${bad} tensors with problems, ${missing.length} missing`,
    );
  }
  output.record('summary', {
    tensors: tensors.length,
    parameters,
    bytes: size,
    files,
    metadata: Object.fromEntries(metadata),
    notes,
    missing,
    bad,
  });
}

function headingOf(judged: boolean): readonly string[] {
  const heading = ['tensor', 'dtype', 'shape', 'mean', 'std'];
  return judged ? [...heading, 'mean off by', 'std off by', ''] : heading;
}

function cells({ entry, measured, verdict, problems }: Row, judged: boolean): string[] {
  const moments = measured === undefined ? ['-', '-'] : [measured.mean, measured.std].map(shortNumber);
  const row = [printable(entry.name), entry.dtype.name, shapeInWords(entry.shape), ...moments];
  if (!judged) return row;
  return [...row, errors(verdict?.meanError), errors(verdict?.stdError), problems.join('; ')];
}

function errors(count: number | null | undefined): string {
  return count === null || count === undefined ? '-' : `${count.toFixed(1)} s.e.`;
}
