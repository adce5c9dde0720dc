import { describe, expect, it } from 'vitest';
import {
  type Capabilities,
  chooseBackend,
  parseDevice,
  probeBackends,
  selectBackend,
} from '../../../src/backends/index.js';

const yes = { available: true, detail: 'D' } as const;
const no = { available: false, reason: 'R' } as const;

function having(cuda: boolean, cpu: boolean, preferred = 'auto'): Capabilities {
  return { cuda: cuda ? yes : no, cpu: cpu ? yes : no, js: yes, preferred };
}

describe('chooseBackend', () => {
  it.each([
    ['auto', having(true, true), 'cuda'],
    ['auto', having(false, true), 'cpu'],
    ['auto', having(false, false), 'js'],
    ['auto', having(true, true, 'js'), 'js'],
    ['auto', having(true, true, 'cpu'), 'cpu'],
    ['cpu', having(true, true), 'cpu'],
    ['cpu', having(true, true, 'js'), 'cpu'],
    ['js', having(true, true), 'js'],
    ['cuda', having(true, true), 'cuda'],
    ['cuda:3', having(true, false), 'cuda'],
  ] as const)('%s with %j is %s', (device, capabilities, backend) => {
    expect(chooseBackend(device, capabilities).backend).toBe(backend);
  });

  it('says why', () => {
    expect(chooseBackend('auto', having(false, true)).reason).toBe('the fastest available here (D)');
    expect(chooseBackend('auto', having(false, false)).reason).toBe('the cpu backend is not available: R');
    expect(chooseBackend('auto', having(false, true, 'cpu')).reason).toBe(
      'asked for by ISOMETRY_BACKEND=cpu (D)',
    );
    expect(chooseBackend('js', having(false, true)).reason).toBe('asked for by name (D)');
  });

  it.each([
    ['cuda', having(false, true)],
    ['cuda:0', having(false, true)],
    ['cpu', having(true, false)],
    ['auto', having(true, false, 'cpu')],
  ] as const)('%s with %j never falls back', (device, capabilities) => {
    expect(() => chooseBackend(device, capabilities)).toThrowError(
      expect.objectContaining({ code: 'BACKEND_UNAVAILABLE', message: expect.stringMatching(/: R$/) }),
    );
  });

  it('refuses unknown devices and preferences', () => {
    for (const device of [
      'gpu',
      '',
      'CPU',
      'cuda:',
      'cuda:x',
      'cuda:1234',
      '__proto__',
      null,
      1,
      undefined,
    ]) {
      expect(() => parseDevice(device)).toThrowError(expect.objectContaining({ code: 'INVALID_OPTION' }));
    }
    expect(() => chooseBackend('auto', having(true, true, 'gpu'))).toThrow(/ISOMETRY_BACKEND/);
  });
});

describe('selectBackend and probeBackends', () => {
  it('tell of all three, and agree', () => {
    const probes = new Map(probeBackends().map(({ name, probe }) => [name, probe]));
    expect([...probes.keys()]).toEqual(['cuda', 'cpu', 'js']);
    expect(probes.get('cuda')).toMatchObject({ available: false, reason: expect.stringContaining('CUDA') });
    expect(probes.get('js')).toMatchObject({ available: true });
    expect(selectBackend('js', 0).backend.name).toBe('js');
    if (probes.get('cpu')!.available) expect(selectBackend('cpu', 0).backend.name).toBe('cpu');
    else expect(() => selectBackend('cpu', 0)).toThrow(/not available/);
    expect(() => selectBackend('cuda', 0)).toThrow(/this build has no CUDA backend/);
  });
});
