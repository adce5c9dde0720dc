// Size and SHA-256 of an addon file. The loader compares them before it opens the file, because the system's loader
// kills the process (SIGBUS) on a truncated library instead of reporting an error.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** @returns {{ size: number, sha256: string }} */
export function describeFile(path) {
  const bytes = readFileSync(path);
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Written whole or not at all: a loader may be reading the old one. */
export function writeJson(path, value) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, path);
}
