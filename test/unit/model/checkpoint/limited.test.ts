import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { forEachLimited } from '../../../../src/model/checkpoint/limited.js';

test('all items, in order of their beginning, never more than the limit at a time', async () => {
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  await forEachLimited([5, 1, 4, 1, 3, 2], 3, undefined, async (ms) => {
    begun.push(ms);
    most = Math.max(most, ++running);
    await setTimeout(ms);
    running--;
  });
  expect(begun).toEqual([5, 1, 4, 1, 3, 2]);
  expect(most).toBe(3);
  await forEachLimited([], 3, undefined, () => Promise.reject(new Error('never')));
});

test('a failure stops the others, which are waited for; the first one is thrown', async () => {
  const error = new Error('first');
  const ended: string[] = [];
  let started = 0;
  const run = forEachLimited(['fails', 'waits', 'never'], 2, undefined, async (item, signal) => {
    started++;
    if (item === 'fails') throw error;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await setTimeout(10);
    ended.push(item);
    signal.throwIfAborted();
  });
  await expect(run).rejects.toBe(error);
  expect(ended).toEqual(['waits']);
  expect(started).toBe(2);
});

test("the caller's signal stops all", async () => {
  const controller = new AbortController();
  let started = 0;
  const run = forEachLimited([1, 2, 3], 1, controller.signal, async () => {
    started++;
    controller.abort('stop');
  });
  await expect(run).rejects.toBe('stop');
  expect(started).toBe(1);
});
