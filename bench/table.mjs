// What all reports are made of.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * A Markdown table whose columns also line up on a terminal: the first `texts` columns to the left, the others to the right.
 * @param {readonly string[]} headings
 * @param {readonly (readonly string[])[]} rows
 */
export function alignedTable(headings, rows, texts = 1) {
  const cells = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(1, ...cells.map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((text, k) => (k < texts ? text.padEnd(widths[k]) : text.padStart(widths[k]))).join(' | ')} |`;
  const rule = `|${widths.map((width, k) => `-${'-'.repeat(width)}${k < texts ? '-' : ':'}`).join('|')}|`;
  return [line(headings), rule, ...rows.map(line)].join('\n');
}

/** Their time over ours: the median of the turns' own ratios, of as many turns as both took part in. */
export function ratioOf(theirs, ours) {
  const turns = Math.min(theirs.length, ours.length);
  return median(Array.from({ length: turns }, (_, turn) => theirs[turn] / ours[turn]));
}
