import { readFileSync } from 'node:fs';

/** This package's version, from its package.json. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Version of the random streams and of every formula behind a value; a change of any value is a new version. */
export const STREAM_VERSION = 1;
