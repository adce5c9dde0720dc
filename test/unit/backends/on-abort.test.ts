import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort } from '../../../src/backends/on-abort.js';

describe('onAbort', () => {
  it('runs every action once, with one listener for all', () => {
    const controller = new AbortController();
    const ran: number[] = [];
    for (let k = 0; k < 20; k++) onAbort(controller.signal, () => ran.push(k));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort();
    controller.abort();
    expect(ran).toEqual(Array.from({ length: 20 }, (_, k) => k));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('forgets what is taken back, and the listener with the last', () => {
    const controller = new AbortController();
    const ran: string[] = [];
    const forgetA = onAbort(controller.signal, () => ran.push('a'));
    const forgetB = onAbort(controller.signal, () => ran.push('b'));
    forgetA();
    forgetA();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    forgetB();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    onAbort(controller.signal, () => ran.push('c'));
    controller.abort();
    forgetB();
    expect(ran).toEqual(['c']);
  });
});
