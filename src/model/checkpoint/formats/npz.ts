import { basename } from 'node:path';
import { crc32 } from 'node:zlib';
import { type AtomicWriter, writeAtomically } from '../../../atomic-file.js';
import type { StoredPlanTensor } from '../../plan/stored-tensors.js';
import { streamTensors } from '../pipeline.js';
import { opsOf } from './directory.js';
import { checkEntryNames } from './names.js';
import { checkArray, npyHeader } from './npy-header.js';
import type { FormatWriter, WriteJob } from './types.js';
import { centralHeader, endRecords, localHeader, localHeaderBytes, type ZipEntry } from './zip.js';

/** One array in the file. */
interface ArrayEntry extends ZipEntry {
  readonly tensor: StoredPlanTensor;
  /** What is before the elements. */
  readonly header: Uint8Array;
}

/**
 * One zip file with an entry NAME.npy for each tensor, not compressed, as `numpy.savez` makes it and `numpy.load` reads it.
 * Beyond 4 GiB or 65,535 entries it is a zip64 file. Equal tensors give equal bytes.
 */
export const npz: FormatWriter = {
  name: 'npz',
  directory: false,

  check({ tensors }) {
    for (const tensor of tensors) checkArray(tensor);
    checkEntryNames(tensors);
  },

  async write(job) {
    npz.check(job);
    const entries = layOut(job.tensors);
    const last = entries.at(-1);
    const directoryAt = last === undefined ? 0 : last.offset + localHeaderBytes(last) + last.bytes;
    const directoryBytes = entries.reduce((total, entry) => total + centralHeader(entry, 0).length, 0);
    const end = endRecords(entries.length, directoryAt, directoryBytes);
    const bytes = directoryAt + directoryBytes + end.length;
    await writeAtomically(
      job.path,
      bytes,
      async (file) => {
        const directory = Buffer.alloc(directoryBytes + end.length);
        let at = 0;
        let before = 0;
        for (const entry of entries) {
          const crc = await writeEntry(entry, file, job, before);
          before += entry.tensor.bytes;
          const line = centralHeader(entry, crc);
          directory.set(line, at);
          at += line.length;
        }
        directory.set(end, at);
        await file.write(directory, directoryAt);
      },
      { signal: job.signal, ops: opsOf(job) },
    );
    return [{ file: basename(job.path), bytes }];
  },
};

function layOut(tensors: readonly StoredPlanTensor[]): readonly ArrayEntry[] {
  let offset = 0;
  return tensors.map((tensor) => {
    const header = npyHeader(tensor);
    const name = Buffer.from(`${tensor.name}.npy`, 'utf8');
    const entry = { tensor, header, name, bytes: header.length + tensor.bytes, offset };
    offset += localHeaderBytes(entry) + entry.bytes;
    return entry;
  });
}

/** Writes the data, and then, as only now the checksum is known, what stands before it. Returns the checksum. */
async function writeEntry(
  { tensor, header, ...entry }: ArrayEntry,
  file: AtomicWriter,
  job: WriteJob,
  before: number,
): Promise<number> {
  let crc = crc32(header);
  const counted: AtomicWriter = {
    // Called in the order of the data.
    write(data, position) {
      crc = crc32(data, crc);
      return file.write(data, position);
    },
  };
  const dataAt = entry.offset + localHeaderBytes(entry) + header.length;
  await streamTensors([{ tensor, begin: 0, end: tensor.bytes }], counted, dataAt, {
    ...job,
    onWritten: (done) => job.onWritten?.(before + done),
  });
  await file.write(Buffer.concat([localHeader(entry, crc), header]), entry.offset);
  return crc;
}
