#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { DTYPE_NAMES } from '../dtype.js';
import { IsometryError } from '../errors.js';
import { VERSION } from '../version.js';
import type { DoctorOptions } from './doctor.js';
import type { InitOptions } from './init.js';
import type { InspectOptions } from './inspect.js';
import { Interrupted, interruptible } from './interrupt.js';
import { deviceOption, seedOption, threadsOption } from './options.js';
import { Output } from './output.js';

/** Exit codes; an interrupted command has 128 and the signal's number. */
const EXIT = { failure: 1, usage: 2 } as const;

function program(): Command {
  const root = new Command('isometry')
    .description('Initialize the weights of neural networks: the same bits on every device.')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError();

  root
    .command('init')
    .description('write the checkpoint that a plan describes, as one safetensors file')
    .argument('<plan>', 'the plan, a JSON file')
    .requiredOption(
      '--out <file>',
      'the file to write; an existing one is replaced when the new one is complete',
    )
    .addOption(
      new Option('--seed <number>', 'from 0 to 2^64 − 1, decimal or 0x…')
        .argParser(seedOption)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--dtype <dtype>', "wins over the plan's, not over a tensor's own").choices(DTYPE_NAMES),
    )
    .addOption(
      new Option('--device <device>', 'auto, cuda, cuda:N, cpu or js; never changes a value')
        .default('auto')
        .argParser(deviceOption),
    )
    .addOption(
      new Option('--threads <number>', 'of the cpu backend; default all CPUs').argParser(threadsOption),
    )
    .option('--json', 'progress and summary as JSON, one object per line')
    .action((plan: string, options: InitOptions & { threads?: string }) => {
      if (options.threads !== undefined) process.env['ISOMETRY_THREADS'] = options.threads;
      return finish(async (signal) => (await import('./init.js')).init(plan, options, signal));
    });

  root
    .command('inspect')
    .description('show the tensors of a safetensors file, with their measured mean and standard deviation')
    .argument('<file>', 'the safetensors file')
    .option('--plan <plan>', 'compare with this plan: names, shapes, and each tensor with its law')
    .option('--json', 'one JSON object per tensor and line, then a summary')
    .action((file: string, options: InspectOptions) =>
      finish(async (signal) => (await import('./inspect.js')).inspect(file, options, signal)),
    );

  root
    .command('doctor')
    .description('show which backends work here, and why others do not')
    .option('--json', 'as one JSON object')
    .action((options: DoctorOptions) => finish(async () => (await import('./doctor.js')).doctor(options)));
  return root;
}

async function finish(action: (signal: AbortSignal) => Promise<number>): Promise<void> {
  // Not process.exit(): what is still on its way to a pipe must get there.
  process.exitCode = await interruptible(action);
}

/** A message for the user, and for programs that asked for JSON; a stack only for those who debug. */
function report(error: unknown): number {
  const code =
    error instanceof IsometryError ? error.code : error instanceof Interrupted ? 'INTERRUPTED' : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`isometry: ${code}: ${message}\n`);
  if (process.env['ISOMETRY_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  new Output(process.argv.includes('--json')).record('error', { code, message });
  return error instanceof Interrupted ? error.exitCode : EXIT.failure;
}

// A reader that has seen enough (`isometry inspect f | head`) is no failure of ours: what nobody reads is dropped.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    // A full disk, for example. At once: nothing that follows could be told either.
    if (stream === process.stdout) {
      process.stderr.write(`isometry: IO_ERROR: could not write to standard output: ${error.code}\n`);
    }
    process.exit(EXIT.failure);
  });
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else process.exitCode = report(error);
}
