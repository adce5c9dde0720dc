// The generated tables are what their generators make: C++ and TypeScript cannot drift apart.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { NORMAL_DEGREE, NORMAL_ROWS, NORMAL_TABLE } from '../../src/js/normal-table.js';

it.each(['generate-normal-table.mjs', 'generate-mills-table.mjs', 'generate-plan-validator.mjs'])(
  'tools/%s --check',
  (tool) => {
    const path = fileURLToPath(new URL(`../../tools/${tool}`, import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [path, '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  },
);

it('the C++ header holds the numbers of the TypeScript module', () => {
  const header = readFileSync(new URL('../../core/normal_table.h', import.meta.url), 'utf8');
  const numbers = [...header.matchAll(/(-?)0x([01])(?:\.([0-9a-f]+))?p([+-]\d+)f/g)].map(
    ([, sign, whole, digits = '', exponent]) =>
      (sign === '-' ? -1 : 1) *
      (Number(whole) + Number.parseInt(digits || '0', 16) / 16 ** digits.length) *
      2 ** Number(exponent),
  );
  expect(numbers.length).toBe((NORMAL_DEGREE + 1) * NORMAL_ROWS);
  expect(numbers).toEqual(NORMAL_TABLE.flatMap((row) => [...row]));
});
