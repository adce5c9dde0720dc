// Reads safetensors files: one path per line in, one JSON object per line out. For test_reader.py.
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { SafetensorsReader } from '../../dist/safetensors/read.js';

for await (const path of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await read(path))}\n`);
}

/** Everything that a file holds, or why it is refused. */
async function read(path) {
  let reader;
  try {
    reader = await SafetensorsReader.open(path);
  } catch (error) {
    return { code: error.code ?? String(error), message: error.message };
  }
  try {
    const tensors = [];
    for (const entry of reader.tensors) {
      const hash = createHash('sha256');
      for await (const piece of reader.chunks(entry, Buffer.alloc(64))) hash.update(piece);
      tensors.push([entry.name, entry.dtype.name, entry.shape, hash.digest('hex')]);
    }
    return { tensors, metadata: [...reader.metadata] };
  } finally {
    await reader.close();
  }
}
