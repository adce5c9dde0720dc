import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IsometryError } from '../../../src/errors.js';
import {
  encodeHeader,
  MAX_HEADER_BYTES,
  placeTensors,
  type StoredTensor,
} from '../../../src/safetensors/header.js';
import { parseHeader, SafetensorsReader } from '../../../src/safetensors/read.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-read-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function file(bytes: Uint8Array): string {
  const path = join(dir, `${Math.random()}.safetensors`);
  writeFileSync(path, bytes);
  return path;
}

/** A file of a raw header text (its length may be lied about) and zeros as data. */
function raw(header: string | Uint8Array, dataBytes: number, claimed?: bigint): Uint8Array {
  const json = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimed ?? BigInt(json.length));
  return Buffer.concat([prefix, json, Buffer.alloc(dataBytes)]);
}

const entry = (fields: string): string => `{"x":{${fields}}}`;
const good = '"dtype":"F32","shape":[2,3],"data_offsets":[0,24]';

describe('a good file', () => {
  test('gives back what was written', async () => {
    const tensors: StoredTensor[] = [
      { name: '__proto__', dtype: 'F32', shape: [2] },
      { name: 'scalar', dtype: 'F64', shape: [] },
      { name: 'empty', dtype: 'BF16', shape: [0, 9007199254740991, 7] },
      { name: '\u{1f600}', dtype: 'F16', shape: [1, 3] },
    ];
    const placed = placeTensors(tensors);
    const data = Buffer.from(Array.from({ length: 22 }, (_, i) => i + 1));
    const reader = await SafetensorsReader.open(
      file(Buffer.concat([encodeHeader(placed, new Map([['__proto__', 'v']])), data])),
    );
    expect([...reader.metadata]).toEqual([['__proto__', 'v']]);
    expect(
      reader.tensors.map(({ name, dtype, shape, elements }) => [name, dtype.name, shape, elements]),
    ).toEqual([
      ['scalar', 'F64', [], 1],
      ['__proto__', 'F32', [2], 2],
      ['empty', 'BF16', [0, 9007199254740991, 7], 0],
      ['\u{1f600}', 'F16', [1, 3], 3],
    ]);
    const seen: number[][] = [];
    for (const tensor of reader.tensors) {
      const bytes: number[] = [];
      for await (const piece of reader.chunks(tensor, new Uint8Array(8))) bytes.push(...piece);
      seen.push(bytes);
    }
    expect(seen.flat()).toEqual([...data]);
    expect(seen.map((bytes) => bytes.length)).toEqual([8, 8, 0, 6]);
    await reader.close();
  });

  test('needs no padding, no metadata and no particular key order', () => {
    const header =
      '{ "b":{"data_offsets":[1,2],"shape":[1],"dtype":"U8"}, "a":{"shape":[],"dtype":"BOOL","data_offsets":[0,1]}}   ';
    const { tensors, metadata } = parseHeader(Buffer.from(header), 2, 'f');
    expect(tensors.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(metadata.size).toBe(0);
  });
});

describe('names', () => {
  // Only those who make files of names have to refuse some.
  test.each([
    '../../etc/passwd',
    '/w',
    'a\0b',
    '__proto__',
    'constructor',
    '',
    ' ',
    'n'.repeat(300),
    'n'.repeat(1e6),
    '\ufeff',
  ])('case %#: whatever is text is a name', (name) => {
    const { tensors } = parseHeader(Buffer.from(`{${JSON.stringify(name)}:{${good}}}`), 24, 'f');
    expect(tensors.map((tensor) => tensor.name)).toEqual([name]);
  });

  test('long ones are cut in messages', () => {
    const text = `{${JSON.stringify('n'.repeat(1e6))}:{${good}}}`;
    for (const dataBytes of [23, 25]) {
      const found = (): unknown => parseHeader(Buffer.from(text), dataBytes, 'f');
      expect(found).toThrow(/^.{1,500}$/);
    }
    expect(() => parseHeader(Buffer.from(text.replace('"F32"', '1')), 24, 'f')).toThrow(/^.{1,500}$/);
  });
});

describe('empty tensors', () => {
  test('lie anywhere between others', () => {
    const empty = '"dtype":"F32","shape":[3,0]';
    const header = `{"z":{${empty},"data_offsets":[24,24]},"x":{${good}},"b":{${empty},"data_offsets":[0,0]},"a":{${empty},"data_offsets":[0,0]}}`;
    const { tensors } = parseHeader(Buffer.from(header), 24, 'f');
    expect(tensors.map(({ name, begin, end }) => [name, begin, end])).toEqual([
      ['b', 0, 0],
      ['a', 0, 0],
      ['x', 0, 24],
      ['z', 24, 24],
    ]);
  });
});

describe('limits', () => {
  test('a header of exactly 100,000,000 bytes is read, one byte more is not', async () => {
    const json = Buffer.alloc(MAX_HEADER_BYTES + 1, ' ');
    json.write(entry(good));
    const path = file(raw(json.subarray(0, -1), 24));
    const reader = await SafetensorsReader.open(path);
    expect(reader.tensors.length).toBe(1);
    expect(reader.dataStart).toBe(100_000_008);
    await reader.close();
    writeFileSync(path, raw(json, 24));
    await expect(SafetensorsReader.open(path)).rejects.toThrow(/claims 100000001 bytes/);
    rmSync(path);
  });

  test('time is in proportion to the header, also for names that are array indexes', () => {
    // These share the lower bits that a hash table would look at first.
    const names = Array.from({ length: 50_000 }, (_, i) => String(2 ** 31 + i * 2 ** 14));
    const entries = names.map(
      (name, i) => `"${name}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
    );
    const header = Buffer.from(`{${entries.join(',')}}`);
    const start = performance.now();
    expect(parseHeader(header, names.length, 'f').tensors.length).toBe(names.length);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe('a bad header', () => {
  test.each<[string, string | Uint8Array, number, RegExp]>([
    ['empty', '', 0, /does not start/],
    ['leading space', ` ${entry(good)}`, 24, /does not start/],
    ['byte order mark', `\ufeff${entry(good)}`, 24, /does not start/],
    ['array', '[]', 0, /does not start/],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 0, /not UTF-8/],
    ['NUL padding', `${entry(good)}\0\0`, 24, /text after the end/],
    ['newline padding', `${entry(good)}\n`, 24, /other than spaces/],
    ['second value', `${entry(good)}{}`, 24, /not valid: text after the end/],
    ['cut off', '{"x":{"dtype"', 0, /not valid/],
    ['duplicate tensor', `{"x":{${good}},"x":{${good}}}`, 24, /duplicate key "x"/],
    ['duplicate tensor, escaped', `{"x":{${good}},"\\u0078":{${good}}}`, 24, /duplicate key "x"/],
    ['duplicate field', entry(`${good},"dtype":"F32"`), 24, /duplicate key "dtype"/],
    ['too deep', entry('"dtype":"F32","shape":[[1]],"data_offsets":[0,4]'), 4, /deeper than 3/],
    ['very deep', '{"x":'.repeat(100_000), 0, /deeper than 3/],
    ['number as metadata', '{"__metadata__":{"a":1}}', 0, /not a string/],
    ['null as metadata', '{"__metadata__":null}', 0, /not an object/],
    ['list as metadata', '{"__metadata__":[]}', 0, /not an object/],
    ['tensor not an object', '{"x":[1]}', 0, /not an object/],
    ['unknown field', entry(`${good},"stride":1`), 24, /unknown field "stride"/],
    ['unknown dtype', entry('"dtype":"F33","shape":[],"data_offsets":[0,4]'), 4, /unknown dtype "F33"/],
    [
      'dtype of Object.prototype',
      entry('"dtype":"constructor","shape":[],"data_offsets":[0,4]'),
      4,
      /unknown dtype/,
    ],
    ['no dtype', entry('"shape":[],"data_offsets":[0,4]'), 4, /unknown dtype/],
    ['no shape', entry('"dtype":"F32","data_offsets":[0,4]'), 4, /shape/],
    ['negative dim', entry('"dtype":"F32","shape":[-1],"data_offsets":[0,4]'), 4, /shape/],
    ['fractional dim', entry('"dtype":"F32","shape":[1.5],"data_offsets":[0,6]'), 6, /spelled/],
    ['dim of 2^53', entry('"dtype":"F32","shape":[9007199254740992,0],"data_offsets":[0,0]'), 0, /shape/],
    ['dim of 2^53 + 1', entry('"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,0]'), 0, /shape/],
    ['infinite dim', entry('"dtype":"F32","shape":[1e999],"data_offsets":[0,0]'), 0, /spelled/],
    [
      'product overflow',
      entry('"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]'),
      0,
      /2\^53/,
    ],
    ['bytes overflow', entry('"dtype":"F32","shape":[9007199254740991],"data_offsets":[0,0]'), 0, /2\^53/],
    ['dim spelled 2.0', entry('"dtype":"F32","shape":[2.0],"data_offsets":[0,8]'), 8, /spelled/],
    ['dim spelled 1e3', entry('"dtype":"U8","shape":[1e3],"data_offsets":[0,1000]'), 1000, /spelled/],
    ['dim of -0', entry('"dtype":"F32","shape":[-0],"data_offsets":[0,0]'), 0, /spelled/],
    ['dim spelled 01', entry('"dtype":"U8","shape":[01],"data_offsets":[0,1]'), 1, /"," or "\]"/],
    ['offset spelled 4.0', entry('"dtype":"F32","shape":[],"data_offsets":[0,4.0]'), 4, /spelled/],
    ['offset of -0', entry('"dtype":"F32","shape":[],"data_offsets":[-0,4]'), 4, /spelled/],
    ['dim of text', entry('"dtype":"F32","shape":["1"],"data_offsets":[0,4]'), 4, /shape/],
    ['dim of null', entry('"dtype":"F32","shape":[null],"data_offsets":[0,4]'), 4, /shape/],
    [
      'dim of 400 digits',
      entry(`"dtype":"F32","shape":[${'9'.repeat(400)}],"data_offsets":[0,4]`),
      4,
      /too large/,
    ],
    [
      'offsets of 2^53',
      entry('"dtype":"U8","shape":[0],"data_offsets":[9007199254740992,9007199254740992]'),
      0,
      /data_offsets/,
    ],
    [
      'offsets beyond the data',
      entry('"dtype":"U8","shape":[1],"data_offsets":[9007199254740990,9007199254740991]'),
      1,
      /hole/,
    ],
    ['name with half a surrogate pair', `{"\\ud800":{${good}}}`, 24, /half a surrogate pair/],
    ['surrogates in UTF-8', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d]), 0, /not UTF-8/],
    ['overlong UTF-8', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d]), 0, /not UTF-8/],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', 0, /duplicate key "__metadata__"/],
    ['duplicate metadata', '{"__metadata__":{"a":"b","a":"b"}}', 0, /duplicate key "a"/],
    ['null in metadata', '{"__metadata__":{"a":null}}', 0, /not a string/],
    ['metadata in metadata', '{"__metadata__":{"a":{"b":"c"}}}', 0, /not a string/],
    ['unknown field __proto__', entry(`${good},"__proto__":{}`), 24, /unknown field "__proto__"/],
    [
      'empty tensor in the middle of another one',
      '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}',
      4,
      /overlap/,
    ],
    [
      'empty tensor behind the data',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}',
      1,
      /hole/,
    ],
    ['same bytes twice', `{"a":{${good}},"b":{${good}}}`, 24, /overlap/],
    ['half a byte', entry('"dtype":"F4","shape":[3],"data_offsets":[0,2]'), 2, /whole bytes/],
    ['one offset', entry('"dtype":"F32","shape":[],"data_offsets":[4]'), 4, /data_offsets/],
    ['negative offset', entry('"dtype":"F32","shape":[],"data_offsets":[-4,0]'), 4, /data_offsets/],
    ['end before begin', entry('"dtype":"F32","shape":[0],"data_offsets":[4,0]'), 4, /needs?/],
    [
      'size against shape',
      entry('"dtype":"F32","shape":[2],"data_offsets":[0,4]'),
      4,
      /4 bytes where its shape and dtype need 8/,
    ],
    ['hole at the start', entry('"dtype":"U8","shape":[1],"data_offsets":[1,2]'), 2, /hole/],
    [
      'hole',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}',
      3,
      /hole/,
    ],
    [
      'overlap',
      '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
      3,
      /overlap/,
    ],
    ['trailing data', entry(good), 25, /25 follow/],
    ['missing data', entry(good), 23, /23 follow/],
  ])('%s', (_, header, dataBytes, reason) => {
    const bytes = Buffer.from(header);
    expect(() => parseHeader(bytes, dataBytes, 'some/file')).toThrow(
      expect.objectContaining({ code: 'FORMAT_ERROR', message: expect.stringMatching(reason) }),
    );
    expect(() => parseHeader(bytes, dataBytes, 'some/file')).toThrow('some/file');
  });

  test('never anything but FORMAT_ERROR, for any mutation of a good one', () => {
    const base = Buffer.from(
      `{"__metadata__":{"a":"b"},"x":{${good}},"y":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}}`,
    );
    const mutation = fc.tuple(
      fc.nat(base.length - 1),
      fc.constantFrom(...Buffer.from('{}[]:,"\\-019eEx \0')),
    );
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const bytes = Buffer.from(base);
        for (const [at, unit] of mutations) bytes[at] = unit;
        try {
          const { tensors } = parseHeader(bytes, 26, 'f');
          expect(tensors.reduce((total, { begin, end }) => total + end - begin, 0)).toBe(26);
        } catch (error) {
          expect(error).toBeInstanceOf(IsometryError);
          expect((error as IsometryError).code).toBe('FORMAT_ERROR');
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe('a bad file', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /has 0 bytes/],
    ['seven bytes', new Uint8Array(7), /has 7 bytes/],
    ['header length 0', raw('', 0), /does not start/],
    ['header longer than the file', raw('{}', 0, 3n), /claims 3 bytes where at most 2/],
    ['header length 2^63', raw('{}', 0, 2n ** 63n), /claims 9223372036854775808 bytes/],
    ['header length 2^64 - 1', raw('{}', 0, 2n ** 64n - 1n), /claims 18446744073709551615 bytes/],
  ])('%s', async (_, bytes, reason) => {
    await expect(SafetensorsReader.open(file(bytes))).rejects.toThrow(
      expect.objectContaining({ code: 'FORMAT_ERROR', message: expect.stringMatching(reason) }),
    );
  });

  test('a header above 100,000,000 bytes is refused before it is read', async () => {
    const path = file(raw('{', 0, 100_000_001n));
    truncateSync(path, 200_000_000); // sparse
    const before = process.memoryUsage().arrayBuffers;
    await expect(SafetensorsReader.open(path)).rejects.toThrow(/at most 100000000/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e7);
  });

  test('missing file, directory and FIFO are told apart and nothing waits', async () => {
    await expect(SafetensorsReader.open(join(dir, 'none'))).rejects.toThrow(
      expect.objectContaining({ code: 'IO_ERROR', message: expect.stringContaining('ENOENT') }),
    );
    await expect(SafetensorsReader.open(dir)).rejects.toThrow(/not a regular file/);
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    await expect(SafetensorsReader.open(fifo)).rejects.toThrow(/not a regular file/);
  });

  test('a file that shrinks while it is read', async () => {
    const path = file(raw(entry(good), 24));
    const reader = await SafetensorsReader.open(path);
    truncateSync(path, reader.size - 4);
    const read = async (): Promise<void> => {
      for await (const _ of reader.chunks(reader.tensors[0]!, new Uint8Array(8)));
    };
    await expect(read()).rejects.toThrow(
      expect.objectContaining({ code: 'FORMAT_ERROR', message: expect.stringContaining('ends at byte') }),
    );
    await reader.close();
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['that is changed in place', (path) => writeAt(path, 100), /was changed while/],
    ['that becomes longer', (path) => appendFileSync(path, 'x'), /was changed while/],
  ])('a file %s while it is read', async (_, change, reason) => {
    const path = file(raw(entry(good), 24));
    utimesSync(path, 1, 1);
    const reader = await SafetensorsReader.open(path);
    const chunks = reader.chunks(reader.tensors[0]!, new Uint8Array(8));
    expect((await chunks.next()).value).toEqual(new Uint8Array(8));
    change(path);
    const rest = async (): Promise<void> => {
      for await (const _piece of chunks);
    };
    await expect(rest()).rejects.toThrow(
      expect.objectContaining({ code: 'FORMAT_ERROR', message: expect.stringMatching(reason) }),
    );
    await reader.close();
  });
});

/** Changes one byte. */
function writeAt(path: string, position: number): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, 'x', position);
  closeSync(descriptor);
}
