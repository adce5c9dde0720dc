#!/usr/bin/env node
// Formats the C++ and CUDA sources by .clang-format; with --check only says which files it would change.
// Compares texts by itself: clang-format's own --dry-run also reports replacements that change nothing.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['core', 'cpu', 'cuda', 'binding', 'test/native'];

const check = process.argv.includes('--check');
const binary = createRequire(import.meta.url)('clang-format').getNativeBinary();
const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => /\.(h|cc|cu)$/.test(name))
    .map((name) => join(folder, name)),
);

const changed = files.filter((file) => {
  const before = readFileSync(join(root, file), 'utf8');
  const after = formatted(file);
  if (after === before) return false;
  if (!check) writeFileSync(join(root, file), after);
  return true;
});
for (const file of changed)
  console.log(`clang-format: ${file} ${check ? 'is not formatted' : 'was formatted'}`);
console.log(`clang-format: ${files.length} files looked at`);
process.exit(check && changed.length > 0 ? 1 : 0);

function formatted(file) {
  const { status, stdout, error } = spawnSync(binary, ['--style=file', file], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return stdout;
  console.error(`clang-format: could not format ${file}${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}
