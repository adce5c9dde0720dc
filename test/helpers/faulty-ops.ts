import { type FileOps, nodeFileOps, type OpenFile } from '../../src/file-ops.js';

/** Runs before every operation, with its name; throws, or does anything else, to make it fail. */
export type Before = (operation: string) => void | Promise<void>;

/** The real file system with a hook before each operation, and optionally writes that take few bytes. */
export function hookedOps(before: Before, longestWrite: number = Number.POSITIVE_INFINITY): FileOps {
  const hook = <A extends unknown[], R>(name: string, operation: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      await before(name);
      return operation(...args);
    };
  };
  return {
    inspect: hook('inspect', nodeFileOps.inspect),
    freeBytes: hook('freeBytes', nodeFileOps.freeBytes),
    openRead: hook('openRead', nodeFileOps.openRead),
    link: hook('link', nodeFileOps.link),
    makeDirectory: hook('makeDirectory', nodeFileOps.makeDirectory),
    rename: hook('rename', nodeFileOps.rename),
    unlink: nodeFileOps.unlink,
    list: hook('list', nodeFileOps.list),
    syncDirectory: hook('syncDirectory', nodeFileOps.syncDirectory),
    create: hook('create', async (path: string): Promise<OpenFile> => {
      const file = await nodeFileOps.create(path);
      return {
        write: hook('write', (data: Uint8Array, at: number) =>
          file.write(data.subarray(0, longestWrite), at),
        ),
        // For the writers a write like any other; it has no length that could be cut.
        ...(longestWrite === Number.POSITIVE_INFINITY ? { writeBy: hook('write', file.writeBy!) } : {}),
        truncate: hook('truncate', file.truncate),
        chmod: hook('chmod', file.chmod),
        sync: hook('sync', file.sync),
        // A close that fails still frees the descriptor, as close(2) does.
        async close() {
          await file.close();
          await before('close');
        },
      };
    }),
  };
}

/** An error as the file system reports it. */
export function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code });
}
