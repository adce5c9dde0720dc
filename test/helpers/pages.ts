// The pages of the documentation, as the tests that keep them true read them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The files under a folder of the repository, as paths from its root. */
export function filesUnder(folder: string): string[] {
  return (readdirSync(join(root, folder), { recursive: true }) as string[]).map((name) => join(folder, name));
}

/** Every page, as a path from the root. Generated API pages are not written by hand. */
export const pages: readonly string[] = [
  ...readdirSync(root),
  ...filesUnder('docs'),
  ...filesUnder('examples'),
].filter((name) => name.endsWith('.md') && !name.startsWith('docs/api/'));

/** A fenced block of code. */
export interface Block {
  readonly page: string;
  readonly language: string;
  readonly code: string;
}

/** Every fenced block of every page. */
export const blocks: readonly Block[] = pages.flatMap((page) =>
  [...read(page).matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({
    page,
    language: language!,
    code: code!,
  })),
);

/** The rows of the first table under a heading, as cells. */
export function tableAfter(text: string, heading: string): string[][] {
  const lines = text.split(`\n${heading}\n`)[1]!.split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rest = lines.slice(first);
  const rows = rest.slice(
    2,
    rest.findIndex((line) => !line.startsWith('|')),
  );
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}
