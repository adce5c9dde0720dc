#!/usr/bin/env node
// Gets the headers of cuRAND into build/cuda-headers/include, for machines where nvcc is installed without them.
// They come from the Python wheel that NVIDIA publishes, of the toolkit's own major version.
//   node tools/fetch-cuda-headers.mjs        does nothing when they are there already
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Wheels of CUDA 13; the cuRAND version is the one test/oracle runs. */
const WHEELS = ['nvidia-curand==10.4.0.35'];

const out = fileURLToPath(new URL('../build/cuda-headers', import.meta.url));
const stamp = join(out, 'wheels.txt');
const wanted = `${WHEELS.join('\n')}\n`;

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) fetchHeaders();
process.stdout.write(`${join(out, 'include')}\n`);

function fetchHeaders() {
  mkdirSync(out, { recursive: true });
  const temporary = mkdtempSync(join(out, 'wheels-'));
  try {
    const pip = ['-m', 'pip', '--disable-pip-version-check'];
    const download = [...pip, 'download', '-qq', '--no-input', '--no-deps', '--only-binary=:all:'];
    run('python3', [...download, '--dest', temporary, ...WHEELS]);
    // The wheel is a zip; Python, which has just fetched it, unpacks it too.
    const unpack = `
import glob, sys, zipfile
for wheel in glob.glob(sys.argv[1] + '/*.whl'):
    with zipfile.ZipFile(wheel) as z:
        z.extractall(sys.argv[1], [n for n in z.namelist() if '/include/' in n])`;
    run('python3', ['-c', unpack, temporary]);
    // CUDA 13 wheels keep one folder for all libraries.
    cpSync(join(temporary, 'nvidia', 'cu13', 'include'), join(out, 'include'), { recursive: true });
    writeFileSync(stamp, wanted);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  const why = error ? error.message : `exit status ${status}`;
  process.stderr.write(`cuda headers: could not run ${command} ${args[0]} ${args[1]} …: ${why}
Install the toolkit's cuRAND package instead, or run this again with Python 3 and a network.\n`);
  process.exit(1);
}
