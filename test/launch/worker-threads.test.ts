// examples/worker-threads: threads of one process, each a rank.
import { join } from 'node:path';
import { expect, it } from 'vitest';
// @ts-expect-error Plain JavaScript, as the examples are.
import { alone, examples, run, same, start, workplace } from './common.mjs';

const script = join(examples, 'worker-threads/init.mjs');

// Node starts slowly where others work too.
it('makes what one process makes', { timeout: 90_000 }, async () => {
  const { folder, source } = workplace(64);
  const directory = join(folder, 'checkpoint');
  const said = await run(process.execPath, [script, source, directory, '42', '3', '100KB']);
  expect(said).toContain('8 shards, 30 tensors');
  expect(said).toContain('by 3 threads');
  const reference = join(folder, 'alone');
  // Shards, index, manifest, plan and config.
  expect(await alone(source, reference, '100KB')).toBe(12);
  same(reference, directory);
});

it('fails when one of the threads does', async () => {
  const { folder, source } = workplace(64);
  const { code, text } = await start(process.execPath, [
    script,
    source,
    join(folder, 'checkpoint'),
    '42',
    '2',
    '1 elephant',
  ]).ended;
  expect(code).toBe(1);
  expect(text).toContain('INVALID_OPTION');
});

it('says how it is called', async () => {
  const { code, text } = await start(process.execPath, [script, 'model']).ended;
  expect(code).toBe(2);
  expect(text).toContain('usage: init.mjs SOURCE DIRECTORY SEED THREADS');
});
