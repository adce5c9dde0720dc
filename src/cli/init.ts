import type { DType } from '../dtype.js';
import { IsometryError } from '../errors.js';
import {
  type CheckpointOptions,
  type CheckpointSummary,
  writeCheckpoint,
} from '../model/checkpoint/checkpoint.js';
import { findRank, type Rank } from '../model/checkpoint/launcher.js';
import type { CheckpointProgress } from '../model/checkpoint/progress.js';
import { formatBytes, formatSeconds, groupDigits, Output, printable } from './output.js';
import { progressBar } from './progress.js';
import { refuseSameFile } from './same-file.js';
import { readSource, type SourceOptions } from './source.js';
import { targetOf } from './target.js';

/** Options of `isometry init`, checked. */
export interface InitOptions extends SourceOptions {
  readonly out: string;
  readonly seed: bigint;
  readonly dtype?: DType;
  readonly device: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
  readonly format?: 'safetensors' | 'npy' | 'npz' | 'tfjs';
  /** Bytes. */
  readonly maxShardSize?: number;
  readonly rank?: number;
  readonly world?: number;
  readonly slices?: true;
  readonly overwrite?: true;
  readonly json?: true;
}

/** Between two lines of progress for programs. */
const RECORD_INTERVAL_MS = 500;

/** `isometry init SOURCE`: writes the checkpoint that a plan or a configuration describes. */
export async function init(source: string, options: InitOptions, signal: AbortSignal): Promise<number> {
  const { seed, dtype, device, maxShardSize, slices, overwrite } = options;
  const json = options.json === true;
  const output = new Output(json);
  const plan = await readSource(source, options, output);
  await refuseSameFile(options.out, { 'plan or configuration': source, base: options.base });
  const { path, directory, format } = await targetOf(plan, options);
  // A single file is nobody's share: whatever launched this process, it is written whole.
  const rank = directory ? rankFor(format, options) : undefined;
  if (rank !== undefined) {
    output.text(`rank ${rank.rank} of ${rank.world}, from ${printable(rank.from)}`);
    output.record('rank', rank);
  }
  const bar = json ? undefined : progressBar();
  const recorder = new Recorder(output);
  try {
    const summary = await writeCheckpoint(plan, path, {
      seed,
      device,
      signal,
      ...(dtype === undefined ? {} : { dtype }),
      ...(format === undefined ? {} : { format }),
      ...(maxShardSize === undefined ? {} : { maxShardSize }),
      ...shareOf(rank, options),
      ...(slices === undefined ? {} : { slices }),
      ...(overwrite === undefined ? {} : { overwrite }),
      onProgress(progress) {
        bar?.update(progress);
        recorder.report(progress);
      },
    });
    bar?.stop();
    report(output, options.out, summary);
    output.record('summary', { ...summary, seed: String(seed) });
    return 0;
  } finally {
    bar?.stop();
  }
}

/** Which part is this process's; of the formats that one process writes none. */
function rankFor(
  format: InitOptions['format'],
  given: Pick<InitOptions, 'rank' | 'world'>,
): Rank | undefined {
  if (format === undefined || format === 'safetensors') return findRank(process.env, given);
  let found: Rank | undefined;
  try {
    found = findRank(process.env);
  } catch {
    // A launcher that says half of what it should has not started several for this.
    return undefined;
  }
  if (found === undefined || found.world === 1) return undefined;
  throw new IsometryError(
    'INVALID_OPTION',
    `expected one process for format ${format} but this is rank ${found.rank} of ${found.world}, from ${found.from}; start one process, or write safetensors`,
  );
}

/** One process of one needs no word of it, except where it was said. */
function shareOf(
  rank: Rank | undefined,
  given: Pick<InitOptions, 'rank' | 'world'>,
): Pick<CheckpointOptions, 'rank' | 'world'> {
  if (rank === undefined) return given.world === undefined ? {} : { rank: 0, world: given.world };
  const said = given.rank !== undefined || given.world !== undefined;
  return rank.world === 1 && !said ? {} : { rank: rank.rank, world: rank.world };
}

/** Progress for programs: a line now and then, and one for each file that is complete. */
class Recorder {
  private readonly output: Output;
  private complete = 0;
  private last = Number.NEGATIVE_INFINITY;

  constructor(output: Output) {
    this.output = output;
  }

  report(progress: CheckpointProgress): void {
    const { file, fileBytesTotal, bytesDone, bytesTotal, shardsDone, shardsTotal } = progress;
    // Each end of a file is reported, with the file that has ended.
    if (shardsDone > this.complete) {
      this.complete = shardsDone;
      this.output.record('shard', { file, bytes: fileBytesTotal, shardsDone, shardsTotal });
    }
    const now = performance.now();
    if (now - this.last < RECORD_INTERVAL_MS && bytesDone < bytesTotal) return;
    this.last = now;
    this.output.record('progress', progress);
  }
}

function report(output: Output, out: string, summary: CheckpointSummary): void {
  const { tensors, parameters, bytes, seconds, backend, reason, shards, complete } = summary;
  output.text(
    `${printable(out)}: ${groupDigits(tensors)} tensors, ${groupDigits(parameters)} parameters, ${formatBytes(bytes)}`,
  );
  if (shards.length > 1) {
    const count = (state: string): number => shards.filter((shard) => shard.state === state).length;
    const [written, kept, left] = ['written', 'kept', 'left'].map(count) as [number, number, number];
    const parts = [
      `${groupDigits(written)} of ${groupDigits(shards.length)} shards written`,
      ...(kept > 0 ? [`${groupDigits(kept)} were there already`] : []),
      ...(left > 0 ? [`${groupDigits(left)} are other ranks'`] : []),
    ];
    output.text(parts.join(', '));
  }
  output.text(`${formatSeconds(seconds)}, ${formatBytes(bytes / seconds)}/s, backend ${backend}: ${reason}`);
  if (!complete) output.text(`when all ranks are done: isometry finalize ${printable(out)}`);
}
