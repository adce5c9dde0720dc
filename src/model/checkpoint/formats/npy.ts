import { join } from 'node:path';
import { type AtomicWriter, writeAtomically } from '../../../atomic-file.js';
import { attempt } from '../../../io-errors.js';
import type { StoredPlanTensor } from '../../plan/stored-tensors.js';
import { holds } from '../inspect.js';
import { forEachLimited } from '../limited.js';
import { RangeFiller, streamTensors } from '../pipeline.js';
import { opsOf, prepareDirectory } from './directory.js';
import { checkFileNames } from './names.js';
import { checkArray, npyHeader } from './npy-header.js';
import type { FormatWriter, WriteJob } from './types.js';

/**
 * A directory with one file NAME.npy for each tensor, as `numpy.save` writes it. An interrupted run leaves complete files of
 * some tensors; the next one writes all of them again, if they are what it would write: those of another seed are another
 * model's.
 */
export const npy: FormatWriter = {
  name: 'npy',
  directory: true,

  check({ tensors }) {
    for (const tensor of tensors) checkArray(tensor);
    checkFileNames(tensors);
  },

  async write(job) {
    const { tensors, path, concurrency = 1 } = job;
    npy.check(job);
    const files = tensors.map((tensor): NpyFile => {
      const header = npyHeader(tensor);
      return { tensor, header, file: `${tensor.name}.npy`, bytes: header.length + tensor.bytes };
    });
    await prepareDirectory(
      job,
      files,
      (name) => name.endsWith('.npy'),
      (file) => isOfThisRun(file, job),
    );
    const total = new Total(job.onWritten);
    await forEachLimited(files, concurrency, job.signal, async ({ tensor, header, file, bytes }, signal) => {
      const options = { signal, ops: opsOf(job), sweep: false };
      const produce = async (output: AtomicWriter): Promise<void> => {
        await output.write(header, 0);
        const placed = [{ tensor, begin: 0, end: tensor.bytes }];
        const onWritten = total.ofOne();
        await streamTensors(placed, output, header.length, { ...job, signal, onWritten });
      };
      await writeAtomically(join(path, file), bytes, produce, options);
    });
    return files.map(({ file, bytes }) => ({ file, bytes }));
  },
};

/** One file, as it is to be. */
interface NpyFile {
  readonly tensor: StoredPlanTensor;
  readonly header: Uint8Array;
  readonly file: string;
  readonly bytes: number;
}

/** So much of a tensor is computed to tell whose file it is. */
const LOOKED_AT = 16_384;

/** Whether a file begins with the bytes that it is to have, and has their number. */
async function isOfThisRun({ tensor, header, file: name, bytes }: NpyFile, job: WriteJob): Promise<boolean> {
  const path = join(job.path, name);
  const ops = opsOf(job);
  const file = await attempt('read', path, () => ops.openRead(path));
  if (file === null) return false;
  try {
    if (file.size !== bytes) return false;
    const filler = new RangeFiller([{ tensor, begin: 0, end: tensor.bytes }], job);
    const data = new ArrayBuffer(Math.min(tensor.bytes, LOOKED_AT));
    await filler.fill(data, 0, data.byteLength);
    return (
      (await holds(file, path, header, 0)) && (await holds(file, path, new Uint8Array(data), header.length))
    );
  } finally {
    await file.close();
  }
}

/** Adds up what several files report. */
class Total {
  private readonly report: WriteJob['onWritten'];
  private bytes = 0;

  constructor(report: WriteJob['onWritten']) {
    this.report = report;
  }

  /** What one file reports to. */
  ofOne(): (written: number) => void {
    let before = 0;
    return (written) => {
      this.bytes += written - before;
      before = written;
      this.report?.(this.bytes);
    };
  }
}
