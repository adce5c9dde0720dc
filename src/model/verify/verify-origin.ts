import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DType } from '../../dtype.js';
import { nodeFileOps } from '../../file-ops.js';
import { MAX_SEED } from '../../seed.js';
import { STREAM_VERSION } from '../../version.js';
import { inspectDirectory } from '../checkpoint/inspect.js';
import { MANIFEST_FILE, type Manifest, readManifest } from '../checkpoint/manifest.js';
import { type Plan, readPlan } from '../plan/plan.js';
import { planHash } from '../plan/plan-hash.js';
import type { OpenCheckpoint } from './open-checkpoint.js';
import type { Findings, VerifyProblem } from './verify-report.js';

/** From what a checkpoint should be made. */
export interface Origin {
  /** Left out where none is known, or none that this version can compute again. */
  readonly plan: Plan | undefined;
  readonly planHash: string | undefined;
  readonly from: 'given' | 'recorded' | 'none';
  /** As the options or the manifest have it. */
  readonly seed: bigint | undefined;
  /** Of tensors without one of their own, where it is recorded. */
  readonly dtype: DType | undefined;
  readonly problems: readonly VerifyProblem[];
  /** What is recorded in the directory, where the checkpoint has one. */
  readonly recorded: { readonly directory: string; readonly manifest: Manifest } | undefined;
}

/**
 * Finds the plan and the seed: those that are given, or else those that are recorded in the directory.
 * @throws (rejects with) IsometryError `CHECKPOINT_ERROR` and `PLAN_ERROR` for records that are none, `IO_ERROR`.
 */
export async function findOrigin(
  path: string,
  plan: Plan | undefined,
  seed: bigint | undefined,
): Promise<Origin> {
  const directory = await directoryOf(path);
  const manifest = directory === undefined ? undefined : await readManifest(directory);
  const problems: VerifyProblem[] = [];
  const recorded =
    manifest === undefined || plan !== undefined
      ? undefined
      : await readPlan(join(directory!, manifest.plan));
  const chosen = plan ?? recorded;
  const hash = chosen === undefined ? undefined : planHash(chosen);
  if (manifest !== undefined) problems.push(...contradictions(manifest, hash, seed, recorded !== undefined));
  return {
    plan: chosen,
    planHash: hash,
    from: plan !== undefined ? 'given' : recorded !== undefined ? 'recorded' : 'none',
    seed: seed ?? (manifest === undefined ? undefined : seedOfText(manifest.seed)),
    dtype: manifest?.dtype,
    problems,
    recorded: manifest === undefined ? undefined : { directory: directory!, manifest },
  };
}

/** What of the directory is not as its manifest says: sizes and headers of shards, and the files beside them. */
export async function manifestProblems(
  { recorded }: Origin,
  signal: AbortSignal | undefined,
): Promise<readonly VerifyProblem[]> {
  if (recorded === undefined) return [];
  const { problems } = await inspectDirectory(recorded.directory, recorded.manifest, nodeFileOps, signal);
  return problems.map((problem) => ({
    kind: 'structure',
    message: `not as ${MANIFEST_FILE} has it: ${problem}`,
  }));
}

/** Where a checkpoint of several files lies. */
async function directoryOf(path: string): Promise<string | undefined> {
  if (path.endsWith('.index.json')) return dirname(path);
  return (await stat(path).catch(() => undefined))?.isDirectory() === true ? path : undefined;
}

function contradictions(
  manifest: Manifest,
  hash: string | undefined,
  seed: bigint | undefined,
  recorded: boolean,
): VerifyProblem[] {
  const problems: string[] = [];
  if (hash !== undefined && hash !== manifest.plan_sha256) {
    problems.push(
      recorded
        ? `${manifest.plan} is not the plan whose hash isometry.json has: one of the two was changed`
        : `isometry.json says that it was made from another plan, of hash ${manifest.plan_sha256}`,
    );
  }
  if (seed !== undefined && String(seed) !== manifest.seed)
    problems.push(`isometry.json says that it was made with seed ${manifest.seed}, not ${seed}`);
  if (manifest.stream_version !== STREAM_VERSION) problems.push(otherStream(String(manifest.stream_version)));
  return problems.map((message) => ({ kind: 'origin', message }));
}

/** The seed that a checkpoint's files were made with; reports where they contradict what is known. */
export function seedOfFiles(
  { metadata }: OpenCheckpoint,
  { plan, planHash: hash, seed }: Origin,
  problems: Findings<VerifyProblem>,
): bigint | undefined {
  const report = (message: string): void => problems.add({ kind: 'origin', message });
  if (metadata.get('generator') !== 'isometry') return seed;
  const said = metadata.get('seed');
  const stream = metadata.get('stream_version');
  const made = metadata.get('plan_sha256');
  if (seed !== undefined && said !== String(seed))
    report(said === undefined ? MIXED : `its metadata says that it was made with seed ${said}, not ${seed}`);
  if (plan !== undefined && made !== hash)
    report(
      made === undefined ? MIXED : `its metadata says that it was made from another plan, of hash ${made}`,
    );
  if (stream !== String(STREAM_VERSION)) report(otherStream(stream ?? 'unknown'));
  return seed ?? (said === undefined ? undefined : seedOfText(said));
}

const MIXED = 'its files do not all say the same of the plan and the seed they were made from';

function otherStream(version: string): string {
  return `it was made with stream version ${version}, but this isometry computes version ${STREAM_VERSION}: values may differ`;
}

function seedOfText(text: string): bigint | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const seed = BigInt(text);
  return seed <= MAX_SEED ? seed : undefined;
}
