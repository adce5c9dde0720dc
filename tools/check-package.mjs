#!/usr/bin/env node
// npm run check:package: what would be published, looked at as its users get it: the list of files, publint,
// are-the-types-wrong, and an installation of the tarball in an empty folder.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Without these the package is broken; the C++ sources are for those who build the addon themselves. */
const REQUIRED = [
  'package.json',
  'README.md',
  'LICENSE',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/cli/main.js',
  'dist/model/plan.schema.json',
  'src/index.ts',
  'binding/addon.cc',
  'core/philox.h',
  'cpu/fill.cc',
  'CMakeLists.txt',
];
/** These never ship. */
const FORBIDDEN = /^(test|bench|tools|docs|examples|build|node_modules|\.)|\.tsbuildinfo$|\.test\./;
/** Far above today's size; a stray build folder would exceed it. */
const MAX_UNPACKED_BYTES = 8e6;

/** In an empty project, in plain JavaScript: the tarball has a binary only when prebuilds/ was filled. */
const SMOKE = `
import { fill, heNormal, VERSION } from 'isometry';
import { createRequire } from 'node:module';
const required = createRequire(import.meta.url)('isometry');
const tensor = await fill('w', [3, 5], heNormal(), { seed: 1 });
if (tensor.data.length !== 15 || tensor.data.every((x) => x === 0)) throw new Error('nothing was filled');
if (required.VERSION !== VERSION) throw new Error('require and import give different packages');
`;

const folder = mkdtempSync(join(tmpdir(), 'isometry-package-'));
try {
  const [{ files, filename, unpackedSize }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]),
  );
  checkFiles(
    files.map(({ path }) => path),
    unpackedSize,
  );
  run('npx', ['publint', '--strict'], 'inherit');
  run('npx', ['attw', join(folder, filename), '--profile', 'esm-only'], 'inherit');
  smoke(join(folder, filename));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function checkFiles(paths, unpackedSize) {
  console.log(`${paths.length} files, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked`);
  const problems = [
    ...REQUIRED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
    ...paths.filter((path) => FORBIDDEN.test(path)).map((path) => `${path} should not ship`),
  ];
  if (unpackedSize > MAX_UNPACKED_BYTES) problems.push(`more than ${MAX_UNPACKED_BYTES} bytes unpacked`);
  if (problems.length > 0) fail(problems.join('\n'));
}

/** The tarball in a folder of its own: imports, requires, computes, and its command runs. */
function smoke(tarball) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  writeFileSync(join(folder, 'smoke.mjs'), SMOKE);
  run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', tarball],
    'inherit',
    folder,
  );
  run(process.execPath, ['smoke.mjs'], 'inherit', folder);
  console.log(
    `installed: isometry ${run('npx', ['--no-install', 'isometry', '--version'], 'pipe', folder).trim()}`,
  );
}

function run(command, args, stdout = 'pipe', cwd = root) {
  const result = spawnSync(command, args, { cwd, stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' });
  if (result.status !== 0)
    fail(`${command} ${args.join(' ')} failed${result.error ? `: ${result.error.message}` : ''}`);
  return result.stdout ?? '';
}

function fail(message) {
  process.stderr.write(`check:package: ${message}\n`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
