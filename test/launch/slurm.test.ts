// examples/slurm with the environment that Slurm gives its tasks; npm run test:launch has Slurm itself.
import { join } from 'node:path';
import { expect, it } from 'vitest';
// @ts-expect-error Plain JavaScript, as the examples are.
import { alone, cli, examples, run, same, start, workplace } from './common.mjs';

const script = (name: string): string => join(examples, 'slurm', name);

// Node starts slowly where others work too.
it('tasks of an array and the job behind them make what one process makes', { timeout: 90_000 }, async () => {
  const { folder, source } = workplace(64);
  const directory = join(folder, 'checkpoint');
  const env = {
    ISOMETRY: cli.join(' '),
    SOURCE: source,
    DIRECTORY: directory,
    SEED: '42',
    MAX_SHARD_SIZE: '100KB',
  };
  const task = async (id: number): Promise<void> => {
    // An array may begin anywhere: --array=4-6.
    const array = {
      SLURM_ARRAY_TASK_ID: `${id}`,
      SLURM_ARRAY_TASK_COUNT: '3',
      SLURM_ARRAY_TASK_MIN: '4',
      SLURM_PROCID: '0',
      SLURM_NTASKS: '1',
    };
    const said = await run('bash', [script('shards.sh')], { env: { ...env, ...array } });
    expect(said).toContain(`rank ${id - 4} of 3, from a Slurm array`);
  };
  await task(6);
  const { code, text } = await start('bash', [script('finalize.sh')], { env }).ended;
  expect(code).toBe(1);
  expect(text).toContain('model-00001-of-00008.safetensors is missing');

  await Promise.all([task(4), task(5)]);
  await run('bash', [script('finalize.sh')], { env });
  const reference = join(folder, 'alone');
  await alone(source, reference, '100KB');
  same(reference, directory);
});
