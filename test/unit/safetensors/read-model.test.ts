import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelEntry, ModelReader } from '../../../src/safetensors/read-model.js';
import { type TestTensor, writeSafetensors, writeSharded } from '../../helpers/safetensors.js';

let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'isometry-model-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const fresh = (): string => join(root, `${count++}`);
const u8 = (name: string, ...values: number[]): TestTensor => ({
  name,
  dtype: 'U8',
  shape: [values.length],
  data: Uint8Array.from(values),
});
const INDEX = 'model.safetensors.index.json';
const shard = (number: number, of: number): string => `model-0000${number}-of-0000${of}.safetensors`;

/** Two shards, a and b in the first. */
function twoShards(): string {
  const directory = fresh();
  writeSharded(directory, [[u8('a', 1, 2), u8('b', 3)], [u8('c', 4, 5, 6)]], { format: 'pt' });
  return directory;
}

interface Index {
  metadata?: { total_size?: number };
  weight_map: Record<string, unknown>;
}

function editIndex(directory: string, edit: (index: Index) => void): void {
  const path = join(directory, INDEX);
  const index = JSON.parse(readFileSync(path, 'utf8'));
  edit(index);
  writeFileSync(path, JSON.stringify(index));
}

async function bytesOf(model: ModelReader, tensor: ModelEntry): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of model.chunks(tensor, new Uint8Array(8))) bytes.push(...piece);
  return bytes;
}

async function refused(path: string, reason: RegExp, code = 'FORMAT_ERROR'): Promise<void> {
  await expect(ModelReader.open(path)).rejects.toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(reason) }),
  );
}

describe('what is opened', () => {
  test('a directory with an index, the index itself, a single file, a directory with one', async () => {
    const directory = twoShards();
    for (const path of [directory, `${directory}/`, join(directory, INDEX)]) {
      const model = await ModelReader.open(path);
      expect(model.path).toBe(join(directory, INDEX));
      expect(model.tensors.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
      expect(model.files.map(({ path: file, tensors }) => [file, tensors])).toEqual([
        [join(directory, shard(1, 2)), 2],
        [join(directory, shard(2, 2)), 1],
      ]);
      expect(await Promise.all(model.tensors.map((tensor) => bytesOf(model, tensor)))).toEqual([
        [1, 2],
        [3],
        [4, 5, 6],
      ]);
      expect(model.notes).toEqual([]);
      await model.close();
    }
    const single = fresh();
    mkdirSync(single);
    copyFileSync(join(directory, shard(2, 2)), join(single, 'model.safetensors'));
    for (const path of [single, join(single, 'model.safetensors')]) {
      const model = await ModelReader.open(path);
      expect(model.tensors.map(({ name, file }) => [name, file])).toEqual([
        ['c', join(single, 'model.safetensors')],
      ]);
      expect(model.size).toBe(readFileSync(model.path).length);
      await model.close();
    }
  });

  test('entries have the bytes of the file itself', async () => {
    const model = await ModelReader.open(twoShards());
    for (const tensor of model.tensors) {
      const whole = readFileSync(tensor.file).subarray(tensor.begin, tensor.end);
      expect(await bytesOf(model, tensor)).toEqual([...whole]);
    }
    const [a] = model.tensors;
    expect(await bytesOf(model, { ...a!, begin: a!.begin + 1 })).toEqual([2]);
    await model.close();
  });

  test('an index and shards of another name; what all metadata have in common', async () => {
    const directory = fresh();
    mkdirSync(directory);
    writeSafetensors(join(directory, 'x.safetensors'), [u8('a', 1)], { format: 'pt', k: '1', x: '' });
    writeSafetensors(join(directory, 'y.safetensors'), [u8('b', 1)], { format: 'pt', k: '2' });
    const map = { b: 'y.safetensors', a: 'x.safetensors' };
    const index = join(directory, 'diffusion.safetensors.index.json');
    writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: map }));
    const model = await ModelReader.open(directory);
    expect(model.path).toBe(index);
    expect([...model.metadata]).toEqual([['format', 'pt']]);
    expect(model.files.map(({ metadata }) => metadata.get('k'))).toEqual(['1', '2']);
    await model.close();
  });

  test('links, as caches have them, lead to files; the index names are those beside the link', async () => {
    const [blobs, snapshot] = [twoShards(), fresh()];
    mkdirSync(snapshot);
    for (const [number, name] of readdirSync(blobs).entries()) {
      renameSync(join(blobs, name), join(blobs, `blob${number}`));
      symlinkSync(join(blobs, `blob${number}`), join(snapshot, name));
    }
    const model = await ModelReader.open(snapshot);
    expect(await bytesOf(model, model.tensors[2]!)).toEqual([4, 5, 6]);
    await model.close();
  });

  test('what is no model', async () => {
    const empty = fresh();
    mkdirSync(empty);
    await refused(empty, /it has no safetensors file/);
    await refused(join(empty, 'none'), /ENOENT/, 'IO_ERROR');
    await refused('', /the path of a file or directory/, 'INVALID_ARGUMENT');
    await refused('a\0b', /the path of a file or directory/, 'INVALID_ARGUMENT');
    await expect(ModelReader.open(3 as never)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    const unfinished = twoShards();
    rmSync(join(unfinished, INDEX));
    await refused(unfinished, /2 safetensors files and no index: "model-00001-of-00002.safetensors"/);
    const both = twoShards();
    writeSafetensors(join(both, 'model.safetensors'), [u8('a', 1)]);
    await refused(both, /both "model.safetensors" and "model.safetensors.index.json"/);
    const indexes = twoShards();
    copyFileSync(join(indexes, INDEX), join(indexes, 'other.safetensors.index.json'));
    await refused(indexes, /several indexes/);
  });
});

describe('an index against its shards', () => {
  test('a missing shard is named', async () => {
    const directory = twoShards();
    rmSync(join(directory, shard(2, 2)));
    await refused(directory, /1 of its 2 files are missing: "model-00002-of-00002.safetensors"/);
  });

  test('a broken shard is named', async () => {
    const directory = twoShards();
    const path = join(directory, shard(2, 2));
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    await refused(directory, /model-00002-of-00002.safetensors, but its tensors take 3 bytes, but 2 follow/);
  });

  test.each<[string, (map: Record<string, unknown>) => void, RegExp]>([
    ['in another shard', (map) => Object.assign(map, { a: map['c'] }), /"a" is in "model-00001.*has it in/],
    ['in no shard', (map) => Object.assign(map, { d: map['c'] }), /1 of its tensors are in no file: "d"/],
    ['of no index', (map) => delete map['b'], /"b" is in "model-00001.*the index does not have it/],
    [
      'called __proto__',
      (map) => Object.defineProperty(map, '__proto__', { value: map['c'], enumerable: true }),
      /in no file: "__proto__"/,
    ],
  ])('a tensor %s', async (_, edit, reason) => {
    const directory = twoShards();
    editIndex(directory, ({ weight_map: map }) => edit(map));
    await refused(directory, reason);
  });

  test('a tensor in two shards', async () => {
    const directory = twoShards();
    writeSafetensors(join(directory, shard(2, 2)), [u8('c', 4, 5, 6), u8('a', 1, 2)]);
    await refused(directory, /"a" is in "model-00002-of-00002.safetensors", and the index has it in/);
  });

  test('total_size is right, or not there', async () => {
    const directory = twoShards();
    editIndex(directory, (index) => Object.assign(index.metadata!, { total_size: 7 }));
    await refused(directory, /total_size is 7 where its tensors take 6 bytes/);
    editIndex(directory, (index) => delete index.metadata!.total_size);
    await (await ModelReader.open(directory)).close();
  });

  test('no metadata is a note', async () => {
    const directory = twoShards();
    editIndex(directory, (index) => delete index.metadata);
    const model = await ModelReader.open(directory);
    expect(model.notes).toEqual([expect.stringMatching(/no metadata.*KeyError/)]);
    await model.close();
  });
});

describe('files that change', () => {
  test('a shard that was replaced since is found out, and another one is still read', async () => {
    const directory = twoShards();
    const model = await ModelReader.open(directory);
    const [a, , c] = model.tensors;
    const other = fresh();
    writeSafetensors(other, [u8('c', 7, 8, 9)], { format: 'pt' });
    renameSync(other, join(directory, shard(2, 2)));
    await expect(bytesOf(model, c!)).rejects.toThrow(
      expect.objectContaining({ code: 'FORMAT_ERROR', message: expect.stringMatching(/was replaced while/) }),
    );
    await expect(bytesOf(model, c!)).rejects.toThrow(/was replaced/);
    expect(await bytesOf(model, a!)).toEqual([1, 2]);
    await model.close();
  });

  test.runIf(process.platform === 'linux')(
    'many shards take few descriptors, and none after closing',
    async () => {
      const directory = fresh();
      writeSharded(
        directory,
        Array.from({ length: 40 }, (_, index) => [u8(`t${index}`, index)]),
      );
      const descriptors = (): number => readdirSync('/proc/self/fd').length;
      const before = descriptors();
      const model = await ModelReader.open(directory);
      expect(descriptors()).toBe(before);
      for (const round of [0, 1]) {
        for (const [index, tensor] of model.tensors.entries()) {
          expect([round, await bytesOf(model, tensor)]).toEqual([round, [Number(tensor.name.slice(1))]]);
          expect(index).toBeLessThan(40);
        }
      }
      expect(descriptors() - before).toBeLessThanOrEqual(8);
      const all = await Promise.all(model.tensors.map((tensor) => bytesOf(model, tensor)));
      expect(all.flat()).toEqual(model.tensors.map(({ name }) => Number(name.slice(1))));
      const abandoned = model.chunks(model.tensors[0]!, new Uint8Array(8));
      await abandoned.next();
      await model.close();
      await abandoned.return(undefined);
      expect(descriptors()).toBe(before);
    },
  );
});
