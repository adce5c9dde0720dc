#!/usr/bin/env node
// prebuildify calls a node-gyp ("rebuild --target=26.0.0 --arch=x64 ..."); this passes the call on to cmake-js, to
// which --target would mean something else. `compile`, not `rebuild`: that would delete all of build/.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
const argv = process.argv.slice(2);
const arch = argv.find((argument) => argument.startsWith('--arch='))?.slice('--arch='.length) ?? process.arch;
const options = ['compile', '--arch', arch, ...(argv.includes('--debug') ? ['--debug'] : [])];
process.exit(spawnSync(process.execPath, [cmakeJs, ...options], { stdio: 'inherit' }).status ?? 1);
