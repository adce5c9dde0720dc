import { finalizeCheckpoint } from '../model/checkpoint/finalize.js';
import { formatBytes, groupDigits, Output, printable } from './output.js';

/** Options of `isometry finalize`, checked. */
export interface FinalizeOptions {
  readonly json?: true;
}

/** `isometry finalize DIRECTORY`: completes what several processes have written. */
export async function finalize(
  directory: string,
  options: FinalizeOptions,
  signal: AbortSignal,
): Promise<number> {
  const output = new Output(options.json === true);
  const summary = await finalizeCheckpoint(directory, { signal });
  const { shards, tensors, parameters, bytes } = summary;
  output.text(
    `${printable(directory)}: complete, ${groupDigits(shards)} ${shards === 1 ? 'shard' : 'shards'}, ${groupDigits(tensors)} tensors, ${groupDigits(parameters)} parameters, ${formatBytes(bytes)}`,
  );
  output.record('summary', summary);
  return 0;
}
