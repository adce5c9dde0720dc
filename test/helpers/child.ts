// Runs a piece of JavaScript in a Node of its own, against the compiled package: what a crash, an exit or a damaged
// addon does to a process can only be seen from outside.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end, Node's own start-up (about 50) included. */
  readonly ms: number;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
  /** Another copy of the package. */
  readonly packageRoot?: string;
  /** Killed after so many milliseconds; `signal` is then SIGKILL. */
  readonly timeout?: number;
}

/**
 * Runs `code` as an ES module. In it, `isometry` is the package's public API and `DIST` the URL of its compiled files.
 */
export function runNode(code: string, options: ChildOptions = {}): Promise<ChildResult> {
  const { env = {}, nodeOptions = [], packageRoot = root, timeout = 20_000 } = options;
  requireFreshBuild();
  const dist = pathToFileURL(join(packageRoot, 'dist/')).href;
  const source = `const DIST = '${dist}'; const isometry = await import(DIST + 'index.js');\n${code}`;
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeOptions, '--input-type=module', '--eval', source], {
      cwd: packageRoot,
      env: { ...withoutOurs(process.env), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (data) => {
      output.stdout += data;
    });
    child.stderr.on('data', (data) => {
      output.stderr += data;
    });
    child.on('error', reject);
    child.on('close', (exitCode, signal) =>
      resolve({ code: exitCode, signal, ...output, ms: performance.now() - began }),
    );
  });
}

/** The child chooses its backend itself; what chose ours, and the test runner's own settings, are kept from it. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([key]) => !/^(ISOMETRY_|NODE_OPTIONS$|VITEST)/.test(key)),
  );
}

function newest(folder: string, extension: string): number {
  let latest = 0;
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    if (name.endsWith(extension)) latest = Math.max(latest, statSync(join(folder, name)).mtimeMs);
  }
  return latest;
}

function requireFreshBuild(): void {
  const dist = join(root, 'dist');
  if (!existsSync(dist) || newest(join(root, 'src'), '.ts') > newest(dist, '.js')) {
    throw new Error('dist/ is missing or older than src/; run: npm run build');
  }
}
