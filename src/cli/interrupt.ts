import { constants } from 'node:os';

/** Why a command was stopped. */
export class Interrupted extends Error {
  /** As shells count it: 128 and the signal's number, 130 for Ctrl-C. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Runs `action` with an abort signal that the terminal's and the system's stop signals trigger, so that it can clean
 * up. A second one ends the process at once; temporary files are removed even then, when the process exits.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    const reason = new Interrupted(name as 'SIGINT');
    if (controller.signal.aborted) process.exit(reason.exitCode);
    controller.abort(reason);
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, stop);
  try {
    return await action(controller.signal);
  } finally {
    for (const name of names) process.removeListener(name, stop);
  }
}
