import { join } from 'node:path';
import { type AtomicWriter, writeAtomically } from '../../../atomic-file.js';
import { forEachLimited } from '../limited.js';
import { streamTensors } from '../pipeline.js';
import { opsOf, prepareDirectory } from './directory.js';
import { checkFileNames } from './names.js';
import { checkArray, npyHeader } from './npy-header.js';
import type { FormatWriter, WriteJob } from './types.js';

/**
 * A directory with one file NAME.npy for each tensor, as `numpy.save` writes it. An interrupted run leaves complete files of
 * some tensors; the next one writes all of them again.
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
    const files = tensors.map((tensor) => {
      const header = npyHeader(tensor);
      return { tensor, header, file: `${tensor.name}.npy`, bytes: header.length + tensor.bytes };
    });
    await prepareDirectory(job, files, (name) => name.endsWith('.npy'));
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
