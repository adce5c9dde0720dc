import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { libraryFolders, type Surroundings } from '../../../src/backends/cuda-libraries.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'isometry-libraries-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Makes folders, and returns them. */
function make(...paths: string[]): string[] {
  const folders = paths.map((path) => join(root, path));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return folders;
}

function look(env: Surroundings['env'], windows = false): string[] {
  return libraryFolders({ env, home: join(root, 'home'), toolkits: join(root, 'local'), windows });
}

describe('libraryFolders', () => {
  it('is only the system where there is nothing else', () => {
    expect(look({})).toEqual(['']);
    expect(look({ ISOMETRY_CUDA_LIB_DIR: '', VIRTUAL_ENV: '', CUDA_HOME: '' })).toEqual(['']);
    expect(look({ VIRTUAL_ENV: join(root, 'nowhere'), CUDA_PATH: '/nowhere' })).toEqual(['']);
  });

  it('has every place in its order', () => {
    const folders = make(
      'venv/lib/python3.12/site-packages/nvidia/cu13/lib',
      'venv/lib/python3.9/site-packages/nvidia/cusolver/lib',
      'conda/lib/python3.11/site-packages/nvidia/cu13/lib',
      'home/.local/lib/python3.10/site-packages/nvidia/cusolver/lib',
      'conda/lib',
      'conda/targets/x86_64-linux/lib',
      'home-cuda/lib64',
      'path-cuda/targets/sbsa-linux/lib',
      'local/cuda/lib64',
      'local/cuda-13.10/lib64',
      'local/cuda-13.2/lib64',
    );
    make('local/cuda-12.8/lib64', 'venv/lib/python3.12/site-packages/nvidia/cublas/lib');
    const env = {
      ISOMETRY_CUDA_LIB_DIR: '/chosen/but/not/there',
      VIRTUAL_ENV: join(root, 'venv'),
      CONDA_PREFIX: join(root, 'conda'),
      CUDA_HOME: join(root, 'home-cuda'),
      CUDA_PATH: join(root, 'path-cuda'),
    };
    expect(look(env)).toEqual(['/chosen/but/not/there', '', ...folders]);
  });

  it('names a folder once', () => {
    const [folder] = make('local/cuda/lib64');
    const toolkit = join(root, 'local/cuda');
    expect(look({ CUDA_HOME: toolkit, CUDA_PATH: toolkit })).toEqual(['', folder]);
  });

  it('knows the folders of Windows', () => {
    const folders = make('venv/Lib/site-packages/nvidia/cu13/bin/x86_64', 'toolkit/bin/x64', 'toolkit/bin');
    make('local/cuda/lib64', 'toolkit/lib');
    const env = { VIRTUAL_ENV: join(root, 'venv'), CUDA_PATH: join(root, 'toolkit') };
    expect(look(env, true)).toEqual(['', ...folders]);
  });
});
