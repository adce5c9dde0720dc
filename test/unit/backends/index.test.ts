import { describe, expect, it } from 'vitest';
import { parseDevice, probeBackends, selectBackend, selectCuda } from '../../../src/backends/index.js';

describe('parseDevice', () => {
  it('takes the names of devices and nothing else', () => {
    for (const device of ['auto', 'cpu', 'js', 'cuda', 'cuda:0', 'cuda:123']) {
      expect(parseDevice(device)).toBe(device);
    }
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
  });
});

describe('selectBackend and probeBackends', () => {
  it('tell of all three, and agree', () => {
    const reports = new Map(probeBackends().map((report) => [report.name, report]));
    expect([...reports.keys()]).toEqual(['cuda', 'cpu', 'js']);
    expect(reports.get('js')!.probe).toMatchObject({ available: true });
    expect(selectBackend('js', 0).backend.name).toBe('js');
    if (reports.get('cpu')!.probe.available) expect(selectBackend('cpu', 0).backend.name).toBe('cpu');
    else expect(() => selectBackend('cpu', 0)).toThrow(/not available/);
    const { probe, cuda } = reports.get('cuda')!;
    if (probe.available) {
      expect(cuda).toMatchObject({ result: 'ready', reason: '' });
      expect(selectBackend('cuda', 0).backend.name).toBe('cuda');
      expect(selectCuda('auto', 0).backend.name).toBe('cuda');
    } else {
      expect(cuda!.result).not.toBe('ready');
      expect(cuda!.reason).toBe(probe.reason);
      expect(probe.reason.length).toBeGreaterThan(20);
      for (const select of [selectBackend, selectCuda]) {
        expect(() => select('cuda', 0)).toThrowError(
          expect.objectContaining({
            code: 'BACKEND_UNAVAILABLE',
            message: `the cuda backend was asked for by name but is not available: ${probe.reason}`,
          }),
        );
      }
    }
  });
});
