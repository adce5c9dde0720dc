/**
 * The parts of a zip file (APPNOTE.TXT 6.3.10) whose entries are stored as they are: no compression, sizes known before.
 * Equal entries give equal bytes: all have the first moment that the format can express as their time.
 */

/** What an entry's headers say beside its checksum. */
export interface ZipEntry {
  /** UTF-8, at most 65,535 bytes. */
  readonly name: Uint8Array;
  /** Of its data. */
  readonly bytes: number;
  /** Where its local header begins in the file. */
  readonly offset: number;
}

/** What does not fit 32 bits (16 bits for the number of entries) stands in a zip64 field, and this in its old place. */
const MAX_32 = 0xffff_ffff;
const MAX_16 = 0xffff;

const VERSION_STORED = 20;
const VERSION_ZIP64 = 45;
/** Names are UTF-8. */
const FLAG_UTF8 = 0x800;
/** Midnight of the 1st of January 1980. */
const TIME = 0;
const DATE = 0x21;
/** Made on Unix, where the attributes' upper half is the mode: a regular file, rw-r--r--. */
const UNIX = 3;
const MODE = 0o100644;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const LOCAL_EXTRA_BYTES = 20;

/** Bytes between the beginning of an entry's local header and its data. */
export function localHeaderBytes({ name, bytes }: Pick<ZipEntry, 'name' | 'bytes'>): number {
  return LOCAL_BYTES + name.length + (bytes >= MAX_32 ? LOCAL_EXTRA_BYTES : 0);
}

/** What stands before an entry's data. */
export function localHeader(entry: ZipEntry, crc: number): Uint8Array {
  const { name, bytes } = entry;
  const large = bytes >= MAX_32;
  const header = Buffer.alloc(localHeaderBytes(entry));
  let at = header.writeUInt32LE(0x04034b50);
  at = header.writeUInt16LE(large ? VERSION_ZIP64 : VERSION_STORED, at);
  at = writeCommon(header, at, entry, crc);
  at = header.writeUInt16LE(large ? LOCAL_EXTRA_BYTES : 0, at);
  header.set(name, at);
  if (large) writeExtra(header, at + name.length, [bytes, bytes]);
  return header;
}

/** An entry's line in the directory at the end of the file. */
export function centralHeader(entry: ZipEntry, crc: number): Uint8Array {
  const { name, bytes, offset } = entry;
  const large = [...(bytes >= MAX_32 ? [bytes, bytes] : []), ...(offset >= MAX_32 ? [offset] : [])];
  const extra = large.length === 0 ? 0 : 4 + 8 * large.length;
  const header = Buffer.alloc(CENTRAL_BYTES + name.length + extra);
  const version = large.length === 0 ? VERSION_STORED : VERSION_ZIP64;
  let at = header.writeUInt32LE(0x02014b50);
  at = header.writeUInt16LE((UNIX << 8) | version, at);
  at = header.writeUInt16LE(version, at);
  at = writeCommon(header, at, entry, crc);
  at = header.writeUInt16LE(extra, at);
  // No comment, first disk, no internal attributes.
  at = header.writeUInt32LE(MODE * 2 ** 16, at + 6);
  at = header.writeUInt32LE(Math.min(offset, MAX_32), at);
  header.set(name, at);
  if (large.length > 0) writeExtra(header, at + name.length, large);
  return header;
}

/**
 * What stands behind the directory.
 * @param offset where the directory begins; `bytes` its size.
 */
export function endRecords(entries: number, offset: number, bytes: number): Uint8Array {
  const large = entries >= MAX_16 || offset >= MAX_32 || bytes >= MAX_32;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(Math.min(entries, MAX_16), 8);
  end.writeUInt16LE(Math.min(entries, MAX_16), 10);
  end.writeUInt32LE(Math.min(bytes, MAX_32), 12);
  end.writeUInt32LE(Math.min(offset, MAX_32), 16);
  if (!large) return end;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE((UNIX << 8) | VERSION_ZIP64, 12);
  end64.writeUInt16LE(VERSION_ZIP64, 14);
  end64.writeBigUInt64LE(BigInt(entries), 24);
  end64.writeBigUInt64LE(BigInt(entries), 32);
  end64.writeBigUInt64LE(BigInt(bytes), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end64, locator, end]);
}

/** From the flags to the length of the name, the same in both headers. */
function writeCommon(header: Buffer, start: number, { name, bytes }: ZipEntry, crc: number): number {
  let at = header.writeUInt16LE(name.every((byte) => byte < 0x80) ? 0 : FLAG_UTF8, start);
  at = header.writeUInt16LE(0, at);
  at = header.writeUInt16LE(TIME, at);
  at = header.writeUInt16LE(DATE, at);
  at = header.writeUInt32LE(crc, at);
  at = header.writeUInt32LE(Math.min(bytes, MAX_32), at);
  at = header.writeUInt32LE(Math.min(bytes, MAX_32), at);
  return header.writeUInt16LE(name.length, at);
}

/** The zip64 field: what did not fit, in the order of the header. */
function writeExtra(header: Buffer, start: number, values: readonly number[]): void {
  let at = header.writeUInt16LE(1, start);
  at = header.writeUInt16LE(8 * values.length, at);
  for (const value of values) at = header.writeBigUInt64LE(BigInt(value), at);
}
