import { describe, expect, test } from 'vitest';
import {
  centralHeader,
  endRecords,
  localHeader,
  localHeaderBytes,
} from '../../../../../src/model/checkpoint/formats/zip.js';

const name = Buffer.from('a.npy');
const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

describe('zip64 begins where 32 bits, or 16 for the number of entries, end', () => {
  test.each([
    [0, false],
    [0xffff_fffe, false],
    [0xffff_ffff, true],
    [5 * 2 ** 32, true],
  ])('an entry of %i bytes', (bytes, large) => {
    const entry = { name, bytes, offset: 7 };
    const local = buffer(localHeader(entry, 0xdeadbeef));
    expect(local.length).toBe(localHeaderBytes(entry));
    expect(local.readUInt32LE(14)).toBe(0xdeadbeef);
    expect(local.readUInt16LE(4)).toBe(large ? 45 : 20);
    expect(local.readUInt32LE(18)).toBe(large ? 0xffff_ffff : bytes);
    expect(local.readUInt16LE(28)).toBe(large ? 20 : 0);
    const central = buffer(centralHeader(entry, 0xdeadbeef));
    expect(central.readUInt16LE(30)).toBe(large ? 20 : 0);
    expect(central.readUInt32LE(42)).toBe(7);
    if (!large) return;
    const sizes = [BigInt(bytes), BigInt(bytes)];
    expect([local.readBigUInt64LE(39), local.readBigUInt64LE(47)]).toEqual(sizes);
    expect([central.readBigUInt64LE(55), central.readBigUInt64LE(63)]).toEqual(sizes);
  });

  test.each([
    [0xffff_fffe, 0],
    [0xffff_ffff, 12],
    [2 ** 40, 12],
  ])('an entry at %i', (offset, extra) => {
    const central = buffer(centralHeader({ name, bytes: 1, offset }, 0));
    expect(central.length).toBe(46 + name.length + extra);
    expect(central.readUInt32LE(42)).toBe(Math.min(offset, 0xffff_ffff));
    if (extra > 0) expect(central.readBigUInt64LE(55)).toBe(BigInt(offset));
  });

  test.each([
    [65_534, 1000, 1000, 22],
    [65_535, 1000, 1000, 98],
    [1, 0xffff_ffff, 1000, 98],
    [1, 1000, 0xffff_ffff, 98],
    [0, 0, 0, 22],
  ])('%i entries, their directory at %i of %i bytes', (entries, offset, bytes, length) => {
    const end = buffer(endRecords(entries, offset, bytes));
    expect(end.length).toBe(length);
    expect(end.readUInt16LE(length - 12)).toBe(Math.min(entries, 0xffff));
    if (length === 22) return;
    expect(end.readBigUInt64LE(32)).toBe(BigInt(entries));
    expect(end.readBigUInt64LE(48)).toBe(BigInt(offset));
    expect(end.readBigUInt64LE(64)).toBe(BigInt(offset + bytes));
  });
});

test('only names that are not ASCII are marked as UTF-8', () => {
  for (const [text, flag] of [
    ['a', 0],
    ['é', 0x800],
  ] as const) {
    const entry = { name: Buffer.from(text), bytes: 0, offset: 0 };
    expect(buffer(localHeader(entry, 0)).readUInt16LE(6)).toBe(flag);
    expect(buffer(centralHeader(entry, 0)).readUInt16LE(8)).toBe(flag);
  }
});
