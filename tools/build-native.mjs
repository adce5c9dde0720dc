#!/usr/bin/env node
// npm run build:native: compiles the native addon where that is possible, and says so where it is not.
// No CMake or no C++ compiler is no failure (the JavaScript backend gives the same bytes); a compile error is. Nor is
// a missing nvcc, without which the addon has no GPU code, unless ISOMETRY_REQUIRE_CUDA=1. CMake's own switches go in
// as npm_cmake_ISOMETRY_CUDA=OFF.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeFile, writeJson } from './native-manifest.mjs';
import { findCurandHeaders, findNvcc } from './nvcc.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const addon = join(root, 'build/Release/isometry.node');
const manifest = `${addon}.json`;
const statusFile = join(root, 'build/native-status.json');
const wantsGpu = process.env.npm_cmake_ISOMETRY_CUDA !== 'OFF';
const requiresGpu = process.env.ISOMETRY_REQUIRE_CUDA === '1';

process.chdir(root);
const nvcc = wantsGpu ? findNvcc() : null;
if (nvcc !== null) getHeaders();
const inputs = hashOfInputs();
if (upToDate()) {
  console.log('native addon: up to date');
  process.exit(0);
}
const missing = whatIsMissing();
if (missing !== null) skip(missing);
build();

/** Fetches the headers that the GPU code needs and this toolkit lacks. Where that fails, there is no GPU code. */
function getHeaders() {
  if (findCurandHeaders(nvcc) !== null) return;
  const fetch = join(root, 'tools/fetch-cuda-headers.mjs');
  spawnSync(process.execPath, [fetch, '--toolkit', String(nvcc.major)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** One hash over everything the addon is made from. */
function hashOfInputs() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\0`);
  const gpu = nvcc && [nvcc.path, nvcc.release, findCurandHeaders(nvcc)];
  const settings = Object.entries(process.env).filter(([key]) => key.startsWith('npm_cmake_'));
  hash.update(`${JSON.stringify([gpu, settings.sort(), process.env.CXX])}\0`);
  const files = ['CMakeLists.txt', 'package-lock.json'];
  for (const folder of ['binding', 'cmake', 'core', 'cpu', 'cuda']) {
    for (const name of readdirSync(folder, { recursive: true })) files.push(join(folder, name));
  }
  for (const file of files.sort()) {
    if (/\.(cc|cu|h|cmake|map|txt|json)$/.test(file))
      hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function upToDate() {
  try {
    const status = JSON.parse(readFileSync(statusFile, 'utf8'));
    const described = JSON.parse(readFileSync(manifest, 'utf8'));
    const same = status.inputs === inputs && described.sha256 === describeFile(addon).sha256;
    return status.built && same && (status.gpuCode || !requiresGpu);
  } catch {
    return false;
  }
}

/** Why the addon cannot be compiled here, and what to do; null when it can. */
function whatIsMissing() {
  try {
    createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  } catch {
    return 'cmake-js is not installed; run: npm ci';
  }
  if (!runs('cmake')) return 'CMake was not found; install it (Debian, Ubuntu: apt install cmake g++)';
  if (process.platform === 'win32') return null; // CMake finds Visual Studio by itself
  if (!runs('ninja') && !runs('make')) {
    return 'neither Ninja nor Make was found; install one (Debian, Ubuntu: apt install make)';
  }
  const compilers = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  if (compilers.some(runs)) return null;
  return `no C++ compiler was found (looked for ${compilers.join(', ')}); install one (Debian, Ubuntu: apt install g++)`;
}

function runs(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function skip(reason) {
  // A binary of older sources must not be loaded in place of the one that could not be made.
  rmSync(addon, { force: true });
  rmSync(manifest, { force: true });
  mkdirSync(join(root, 'build'), { recursive: true });
  writeJson(statusFile, { built: false, reason });
  console.log(`native addon: SKIPPED. ${reason}.`);
  console.log('native addon: not needed. The pure-JavaScript backend gives the same bytes, only slower.');
  process.exit(0);
}

function build() {
  const started = Date.now();
  // `configure` and `build`, not cmake-js's `compile`: after an error that one deletes build/ and tries again.
  // The compiler is named each time, for CMake keeps the answers of an earlier search.
  const configure = () => cmakeJs('configure', `--CDISOMETRY_NVCC=${nvcc?.path ?? 'OFF'}`);
  let configured = configure();
  if (!configured.ok) {
    // Perhaps only because the answers are of another place or another compiler.
    rmSync('build/CMakeCache.txt', { force: true });
    rmSync('build/CMakeFiles', { recursive: true, force: true });
    configured = configure();
  }
  const built = configured.ok ? cmakeJs('build', '--parallel', String(availableParallelism())) : configured;
  if (!built.ok || !existsSync(addon)) fail('the compiler reported an error', built.output);
  for (const line of built.output.split('\n')) if (/warning:/.test(line)) console.log(line);
  const gpu = JSON.parse(readFileSync(join(root, 'build/gpu-report.json'), 'utf8'));
  console.log(`native addon: ${gpu.gpuReport}`);
  if (requiresGpu && !gpu.gpuCode) fail(`ISOMETRY_REQUIRE_CUDA=1, but ${gpu.gpuReport}`, '');
  const described = describeFile(addon);
  writeJson(manifest, described);
  writeJson(statusFile, { built: true, reason: '', ...gpu, inputs });
  console.log(
    `native addon: built, ${described.size} bytes, ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
}

function cmakeJs(...args) {
  const script = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  const result = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return { ok: result.status === 0, output: `${result.stdout ?? ''}${result.stderr ?? ''}` };
}

function fail(reason, output) {
  mkdirSync(join(root, 'build'), { recursive: true });
  writeJson(statusFile, { built: false, reason });
  process.stderr.write(output);
  console.error(`native addon: FAILED: ${reason}. The pure-JavaScript backend does not need it.`);
  process.exit(1);
}
