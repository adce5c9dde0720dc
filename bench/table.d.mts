export function median(values: readonly number[]): number;

export function alignedTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  texts?: number,
): string;

export function ratioOf(theirs: readonly number[], ours: readonly number[]): number;
