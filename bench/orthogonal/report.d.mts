import type { Case, Goal } from './cases.mjs';

export type Measured =
  | { readonly milliseconds: readonly number[]; readonly error?: number }
  | { readonly reason: string };

export interface Row {
  readonly name: string;
  readonly reason?: string;
  readonly median?: number;
  readonly min?: number;
  readonly max?: number;
  readonly turns?: number;
  readonly gigaflops?: number;
  readonly error?: number;
  readonly ratio?: number;
  readonly goal?: Goal;
  readonly verdict?: string;
}

export function verdictOf(value: number, goal: Goal): string;
export function titleOf(testCase: Case): string;
export function rowsOf(testCase: Case, measured: ReadonlyMap<string, Measured>): Row[];
export function tableOf(testCase: Case, rows: readonly Row[]): string;
export function memoryTable(
  measured: readonly {
    readonly shape: readonly number[];
    readonly dtype: string;
    readonly backend: string;
    readonly output: number;
    readonly peak: number;
  }[],
): string;
export function goalsOf(results: readonly { testCase: Case; rows: readonly Row[] }[]): string;
