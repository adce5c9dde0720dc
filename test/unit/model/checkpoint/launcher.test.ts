import { describe, expect, it } from 'vitest';
import { checkRank, findRank } from '../../../../src/model/checkpoint/launcher.js';

describe('findRank', () => {
  const cases: readonly [string, Record<string, string>, number | undefined, number, number][] = [
    ['torchrun', { RANK: '2', WORLD_SIZE: '8', LOCAL_RANK: '0' }, undefined, 2, 8],
    ['Open MPI', { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '3' }, undefined, 1, 3],
    ['MPICH', { PMI_RANK: '1', PMI_SIZE: '3' }, undefined, 1, 3],
    ['srun', { SLURM_PROCID: '3', SLURM_NTASKS: '4' }, undefined, 3, 4],
    ['a Slurm array', { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_COUNT: '4' }, undefined, 3, 4],
    [
      'a Slurm array',
      { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '2' },
      undefined,
      3,
      4,
    ],
    ['AWS Batch', { AWS_BATCH_JOB_ARRAY_INDEX: '0', AWS_BATCH_JOB_ARRAY_SIZE: '2' }, undefined, 0, 2],
    ['a Kubernetes Indexed Job', { JOB_COMPLETION_INDEX: '4' }, 5, 4, 5],
  ];

  it.each(cases)('reads what %s sets', (name, env, given, rank, world) => {
    const found = findRank(env, { world: given });
    expect(found).toMatchObject({ rank, world });
    expect(found!.from).toContain(name);
  });

  it('believes the innermost launcher: torchrun within srun within an array', () => {
    const array = { SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '2' };
    const srun = { ...array, SLURM_PROCID: '0', SLURM_NTASKS: '3' };
    expect(findRank(array)).toMatchObject({ rank: 1, world: 2 });
    expect(findRank(srun)).toMatchObject({ rank: 0, world: 3 });
    expect(findRank({ ...srun, RANK: '5', WORLD_SIZE: '6' })).toMatchObject({ rank: 5, world: 6 });
    expect(findRank({ ...srun, RANK: '5', WORLD_SIZE: '6' }, { rank: 0, world: 9 })).toMatchObject({
      rank: 0,
      world: 9,
      from: 'the options',
    });
  });

  it("takes an array's task for what it is although its batch step is a job of one task", () => {
    const env = {
      SLURM_PROCID: '0',
      SLURM_NTASKS: '1',
      SLURM_ARRAY_TASK_ID: '1',
      SLURM_ARRAY_TASK_COUNT: '2',
    };
    expect(findRank(env)).toMatchObject({ rank: 1, world: 2 });
  });

  it('finds nothing where there is nothing, or one process alone', () => {
    expect(findRank({})).toBeUndefined();
    expect(findRank({ RANK: '', WORLD_SIZE: '' })).toBeUndefined();
    expect(findRank({ SLURM_PROCID: '0', SLURM_NTASKS: '1' })).toBeUndefined();
    expect(findRank({}, { world: 1 })).toBeUndefined();
  });

  const bad: readonly [string, Record<string, string>, { rank?: number; world?: number }, RegExp][] = [
    ['RANK alone', { RANK: '1' }, {}, /RANK without WORLD_SIZE/],
    ['WORLD_SIZE alone', { WORLD_SIZE: '2' }, {}, /WORLD_SIZE without RANK/],
    ['OMPI_COMM_WORLD_SIZE alone', { OMPI_COMM_WORLD_SIZE: '2' }, {}, /without OMPI_COMM_WORLD_RANK/],
    ['an index without a number of completions', { JOB_COMPLETION_INDEX: '1' }, {}, /expected world/],
    ['rank alone', {}, { rank: 1 }, /expected world beside rank/],
    ['world alone', {}, { world: 2 }, /expected rank beside world/],
    ['a rank that is too high', { RANK: '2', WORLD_SIZE: '2' }, {}, /from 0 to 1 .* for rank but received 2/],
    ['a negative rank', { RANK: '-1', WORLD_SIZE: '2' }, {}, /variable RANK but received "-1"/],
    ['a rank that is no number', { RANK: 'one', WORLD_SIZE: '2' }, {}, /variable RANK but received "one"/],
    ['a world of none', { RANK: '0', WORLD_SIZE: '0' }, {}, /for world but received 0/],
    [
      'two opinions',
      { RANK: '0', WORLD_SIZE: '2' },
      { world: 3 },
      /expected world to be 2, as WORLD_SIZE says/,
    ],
    [
      'an array that begins after its task',
      { SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_COUNT: '2', SLURM_ARRAY_TASK_MIN: '1' },
      {},
      /for rank but received -1/,
    ],
  ];

  it.each(bad)('refuses %s', (_, env, given, message) => {
    expect(() => findRank(env, given)).toThrow(message);
  });
});

describe('checkRank', () => {
  it('takes whole numbers only', () => {
    expect(checkRank(0, 1, 'x')).toEqual({ rank: 0, world: 1, from: 'x' });
    for (const [rank, world] of [
      [1, 1],
      [0.5, 2],
      ['0', 1],
      [0, 2 ** 25],
      [0, Number.NaN],
      [-1, 4],
    ]) {
      expect(() => checkRank(rank, world, 'x')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    }
  });
});
