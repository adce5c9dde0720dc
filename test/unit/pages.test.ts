// Links, paths and names in the documentation lead to something that exists.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GAIN_ACTIVATIONS, INITIALIZER_KINDS } from '../../src/index.js';
import { filesUnder, pages, read, root } from '../helpers/pages.js';

describe('every page', () => {
  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!),
    );
    expect(named.length).toBeGreaterThan(15);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it.each(pages)('%s has links and paths that lead somewhere', (page) => {
    const text = read(page).replace(/^```.*?^```$/gms, '');
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(
      ([, title]) => `#${title!.toLowerCase().replaceAll(' ', '-')}`,
    );
    for (const [, target] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      if (target!.startsWith('#')) expect(headings).toContain(target);
      else expect(existsSync(join(root, dirname(page), target!)), `${page}: ${target}`).toBe(true);
    }
  });

  it('ARCHITECTURE.md names files and functions that exist', () => {
    const text = read('ARCHITECTURE.md');
    const folders = ['src', 'core', 'cpu', 'binding', 'cuda', 'test', 'tools', 'docs', 'examples'];
    const files = [...readdirSync(root), ...folders.flatMap(filesUnder)];
    const isFile = /[\w./-]+\.(?:ts|h|cc|cu|mjs|json|txt)\b/g;
    const names = [...text.matchAll(isFile)].map(([name]) => name).filter((name) => !name.includes('NAME'));
    expect(names.length).toBeGreaterThan(60);
    for (const name of names)
      expect(
        files.some((file) => `/${file}`.endsWith(`/${name}`)),
        name,
      ).toBe(true);

    const code = files
      .filter((name) => /^(src|core|cpu|cuda|binding)\/.*\.(ts|h|cc|cu)$/.test(name))
      .map(read)
      .join('\n');
    const functions = [...text.replace(isFile, '').matchAll(/`(?:\w+(?:\.|::))?([a-z]\w+)`/g)];
    expect(functions.length).toBeGreaterThan(15);
    for (const [, name] of functions)
      expect(code.includes(name!) || existsSync(join(root, name!)), name).toBe(true);
  });

  it('the guide to other frameworks uses names that exist', () => {
    const rows = [...read('docs/guides/other-frameworks.md').matchAll(/^\| (.*) \| (.*) \|$/gm)];
    const known = new Set<string>([...INITIALIZER_KINDS, 'gain', 'sqrt']);
    const words = new Set<string>([
      ...GAIN_ACTIVATIONS,
      'fanIn',
      'fanOut',
      'fanAvg',
      'fanGeoAvg',
      'normal',
      'truncatedNormal',
      'qr',
    ]);
    let calls = 0;
    for (const [, , ours] of rows) {
      for (const [, name] of ours!.matchAll(/(\w+)\(/g)) {
        expect(known, ours).toContain(name);
        calls++;
      }
      for (const [, word] of ours!.matchAll(/'(\w+)'/g)) expect(words, ours).toContain(word);
    }
    expect(calls).toBeGreaterThan(25);
  });
});
