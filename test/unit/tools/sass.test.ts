import { describe, expect, it } from 'vitest';
import { decode, type Instruction } from '../../../tools/cubin.mjs';
import { storeLoops } from '../../../tools/sass.mjs';

/**
 * Instructions by name, one per word: `NAME`, `STG16` (bytes stored), `BRA>label` (always), `BRA?label` (perhaps),
 * `label:` before an instruction.
 */
function program(text: string): Instruction[] {
  const words = text.trim().split(/\s+/);
  const labels = new Map<string, number>();
  const code = words.filter((word) => {
    if (!word.endsWith(':')) return true;
    labels.set(word.slice(0, -1), words.slice(0, words.indexOf(word)).filter((w) => !w.endsWith(':')).length);
    return false;
  });
  return code.map((word) => {
    const [, name, jump, label] = /^([A-Z]+)\d*([>?]?)(\w*)$/.exec(word)!;
    return {
      name: name!,
      target: jump ? labels.get(label!)! : null,
      falls: jump !== '>' && name !== 'EXIT' && name !== 'BRX',
      bytes: name === 'STG' ? Number(/\d+/.exec(word)![0]) : 0,
    };
  });
}

function summary(text: string): [number, number, boolean][] {
  return storeLoops(program(text)).map(({ total, bytes, straight }) => [total, bytes, straight]);
}

describe('storeLoops', () => {
  it('counts one turn of a loop that stores', () => {
    expect(summary('MOV a: LOP FFMA STG16 NOP BRA?a EXIT')).toEqual([[4, 16, true]]);
  });

  it('takes the innermost loop and not the ones around it', () => {
    expect(summary('t: LDG a: FFMA STG16 STG16 BRA?a MOV BRA?t EXIT')).toEqual([[4, 32, true]]);
  });

  it('leaves out loops that store nothing to global memory', () => {
    expect(summary('a: STS BRA?a b: FFMA BRA?b STG16 EXIT')).toEqual([]);
  });

  it('lists the loop of most packets first, of equals one without branches, of equals the longer one', () => {
    const loops =
      'a: STG16 BRA?a b: STG16 STG16 BRA?b c: MOV STG16 BRA?c d: STG16 BRA?e STG8 STG8 e: BRA?d EXIT';
    expect(summary(loops)).toEqual([
      [3, 32, true],
      [3, 16, true],
      [2, 16, true],
      [5, 32, false],
    ]);
  });

  it('says when a loop branches, and counts what it may execute', () => {
    expect(summary('a: BRA?skip FFMA skip: STG16 BRA?a EXIT')).toEqual([[4, 16, false]]);
    expect(summary('a: STG16 CALL BRA?a EXIT')).toEqual([[3, 16, false]]);
  });

  it('includes a block of the loop that stands behind it, and nothing else from there', () => {
    expect(summary('a: BRA?slow back: STG16 BRA?a EXIT slow: FFMA FFMA BRA>back MOV')).toEqual([
      [6, 16, false],
    ]);
  });

  it('is not misled by a jump back into straight code', () => {
    expect(summary('BRA?slow back: STG16 EXIT slow: FFMA BRA>back')).toEqual([]);
  });

  it('finds loops behind a jump table and in functions', () => {
    expect(summary('CALL BRX a: STG16 BRA?a EXIT f: FFMA g: FFMA STG4 BRA?g RET')).toEqual([
      [2, 16, true],
      [3, 4, true],
    ]);
  });

  it('counts accesses to local memory', () => {
    expect(storeLoops(program('STL a: LDL FFMA STG16 STL BRA?a LDL EXIT')).map(({ local }) => local)).toEqual(
      [2],
    );
  });
});

/** Words as nvcc 13.0 makes them, low half first; nvdisasm says what they are. */
describe('decode', () => {
  it.each<[number, string, [bigint, bigint], number, Partial<Instruction>]>([
    [90, '@P0 BRA 0x780', [0x0000000400c80947n, 0x000fea0003800000n], 0x05, { target: 0x78, falls: true }],
    [90, '@!P1 BRA 0x450', [0xfffffffc004c9947n, 0x000fea000383ffffn], 0x4a, { target: 0x1e, falls: true }],
    [80, '@P1 BRA 0x3c0', [0x0000029000001947n, 0x000fea0003800000n], 0x12, { target: 0x3c, falls: true }],
    [90, '@P0 EXIT', [0x000000000000094dn, 0x000fea0003800000n], 3, { name: 'EXIT', falls: true }],
    [90, 'EXIT', [0x000000000000794dn, 0x000fea0003800000n], 3, { name: 'EXIT', falls: false }],
    [90, 'BRX R6 -0xcc0', [0xfffffff006d07949n, 0x000fea000383ffffn], 3, { name: 'BRX', falls: false }],
    [90, 'STL [R1+0x8], R0', [0x0000080001007387n, 0x000fe20000100800n], 3, { name: 'STL', bytes: 0 }],
    [90, '@!P1 ST.E.U16', [0x0000000316009985n, 0x0001e8000c101508n], 3, { name: 'ST', bytes: 2 }],
  ])('sm_%i: %s', (architecture, _text, [low, high], index, expected) => {
    const code = Buffer.alloc((index + 1) * 16);
    code.writeBigUInt64LE(low, index * 16);
    code.writeBigUInt64LE(high, index * 16 + 8);
    expect(decode(code, architecture)[index]).toMatchObject(expected);
  });
});
