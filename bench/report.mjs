// From repetitions to a table: medians, spreads, and ratios of turns that ran one after the other.
import { alignedTable, median, ratioOf } from './table.mjs';

/** Bytes of one element. */
const BYTES = { float64: 8, float32: 4, bfloat16: 2 };

/**
 * One case's rows.
 * @param {object} testCase of cases.mjs
 * @param {Map<string, number[]>} turns milliseconds by contender, turn by turn; the first contender is ours
 */
export function rowsOf(testCase, turns) {
  const [[, ours]] = turns;
  return [...turns].map(([name, milliseconds]) => {
    const middle = median(milliseconds);
    const perSecond = testCase.elements / (middle / 1e3);
    // Of each turn by itself: what slows the machine down for a while slows both.
    const ratio = ratioOf(milliseconds, ours);
    const goal = testCase.goals.find(({ peer }) => peer === name);
    return {
      name,
      median: middle,
      min: Math.min(...milliseconds),
      max: Math.max(...milliseconds),
      gigaElements: perSecond / 1e9,
      gigabytes: (perSecond * BYTES[testCase.dtype]) / 1e9,
      ratio,
      goal,
      verdict:
        goal === undefined ? '' : ratio >= goal.aim ? 'aim met' : ratio >= goal.must ? 'must met' : 'MISSED',
    };
  });
}

export function titleOf({ law, dtype, elements, memory, threads }) {
  return `${law} ${dtype}, 2^${Math.log2(elements)} elements, ${memory} memory, ${threads} thread${threads === 1 ? '' : 's'}`;
}

const HEADINGS = ['contender', 'ms', 'min – max', 'G elements/s', 'GB/s', 'ours is', 'must', 'aim', ''];

function cellsOf(row) {
  return [
    row.name,
    row.median.toFixed(2),
    `${row.min.toFixed(2)} – ${row.max.toFixed(2)}`,
    row.gigaElements.toFixed(3),
    row.gigabytes.toFixed(2),
    `${row.ratio.toFixed(2)}×`,
    row.goal?.must.toString() ?? '',
    row.goal?.aim.toString() ?? '',
    row.verdict,
  ];
}

/** A case as a Markdown table. */
export function tableOf(testCase, rows) {
  return `### ${titleOf(testCase)}\n\n${alignedTable(HEADINGS, rows.map(cellsOf))}\n`;
}

/** All goals in one table, for the top of the report. */
export function goalsOf(results) {
  const lines = ['| work | against | ours is | must | aim | |', '|---|---|--:|--:|--:|---|'];
  for (const { testCase, rows } of results) {
    for (const { name, ratio, goal, verdict } of rows) {
      if (goal === undefined) continue;
      lines.push(
        `| ${titleOf(testCase)} | ${name} | ${ratio.toFixed(2)}× | ${goal.must}× | ${goal.aim}× | ${verdict} |`,
      );
    }
  }
  return lines.join('\n');
}
