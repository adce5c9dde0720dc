#!/usr/bin/env node
// What a released addon for Linux must hold to: it loads with an old C library and without any of CUDA's, exports
// nothing but Node's two entry points, has no function compiled for a newer CPU where the linker could pick it for
// every CPU, and stays small.
//   node tools/check-native.mjs [FILE.node ...]     (default: the local build and all prebuilds)
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** RHEL 9, Ubuntu 22.04, Debian 12 and Amazon Linux 2023 have this one or a newer one. */
const NEWEST_GLIBC = [2, 34];
/** Node itself needs these; everything of CUDA's is opened at run time. */
const LIBRARIES =
  /^(libstdc\+\+\.so\.6|libgcc_s\.so\.1|libc\.so\.6|libm\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux-.*)$/;
/** Half as much again as the addon has today (2.45 MB); half of that is GPU code for seven architectures. */
const MAX_BYTES = 3_700_000;
const ENTRY_POINTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const failures = [];
const files = process.argv.length > 2 ? process.argv.slice(2) : findAddons();
if (files.length === 0) failures.push('no addon to check; run: npm run build:native');
for (const file of files) {
  if (!existsSync(file)) {
    failures.push(`${file} does not exist`);
    continue;
  }
  checkGlibc(file);
  checkLibraries(file);
  checkExports(file);
  checkSize(file);
}
checkSharedFunctions();
for (const failure of failures) console.error(`FAILED ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);

function findAddons() {
  const found = ['build/Release/isometry.node'].filter(existsSync);
  for (const folder of readdirSync('prebuilds')) {
    if (!folder.startsWith('linux-')) continue;
    for (const name of readdirSync(join('prebuilds', folder))) {
      if (name.endsWith('.node')) found.push(join('prebuilds', folder, name));
    }
  }
  return found;
}

function checkGlibc(file) {
  const symbols = execFileSync('objdump', ['-T', file], { encoding: 'utf8' });
  const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [+major, +minor]);
  const [newest] = versions.sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  const [major, minor] = newest ?? [0, 0];
  if (major > NEWEST_GLIBC[0] || (major === NEWEST_GLIBC[0] && minor > NEWEST_GLIBC[1])) {
    failures.push(`${file} needs glibc ${major}.${minor}, newer than ${NEWEST_GLIBC.join('.')}`);
  } else console.log(`ok ${file}: glibc ${major}.${minor}`);
}

function checkLibraries(file) {
  const dynamic = execFileSync('readelf', ['-d', '-W', file], { encoding: 'utf8' });
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]);
  const extra = needed.filter((name) => !LIBRARIES.test(name));
  if (extra.length > 0 || needed.length === 0)
    failures.push(`${file} needs ${extra.join(', ') || 'nothing, it seems'}`);
  else console.log(`ok ${file}: needs ${needed.join(', ')}`);
}

function checkSize(file) {
  const bytes = statSync(file).size;
  if (bytes > MAX_BYTES) failures.push(`${file} has ${bytes} bytes, more than ${MAX_BYTES}`);
  else console.log(`ok ${file}: ${bytes} bytes`);
}

function checkExports(file) {
  const symbols = execFileSync('nm', ['-D', '--defined-only', file], { encoding: 'utf8' });
  const names = symbols
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ').at(-1));
  const extra = names.filter((name) => !ENTRY_POINTS.includes(name));
  if (extra.length > 0) failures.push(`${file} exports ${extra.join(', ')}`);
  else console.log(`ok ${file}: exports ${names.join(', ')}`);
}

/** An inline function (W) that was not inlined exists once per object file; the linker keeps one for all of them. */
function checkSharedFunctions() {
  for (const name of ['avx2', 'avx512']) {
    const object = `build/CMakeFiles/isometry_cpu.dir/cpu/targets/${name}.cc.o`;
    if (!existsSync(object)) continue;
    const symbols = execFileSync('nm', ['-C', '--defined-only', object], { encoding: 'utf8' });
    const weak = symbols.split('\n').filter((line) => / W /.test(line));
    if (weak.length > 0)
      failures.push(`${object} shares functions with other files:\n  ${weak.join('\n  ')}`);
    else console.log(`ok ${object}: shares no function`);
  }
}
