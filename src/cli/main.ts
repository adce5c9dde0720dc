#!/usr/bin/env node
import { CommanderError } from 'commander';
import { IsometryError } from '../errors.js';
import { Interrupted, interruptible } from './interrupt.js';
import { Output, printable } from './output.js';
import { program } from './program.js';

/** Exit codes; an interrupted command has 128 and the signal's number. */
const EXIT = { failure: 1, usage: 2 } as const;

async function finish(action: (signal: AbortSignal) => Promise<number>): Promise<void> {
  // Not process.exit(): what is still on its way to a pipe must get there.
  process.exitCode = await interruptible(action);
}

/** A message for the user, and for programs that asked for JSON; a stack only for those who debug. */
function report(error: unknown): number {
  const code =
    error instanceof IsometryError ? error.code : error instanceof Interrupted ? 'INTERRUPTED' : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  // Names from files and directories are in it, which may have anything in them.
  process.stderr.write(`isometry: ${code}: ${message.split('\n').map(printable).join('\n')}\n`);
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
  await program(finish).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else process.exitCode = report(error);
}
