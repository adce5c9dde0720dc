// What the tests of examples/ share: a model, the directory that one process makes of it, and whether another is equal.
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const examples = join(root, 'examples');
/** The command, as a shell may have it. */
export const cli = [process.execPath, join(root, 'dist/cli/main.js')];

/** A llama, by its width: 0.3 million parameters at 64, 60 million at 512. */
export function model(width) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: width < 512 ? 1000 : 32_000,
    hidden_size: width,
    intermediate_size: 2.5 * width,
    num_hidden_layers: width < 512 ? 3 : 8,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    tie_word_embeddings: false,
  };
}

/** A folder with a model, and the package where an example looks for it; gone when the process ends. */
export function workplace(width) {
  const folder = mkdtempSync(join(tmpdir(), 'isometry-launch-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const source = join(folder, 'model');
  mkdirSync(source);
  writeFileSync(join(source, 'config.json'), JSON.stringify(model(width)));
  return { folder, source };
}

/** Lets `import 'isometry'` below a folder find this package. */
export function linkPackage(folder) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  rmSync(join(folder, 'node_modules/isometry'), { recursive: true, force: true });
  symlinkSync(root, join(folder, 'node_modules/isometry'));
}

/** No launcher's, whatever the tests themselves were started by. */
const PLAIN = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(RANK|WORLD_SIZE|OMPI_|PMI_|SLURM_|AWS_BATCH_|JOB_COMPLETION)/.test(name),
  ),
);

/** Starts a process; `ended` is its status and what it said. */
export function start(command, args, { env = {}, cwd } = {}) {
  const child = spawn(command, args, { env: { ...PLAIN, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output.text += data;
    });
  }
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text: output.text }));
  });
  return { child, ended, output };
}

/** Runs a process that must succeed, and returns what it said. */
export async function run(command, args, options) {
  const { code, text } = await start(command, args, options).ended;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${text}`);
  return text;
}

/** What one process makes of the model: the directory that every other way must make too. */
export async function alone(source, directory, maxShardSize) {
  const [node, main] = cli;
  await run(node, [
    main,
    'init',
    source,
    '--out',
    `${directory}/`,
    '--seed',
    '42',
    '--max-shard-size',
    maxShardSize,
  ]);
  return readdirSync(directory).length;
}

/** Throws unless two directories have the same files with the same bytes. */
export function same(one, other) {
  const names = readdirSync(one).sort();
  const others = readdirSync(other).sort();
  if (names.join() !== others.join())
    throw new Error(`other files: ${names.join(' ')} and ${others.join(' ')}`);
  for (const name of names) {
    if (!readFileSync(join(one, name)).equals(readFileSync(join(other, name))))
      throw new Error(`${name} differs`);
  }
}

/** Waits until `check` returns something. */
export async function until(what, check, seconds = 60) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Installs Debian packages where a program is missing and we may. */
export async function need(program, packages) {
  const found = async () => (await start('sh', ['-c', `command -v ${program}`]).ended).code === 0;
  if (await found()) return;
  if (process.getuid() !== 0) throw new Error(`${program} is missing; install ${packages.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], { env });
  if (!(await found())) throw new Error(`${program} is missing after installing ${packages.join(' ')}`);
}

/** A port that nobody listens on. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
