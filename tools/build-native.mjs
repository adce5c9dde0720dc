#!/usr/bin/env node
// npm run build:native: compiles the native addon where that is possible, and says so where it is not.
// No CMake or no C++ compiler is no failure (the JavaScript backend gives the same bytes); a compile error is.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeFile, writeJson } from './native-manifest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const addon = join(root, 'build/Release/isometry.node');
const manifest = `${addon}.json`;
const statusFile = join(root, 'build/native-status.json');

process.chdir(root);
const inputs = hashOfInputs();
if (upToDate()) {
  console.log('native addon: up to date');
  process.exit(0);
}
const missing = whatIsMissing();
if (missing !== null) skip(missing);
build();

/** One hash over everything the addon is made from. */
function hashOfInputs() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\0`);
  const files = ['CMakeLists.txt', 'package-lock.json'];
  for (const folder of ['binding', 'cmake', 'core', 'cpu']) {
    for (const name of readdirSync(folder, { recursive: true })) files.push(join(folder, name));
  }
  for (const file of files.sort()) {
    if (/\.(cc|h|cmake|txt|json)$/.test(file))
      hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function upToDate() {
  try {
    const status = JSON.parse(readFileSync(statusFile, 'utf8'));
    const described = JSON.parse(readFileSync(manifest, 'utf8'));
    return status.built && status.inputs === inputs && described.sha256 === describeFile(addon).sha256;
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
  const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  const parallel = ['--parallel', String(availableParallelism())]; // for Make; Ninja needs no telling
  const result = spawnSync(process.execPath, [cmakeJs, 'compile', ...parallel], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  if (result.status !== 0 || !existsSync(addon)) {
    mkdirSync(join(root, 'build'), { recursive: true });
    writeJson(statusFile, { built: false, reason: 'the compiler reported an error' });
    process.stderr.write(output);
    console.error(
      'native addon: FAILED to compile (see above). The pure-JavaScript backend does not need it.',
    );
    process.exit(1);
  }
  for (const line of output.split('\n')) if (/warning:/.test(line)) console.log(line);
  console.log(readFileSync(join(root, 'build/cuda-report.txt'), 'utf8').trimEnd());
  const described = describeFile(addon);
  writeJson(manifest, described);
  writeJson(statusFile, { built: true, reason: '', inputs });
  console.log(
    `native addon: built, ${described.size} bytes, ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
}
