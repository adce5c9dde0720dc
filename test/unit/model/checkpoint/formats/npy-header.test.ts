import { describe, expect, test } from 'vitest';
import { npyHeader } from '../../../../../src/model/checkpoint/formats/npy-header.js';
import { tensor } from './job.js';

const text = (header: Uint8Array): string => Buffer.from(header.subarray(10)).toString('latin1');

describe('npyHeader', () => {
  // The bytes are compared with those of numpy.save in test/oracle/test_formats.py.
  test.each<[Parameters<typeof tensor>[1], number[], string]>([
    ['F32', [], "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"],
    ['F64', [3], "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"],
    ['F16', [2, 0, 5], "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 0, 5), }"],
    ['BOOL', [1], "{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }"],
    ['I64', [1], "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }"],
    ['U8', [1], "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"],
    ['C64', [1], "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"],
  ])('%s %j', (dtype, shape, expected) => {
    const header = npyHeader(tensor('x', dtype, shape));
    expect([...header.subarray(0, 8)]).toEqual([...Buffer.from('\x93NUMPY\x01\x00', 'latin1')]);
    expect(Buffer.from(header).readUInt16LE(8)).toBe(header.length - 10);
    expect(text(header)).toMatch(/^[^\n]* +\n$/);
    expect(text(header).trimEnd()).toBe(expected);
  });

  test('data are aligned to 64 bytes, whatever the shape', () => {
    for (let axes = 0; axes <= 64; axes++) {
      expect(npyHeader(tensor('x', 'F32', Array(axes).fill(1))).length % 64).toBe(0);
    }
  });

  test.each([
    ['BF16', [1], 'INVALID_DTYPE', /for "w" but received bfloat16; use float32 or float16/],
    ['F8_E4M3', [1], 'INVALID_DTYPE', /but received F8_E4M3/],
    ['F32', Array(65).fill(1), 'INVALID_SHAPE', /at most 64 axes.*received 65/],
  ] as const)('%s of shape %j is refused', (dtype, shape, code, message) => {
    expect(() => npyHeader(tensor('w', dtype, shape))).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});
