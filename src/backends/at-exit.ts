import type { NativeBinding } from './native.js';

const stopping = new WeakSet<NativeBinding>();

/**
 * Stops the addon's jobs when the process exits. On `process.exit()` and on an uncaught exception the addon's own
 * cleanup does not run, and the process would wait for the job (or be torn down under its threads).
 */
export function stopAtExit(binding: NativeBinding): void {
  if (stopping.has(binding)) return;
  stopping.add(binding);
  process.once('exit', () => binding.stop());
}
