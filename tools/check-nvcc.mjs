#!/usr/bin/env node
// Compiles cuda/ with nvcc alone (no CMake, no GPU): the headers of core/ must be device code on every architecture
// we ship. Says what was compiled and what was not, and why.
//   node tools/check-nvcc.mjs            no nvcc: says so, exit 0
//   node tools/check-nvcc.mjs --require  no nvcc: exit 1
//   node tools/check-nvcc.mjs --sass     also prints the instructions per sample of every kernel on sm_90
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countInstructions } from './sass.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'build', 'nvcc');

/** As in cuda/CMakeLists.txt: Turing to Blackwell. */
const ARCHITECTURES = [75, 80, 86, 89, 90, 100, 120];

/** Samples of one turn of a kernel's loop: one Philox block is four words. */
const SAMPLES = new Map([
  ['fillUniform64', 2],
  ['fillQuantile64', 2],
]);
const SAMPLES_PER_BLOCK = 4;

const FLAGS = ['-std=c++17', `-I${root}`, '-fmad=false', '--Werror', 'all-warnings'];
FLAGS.push('-Xcompiler', '-ffp-contract=off,-Wall,-Wextra');

const options = new Set(process.argv.slice(2));
const version = nvccVersion();
if (version === null) {
  console.log('nvcc: not found on PATH; core/ was NOT compiled for any GPU');
  process.exit(options.has('--require') ? 1 : 0);
}
mkdirSync(out, { recursive: true });

const known = knownArchitectures();
const architectures = ARCHITECTURES.filter((a) => known.has(a));
const unknown = ARCHITECTURES.filter((a) => !known.has(a));
console.log(`nvcc: ${version}`);
console.log(`nvcc: ${architectures.map((a) => `sm_${a}`).join(' ')}`);
if (unknown.length > 0)
  console.log(`nvcc: NOT ${unknown.map((a) => `sm_${a}`).join(' ')}, which this nvcc does not know`);

compile('core_device.cu', []);
const curand = curandInclude();
if (curand === null) {
  console.log(
    'nvcc: cuda/curand_device.cu was NOT compiled: no cuRAND headers; get them with node tools/fetch-cuda-headers.mjs',
  );
} else {
  compile('curand_device.cu', curand === '' ? [] : ['-isystem', curand]);
}
if (options.has('--sass')) printInstructions();

function nvccVersion() {
  const { status, stdout } = spawnSync('nvcc', ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/release .*/.exec(stdout)?.[0] ?? 'unknown version') : null;
}

function knownArchitectures() {
  const { stdout } = spawnSync('nvcc', ['--list-gpu-code'], { encoding: 'utf8' });
  return new Set([...stdout.matchAll(/sm_(\d+)/g)].map((match) => Number(match[1])));
}

/** Where curand_kernel.h is: '' when nvcc finds it by itself, null when nowhere. */
function curandInclude() {
  const fetched = join(root, 'build', 'cuda-headers', 'include');
  if (existsSync(join(fetched, 'curand_kernel.h'))) return fetched;
  const probe = spawnSync('nvcc', [
    '-x',
    'cu',
    '-E',
    '-include',
    'curand_kernel.h',
    '/dev/null',
    '-o',
    '/dev/null',
  ]);
  return probe.status === 0 ? '' : null;
}

function compile(file, flags) {
  const started = performance.now();
  const codes = architectures.flatMap((a) => ['-gencode', `arch=compute_${a},code=sm_${a}`]);
  // -t0: as many architectures at a time as the machine has cores.
  nvcc([...FLAGS, ...flags, ...codes, '-t0', '-c', join(root, 'cuda', file), '-o', join(out, `${file}.o`)]);
  console.log(`nvcc: cuda/${file} compiled in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function printInstructions() {
  const cubin = join(out, 'core_device.sm_90.cubin');
  nvcc([...FLAGS, '-arch=sm_90', '-cubin', join(root, 'cuda', 'core_device.cu'), '-o', cubin]);
  console.log(
    '\nInstructions per sample on sm_90, one turn of the loop (kernels without an inner branch are exact):',
  );
  for (const { kernel, total, straight, opcodes } of countInstructions(readFileSync(cubin))) {
    const perSample = (total / (SAMPLES.get(kernel) ?? SAMPLES_PER_BLOCK)).toFixed(1);
    const most = [...opcodes]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 8)
      .map(([name, count]) => `${name} ${count}`);
    console.log(`${kernel.padEnd(18)} ${perSample.padStart(5)} ${straight ? ' ' : '≤'} ${most.join(', ')}`);
  }
}

function nvcc(args) {
  const { status, error } = spawnSync('nvcc', args, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`nvcc: failed${error ? `: ${error.message}` : ''}\n  nvcc ${args.join(' ')}`);
  process.exit(1);
}
