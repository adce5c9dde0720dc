import { describe, expect, it } from 'vitest';
import type { NativeBinding } from '../../../src/backends/native.js';
import { cudaLines, cudaSection } from '../../../src/cli/doctor-cuda.js';
import { FakeCuda, fakeDevice, READY } from '../../helpers/fake-binding.js';

describe('doctor on GPUs', () => {
  it('shows the driver, each device, and why one cannot be used', () => {
    const report = { ...READY, driverVersion: 12080, devices: [fakeDevice(0), fakeDevice(1, false)] };
    expect(cudaLines(cudaSection(report, new FakeCuda().binding))).toEqual([
      'CUDA driver:     /usr/lib/libcuda.so.1, runs CUDA 12.8',
      'CUDA runtime:    none needed (driver API)',
      'cuda:0:          Fake 0, 1.05 MB, compute capability 9.0, 2 multiprocessors, GPU-0',
      'cuda:1:          Fake 1, 1.05 MB, compute capability 9.0, 2 multiprocessors, GPU-1; cannot be used: compute capability 6.0 is too low',
      'CUDA libraries:  not looked for',
    ]);
  });

  it('shows each library, and why one is missing', () => {
    const libraries = [
      { name: 'cuSOLVER', path: '/opt/libcusolver.so.12', version: '12.0.4', reason: '' },
      { name: 'cuBLAS', path: '', version: '', reason: 'libcublas.so.13 was not found' },
    ];
    const binding = { cudaLibraries: () => libraries } as unknown as NativeBinding;
    const section = cudaSection(READY, binding);
    expect(section).toMatchObject({ ...READY, runtime: 'none needed (driver API)', libraries });
    expect(cudaLines(section).slice(-2)).toEqual([
      'cuSOLVER:        12.0.4, /opt/libcusolver.so.12',
      'cuBLAS:          not available: libcublas.so.13 was not found',
    ]);
  });

  it('without a driver says how far it got', () => {
    const report = { result: 'noAddon', reason: 'R', driverVersion: 0, library: '', devices: [] } as const;
    expect(cudaLines(cudaSection(report, null))).toEqual([
      'CUDA driver:     not opened (noAddon)',
      'CUDA runtime:    none needed (driver API)',
      'CUDA libraries:  not looked for',
    ]);
  });
});
