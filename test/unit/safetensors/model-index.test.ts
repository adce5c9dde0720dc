import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listed, MAX_INDEX_BYTES, parseIndex, readIndex } from '../../../src/safetensors/model-index.js';

const refusal = (reason: RegExp): unknown =>
  expect.objectContaining({ code: 'FORMAT_ERROR', message: expect.stringMatching(reason) });

describe('parseIndex', () => {
  test('what transformers writes', () => {
    const text =
      '{\n  "metadata": {"total_parameters": 3, "total_size": 6},\n  "weight_map": {"a": "f", "__proto__": "g"}\n}\n';
    const { weightMap, totalSize, notes } = parseIndex(Buffer.from(text), 'i');
    expect([...weightMap]).toEqual([
      ['a', 'f'],
      ['__proto__', 'g'],
    ]);
    expect([totalSize, notes]).toEqual([6, []]);
  });

  test.each(['../f', 'a/f', '/f', 'a\\f', '..\\f', '.', '..', '', 'C:f', 'a\0b', 'é'.repeat(128)])(
    'the file %j is refused',
    (file) => {
      const text = JSON.stringify({ weight_map: { x: 'ok', t: file } });
      expect(() => parseIndex(Buffer.from(text), 'some/index')).toThrow(
        refusal(
          /some\/index, but the file of tensor "t" is .*, not the name of a file in the same directory/,
        ),
      );
    },
  );

  test.each<[string | Uint8Array, RegExp]>([
    ['', /not valid/],
    ['{"weight_map":{}', /not valid/],
    ['\ufeff{"weight_map":{}}', /not valid/],
    [Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
    ['[]', /not an object/],
    ['{}', /it has no weight_map/],
    ['{"weight_map":[]}', /weight_map is not an object/],
    ['{"weight_map":{"a":1}}', /tensor "a" is not a string but 1/],
    ['{"weight_map":{"a":null}}', /not a string but null/],
    ['{"weight_map":{"a":"f","a":"g"}}', /duplicate key "a"/],
    ['{"weight_map":{"a":"\\ud800"}}', /half a surrogate pair/],
    ['{"weight_map":{},"weight_map":{}}', /duplicate key/],
    ['{"weight_map":{},"metadata":null}', /metadata is not an object/],
    ['{"weight_map":{},"metadata":{"total_size":"6"}}', /total_size is not a whole number of bytes/],
    ['{"weight_map":{},"metadata":{"total_size":-1}}', /total_size/],
    ['{"weight_map":{},"metadata":{"total_size":1.5}}', /total_size/],
    ['{"weight_map":{},"metadata":{"total_size":9007199254740992}}', /total_size/],
    [`{"weight_map":{},"x":${'['.repeat(100_000)}`, /deeper than 32/],
  ])('%s', (text, reason) => {
    expect(() => parseIndex(Buffer.from(text), 'i')).toThrow(refusal(reason));
  });
});

test('an index that is too large is refused before it is read', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isometry-index-'));
  const path = join(directory, 'i.json');
  writeFileSync(path, '{}');
  truncateSync(path, MAX_INDEX_BYTES + 1);
  await expect(readIndex(path)).rejects.toThrow(refusal(/has 100000001 bytes/));
  rmSync(directory, { recursive: true });
});

test('listed shows the first names and how many there are', () => {
  expect(listed(['a', 'b'])).toBe('"a", "b"');
  expect(listed(Array.from({ length: 30 }, (_, index) => `${index}`))).toMatch(/^"0", .*"19" and 10 more$/);
});
