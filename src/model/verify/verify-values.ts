import { dtypeInfo } from '../../dtype.js';
import { toFloat32 } from '../../tensor.js';
import { isCopied, type StoredPlanTensor } from '../plan/stored-tensors.js';
import { type Comparison, comparePieces } from './compare-elements.js';
import type { OpenCheckpoint, OpenTensor } from './open-checkpoint.js';
import type { Replay } from './replay.js';
import { Findings, type VerifyProblem, type VerifyProgress, type VerifySkipped } from './verify-report.js';
import { chooseWindows, fraction, type Sampled, type Window } from './windows.js';

/** What was compared, and what not. */
export interface Tally {
  tensors: number;
  samples: number;
  bytes: number;
  readonly skipped: Findings<VerifySkipped>;
}

export function emptyTally(): Tally {
  return { tensors: 0, samples: 0, bytes: 0, skipped: new Findings() };
}

interface Watched {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: VerifyProgress) => void) | undefined;
}

/** How much is compared. */
interface Extent extends Watched {
  /** Windows in all. */
  readonly samples: number;
  /** Says which. */
  readonly key: string;
  /** Multiplications that matrices may take, see `Replay.workOf`. */
  readonly budget: number;
}

interface Pair extends Sampled {
  readonly stored: StoredPlanTensor;
  readonly found: OpenTensor;
}

/** Computes windows of tensors again, and reports those that the checkpoint has otherwise. */
export async function compareValues(
  checkpoint: OpenCheckpoint,
  pairs: readonly { readonly stored: StoredPlanTensor; readonly found: OpenTensor }[],
  replay: Replay,
  { samples, key, budget, signal, onProgress }: Extent,
  problems: Findings<VerifyProblem>,
  tally: Tally,
): Promise<void> {
  const made = pairs
    .filter(({ stored }) => !isCopied(stored.source))
    .map((pair): Pair => ({ ...pair, ...sampledOf(pair.found) }));
  const chosen = [...chooseWindows(made, samples, key)];
  // Matrices are few and dear: which of them the budget is for is left to chance, too.
  const ranked = chosen
    .map((entry) => ({ ...entry, work: replay.workOf(entry.tensor.stored) }))
    .map((entry) => ({ ...entry, rank: entry.work === 0 ? -1 : fraction(key, 'rank', entry.tensor.name) }))
    .sort((a, b) => a.rank - b.rank);
  let left = budget;
  for (const [index, { tensor, windows, work }] of ranked.entries()) {
    signal?.throwIfAborted();
    onProgress?.({
      stage: 'values',
      tensor: tensor.name,
      tensorsDone: index,
      tensorsTotal: ranked.length,
    });
    if (work > left) {
      const reason = 'it must be computed whole, which takes too long for a sample';
      tally.skipped.add({ tensor: tensor.name, reason });
      continue;
    }
    left -= work;
    // Each window of a matrix may cost as much as the first.
    const looked = work === 0 || budget === Number.POSITIVE_INFINITY ? windows : windows.slice(0, 1);
    const message = await compareTensor(checkpoint, tensor, looked, replay, signal);
    if (message !== undefined) problems.add({ kind: 'values', tensor: tensor.name, message });
    tally.tensors++;
    tally.samples += looked.length;
    tally.bytes += looked.reduce((total, { begin, end }) => total + end - begin, 0);
  }
}

async function compareTensor(
  checkpoint: OpenCheckpoint,
  { stored, found, elementBytes }: Pair,
  windows: readonly Window[],
  replay: Replay,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const tolerance = replay.toleranceOf(stored);
  let differing = 0;
  let elements = 0;
  let first: number | null = null;
  let maxAbs: number | null = null;
  for (const { begin, end } of windows) {
    signal?.throwIfAborted();
    const [actual, wanted] = await Promise.all([
      readWindow(checkpoint, found, begin, end),
      replay.bytes(stored, begin, end),
    ]);
    elements += (end - begin) / elementBytes;
    const difference = comparePieces(actual, wanted, found.dtype, begin);
    if (difference === undefined || within(difference, tolerance)) continue;
    first ??= difference.first;
    differing += difference.differing ?? 0;
    if (difference.maxAbs !== null) maxAbs = Math.max(maxAbs ?? 0, difference.maxAbs);
  }
  if (first === null) return undefined;
  const far = maxAbs === null ? '' : `, by up to ${Number(maxAbs.toPrecision(3))}`;
  return `${differing} of ${elements} elements that were computed again differ${far}; the first is element ${first}`;
}

function within({ maxAbs, nonFinite }: Comparison, tolerance: number): boolean {
  return tolerance > 0 && nonFinite === 0 && maxAbs !== null && maxAbs <= tolerance;
}

/** For checkpoints without a plan: reports NaN and infinities in windows of their floats. */
export async function checkFinite(
  checkpoint: OpenCheckpoint,
  samples: number,
  problems: Findings<VerifyProblem>,
  { signal, onProgress }: Watched,
): Promise<void> {
  const floats = checkpoint.tensors
    .filter(({ dtype }) => dtype.dtype !== undefined)
    .map((found) => ({ found, ...sampledOf(found) }));
  const chosen = [...chooseWindows(floats, samples, 'finite')];
  for (const [index, { tensor, windows }] of chosen.entries()) {
    signal?.throwIfAborted();
    onProgress?.({
      stage: 'values',
      tensor: tensor.name,
      tensorsDone: index,
      tensorsTotal: chosen.length,
    });
    let [bad, elements] = [0, 0];
    for (const { begin, end } of windows) {
      const bytes = await readWindow(checkpoint, tensor.found, begin, end);
      bad += nonFinite(bytes, tensor.found);
      elements += (end - begin) / tensor.elementBytes;
    }
    if (bad === 0) continue;
    const message = `${bad} of ${elements} elements that were looked at are NaN or infinite`;
    problems.add({ kind: 'notFinite', tensor: tensor.name, message });
  }
}

function nonFinite(data: Uint8Array<ArrayBuffer>, { dtype }: OpenTensor): number {
  const { array, bytes } = dtypeInfo(dtype.dtype);
  const values = new array(data.buffer, 0, data.length / bytes);
  let count = 0;
  for (const value of bytes === 2 ? toFloat32(values, dtype.dtype!) : values)
    if (!Number.isFinite(value)) count++;
  return count;
}

function sampledOf({ name, dtype, begin, end }: OpenTensor): Sampled {
  return { name, bytes: end - begin, elementBytes: Math.max(1, dtype.bits / 8) };
}

async function readWindow(
  checkpoint: OpenCheckpoint,
  tensor: OpenTensor,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(Math.ceil((end - begin) / 8) * 8);
  const part = { ...tensor, begin: tensor.begin + begin, end: tensor.begin + end };
  // One piece: the buffer holds all of it.
  for await (const _ of checkpoint.chunks(part, buffer));
  return buffer.subarray(0, end - begin);
}
