import cliProgress from 'cli-progress';
import type { CheckpointProgress } from '../model/checkpoint/progress.js';
import { formatBytes, formatSeconds, groupDigits, printable } from './output.js';

/** Shows how far a checkpoint is. */
export interface Progress {
  update(progress: CheckpointProgress): void;
  /** Takes it off the screen; also after a failure. */
  stop(): void;
}

/** A bar on a terminal's standard error; nothing where that is a file or a pipe. */
export function progressBar(stream: NodeJS.WriteStream = process.stderr): Progress {
  const started = performance.now();
  const bar = drawnBar(stream, (bars, done, total, progress: CheckpointProgress) =>
    describeProgress(bars, done, total, performance.now() - started, progress),
  );
  return {
    update: (progress) => bar.update(progress.bytesDone, progress.bytesTotal, progress),
    stop: () => bar.stop(),
  };
}

/** Shows how far work on many tensors is. */
export interface StageProgress {
  update(stage: string, done: number, total: number, tensor: string): void;
  /** Takes it off the screen; also after a failure. */
  stop(): void;
}

/** The same for work that is counted in tensors and may have several stages. */
export function stageBar(stream: NodeJS.WriteStream = process.stderr): StageProgress {
  const bar = drawnBar(stream, (bars, done, total, { stage, tensor }: { stage: string; tensor: string }) => {
    const count = `${groupDigits(done)} of ${groupDigits(total)} tensors`;
    return `${bars} ${share(done, total)}  ${stage}  ${count}  ${shortName(tensor)}`;
  });
  return {
    update: (stage, done, total, tensor) => bar.update(done, total, { stage, tensor }),
    stop: () => bar.stop(),
  };
}

interface Bar<T> {
  update(done: number, total: number, payload: T): void;
  stop(): void;
}

function drawnBar<T extends object>(
  stream: NodeJS.WriteStream,
  describe: (bars: string, done: number, total: number, payload: T) => string,
): Bar<T> {
  if (!stream.isTTY) return { update: () => {}, stop: () => {} };
  const bar = new cliProgress.SingleBar(
    {
      stream,
      clearOnComplete: true,
      hideCursor: true,
      fps: 10,
      gracefulExit: false, // the command handles signals itself
      format: (options, params, payload: T) => {
        const filled = Math.round(params.progress * BAR_WIDTH);
        const bars = `${(options.barCompleteString ?? '').slice(0, filled)}${(options.barIncompleteString ?? '').slice(filled, BAR_WIDTH)}`;
        return describe(bars, params.value, params.total, payload);
      },
      barsize: BAR_WIDTH,
    },
    cliProgress.Presets.shades_classic,
  );
  let shown = false;
  return {
    update(done, total, payload) {
      if (!shown) bar.start(total, 0, payload);
      shown = true;
      if (bar.getTotal() !== total) bar.setTotal(total);
      bar.update(done, payload);
    },
    stop() {
      if (shown) bar.stop();
      shown = false;
    },
  };
}

const BAR_WIDTH = 24;
const LONGEST_NAME = 40;

/** The text of a bar: share, bytes, rate, time left, shards if there are several, the tensor at work. */
export function describeProgress(
  bars: string,
  done: number,
  total: number,
  elapsedMs: number,
  { tensor, shardsDone, shardsTotal }: Pick<CheckpointProgress, 'tensor' | 'shardsDone' | 'shardsTotal'>,
): string {
  const rate = done / Math.max(elapsedMs / 1000, 1e-3);
  const left = rate === 0 ? Number.POSITIVE_INFINITY : (total - done) / rate;
  const shards = shardsTotal > 1 ? `  ${shardsDone} of ${shardsTotal} shards` : '';
  return `${bars} ${share(done, total)}  ${formatBytes(done)} of ${formatBytes(total)}${shards}  ${formatBytes(rate)}/s  ${formatSeconds(left)} left  ${shortName(tensor)}`;
}

function share(done: number, total: number): string {
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  return `${String(percent).padStart(3)}%`;
}

function shortName(tensor: string): string {
  const name = printable(tensor);
  return name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name;
}
