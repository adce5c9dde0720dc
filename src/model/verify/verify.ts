import { resolve } from 'node:path';
import { parseDevice, selectBackend } from '../../backends/index.js';
import { expected, IsometryError } from '../../errors.js';
import { parseSignal } from '../../fill.js';
import { booleanOption, checkKeys, withDefault } from '../../options.js';
import { parseSeed } from '../../seed.js';
import { type Plan, parsePlan } from '../plan/plan.js';
import { TensorSources } from '../plan/stored-tensors.js';
import { type Candidate, type Duplicate, findDuplicates } from './duplicates.js';
import { type OpenCheckpoint, openCheckpoint } from './open-checkpoint.js';
import { Replay } from './replay.js';
import { findOrigin, manifestProblems, type Origin, seedOfFiles } from './verify-origin.js';
import { Findings, type VerifyProblem, type VerifyProgress, type VerifyReport } from './verify-report.js';
import { type Expectation, expectTensors, repeatsOf } from './verify-tensors.js';
import { checkFinite, compareValues, emptyTally, type Tally } from './verify-values.js';

/** What `verifyCheckpoint` takes beside the path. */
export interface VerifyOptions {
  /** The plan it should follow, as `writeCheckpoint` takes it; default the one recorded in the directory. */
  readonly plan?: Plan | object | string;
  /** The seed it should be made with; default the one it says itself. */
  readonly seed?: number | bigint;
  /** How many slices of 64 KiB are computed again and compared, in all. Default 1024; at least one of each k-th tensor. */
  readonly samples?: number;
  /** Everything is compared, whatever it costs. */
  readonly all?: boolean;
  /** Default `auto`. Never changes the result. */
  readonly device?: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
  /** Stops the work when it aborts; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called for each tensor that is looked at. What it throws stops the work. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

const KEYS = ['plan', 'seed', 'samples', 'all', 'device', 'signal', 'onProgress'];

const DEFAULT_SAMPLES = 1024;

/**
 * Says whether a safetensors checkpoint (a file, a sharded index, or a directory with either) is what its plan and seed
 * give:
 *
 * - its structure, by the strict reader: every file complete, every tensor exactly where the index says; in a directory
 *   that `writeCheckpoint` wrote also that the shards and what lies beside them are those that were written;
 * - names, shapes and dtypes against the plan: nothing missing, nothing that no rule made;
 * - values: slices of tensors, chosen by a hash of the plan and the seed, are computed again and compared bit for bit
 *   (matrices by `orthogonal({ method: 'qr' })` up to rounding);
 * - repetitions: two random tensors, or parts of them, that hold the same elements, as when several processes drew
 *   with one seed. Constants, tensors that the plan copies and whatever has the same values for every seed may repeat.
 *
 * The plan and the seed are those that `writeCheckpoint` recorded in the directory, unless the options have others. A
 * single file knows its seed and the hash of its plan, so that only `plan` is needed. Without a plan the structure,
 * repetitions of whole tensors, and NaN and infinite elements in samples are looked at.
 *
 * Bounded in time: some 64 MiB are compared, and of matrices that must be computed whole as many as take a few seconds;
 * the report names the others. With `all` everything is.
 *
 * @throws (rejects with) IsometryError `IO_ERROR` when a file cannot be read; `PLAN_ERROR`, `INVALID_*` and
 * `UNKNOWN_OPTION` for wrong arguments; `CHECKPOINT_ERROR` for a manifest that is none; or the signal's reason. What is
 * wrong with the checkpoint itself is no exception: it is in the report.
 */
export async function verifyCheckpoint(path: string, options?: VerifyOptions): Promise<VerifyReport> {
  const started = performance.now();
  const given = parseOptions(options);
  given.signal?.throwIfAborted();
  const problems = new Findings<VerifyProblem>();
  const tally = emptyTally();
  const origin = await findOrigin(path, given.plan, given.seed);
  for (const problem of origin.problems) problems.add(problem);
  const facts = { tensors: 0, parameters: 0, files: 0, bytes: 0, notes: [] as readonly string[] };
  let backend: VerifyReport['backend'];
  let seed = origin.seed;
  try {
    const checkpoint = await openCheckpoint(path);
    try {
      facts.tensors = checkpoint.tensors.length;
      facts.parameters = checkpoint.tensors.reduce((total, { elements }) => total + elements, 0);
      facts.files = checkpoint.files;
      facts.bytes = checkpoint.size;
      facts.notes = checkpoint.notes;
      ({ backend, seed } = await examine(checkpoint, origin, given, problems, tally));
      for (const problem of await manifestProblems(origin, given.signal)) problems.add(problem);
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    if (!(error instanceof IsometryError) || error.code !== 'FORMAT_ERROR') throw error;
    problems.add({ kind: 'structure', message: error.message });
  }
  return {
    path: resolve(path),
    ok: problems.count === 0,
    problems: problems.listed,
    problemCount: problems.count,
    ...facts,
    plan: origin.from,
    ...(seed === undefined ? {} : { seed: String(seed) }),
    compared: { tensors: tally.tensors, samples: tally.samples, bytes: tally.bytes },
    copied: origin.plan?.copied?.length ?? 0,
    skipped: tally.skipped.listed,
    skippedCount: tally.skipped.count,
    seconds: (performance.now() - started) / 1000,
    ...(backend === undefined ? {} : { backend }),
  };
}

interface Given {
  readonly plan: Plan | undefined;
  readonly seed: bigint | undefined;
  readonly samples: number;
  readonly device: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: VerifyOptions['onProgress'];
}

function parseOptions(options: unknown): Given {
  const given = checkKeys(options, KEYS, 'verifyCheckpoint');
  const { plan, seed, onProgress } = given;
  const samples = withDefault(given['samples'], DEFAULT_SAMPLES);
  if (!Number.isSafeInteger(samples) || (samples as number) < 1) {
    throw expected('INVALID_OPTION', 'a whole number from 1 on', 'samples', samples);
  }
  const all = booleanOption(withDefault(given['all'], false), 'all');
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw expected('INVALID_OPTION', 'a function', 'onProgress', onProgress);
  }
  const device = parseDevice(withDefault(given['device'], 'auto'));
  // Thrown now, not when half of the work is done.
  selectBackend(device, 0);
  return {
    plan: plan === undefined ? undefined : parsePlan(plan),
    seed: seed === undefined ? undefined : parseSeed(seed),
    samples: all ? Number.POSITIVE_INFINITY : (samples as number),
    device,
    signal: parseSignal(given['signal']),
    onProgress: onProgress as VerifyOptions['onProgress'],
  };
}

async function examine(
  checkpoint: OpenCheckpoint,
  origin: Origin,
  { samples, device, signal, onProgress }: Given,
  problems: Findings<VerifyProblem>,
  tally: Tally,
): Promise<{ backend: VerifyReport['backend']; seed: bigint | undefined }> {
  const { plan } = origin;
  const seed = seedOfFiles(checkpoint, origin, problems);
  if (plan === undefined) {
    await checkFinite(checkpoint, samples, problems, { signal, onProgress });
    const all = checkpoint.tensors.map((tensor): Candidate => ({ tensor, repeats: 'whole' }));
    await reportDuplicates(checkpoint, all, async () => false, problems, signal, onProgress);
    return { backend: undefined, seed };
  }
  const expectation = expectTensors(checkpoint, plan, origin.dtype, problems);
  if (seed === undefined) {
    throw new IsometryError(
      'INVALID_OPTION',
      'expected seed beside plan, because the checkpoint does not say which seed it was made with',
    );
  }
  const { backend } = selectBackend(device, checkpoint.size);
  const sources = new TensorSources({
    seed,
    dtype: expectation.dtype,
    device: device as 'auto',
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const replay = new Replay(sources, backend, signal);
    const key = `${origin.planHash} ${seed}`;
    const budget = samples === Number.POSITIVE_INFINITY ? samples : WORK[backend.name];
    const how = { samples, key, budget, signal, onProgress };
    await compareValues(checkpoint, expectation.pairs, replay, how, problems, tally);
  } finally {
    await sources.close();
  }
  const may = sameForAnySeed(expectation, seed, device);
  await reportDuplicates(checkpoint, repeatsOf(expectation), may, problems, signal, onProgress);
  return { backend: backend.name, seed };
}

/** Multiplications that matrices of samples may take: some seconds. */
const WORK = { cuda: 2e12, cpu: 2e11, js: 4e9 } as const;

/** Whether the repeated elements are no seed's doing: drawn with another seed they are the same. */
function sameForAnySeed(
  { pairs, dtype }: Expectation,
  seed: bigint,
  device: string,
): (duplicate: Duplicate) => Promise<boolean> {
  const stored = new Map(pairs.map((pair) => [pair.stored.name, pair.stored]));
  const common = { dtype, device: device as 'auto' };
  return async ({ a }) => {
    const tensor = stored.get(a.name);
    if (tensor === undefined) return false;
    const { backend } = selectBackend(device, tensor.bytes);
    const begin = (tensor.bytes / tensor.shape.reduce((product, dim) => product * dim, 1)) * a.element;
    const end = Math.min(tensor.bytes, begin + 512);
    const draws = await Promise.all(
      [seed, seed ^ 1n].map(async (value) => {
        const sources = new TensorSources({ ...common, seed: value });
        return new Replay(sources, backend, undefined).bytes(tensor, begin, end);
      }),
    );
    return Buffer.compare(draws[0]!, draws[1]!) === 0;
  };
}

async function reportDuplicates(
  checkpoint: OpenCheckpoint,
  candidates: readonly Candidate[],
  may: (duplicate: Duplicate) => Promise<boolean>,
  problems: Findings<VerifyProblem>,
  signal: AbortSignal | undefined,
  onProgress: VerifyOptions['onProgress'],
): Promise<void> {
  let tensorsDone = 0;
  const tensorsTotal = candidates.length;
  const found = await findDuplicates(checkpoint, candidates, may, signal, (tensor) =>
    onProgress?.({ stage: 'duplicates', tensor, tensorsDone: tensorsDone++, tensorsTotal }),
  );
  for (const { a, b, elements, whole } of found) {
    const where = whole
      ? `is equal to ${JSON.stringify(a.name)}`
      : `repeats, from element ${b.element} on, ${elements} elements of ${JSON.stringify(a.name)} from element ${a.element} on`;
    const message = `it ${where}: the same seed was used twice, or a tied tensor was stored`;
    problems.add({ kind: 'duplicate', tensor: b.name, message });
  }
}
