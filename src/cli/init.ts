import { lstat, stat } from 'node:fs/promises';
import type { DType } from '../dtype.js';
import { IsometryError } from '../errors.js';
import { writeCheckpoint } from '../model/checkpoint.js';
import { readPlan } from '../model/plan.js';
import { formatBytes, formatSeconds, groupDigits, Output, printable } from './output.js';
import { progressBar } from './progress.js';

/** Options of `isometry init`, checked. */
export interface InitOptions {
  readonly out: string;
  readonly seed: bigint;
  readonly dtype?: DType;
  readonly device: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
  readonly json?: true;
}

/** Between two lines of progress for programs. */
const RECORD_INTERVAL_MS = 500;

/** `isometry init PLAN`: writes the checkpoint that a plan describes. */
export async function init(planPath: string, options: InitOptions, signal: AbortSignal): Promise<number> {
  const { out, seed, dtype, device } = options;
  const json = options.json === true;
  const output = new Output(json);
  const plan = await readPlan(planPath);
  await refuseSameFile(planPath, out);
  const bar = json ? undefined : progressBar();
  let last = Number.NEGATIVE_INFINITY;
  try {
    const summary = await writeCheckpoint(plan, out, {
      seed,
      device,
      signal,
      ...(dtype === undefined ? {} : { dtype }),
      onProgress(progress) {
        bar?.update(progress);
        const now = performance.now();
        if (now - last < RECORD_INTERVAL_MS && progress.bytesDone < progress.bytesTotal) return;
        last = now;
        output.record('progress', progress);
      },
    });
    bar?.stop();
    const { tensors, parameters, bytes, seconds, backend, reason } = summary;
    output.text(
      `${printable(out)}: ${groupDigits(tensors)} tensors, ${groupDigits(parameters)} parameters, ${formatBytes(bytes)}`,
    );
    output.text(
      `${formatSeconds(seconds)}, ${formatBytes(bytes / seconds)}/s, backend ${backend}: ${reason}`,
    );
    output.record('summary', { ...summary, seed: String(seed) });
    return 0;
  } finally {
    bar?.stop();
  }
}

/** A slip of the hand must not cost the plan. */
async function refuseSameFile(planPath: string, out: string): Promise<void> {
  const [plan, target] = await Promise.all([
    stat(planPath).catch(() => undefined),
    lstat(out).catch(() => undefined),
  ]);
  if (plan === undefined || plan.dev !== target?.dev || plan.ino !== target.ino) return;
  throw new IsometryError(
    'INVALID_ARGUMENT',
    `--out is the plan itself, ${printable(planPath)}, which would be overwritten; name another file`,
  );
}
