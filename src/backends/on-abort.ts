/** What to do when a signal aborts; a signal is in here as long as anything waits for it. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `action` when `signal` aborts, unless the function that this returns is called before. However many actions
 * wait for one signal, it has one listener: Node warns of a leak from the eleventh on, and a model has hundreds of
 * tensors.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  let actions = waiting.get(signal);
  if (actions === undefined) {
    actions = new Set();
    waiting.set(signal, actions);
    signal.addEventListener('abort', runActions, { once: true });
  }
  actions.add(action);
  return () => {
    const left = waiting.get(signal);
    if (left?.delete(action) !== true || left.size > 0) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', runActions);
  };
}

function runActions(this: AbortSignal): void {
  const actions = waiting.get(this);
  waiting.delete(this);
  for (const action of actions ?? []) action();
}
