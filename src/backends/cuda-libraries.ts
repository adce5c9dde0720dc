import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where {@link libraryFolders} looks; by default this machine. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's own folder. */
  readonly home: string;
  /** Where the system's CUDA toolkits are. */
  readonly toolkits: string;
  readonly windows: boolean;
}

function here(): Surroundings {
  return { env: process.env, home: homedir(), toolkits: '/usr/local', windows: process.platform === 'win32' };
}

/**
 * The folders in which CUDA's libraries may be, best first; `''` stands for what the process has loaded already and
 * for where the system looks (`LD_LIBRARY_PATH`, `ld.so.cache`). The order is that of NVIDIA's `cuda.pathfinder`, but
 * for the system, which there comes after Python's packages:
 *
 * 1. `ISOMETRY_CUDA_LIB_DIR`
 * 2. the process and the system
 * 3. Python's packages (`pip install nvidia-cusolver`) in `VIRTUAL_ENV`, `CONDA_PREFIX` and the user's own; those of
 *    CUDA 13 share one folder, those of CUDA 12 have one each. And what Conda itself installs.
 * 4. `CUDA_HOME`, `CUDA_PATH`, `/usr/local/cuda` and `/usr/local/cuda-13*`
 *
 * Of 3 and 4 only those that exist.
 */
export function libraryFolders(surroundings: Surroundings = here()): string[] {
  const { env, home, toolkits, windows } = surroundings;
  // Empty is not set.
  const [override, virtual, conda] = ['ISOMETRY_CUDA_LIB_DIR', 'VIRTUAL_ENV', 'CONDA_PREFIX'].map(
    (name) => env[name] || undefined,
  );
  const found = [
    ...[virtual, conda, windows ? undefined : join(home, '.local')].flatMap((prefix) =>
      prefix === undefined ? [] : wheelFolders(prefix, windows),
    ),
    ...(conda === undefined ? [] : toolkitFolders(conda, windows)),
    ...[env['CUDA_HOME'], env['CUDA_PATH']].flatMap((root) => (root ? toolkitFolders(root, windows) : [])),
    ...(windows
      ? []
      : ['cuda', ...matching(toolkits, /^cuda-13/)].flatMap((name) =>
          toolkitFolders(join(toolkits, name), windows),
        )),
  ];
  const folders = [
    ...(override === undefined ? [] : [override]),
    '',
    ...found.filter((path) => existsSync(path)),
  ];
  return [...new Set(folders)];
}

/** Of the packages in every Python of a prefix. */
function wheelFolders(prefix: string, windows: boolean): string[] {
  const packages = windows
    ? [join(prefix, 'Lib', 'site-packages')]
    : matching(join(prefix, 'lib'), /^python3\.\d+$/).map((name) =>
        join(prefix, 'lib', name, 'site-packages'),
      );
  return packages.flatMap((site) => {
    const nvidia = join(site, 'nvidia');
    return windows
      ? [join(nvidia, 'cu13', 'bin', 'x86_64'), join(nvidia, 'cusolver', 'bin')]
      : [join(nvidia, 'cu13', 'lib'), join(nvidia, 'cusolver', 'lib')];
  });
}

function toolkitFolders(root: string, windows: boolean): string[] {
  if (windows) return [join(root, 'bin', 'x64'), join(root, 'bin')];
  const targets = join(root, 'targets');
  return [
    join(root, 'lib64'),
    join(root, 'lib'),
    ...matching(targets, /./).map((name) => join(targets, name, 'lib')),
  ];
}

/** Entries of a folder, the highest version first; none of one that cannot be read. */
function matching(folder: string, pattern: RegExp): string[] {
  try {
    const names = readdirSync(folder).filter((name) => pattern.test(name));
    return names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  } catch {
    return [];
  }
}
