import { describe, expected, IsometryError, showName } from '../../errors.js';

/** Which of several processes this is. */
export interface Rank {
  /** From 0 on. */
  readonly rank: number;
  /** How many there are. */
  readonly world: number;
  /** Where that was found, in words: `the options`, `torchrun (RANK, WORLD_SIZE)`. */
  readonly from: string;
}

/** One launcher's environment variables. */
interface Launcher {
  readonly name: string;
  readonly rank: string;
  /** Left out where the launcher does not say how many there are. */
  readonly world?: string;
  /** A variable whose value is the first rank, where that need not be 0. */
  readonly first?: string;
  /** The rank's variable alone means something else, and is no half of a pair. */
  readonly worldNeeded?: true;
}

/**
 * The innermost launcher first: what was started last knows best. torchrun and mpirun run inside of a Slurm job or a
 * Kubernetes pod, srun inside of an array's task.
 */
const LAUNCHERS: readonly Launcher[] = [
  { name: 'torchrun', rank: 'RANK', world: 'WORLD_SIZE' },
  { name: 'Open MPI', rank: 'OMPI_COMM_WORLD_RANK', world: 'OMPI_COMM_WORLD_SIZE' },
  { name: 'MPICH', rank: 'PMI_RANK', world: 'PMI_SIZE' },
  // A job of one task, or a shell of salloc, is no launch: the array it may be in counts.
  { name: 'srun', rank: 'SLURM_PROCID', world: 'SLURM_NTASKS', worldNeeded: true },
  {
    name: 'a Slurm array',
    rank: 'SLURM_ARRAY_TASK_ID',
    world: 'SLURM_ARRAY_TASK_COUNT',
    first: 'SLURM_ARRAY_TASK_MIN',
  },
  { name: 'AWS Batch', rank: 'AWS_BATCH_JOB_ARRAY_INDEX', world: 'AWS_BATCH_JOB_ARRAY_SIZE' },
  { name: 'a Kubernetes Indexed Job', rank: 'JOB_COMPLETION_INDEX' },
];

/** No cluster has more processes than this; a larger number is a mistake. */
const LARGEST_WORLD = 2 ** 24;

/**
 * Finds out which of how many processes this is: from the options, or else from the environment that a launcher sets.
 * The order is fixed: options, torchrun, Open MPI, MPICH, srun with several tasks, a Slurm array, AWS Batch, a
 * Kubernetes Indexed Job. An Indexed Job does not tell its pods how many they are: give `world` beside it.
 *
 * @param env - such as `process.env`.
 * @param given - both or neither; `world` alone where the launcher knows only the rank.
 * @returns `undefined` where nothing says anything: one process alone.
 * @throws IsometryError `INVALID_OPTION` for half a pair, for anything but whole numbers, and for a rank that is not
 * below the number of processes.
 */
export function findRank(
  env: Readonly<Record<string, string | undefined>>,
  given: { readonly rank?: number | undefined; readonly world?: number | undefined } = {},
): Rank | undefined {
  if (given.rank !== undefined) {
    if (given.world === undefined) throw half('rank', 'world');
    return checkRank(given.rank, given.world, 'the options');
  }
  for (const launcher of LAUNCHERS) {
    const found = readLauncher(launcher, env, given.world);
    if (found !== undefined) return found;
  }
  if (given.world === undefined || given.world === 1) return undefined;
  throw half('world', 'rank');
}

/**
 * A rank and the number of ranks, checked.
 * @throws IsometryError `INVALID_OPTION`.
 */
export function checkRank(rank: unknown, world: unknown, from: string): Rank {
  if (!isWhole(world, 1)) {
    throw expected('INVALID_OPTION', `a whole number from 1 to ${LARGEST_WORLD}`, 'world', world);
  }
  if (!isWhole(rank, 0) || rank >= world) {
    throw expected('INVALID_OPTION', `a whole number from 0 to ${world - 1} (below world)`, 'rank', rank);
  }
  return { rank, world, from };
}

function readLauncher(
  { name, rank, world, first, worldNeeded }: Launcher,
  env: Readonly<Record<string, string | undefined>>,
  givenWorld: number | undefined,
): Rank | undefined {
  const value = env[rank];
  const size = world === undefined ? undefined : env[world];
  const empty = (text: string | undefined): boolean => text === undefined || text === '';
  if (empty(value)) {
    if (!empty(size) && worldNeeded !== true) throw halfOf(name, world!, rank);
    return undefined;
  }
  const variables = world === undefined ? rank : `${rank}, ${world}`;
  if (worldNeeded === true && (empty(size) || Number(size) === 1)) return undefined;
  if (empty(size) && givenWorld === undefined) {
    if (world !== undefined) throw halfOf(name, rank, world);
    throw new IsometryError(
      'INVALID_OPTION',
      `expected world, the number of completions, beside ${rank}=${show(value!)}: ${name} does not tell its pods how many they are. If each is to do all the work, give rank 0 and world 1`,
    );
  }
  const lowest = first === undefined || empty(env[first]) ? 0 : wholeOf(first, env[first]!);
  const total = empty(size) ? givenWorld! : wholeOf(world!, size!);
  if (givenWorld !== undefined && givenWorld !== total) {
    throw new IsometryError(
      'INVALID_OPTION',
      `expected world to be ${total}, as ${world} says, but received ${describe(givenWorld)}; give rank too, or neither`,
    );
  }
  return checkRank(wholeOf(rank, value!) - lowest, total, `${name} (${variables})`);
}

function wholeOf(variable: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw expected('INVALID_OPTION', 'a whole number', `the environment variable ${variable}`, text);
  }
  return Number(text);
}

function isWhole(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= LARGEST_WORLD;
}

function half(there: string, missing: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `expected ${missing} beside ${there}, but it is missing; a process must know which one it is and of how many`,
  );
}

function halfOf(name: string, there: string, missing: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `the environment has ${there} without ${missing}, half of what ${name} sets; set both or neither, or give rank and world`,
  );
}

function show(text: string): string {
  return showName(text).slice(1, -1);
}
