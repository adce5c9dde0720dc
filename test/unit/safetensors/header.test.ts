import { describe, expect, test } from 'vitest';
import {
  compareUtf8,
  encodeHeader,
  isWellFormed,
  MAX_HEADER_BYTES,
  placeTensors,
  type StoredTensor,
} from '../../../src/safetensors/header.js';

const F32 = { dtype: 'F32' as const };

// Written by the Python package safetensors 0.8.0, `safetensors.numpy.save_file(tensors, path, metadata)`,
// up to the end of the header, for the tensors and metadata below.
const REFERENCE = [
  'WAMAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrXCJcbiI6InbDqVx1MDAxZiJ9LCJhLjIiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6',
  'WzEwXSwiZGF0YV9vZmZzZXRzIjpbMCw4MF19LCJ0YWJcdG5sXG5jclxyYnNcYmZmXGZ4XHUwMDAxXHUwMDFmfyI6eyJkdHlwZSI6',
  'IkY2NCIsInNoYXBlIjpbMSwyXSwiZGF0YV9vZmZzZXRzIjpbODAsOTZdfSwieiI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbMSwy',
  'XSwiZGF0YV9vZmZzZXRzIjpbOTYsMTEyXX0sIu+/vSI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbNF0sImRhdGFfb2Zmc2V0cyI6',
  'WzExMiwxNDRdfSwiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOls2XSwiZGF0YV9vZmZzZXRzIjpbMTQ0LDE2OF19LCJhXCJiXFxj',
  'L2QiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzBdLCJkYXRhX29mZnNldHMiOlsxNjgsMTY4XX0sImEuMTAiOnsiZHR5cGUiOiJG',
  'MzIiLCJzaGFwZSI6WzAsMl0sImRhdGFfb2Zmc2V0cyI6WzE2OCwxNjhdfSwic2NhbGFyIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUi',
  'OltdLCJkYXRhX29mZnNldHMiOlsxNjgsMTcyXX0sIuKAqCI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCwyXSwiZGF0YV9vZmZz',
  'ZXRzIjpbMTcyLDE3Ml19LCJaIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOls4XSwiZGF0YV9vZmZzZXRzIjpbMTcyLDE4OF19LCJf',
  'X3Byb3RvX18iOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzIsMl0sImRhdGFfb2Zmc2V0cyI6WzE4OCwxOTZdfSwiw6kiOnsiZHR5',
  'cGUiOiJGMTYiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlsxOTYsMjAwXX0sIvCfmIAiOnsiZHR5cGUiOiJGMTYiLCJzaGFw',
  'ZSI6WzIsMl0sImRhdGFfb2Zmc2V0cyI6WzIwMCwyMDhdfX0gICAg',
].join('');

const TENSORS: StoredTensor[] = [
  { name: 'a"b\\c/d', dtype: 'F32', shape: [0] },
  { name: 'tab\tnl\ncr\rbs\bff\fx\u0001\u001f\u007f', dtype: 'F64', shape: [1, 2] },
  { name: 'é', dtype: 'F16', shape: [2] },
  { name: '\u2028', dtype: 'F32', shape: [0, 2] },
  { name: '\ufffd', dtype: 'F64', shape: [4] },
  { name: '\u{1f600}', dtype: 'F16', shape: [2, 2] },
  { name: '', dtype: 'F32', shape: [6] },
  { name: 'z', dtype: 'F64', shape: [1, 2] },
  { name: 'Z', dtype: 'F16', shape: [8] },
  { name: 'a.10', dtype: 'F32', shape: [0, 2] },
  { name: 'a.2', dtype: 'F64', shape: [10] },
  { name: '__proto__', dtype: 'F16', shape: [2, 2] },
  { name: 'scalar', dtype: 'F32', shape: [] },
];

function text(header: Uint8Array): string {
  return Buffer.from(header.subarray(8)).toString('utf8');
}

describe('encodeHeader', () => {
  test('gives the bytes of the reference implementation', () => {
    const header = encodeHeader(placeTensors(TENSORS), new Map([['k"\n', 'vé\u001f']]));
    expect(Buffer.from(header).toString('base64')).toBe(REFERENCE);
  });

  test('does not depend on the order of the tensors or of the metadata', () => {
    const metadata: [string, string][] = [
      ['b', '2'],
      ['a', '1'],
      ['\u{1f600}', '4'],
      ['\ufffd', '3'],
    ];
    const there = encodeHeader(placeTensors(TENSORS), new Map(metadata));
    const back = encodeHeader(placeTensors([...TENSORS].reverse()), new Map([...metadata].reverse()));
    expect(back).toEqual(there);
    expect(text(there)).toMatch(/^\{"__metadata__":\{"a":"1","b":"2","\ufffd":"3","\u{1f600}":"4"\},/u);
  });

  test.each([
    [[], undefined, '{}      '],
    [
      [{ name: 'x', ...F32, shape: [2, 3] }],
      undefined,
      '{"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}       ',
    ],
    [
      [{ name: 'x', ...F32, shape: [2, 3] }],
      new Map<string, string>(),
      '{"__metadata__":{},"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}     ',
    ],
  ])(
    'small case %#: length prefix, no metadata against empty metadata, padding',
    (tensors, metadata, json) => {
      const header = encodeHeader(placeTensors(tensors), metadata);
      expect(text(header)).toBe(json);
      expect(Buffer.from(header).readBigUInt64LE(0)).toBe(BigInt(json.length));
      expect(header.length % 8).toBe(0);
    },
  );

  test('refuses a header above the limit of the format', () => {
    const name = 'n'.repeat(1_000_000);
    const many = Array.from({ length: 100 }, (_, i) => ({ name: `${i}${name}`, ...F32, shape: [1] }));
    expect(() => encodeHeader(placeTensors(many))).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE', message: expect.stringContaining(`${MAX_HEADER_BYTES}`) }),
    );
  });

  test('refuses metadata that UTF-8 cannot hold', () => {
    expect(() => encodeHeader([], new Map([['k', '\ud800']]))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('placeTensors', () => {
  test('tiles the data section without holes, wide dtypes first', () => {
    const placed = placeTensors(TENSORS);
    let position = 0;
    for (const { tensor, begin, end } of placed) {
      const width = { F64: 8, F32: 4, F16: 2 }[tensor.dtype as 'F64' | 'F32' | 'F16'];
      expect(begin).toBe(position);
      expect(begin % width).toBe(0);
      expect(end - begin).toBe(width * tensor.shape.reduce((a, b) => a * b, 1));
      position = end;
    }
    expect(placed.map(({ tensor }) => tensor.dtype).join(' ')).toMatch(/^(F64 )+(F32 )+F16( F16)*$/);
  });

  test('ranks BF16 between F32 and F16, as the reference does', () => {
    const placed = placeTensors([
      { name: 'a', dtype: 'F16', shape: [] },
      { name: 'b', dtype: 'BF16', shape: [] },
      { name: 'c', dtype: 'F32', shape: [] },
      { name: 'd', dtype: 'F64', shape: [] },
    ]);
    expect(placed.map(({ tensor }) => tensor.name).join('')).toBe('dcba');
  });

  test('refuses 2^53 bytes and more', () => {
    const half = { ...F32, shape: [2 ** 50] };
    expect(() =>
      placeTensors([
        { name: 'a', ...half },
        { name: 'b', ...half },
      ]),
    ).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });
});

describe('strings', () => {
  test('compareUtf8 orders as the encoded bytes do', () => {
    const samples = [
      '',
      'a',
      'aa',
      'b',
      '\u007f',
      'é',
      '\ud7ff',
      '\ue000',
      '\ufffd',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
      'a\u{1f600}',
      'a\uffff',
    ];
    for (const a of samples) {
      for (const b of samples) {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }
    }
  });

  test('isWellFormed finds lone surrogates', () => {
    expect(['', 'a', '\u{1f600}'].map(isWellFormed)).toEqual([true, true, true]);
    expect(['\ud83d', '\ude00', '\ude00\ud83d', 'a\ud800b'].map(isWellFormed)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
