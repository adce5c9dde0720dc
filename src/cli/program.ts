import { Command, Option } from 'commander';
import { DTYPE_NAMES } from '../dtype.js';
import { VERSION } from '../version.js';
import type { DiffOptions } from './diff.js';
import type { DoctorOptions } from './doctor.js';
import type { FinalizeOptions } from './finalize.js';
import type { InitOptions } from './init.js';
import type { InspectOptions } from './inspect.js';
import {
  collect,
  deviceOption,
  numberOption,
  rankOption,
  seedOption,
  setOption,
  sizeOption,
  threadsOption,
} from './options.js';
import type { PlanOptions } from './plan.js';
import type { SourceOptions } from './source.js';
import type { VerifyOptions } from './verify.js';

/** Runs a command with a signal that stops it; what it returns is the exit code. */
type Finish = (action: (signal: AbortSignal) => Promise<number>) => Promise<void>;

const FORMATS = ['safetensors', 'npy', 'npz', 'tfjs'];

/** All commands and options. What a command does is in a file of its own, which is loaded when it is called. */
export function program(finish: Finish): Command {
  const root = new Command('isometry')
    .description('Initialize the weights of neural networks: the same bits on every device.')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError();

  withThreads(withDevice(withSource(root.command('init'))))
    .description('write the checkpoint that a plan or a config.json describes')
    .requiredOption(
      '--out <path>',
      'a file (.safetensors, .npz), or a directory: one that exists, or with / at the end; without either, a config makes a directory and a plan a file',
    )
    .addOption(seedOfFlags().makeOptionMandatory())
    .addOption(new Option('--format <format>', 'default safetensors, or as --out ends').choices(FORMATS))
    .option('--max-shard-size <size>', 'of the files of a directory, as in 500MB; default 5GB', sizeOption)
    .option(
      '--rank <number>',
      'which of the processes this is, from 0 on; default as the launcher says',
      rankOption,
    )
    .option('--world <number>', 'how many processes write; then run finalize', numberOption)
    .addOption(
      new Option(
        '--slices',
        'each process writes its rows of every tensor, for torch.distributed.checkpoint',
      ).conflicts('maxShardSize'),
    )
    .option('--overwrite', 'replace another model in the directory')
    .option('--json', 'progress, shards, warnings and summary as JSON, one object per line')
    .action((source: string, options: InitOptions & { threads?: string }, command: Command) => {
      checkRank(options, command);
      checkLike(options, command);
      setThreads(options);
      return finish(async (signal) => (await import('./init.js')).init(source, options, signal));
    });

  withSource(root.command('plan'))
    .description('show what init would write: names, shapes, laws, dtypes, shards')
    .option('--out <file>', 'write the plan as JSON, to be edited and given to init')
    .option('--max-shard-size <size>', 'as for init', sizeOption)
    .option('--json', 'one JSON object per tensor and line, then a summary')
    .action((source: string, options: PlanOptions, command: Command) => {
      checkLike(options, command);
      return finish(async (signal) => (await import('./plan.js')).plan(source, options, signal));
    });

  root
    .command('finalize')
    .description('check that all shards of a directory are there, and write the index')
    .argument('<directory>', 'what several processes have written with init --rank --world')
    .option('--json', 'the summary as one JSON object')
    .action((directory: string, options: FinalizeOptions) =>
      finish(async (signal) => (await import('./finalize.js')).finalize(directory, options, signal)),
    );

  withThreads(withDevice(root.command('verify')))
    .description('check that a checkpoint is what its plan and seed give, by computing samples again')
    .argument('<path>', 'a .safetensors file, a sharded index, or a directory with either')
    .option('--plan <source>', 'the plan or config.json it was made from; default the one recorded with it')
    .addOption(seedOfFlags('default the one recorded with it'))
    .option('--samples <number>', 'slices of 64 KiB to compare, in all; default 1024', numberOption)
    .addOption(new Option('--all', 'compare everything').conflicts('samples'))
    .option('--json', 'problems and summary as JSON, one object per line')
    .action((path: string, options: VerifyOptions & { threads?: string }) => {
      setThreads(options);
      return finish(async (signal) => (await import('./verify.js')).verify(path, options, signal));
    });

  root
    .command('inspect')
    .description('show the tensors of a checkpoint, with their measured mean and standard deviation')
    .argument('<path>', 'a .safetensors file, a sharded index, or a directory with either')
    .option(
      '--plan <plan>',
      'compare with this plan or config.json: names, shapes, and each tensor with its law',
    )
    .option('--json', 'one JSON object per tensor and line, then a summary')
    .action((path: string, options: InspectOptions) =>
      finish(async (signal) => (await import('./inspect.js')).inspect(path, options, signal)),
    );

  root
    .command('diff')
    .description('compare two checkpoints: names, shapes, dtypes, values, metadata')
    .argument('<a>', 'a .safetensors file, a sharded index, or a directory with either')
    .argument('<b>', 'the other one')
    .option('--no-metadata', 'leave __metadata__ out')
    .option('--json', 'one JSON object per difference and line, then a summary')
    .action((a: string, b: string, options: DiffOptions) =>
      finish(async (signal) => (await import('./diff.js')).diff(a, b, options, signal)),
    );

  root
    .command('doctor')
    .description('show which backends work here, and why others do not')
    .option('--json', 'as one JSON object')
    .action((options: DoctorOptions) => finish(async () => (await import('./doctor.js')).doctor(options)));
  return root;
}

/** What says which model it is: the same for all commands that make a plan. */
function withSource(command: Command): Command {
  return command
    .argument('<source>', 'a plan, a config.json, or the directory of one')
    .option('--recipe <id>', 'how weights are drawn instead of as transformers does it, as in megatron')
    .option('--set <key=value>', 'an option of the recipe; may be repeated', setOption)
    .option('--base <config>', 'the config.json that a muP recipe scales from')
    .option('--like <checkpoint>', 'names, shapes and dtypes of this checkpoint; the source gives the laws')
    .option('--only <glob>', 'with --like: make these anew, copy the rest; may be repeated', collect)
    .option('--fill-missing', 'with --like: make what it lacks, copy the rest')
    .addOption(
      new Option('--dtype <dtype>', "wins over the plan's, not over a tensor's own").choices(DTYPE_NAMES),
    );
}

function withDevice(command: Command): Command {
  return command.addOption(
    new Option('--device <device>', 'auto, cuda, cuda:N, cpu or js; never changes a value')
      .default('auto')
      .argParser(deviceOption),
  );
}

function withThreads(command: Command): Command {
  return command.addOption(
    new Option('--threads <number>', 'of the cpu backend; default all CPUs').argParser(threadsOption),
  );
}

function seedOfFlags(more = ''): Option {
  const range = 'from 0 to 2^64 − 1, decimal or 0x…';
  return new Option('--seed <number>', more === '' ? range : `${range}; ${more}`).argParser(seedOption);
}

function checkRank({ rank, world }: InitOptions, command: Command): void {
  if (rank === undefined) return;
  if (world === undefined) command.error('error: --rank needs --world, how many processes there are');
  else if (rank >= world) command.error(`error: --rank ${rank} must be less than --world ${world}`);
}

function checkLike({ like, only, fillMissing }: SourceOptions, command: Command): void {
  if (like !== undefined || (only === undefined && fillMissing === undefined)) return;
  const flag = only === undefined ? '--fill-missing' : '--only';
  command.error(`error: ${flag} needs --like, the checkpoint that the rest is copied from`);
}

function setThreads({ threads }: { readonly threads?: string }): void {
  if (threads !== undefined) process.env['ISOMETRY_THREADS'] = threads;
}
