import { MAX_HEADER_BYTES } from './header.js';
import { formatError, type Header, parseHeader, type TensorEntry } from './parse-header.js';
import { type FileIdentity, StableFile } from './stable-file.js';

export { type Header, MAX_TENSORS, parseHeader, type TensorEntry } from './parse-header.js';

/** An open safetensors file whose header has been checked. Close it when done. */
export class SafetensorsReader implements Header {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly TensorEntry[];
  /** Size of the file in bytes. */
  readonly size: number;
  /** Where the data section begins, in bytes from the file's beginning. */
  readonly dataStart: number;
  private readonly file: StableFile;

  private constructor(file: StableFile, dataStart: number, header: Header) {
    this.path = file.path;
    this.size = file.size;
    this.file = file;
    this.dataStart = dataStart;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
  }

  /**
   * Opens a file and checks its header; reads no tensor data. Memory is proportional to the header.
   * @throws (rejects with) IsometryError `IO_ERROR` when it cannot be read, `FORMAT_ERROR` when it is not a safetensors file.
   */
  static async open(path: string): Promise<SafetensorsReader> {
    const file = await StableFile.open(path);
    try {
      const { size } = file;
      if (size < 8) throw formatError(path, `it has ${size} bytes, fewer than the 8 of the header's length`);
      const prefix = Buffer.alloc(8);
      await file.read(prefix, 0);
      const length = prefix.readBigUInt64LE(0);
      const limit = Math.min(MAX_HEADER_BYTES, size - 8);
      if (length > BigInt(limit)) {
        throw formatError(path, `its header claims ${length} bytes where at most ${limit} are possible`);
      }
      const header = Buffer.alloc(Number(length));
      await file.read(header, 8);
      const dataStart = 8 + header.length;
      const parsed = parseHeader(header, size - dataStart, path);
      await file.assertUnchanged();
      return new SafetensorsReader(file, dataStart, parsed);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** What tells whether the file is still the same one. */
  get identity(): FileIdentity {
    return this.file.identity;
  }

  /**
   * The bytes of one tensor, or of a part of one with another `begin` and `end`, in pieces of at most `buffer.length`, which
   * must be a multiple of 8. Each piece is a view of `buffer`, good until the next one is asked for.
   * @throws (rejects with) IsometryError `FORMAT_ERROR` when the file has become shorter or has changed, `IO_ERROR` when
   * reading fails.
   */
  chunks({ begin, end }: Pick<TensorEntry, 'begin' | 'end'>, buffer: Uint8Array): AsyncGenerator<Uint8Array> {
    return this.file.pieces(this.dataStart + begin, this.dataStart + end, buffer);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.file.close();
  }
}
