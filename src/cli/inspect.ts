import type { DType } from '../dtype.js';
import { lawOf } from '../initializers/index.js';
import type { Law } from '../law.js';
import { judge, type Verdict } from '../model/judge.js';
import { type Measurement, measureTensor } from '../model/measure.js';
import { type Plan, type PlanTensor, readPlan } from '../model/plan.js';
import { lawMoments } from '../moments.js';
import { SafetensorsReader, type TensorEntry } from '../safetensors/read.js';
import { formatBytes, groupDigits, Output, printable, table } from './output.js';

/** Options of `isometry inspect`, checked. */
export interface InspectOptions {
  readonly plan?: string;
  readonly json?: true;
}

/** What was found out about one tensor. */
interface Row {
  readonly entry: TensorEntry;
  readonly measured: Measurement | undefined;
  readonly verdict: Verdict | undefined;
  /** What is wrong with it, in words. */
  readonly problems: readonly string[];
}

/**
 * `isometry inspect FILE`: names, shapes, dtypes, measured mean and standard deviation; with a plan, against its laws.
 * Returns 1 when the file does not fit the plan.
 */
export async function inspect(path: string, options: InspectOptions, signal: AbortSignal): Promise<number> {
  const output = new Output(options.json === true);
  const plan = options.plan === undefined ? undefined : await readPlan(options.plan);
  const reader = await SafetensorsReader.open(path);
  try {
    const expectedTensors = new Map(plan?.tensors.map((tensor) => [tensor.name, tensor]));
    const rows: Row[] = [];
    for (const entry of reader.tensors) {
      const row = await examine(reader, entry, plan, expectedTensors.get(entry.name), signal);
      expectedTensors.delete(entry.name);
      rows.push(row);
      output.record('tensor', recordOf(row));
    }
    const missing = [...expectedTensors.keys()];
    printReport(output, reader, rows, missing, plan);
    return missing.length > 0 || rows.some(({ problems }) => problems.length > 0) ? 1 : 0;
  } finally {
    await reader.close();
  }
}

async function examine(
  reader: SafetensorsReader,
  entry: TensorEntry,
  plan: Plan | undefined,
  wanted: PlanTensor | undefined,
  signal: AbortSignal,
): Promise<Row> {
  const problems: string[] = [];
  let law: Law | undefined;
  if (plan !== undefined) {
    if (wanted === undefined) problems.push('not in the plan');
    else if (wanted.shape.join() !== entry.shape.join())
      problems.push(`the plan has shape ${show(wanted.shape)}`);
    else law = lawOf(wanted.init, wanted);
    // Only a tensor's own dtype is certain: the others' may be chosen when the file is written.
    if (wanted?.dtype !== undefined && wanted.dtype !== entry.dtype.dtype)
      problems.push(`the plan has ${wanted.dtype}`);
  }
  const near = law === undefined ? undefined : lawMoments(law, entry.elements).mean;
  const measured = await measureTensor(reader, entry, near, signal);
  if (measured !== undefined && measured.nonFinite > 0)
    problems.push(`${measured.nonFinite} elements are not finite`);
  let verdict: Verdict | undefined;
  if (law !== undefined && measured !== undefined) {
    verdict = judge(measured, law, entry.dtype.dtype as DType, entry.name);
    if (!verdict.plausible)
      problems.push(`does not follow its law (mean ${short(verdict.mean)}, std ${short(verdict.std)})`);
  }
  return { entry, measured, verdict, problems };
}

function recordOf({ entry, measured, verdict, problems }: Row): object {
  const { name, dtype, shape, elements } = entry;
  return {
    name,
    dtype: dtype.name,
    shape,
    elements,
    measured: measured ?? null,
    law: verdict ?? null,
    problems,
  };
}

function printReport(
  output: Output,
  reader: SafetensorsReader,
  rows: readonly Row[],
  missing: readonly string[],
  plan: Plan | undefined,
): void {
  const judged = plan !== undefined;
  const heading = [
    'tensor',
    'dtype',
    'shape',
    'mean',
    'std',
    ...(judged ? ['mean off by', 'std off by', ''] : []),
  ];
  const lines = table([heading, ...rows.map((row) => cells(row, judged))], new Set([3, 4, 5, 6]));
  for (const line of lines) output.text(line);
  for (const name of missing) output.text(`missing: ${printable(name)}`);

  const parameters = rows.reduce((total, { entry }) => total + entry.elements, 0);
  const bad = rows.filter(({ problems }) => problems.length > 0).length;
  output.text('');
  output.text(
    `${groupDigits(rows.length)} tensors, ${groupDigits(parameters)} parameters, ${formatBytes(reader.size)}`,
  );
  for (const [key, value] of reader.metadata) output.text(`${printable(key)}: ${printable(value)}`);
  if (judged) {
    const fits = bad === 0 && missing.length === 0;
    output.text(
      fits ? 'every tensor follows its law' : `${bad} tensors with problems, ${missing.length} missing`,
    );
  }
  output.record('summary', {
    tensors: rows.length,
    parameters,
    bytes: reader.size,
    metadata: Object.fromEntries(reader.metadata),
    missing,
    bad,
  });
}

function cells({ entry, measured, verdict, problems }: Row, judged: boolean): string[] {
  const moments = measured === undefined ? ['-', '-'] : [short(measured.mean), short(measured.std)];
  const row = [printable(entry.name), entry.dtype.name, show(entry.shape), ...moments];
  if (!judged) return row;
  return [...row, errors(verdict?.meanError), errors(verdict?.stdError), problems.join('; ')];
}

function errors(count: number | null | undefined): string {
  return count === null || count === undefined ? '-' : `${count.toFixed(1)} s.e.`;
}

function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)));
}
