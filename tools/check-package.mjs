#!/usr/bin/env node
// npm run check:package: what would be published, looked at as its users get it: the list of files, publint,
// are-the-types-wrong, and an installation of the tarball in an empty folder. With --prebuilt the tarball must carry
// an addon for this machine (npm run prebuildify), which must work where there is nothing of CUDA.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Without these the package is broken. */
const REQUIRED = [
  'package.json',
  'README.md',
  'LICENSE',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/cli/main.js',
  'dist/model/plan.schema.json',
  'src/index.ts',
  'CMakeLists.txt',
];
/** All of these, for those who build the addon themselves. */
const SOURCES = ['binding', 'cmake', 'core', 'cpu', 'cuda'];
/** These never ship. */
const FORBIDDEN = /^(test|bench|tools|docs|examples|build|node_modules|\.)|\.tsbuildinfo$|\.test\./;
/** Far above today's size; a stray build folder would exceed it. */
const MAX_UNPACKED_BYTES = 8e6;

const prebuilt = process.argv.includes('--prebuilt');

/** In an empty project, in plain JavaScript: the tarball has a binary only when prebuilds/ was filled. */
const SMOKE = `
import { fill, heNormal, VERSION } from 'isometry';
import { createRequire } from 'node:module';
const required = createRequire(import.meta.url)('isometry');
const make = async (device) => (await fill('w', [300, 500], heNormal(), { seed: 1, device })).data;
const expected = await make('js');
if (expected.length !== 150000 || expected.every((x) => x === 0)) throw new Error('nothing was filled');
const devices = process.argv.includes('--prebuilt') ? ['auto', 'cpu'] : ['auto'];
for (const device of devices) {
  const data = await make(device);
  if (data.some((x, i) => x !== expected[i])) throw new Error(device + ' differs from js');
}
if (required.VERSION !== VERSION) throw new Error('require and import give different packages');
`;

/** No library of CUDA's is on a path of the user's, and no GPU is visible. */
const env = { ...process.env, LD_LIBRARY_PATH: '', CUDA_VISIBLE_DEVICES: '' };
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
    ...[...REQUIRED, ...sources()]
      .filter((path) => !paths.includes(path))
      .map((path) => `${path} is missing`),
    ...paths.filter((path) => FORBIDDEN.test(path)).map((path) => `${path} should not ship`),
  ];
  if (unpackedSize > MAX_UNPACKED_BYTES) problems.push(`more than ${MAX_UNPACKED_BYTES} bytes unpacked`);
  if (problems.length > 0) fail(problems.join('\n'));
}

function sources() {
  return SOURCES.flatMap((name) =>
    readdirSync(join(root, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
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
  run(process.execPath, ['smoke.mjs', ...(prebuilt ? ['--prebuilt'] : [])], 'inherit', folder);
  const version = run('npx', ['--no-install', 'isometry', '--version'], 'pipe', folder).trim();
  const doctor = JSON.parse(run('npx', ['--no-install', 'isometry', 'doctor', '--json'], 'pipe', folder));
  console.log(`installed: isometry ${version}`);
  for (const { name, available, detail } of doctor.backends) {
    console.log(`installed: ${name} ${available ? 'available' : 'not available'}: ${detail}`);
    if (prebuilt && name === 'cpu' && !available) fail(`the prebuilt addon does not work: ${detail}`);
    const noCode = name === 'cuda' && /without GPU code/.test(detail);
    if (prebuilt && noCode && process.env.ISOMETRY_REQUIRE_CUDA === '1')
      fail('the prebuilt addon has no GPU code');
  }
}

function run(command, args, stdout = 'pipe', cwd = root) {
  const result = spawnSync(command, args, {
    cwd,
    env,
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
  });
  if (result.status !== 0)
    fail(`${command} ${args.join(' ')} failed${result.error ? `: ${result.error.message}` : ''}`);
  return result.stdout ?? '';
}

function fail(message) {
  process.stderr.write(`check:package: ${message}\n`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
