import cliProgress from 'cli-progress';
import type { CheckpointProgress } from '../model/progress.js';
import { formatBytes, formatSeconds, printable } from './output.js';

/** Shows how far a checkpoint is. */
export interface Progress {
  update(progress: CheckpointProgress): void;
  /** Takes it off the screen; also after a failure. */
  stop(): void;
}

/** A bar on a terminal's standard error; nothing where that is a file or a pipe. */
export function progressBar(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update: () => {}, stop: () => {} };
  const started = performance.now();
  const bar = new cliProgress.SingleBar(
    {
      stream,
      clearOnComplete: true,
      hideCursor: true,
      fps: 10,
      gracefulExit: false, // the command handles signals itself
      format: (options, params, payload: { tensor?: string }) => {
        const filled = Math.round(params.progress * BAR_WIDTH);
        const bars = `${(options.barCompleteString ?? '').slice(0, filled)}${(options.barIncompleteString ?? '').slice(filled, BAR_WIDTH)}`;
        return describeProgress(
          bars,
          params.value,
          params.total,
          performance.now() - started,
          payload.tensor ?? '',
        );
      },
      barsize: BAR_WIDTH,
    },
    cliProgress.Presets.shades_classic,
  );
  let shown = false;
  return {
    update({ bytesDone, bytesTotal, tensor }) {
      if (!shown) bar.start(bytesTotal, 0, { tensor });
      shown = true;
      bar.update(bytesDone, { tensor });
    },
    stop() {
      if (shown) bar.stop();
    },
  };
}

const BAR_WIDTH = 24;
const LONGEST_NAME = 40;

/** The text of a bar: share, bytes, rate, time left, the tensor at work. */
export function describeProgress(
  bars: string,
  done: number,
  total: number,
  elapsedMs: number,
  tensor: string,
): string {
  const share = total === 0 ? 100 : Math.floor((100 * done) / total);
  const rate = done / Math.max(elapsedMs / 1000, 1e-3);
  const left = rate === 0 ? Number.POSITIVE_INFINITY : (total - done) / rate;
  const name = printable(tensor);
  const shown = name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name;
  return `${bars} ${String(share).padStart(3)}%  ${formatBytes(done)} of ${formatBytes(total)}  ${formatBytes(rate)}/s  ${formatSeconds(left)} left  ${shown}`;
}
