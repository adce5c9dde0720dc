#!/usr/bin/env node
// Gets the headers of cuRAND into build/cuda-headers/include, for machines where nvcc is installed without them.
// They come from the Python wheels that NVIDIA publishes, for the toolkit's own major version.
//   node tools/fetch-cuda-headers.mjs               does nothing when they are there already
//   node tools/fetch-cuda-headers.mjs --solver      those of cuSOLVER and what they include as well: a large download,
//                                                   which only the test that compares our declarations needs
//   node tools/fetch-cuda-headers.mjs --toolkit 13  the major version to get them for
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of CUDA 13. The cuRAND version is the one test/oracle runs; the wheel has 60 MB, of which 2 MB are headers. */
const CURAND = ['nvidia-curand==10.4.0.35'];
/** 200 MB, of which 0.3 MB are headers. */
const SOLVER = ['nvidia-cusolver==12.0.4.66'];
const TOOLKIT = '13';

const out = fileURLToPath(new URL('../build/cuda-headers', import.meta.url));

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`cuda headers: ${error.message}\n`);
  process.exitCode = 1;
}

function main(options) {
  const toolkit = options.includes('--toolkit') ? options[options.indexOf('--toolkit') + 1] : TOOLKIT;
  if (toolkit !== TOOLKIT) {
    throw new Error(
      `there are headers for CUDA ${TOOLKIT} only, not for CUDA ${toolkit}.\nInstall the toolkit's cuRAND package.`,
    );
  }
  for (const wheel of [...CURAND, ...(options.includes('--solver') ? SOLVER : [])]) {
    if (!existsSync(stampOf(wheel))) fetchHeaders(wheel);
  }
  process.stdout.write(`${join(out, 'include')}\n`);
}

/** Written last: where it is, the wheel's headers are complete. */
function stampOf(wheel) {
  return join(out, `${wheel.replace('==', '-')}.complete`);
}

function fetchHeaders(wheel) {
  mkdirSync(out, { recursive: true });
  const temporary = mkdtempSync(join(out, 'wheel-'));
  try {
    const pip = ['-m', 'pip', '--disable-pip-version-check'];
    const download = [
      ...pip,
      'download',
      '-qq',
      '--no-input',
      '--no-deps',
      '--only-binary=:all:',
      '--retries=1',
    ];
    run('python3', [...download, '--dest', temporary, wheel]);
    // The wheel is a zip; Python, which has just fetched it, unpacks it too.
    const unpack = `
import glob, sys, zipfile
for wheel in glob.glob(sys.argv[1] + '/*.whl'):
    with zipfile.ZipFile(wheel) as z:
        z.extractall(sys.argv[1], [n for n in z.namelist() if '/include/' in n])`;
    run('python3', ['-c', unpack, temporary]);
    // CUDA 13 wheels keep one folder for all libraries.
    install(join(temporary, 'nvidia', 'cu13', 'include'), join(out, 'include'));
    writeFileSync(stampOf(wheel), '');
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Each file appears whole or not at all: another run, or a compiler, may be at work in the same folder. */
function install(from, to) {
  for (const name of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const source = join(name.parentPath, name.name);
    const target = join(to, source.slice(from.length));
    mkdirSync(dirname(target), { recursive: true });
    const unfinished = `${target}.${process.pid}.tmp`;
    copyFileSync(source, unfinished);
    renameSync(unfinished, target);
  }
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  const why = error ? error.message : `exit status ${status}`;
  throw new Error(`could not run ${command} ${args[0]} ${args[1]} …: ${why}
Install the toolkit's cuRAND package instead, or run this again with Python 3 and a network.`);
}
