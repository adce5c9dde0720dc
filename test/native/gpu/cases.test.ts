import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { makeCases } from './cases.js';

const FILES = {
  laws: new URL('cases/laws.txt', import.meta.url),
  tables: new URL('cases/tables.bin', import.meta.url),
};

it('cases/ is what the laws give', () => {
  const { laws, tables } = makeCases();
  if (process.env['ISOMETRY_UPDATE_CASES'] === '1') {
    mkdirSync(new URL('cases/', import.meta.url), { recursive: true });
    writeFileSync(FILES.laws, laws);
    writeFileSync(FILES.tables, tables);
  }
  expect(readFileSync(FILES.laws, 'utf8')).toBe(laws);
  // Not as arguments of expect: a difference would print 200 KB.
  const same = readFileSync(FILES.tables).equals(tables);
  expect(same, 'tables.bin differs; see the first line of laws.txt').toBe(true);
});

it('covers every primitive in every dtype that has it', () => {
  const { laws, left } = makeCases();
  for (const kind of ['constant', 'uniform', 'quantile']) {
    for (const dtype of ['float64', 'float32', 'float16', 'bfloat16'])
      expect(laws).toContain(`${dtype} | ${kind} |`);
  }
  for (const kind of ['normal', 'truncatedNormal']) {
    for (const dtype of ['float32', 'float16', 'bfloat16']) expect(laws).toContain(`${dtype} | ${kind} |`);
  }
  expect(left.length).toBeLessThan(8); // laws of tables that are not kept
});
