// The CUDA compiler, as far as the tools need it: where it is, what it is, and how cuda/ is compiled with it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where tools/fetch-cuda-headers.mjs puts them. */
export const FETCHED_HEADERS = join(root, 'build/cuda-headers/include');
/** The one header of cuRAND that the kernels include. */
const CURAND_HEADER = 'curand_philox4x32_x.h';

/** Architectures and flags of every compilation of cuda/, here and in CMake. */
export const { architectures: ARCHITECTURES, flags: FLAGS } = JSON.parse(
  readFileSync(join(root, 'cuda/nvcc.json'), 'utf8'),
);

/**
 * Looks where cmake/GpuCompiler.cmake looks.
 * @returns {{ path: string, release: string, major: number } | null}
 */
export function findNvcc() {
  const { CUDACXX, CUDA_HOME, CUDA_PATH, PATH = '' } = process.env;
  const name = process.platform === 'win32' ? 'nvcc.exe' : 'nvcc';
  const toolkits = [CUDA_HOME, CUDA_PATH, '/usr/local/cuda'].filter(Boolean);
  const folders = [...PATH.split(delimiter).filter(Boolean), ...toolkits.map((t) => join(t, 'bin'))];
  for (const path of [CUDACXX, ...folders.map((folder) => join(folder, name))]) {
    if (!path || !existsSync(path)) continue;
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const release = /release (\d+\.\d+)/.exec(stdout ?? '')?.[1];
    if (status === 0 && release !== undefined) return { path, release, major: Number.parseInt(release, 10) };
  }
  return null;
}

/** The folder to add for cuRAND's headers: '' when nvcc finds them by itself, null when they are nowhere. */
export function findCurandHeaders(nvcc) {
  if (existsSync(join(FETCHED_HEADERS, CURAND_HEADER))) return FETCHED_HEADERS;
  const probe = ['-x', 'cu', '-E', '-include', CURAND_HEADER, '/dev/null', '-o', '/dev/null'];
  return spawnSync(nvcc.path, probe, { stdio: 'ignore' }).status === 0 ? '' : null;
}
