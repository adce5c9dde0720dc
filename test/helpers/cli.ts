import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** The compiled package, for child processes. */
export const dist: string = join(root, 'dist');

const main = join(dist, 'cli/main.js');
const fixtures = join(root, 'test/faults/fixtures');

/** How a child process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process and its end. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

/** Starts `isometry ARGS`. */
export function startCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  return start(process.execPath, [main, ...args], env);
}

/** Runs `isometry ARGS` to its end. */
export function runCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return startCli(args, env).ended;
}

/** Runs test/faults/fixtures/NAME with arguments. */
export function runFixture(name: string, args: readonly string[]): Promise<Ended> {
  return start(process.execPath, [join(fixtures, name), ...args], {}).ended;
}

/** Runs a shell line in which `$NODE` and `$ISOMETRY` stand for node and the command's script. */
export function runShell(line: string): Promise<Ended> {
  return start('bash', ['-c', line], { NODE: process.execPath, ISOMETRY: main }).ended;
}

function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Running {
  assertFresh();
  const child = spawn(file, args, { env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

let fresh = false;

/** Child processes run the compiled code: testing an old one would prove nothing. */
function assertFresh(): void {
  if (fresh) return;
  const built = existsSync(main) ? statSync(main).mtimeMs : 0;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const newest = Math.max(...sources.map((name) => statSync(join(root, 'src', name)).mtimeMs));
  if (built < newest) throw new Error('dist/ is missing or older than src/: run npm run build:ts first');
  fresh = true;
}
