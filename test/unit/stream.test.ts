import { describe, expect, it } from 'vitest';
import { parseName, streamId } from '../../src/stream.js';

describe('streamId', () => {
  // From Python: int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'little').
  it.each([
    ['a', 0xcabd1bca128197can],
    ['wte.weight', 0x0d3dd8f73ae2f39fn],
    ['h.0.attn.c_attn.weight', 0x184810ea6f4501dan],
    ['重み.0', 0x3ef6c7362dec489en],
    ['\u{1F642}', 0x783991f725156fd0n],
  ])('of %s', (name, id) => {
    expect(streamId(name)).toBe(id);
  });

  it('of a role hashes it behind a NUL', () => {
    expect(streamId('a', 'mask')).toBe(0xb2261e04318e309fn);
    expect(streamId('a', 'mask')).not.toBe(streamId('amask'));
  });

  it('does not normalize Unicode', () => {
    expect(streamId('\u00e9')).not.toBe(streamId('e\u0301'));
  });

  it('rejects a role that could forge another one', () => {
    expect(() => streamId('a', 'b\0c')).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
    expect(() => streamId('a', '')).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
  });
});

describe('parseName', () => {
  it.each(['a', ' ', '__proto__', 'a/b', '\u{1F642}', '\uFFFD', 'x'.repeat(100_000)])(
    'accepts %.20s',
    (name) => {
      expect(parseName(name)).toBe(name);
    },
  );

  it.each([
    [undefined, 'non-empty'],
    [null, 'non-empty'],
    ['', 'non-empty'],
    [3, 'non-empty'],
    [['a'], 'non-empty'],
    [Object('a'), 'non-empty'],
    ['\ud83d', 'surrogate'],
    ['a\ude42\ud83d', 'surrogate'],
    ['\ude42', 'surrogate'],
    ['a\ud83db', 'surrogate'],
    ['a\0b', 'NUL'],
  ])('rejects %j', (name, reason) => {
    expect(() => parseName(name, 'tensors[0].name')).toThrow(
      expect.objectContaining({
        code: 'INVALID_NAME',
        message: expect.stringMatching(new RegExp(`${reason}.*tensors\\[0\\]\\.name`)),
      }),
    );
  });
});
