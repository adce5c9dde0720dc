// The laws of test/parity/laws.ts as files that the GPU suite reads, because what lowers a law is TypeScript and the
// suite runs where there is no Node: cases/laws.txt, a line of numbers per law and dtype, and cases/tables.bin, the
// quantile tables that they name.
import type { Primitive } from '../../../src/job.js';
import { quantileTable } from '../../../src/quantile/table.js';
import { CASES, type Case } from '../../parity/laws.js';

/** Windows in sigmas whose tables are kept: 48 KiB each, so not all. Cases of other tables are left out. */
const WINDOWS: readonly (readonly [number, number])[] = [
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [-2, 2],
  [8, 9],
  [0.1, 0.3],
];

const NUMBERS = ['value', 'low', 'range', 'mean', 'std', 'base', 'count', 'min', 'max'] as const;

const HEADER = `# Made by test/native/gpu/cases.ts from test/parity/laws.ts (ISOMETRY_UPDATE_CASES=1 npx vitest run test/native/gpu).
# name | dtype | kind | ${NUMBERS.join(' | ')} | table of tables.bin, -1 without one
`;

/** The two files. */
export function makeCases(): { readonly laws: string; readonly tables: Buffer; readonly left: string[] } {
  const tables = WINDOWS.map(([lower, upper]) => quantileTable(lower, upper));
  const lines: string[] = [];
  const left: string[] = [];
  for (const test of CASES) {
    const table = test.primitive.kind === 'quantile' ? tables.indexOf(test.primitive.table) : -1;
    if (test.primitive.kind === 'quantile' && table < 0) left.push(test.name);
    else lines.push(lineOf(test, table));
  }
  return {
    laws: `${HEADER}${lines.join('\n')}\n`,
    tables: Buffer.concat(
      tables.map((table) => Buffer.from(table.buffer, table.byteOffset, table.byteLength)),
    ),
    left,
  };
}

function lineOf({ name, dtype, primitive }: Case, table: number): string {
  const numbers = NUMBERS.map((key) => exact((primitive as Primitive & Record<string, number>)[key] ?? 0));
  return [name, dtype, primitive.kind, ...numbers, table].join(' | ');
}

/** A text that reads back as the same number, in C too. */
function exact(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
