// The processes that compete: each is one child that lives for the whole run and does one repetition when asked.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const inNode = (file) => [process.execPath, ['--expose-gc', join(here, 'contenders', file)]];
const inPython = (file, python) => [python, ['-B', join(here, 'contenders', file)]];

/**
 * How to start a contender; `threads` is fixed for a process, as many libraries read it only at their start.
 * @param {string} name
 * @param {number} threads
 * @param {string} python interpreter with the peers
 */
function start(name, threads, python) {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), ISOMETRY_THREADS: String(threads) };
  delete env.ISOMETRY_BACKEND;
  delete env.ISOMETRY_CPU_TARGET;
  const [, target] = /^isometry ?(.*)$/.exec(name) ?? [];
  if (target === undefined) {
    const [command, args] =
      name === 'tfjs' ? inNode('tfjs.mjs') : inPython(`${name.toLowerCase()}_peer.py`, python);
    return { command, args: [...args, String(threads)], env };
  }
  const [command, args] = inNode('isometry.mjs');
  if (target === 'js') env.ISOMETRY_BACKEND = 'js';
  else env.ISOMETRY_BACKEND = 'cpu';
  if (target !== '' && target !== 'js') env.ISOMETRY_CPU_TARGET = target;
  return { command, args, env };
}

/** One contender: its process and its answers. */
class Contender {
  constructor(name, threads, python) {
    const { command, args, env } = start(name, threads, python);
    this.name = name;
    this.process = spawn(command, args, { env, cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async ask(question) {
    this.process.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the benchmark's ${this.name} process ended`);
    return JSON.parse(value);
  }

  stop() {
    this.process.stdin.end();
  }
}

/** All contenders of a run, started when they are first needed. */
export class Contenders {
  #running = new Map();
  #versions = new Map();
  #python;

  constructor() {
    this.#python = install(process.execPath, [join(root, 'tools', 'python', 'env.mjs'), 'bench']).trim();
    const peers = join(here, 'peers');
    if (!existsSync(join(peers, 'node_modules', '@tensorflow', 'tfjs'))) {
      install('npm', [
        'install',
        '--prefix',
        peers,
        '--no-audit',
        '--no-fund',
        '--no-package-lock',
        '--ignore-scripts',
      ]);
    }
  }

  /** The contender, or null when it cannot run here (and why was said on stderr). */
  async get(name, threads) {
    const key = `${name} ${threads}`;
    if (!this.#running.has(key)) {
      const contender = new Contender(name, threads, this.#python);
      const { version, problem } = await contender.ask({ op: 'hello' });
      if (problem !== undefined) {
        process.stderr.write(`bench: ${name} takes no part: ${problem}\n`);
        contender.stop();
      } else this.#versions.set(name, version);
      this.#running.set(key, problem === undefined ? contender : null);
    }
    return this.#running.get(key);
  }

  /** The interpreter that has the peers. */
  get python() {
    return this.#python;
  }

  /** What took part, and in which version. */
  get versions() {
    return this.#versions;
  }

  stop() {
    for (const contender of this.#running.values()) contender?.stop();
  }
}

function install(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`could not install the benchmark's peers: ${command} ${args.join(' ')}`);
  return stdout;
}
