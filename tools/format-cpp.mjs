#!/usr/bin/env node
// Formats the C++ and CUDA sources by .clang-format; with --check only says which files it would change.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['core', 'cpu', 'cuda', 'binding', 'test/native', 'test/exhaustive'];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => /\.(h|cc|cu)$/.test(name))
    .map((name) => join(folder, name)),
);
const mode = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
const clangFormat = createRequire(import.meta.url).resolve('clang-format/index.js');
const { status } = spawnSync(process.execPath, [clangFormat, '--style=file', ...mode, ...files], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (status === 0)
  console.log(`clang-format: ${files.length} files ${mode.includes('-i') ? 'formatted' : 'are well'}`);
process.exit(status ?? 1);
