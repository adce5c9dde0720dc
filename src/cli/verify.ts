import { planFrom } from '../model/plan/plan-from.js';
import { verifyCheckpoint } from '../model/verify/verify.js';
import { formatBytes, formatSeconds, groupDigits, Output, printable } from './output.js';
import { stageBar } from './progress.js';

/** Options of `isometry verify`, checked. */
export interface VerifyOptions {
  readonly plan?: string;
  readonly seed?: bigint;
  readonly samples?: number;
  readonly all?: true;
  readonly device: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
  readonly json?: true;
}

/** `isometry verify PATH`: returns 1 when something is wrong with it. */
export async function verify(path: string, options: VerifyOptions, signal: AbortSignal): Promise<number> {
  const json = options.json === true;
  const output = new Output(json);
  const { plan: source, seed, samples, all, device } = options;
  const plan = source === undefined ? undefined : await planFrom(source);
  const bar = json ? undefined : stageBar();
  try {
    const report = await verifyCheckpoint(path, {
      device,
      signal,
      onProgress: ({ stage, tensor, tensorsDone, tensorsTotal }) =>
        bar?.update(
          stage === 'values' ? 'comparing' : 'looking for repetitions',
          tensorsDone,
          tensorsTotal,
          tensor,
        ),
      ...(plan === undefined ? {} : { plan }),
      ...(seed === undefined ? {} : { seed }),
      ...(samples === undefined ? {} : { samples }),
      ...(all === undefined ? {} : { all }),
    });
    bar?.stop();
    const { problems, problemCount, skipped, skippedCount, ...summary } = report;
    for (const { kind, tensor, message } of problems) {
      output.text(`${tensor === undefined ? '' : `${printable(tensor)}: `}${kind}: ${printable(message)}`);
      output.record('problem', { kind, tensor: tensor ?? null, message });
      await output.ready();
    }
    if (problemCount > problems.length)
      output.text(`and ${groupDigits(problemCount - problems.length)} more`);
    for (const entry of skipped) output.record('skipped', entry);
    const { tensors, parameters, files, bytes, compared, seconds } = summary;
    output.text(
      `${groupDigits(tensors)} tensors, ${groupDigits(parameters)} parameters, ${formatBytes(bytes)} in ${groupDigits(files)} ${files === 1 ? 'file' : 'files'}`,
    );
    output.text(
      summary.plan === 'none'
        ? 'no plan is recorded and none was given: only structure, repetitions and finiteness were looked at'
        : `seed ${summary.seed ?? 'unknown'}, the plan ${summary.plan === 'given' ? 'that was given' : 'recorded with it'}: ${formatBytes(compared.bytes)} of ${groupDigits(compared.tensors)} tensors computed again, in ${formatSeconds(seconds)}`,
    );
    if (summary.copied > 0)
      output.text(
        `${groupDigits(summary.copied)} tensors were copied from another checkpoint; what they hold was not compared`,
      );
    for (const note of summary.notes) output.text(`note: ${printable(note)}`);
    if (skippedCount > 0) {
      output.text(
        `${groupDigits(skippedCount)} tensors of matrices were not computed again, which would take long; --all does: ${skipped
          .slice(0, 3)
          .map(({ tensor }) => printable(tensor))
          .join(', ')}${skippedCount > 3 ? ' …' : ''}`,
      );
    }
    output.text(problemCount === 0 ? 'all is as it should be' : `${groupDigits(problemCount)} problems`);
    output.record('summary', { ...summary, problems: problemCount, skipped: skippedCount });
    return problemCount === 0 ? 0 : 1;
  } finally {
    bar?.stop();
  }
}
