import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatSeconds,
  groupDigits,
  Output,
  printable,
  TableStream,
  table,
} from '../../../src/cli/output.js';

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [124439808, '124,439,808'],
])('groupDigits(%i)', (count, text) => expect(groupDigits(count)).toBe(text));

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [497_759_232, '498 MB'],
  [2 ** 53, '9.01 PB'],
  [1e19, '1.00e+4 PB'],
])('formatBytes(%d)', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0.0421, '0.042 s'],
  [1.26, '1.3 s'],
  [9.96, '10 s'],
  [59.6, '1 min 00 s'],
  [65, '1 min 05 s'],
  [3600, '1 h 00 min'],
  [7380, '2 h 03 min'],
  [Number.POSITIVE_INFINITY, '?'],
])('formatSeconds(%d)', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test('printable escapes what would act on a terminal and nothing else', () => {
  expect(printable('encoder.0/wéight 😀')).toBe('encoder.0/wéight 😀');
  expect(printable('a\u001b[2Jb\nc\u202ed\u0085')).toBe('a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{85}');
});

test('table lines columns up', () => {
  expect(
    table(
      [
        ['name', 'n'],
        ['a', '10'],
        ['long name', '3'],
      ],
      new Set([1]),
    ),
  ).toEqual(['name        n', 'a          10', 'long name   3']);
});

test('table lets a very long cell stick out instead of widening every row', () => {
  const lines = table(
    [
      ['name', 'n'],
      ['x'.repeat(1e6), '1'],
      ['a', '2'],
    ],
    new Set([1]),
  );
  expect(lines.map((line) => line.length)).toEqual([103, 1e6 + 3, 103]);
});

describe('Output', () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WriteStream;

  test('writes either text or JSON, numbers that JSON has not as null', () => {
    for (const json of [false, true]) {
      const output = new Output(json, stream);
      output.text('text');
      output.record('thing', { value: Number.NaN, name: 'a\nb' });
    }
    expect(lines).toEqual(['text\n', '{"type":"thing","value":null,"name":"a\\nb"}\n']);
  });
});

test('TableStream: rows come as soon as the widths are known, later ones stick out', () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WriteStream;
  const short = new TableStream(new Output(false, stream), ['name', 'n'], new Set([1]));
  short.row(['long name', '10']);
  expect(lines).toEqual([]);
  short.end();
  expect(lines.splice(0)).toEqual(['name        n\n', 'long name  10\n']);

  const long = new TableStream(new Output(false, stream), ['name', 'n'], new Set([1]));
  for (let row = 0; row < 1000; row++) long.row(['ab', '10']);
  expect(lines).toHaveLength(1001);
  long.row(['longer', '100']);
  long.end();
  expect(lines.slice(-2)).toEqual(['ab    10\n', 'longer  100\n']);
});

test('ready waits for a slow reader, but not for one that has gone', async () => {
  const pending: (() => void)[] = [];
  const slow = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => void pending.push(done),
  });
  const output = new Output(false, slow as unknown as NodeJS.WriteStream);
  await output.ready();
  output.text('a line');
  let ready = false;
  const waiting = output.ready().then(() => {
    ready = true;
  });
  await new Promise(setImmediate);
  expect(ready).toBe(false);
  pending.shift()!();
  await waiting;

  output.text('another');
  slow.on('error', () => {});
  const gone = output.ready();
  slow.destroy(new Error('EPIPE'));
  await gone;
  expect(slow.listenerCount('drain')).toBe(0);
});
