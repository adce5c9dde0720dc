import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { program } from '../../../src/cli/program.js';
import { capture } from '../../helpers/capture.js';

/** What happens to a command line, up to the command itself. */
async function parse(args: readonly string[]): Promise<{ error?: unknown; called: boolean; stderr: string }> {
  let called = false;
  let error: unknown;
  const { stderr } = await capture(async () => {
    const finish = async (): Promise<void> => {
      called = true;
    };
    await program(finish)
      .parseAsync(args, { from: 'user' })
      .catch((thrown: unknown) => {
        error = thrown;
      });
    return 0;
  });
  return { error, called, stderr };
}

test.each([
  [['unknown']],
  [['init']],
  [['init', 'plan']],
  [['init', 'plan', '--out', 'x']],
  [['init', 'plan', '--out', 'x', '--seed', '-1']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--dtype', 'float33']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--device', 'gpu']],
  [['init', 'plan', 'more', '--out', 'x', '--seed', '1']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--format', 'gguf']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--max-shard-size', '5XB']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--rank', '0']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--rank', '2', '--world', '2']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--world', '0']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--slices', '--max-shard-size', '1GB']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--set', 'std']],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--only', 'a']],
  [['plan', 'x', '--fill-missing']],
  [['plan']],
  [['plan', 'x', '--seed', '1']],
  [['finalize']],
  [['verify']],
  [['verify', 'x', '--samples', '0']],
  [['verify', 'x', '--samples', '1', '--all']],
  [['verify', 'x', '--seed', '-1']],
  [['diff', 'a']],
  [['diff', 'a', 'b', 'c']],
  [['inspect']],
])('%j is refused before anything is done', async (args) => {
  const { error, called, stderr } = await parse(args);
  expect(error).toBeInstanceOf(CommanderError);
  expect((error as CommanderError).exitCode).not.toBe(0);
  expect(called).toBe(false);
  expect(stderr).toMatch(/error|Usage/);
});

test.each([
  [['init', 'plan', '--out', 'x', '--seed', '1', '--world', '4']],
  [['init', 'c', '--out', 'x', '--seed', '1', '--rank', '3', '--world', '4', '--slices', '--overwrite']],
  [['init', 'c', '--out', 'x', '--seed', '1', '--like', 'l', '--only', 'a', '--only', 'b', '--fill-missing']],
  [
    [
      'init',
      'c',
      '--out',
      'x',
      '--seed',
      '1',
      '--recipe',
      'r',
      '--set',
      'a=1',
      '--set',
      'b=2',
      '--base',
      'd',
    ],
  ],
  [
    [
      'init',
      'c',
      '--out',
      'x',
      '--seed',
      '1',
      '--format',
      'npy',
      '--max-shard-size',
      '1GB',
      '--device',
      'js',
    ],
  ],
  [['plan', 'c', '--out', 'p.json', '--dtype', 'bfloat16', '--json']],
  [['finalize', 'd', '--json']],
  [['verify', 'd', '--plan', 'p', '--seed', '0x2a', '--samples', '10', '--json']],
  [['verify', 'd', '--all']],
  [['inspect', 'd', '--plan', 'p']],
  [['diff', 'a', 'b', '--no-metadata']],
  [['doctor', '--json']],
])('%j is taken', async (args) => {
  expect(await parse(args)).toEqual({ error: undefined, called: true, stderr: '' });
});
