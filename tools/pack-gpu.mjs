#!/usr/bin/env node
// Packs what the TypeScript tests of the CUDA backend need, Node itself included, for a Linux machine that has a GPU
// and no Node: build/gpu-pack/isometry-gpu.tar.xz and run.sh beside it, which unpacks it there and runs test/gpu.
//   npm run build && node tools/pack-gpu.mjs
// tools/gpu-suite.sh runs it when it is there. The machine must be of this one's architecture, with a C library no
// older than Node and the addon want.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'build', 'gpu-pack');
const tree = join(out, 'isometry');

/** What others may send with it counts too: together it has to stay well below 64 MiB. */
const MOST_BYTES = 56 * 2 ** 20;

const FILES = [
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'dist',
  'src',
  'test/gpu',
  'test/helpers',
  'test/parity',
  'examples/gpu-handover',
  'build/Release/isometry.node',
  'build/Release/isometry.node.json',
  'build/native-status.json',
];

/** Packages that run: the library's own dependencies and the test runner, with all that those need. */
const PACKAGES = [
  ...Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies),
  'vitest',
];

for (const file of FILES) {
  if (!existsSync(join(root, file))) fail(`${file} is missing; run npm run build first`);
}
rmSync(out, { recursive: true, force: true });
mkdirSync(join(tree, 'bin'), { recursive: true });
for (const file of FILES) copy(file);
for (const folder of closure(PACKAGES)) copy(folder);
copyFileSync(process.execPath, join(tree, 'bin', 'node'));
spawnSync('strip', ['--strip-unneeded', join(tree, 'bin', 'node')]); // smaller; as good with its symbols
if (spawnSync(join(tree, 'bin', 'node'), ['--version']).status !== 0)
  copyFileSync(process.execPath, join(tree, 'bin', 'node'));
chmodSync(join(tree, 'bin', 'node'), 0o755);

const archive = join(out, 'isometry-gpu.tar.xz');
const tar = spawnSync('tar', ['-cJf', archive, '-C', out, 'isometry'], {
  env: { ...process.env, XZ_OPT: '-6 -T0' },
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (tar.status !== 0) fail(`tar failed${tar.error ? `: ${tar.error.message}` : ''}`);
rmSync(tree, { recursive: true });
writeFileSync(join(out, 'run.sh'), runScript(), { mode: 0o755 });
const { size } = statSync(archive);
console.log(`${archive}: ${(size / 2 ** 20).toFixed(1)} MiB, Node ${process.version}`);
if (size > MOST_BYTES) fail(`that is more than ${MOST_BYTES / 2 ** 20} MiB`);

function copy(path) {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  cpSync(join(root, path), join(tree, path), {
    recursive: true,
    preserveTimestamps: true,
    dereference: true,
  });
}

/** The folders of these packages and of everything that they need and is installed, as paths from the root. */
function closure(names) {
  const found = new Set();
  const visit = (name, from) => {
    const folder = resolve(name, from);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const needed = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    };
    for (const dependency of Object.keys(needed)) {
      // Of optional peers those that the tests have no use for.
      if (manifest.peerDependenciesMeta?.[dependency]?.optional) continue;
      visit(dependency, folder);
    }
  };
  for (const name of names) {
    visit(name, '.');
    if (resolve(name, '.') === undefined) fail(`${name} is not installed; run npm ci first`);
  }
  // A package inside another's folder comes with it.
  return [...found].filter(
    (folder) => ![...found].some((other) => other !== folder && folder.startsWith(`${other}/`)),
  );
}

/** Where Node would find a package from a folder. */
function resolve(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(root, candidate, 'package.json'))) return candidate;
    if (folder === '.') return undefined;
  }
}

/** The script beside the archive. */
function runScript() {
  return `#!/usr/bin/env bash
# Unpacks isometry-gpu.tar.xz and runs the TypeScript tests of the CUDA backend; made by tools/pack-gpu.mjs.
#   run.sh [FOLDER [VITEST ARGUMENT …]]      FOLDER: where to unpack, a new one under /tmp when left out
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=\${1:-$(mktemp -d /tmp/isometry-gpu-XXXXXX)}
[ $# -gt 0 ] && shift
mkdir -p "$folder"
if command -v xz > /dev/null; then
  tar -xJf "$here/isometry-gpu.tar.xz" -C "$folder"
else
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$here/isometry-gpu.tar.xz" "$folder"
fi
cd "$folder/isometry"
export PATH="$PWD/bin:$PATH" NO_COLOR=1
export ISOMETRY_REQUIRE_NATIVE=1 ISOMETRY_REQUIRE_GPU=1
# Where Python's packages bring cuSOLVER, the addon looks in the environment that is active.
if [ -z "\${VIRTUAL_ENV:-}" ] && command -v python3 > /dev/null; then
  VIRTUAL_ENV=$(python3 -c 'import sys; print(sys.prefix)')
  export VIRTUAL_ENV
fi
node dist/cli/main.js doctor || true
if [ $# -eq 0 ]; then set -- test/gpu test/parity/cpu-js.test.ts; fi
exec node node_modules/vitest/vitest.mjs run "$@"
`;
}

function fail(problem) {
  console.error(`pack-gpu: ${problem}`);
  process.exit(1);
}
