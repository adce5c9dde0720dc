#!/usr/bin/env node
// Makes the project's Python environment: .venv with the pinned packages of one requirements file.
//   node tools/python/env.mjs [oracle|bench]      prints the interpreter's path on stdout
// Does nothing when the environment already has that set (or a larger one) of these very pins. Fails loudly: what
// needs Python here is a proof or a comparison, and a proof that was not made must not look like one that was.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const venv = join(root, '.venv');
const python =
  process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');

/** The sets from small to large; each contains the ones before it. */
const SETS = ['oracle', 'bench'];

const wanted = process.argv[2] ?? 'oracle';
if (!SETS.includes(wanted)) fail(`expected one of ${SETS.join(', ')} but received ${JSON.stringify(wanted)}`);

if (!SETS.slice(SETS.indexOf(wanted)).some(installed)) install(wanted);
process.stdout.write(`${python}\n`);

function requirements(set) {
  return join(here, `requirements-${set}.txt`);
}

/** A stamp in the environment, with the hash of every pin of the set. */
function stamp(set) {
  return join(venv, `isometry-${set}`);
}

function pins(set) {
  const hash = createHash('sha256');
  for (const name of SETS.slice(0, SETS.indexOf(set) + 1)) hash.update(readFileSync(requirements(name)));
  return hash.digest('hex');
}

function installed(set) {
  return existsSync(python) && existsSync(stamp(set)) && readFileSync(stamp(set), 'utf8') === pins(set);
}

function install(set) {
  const base = ['python3', 'python'].find(
    (name) =>
      spawnSync(name, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))']).status ===
      0,
  );
  if (base === undefined) {
    fail(`Python 3.10 or newer with the venv module was not found on PATH.
Install it (Debian and Ubuntu: apt install python3 python3-venv), then run this again.`);
  }
  // Another set of pins may have left anything behind: start over rather than trust it.
  for (const other of SETS) rmSync(stamp(other), { force: true });
  if (!existsSync(python)) run(base, ['-m', 'venv', '--clear', venv], 'make the virtual environment .venv');
  run(
    python,
    ['-m', 'pip', 'install', '-qq', '--no-input', '--disable-pip-version-check', '-r', requirements(set)],
    'install the pinned packages (is there a network?)',
  );
  writeFileSync(stamp(set), pins(set));
}

function run(command, args, what) {
  process.stderr.write(`python environment: ${command} ${args.join(' ')}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`could not ${what}${error ? `: ${error.message}` : `, exit status ${status}`}`);
}

function fail(message) {
  process.stderr.write(`python environment: ${message}\n`);
  process.exit(1);
}
