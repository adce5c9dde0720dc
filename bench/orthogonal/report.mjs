// From repetitions to tables: rates, errors, ratios of turns that ran one after the other, and goals met or missed.
import { alignedTable, median, ratioOf } from '../table.mjs';
import { ERROR_LIMITS, MEMORY_LIMIT, operationsOf } from './cases.mjs';

/**
 * Whether a goal is met.
 * @param {number} value
 * @param {{ must: number, aim?: number, smaller?: boolean }} goal `smaller`: the value is to stay below
 */
export function verdictOf(value, { must, aim = must, smaller = false }) {
  const good = (limit) => (smaller ? value <= limit : value >= limit);
  if (!good(must)) return 'MISSED'; // so is what is not a number
  return aim !== must && good(aim) ? 'aim met' : 'must met';
}

export function titleOf({ shape, dtype, threads, contenders }) {
  const matrix = shape.slice(-2).join('×');
  const what = shape.length === 3 ? `${shape[0]} matrices of ${matrix}` : matrix;
  const where =
    contenders[0] === 'isometry js' ? 'in JavaScript' : `${threads} thread${threads === 1 ? '' : 's'}`;
  return `orthogonal ${dtype}, ${what}, ${where}`;
}

/**
 * One case's rows.
 * @param {object} testCase of cases.mjs
 * @param {Map<string, { milliseconds: number[], error?: number } | { reason: string }>} measured by contender: of each
 * turn its time, and max|QᵀQ − I| of one matrix; or why it takes no part. The first one is ours.
 */
export function rowsOf(testCase, measured) {
  const [ours] = measured.values();
  return [...measured].map(([name, result]) => {
    if (result.reason !== undefined) return { name, reason: result.reason };
    const { milliseconds, error } = result;
    const ratio = ratioOf(milliseconds, ours.milliseconds);
    const goal = testCase.goals.get(name);
    const middle = median(milliseconds);
    return {
      name,
      median: middle,
      min: Math.min(...milliseconds),
      max: Math.max(...milliseconds),
      turns: milliseconds.length,
      gigaflops: operationsOf(testCase.shape) / (middle * 1e6),
      error,
      ratio,
      goal,
      verdict: goal === undefined ? '' : verdictOf(ratio, goal),
    };
  });
}

const HEADINGS = [
  'contender',
  'ms',
  'min – max',
  'turns',
  'GFLOP/s',
  'max abs(QᵀQ − I)',
  'ours is',
  'must',
  'aim',
  '',
];

function cellsOf(row) {
  return [
    row.name,
    row.median.toFixed(2),
    `${row.min.toFixed(2)} – ${row.max.toFixed(2)}`,
    row.turns.toString(),
    row.gigaflops.toFixed(1),
    row.error?.toExponential(1) ?? '',
    `${row.ratio.toFixed(2)}×`,
    row.goal?.must.toString() ?? '',
    row.goal?.aim.toString() ?? '',
    row.verdict,
  ];
}

/** A case as a Markdown table, and below it who takes no part, and why. */
export function tableOf(testCase, rows) {
  const able = rows.filter(({ reason }) => reason === undefined);
  const unable = rows.filter(({ reason }) => reason !== undefined);
  const lines = unable.map(({ name, reason }) => `\n- ${name} takes no part: ${reason}`);
  if (lines.length > 0) lines.push('\n');
  return `### ${titleOf(testCase)}\n\n${alignedTable(HEADINGS, able.map(cellsOf))}\n${lines.join('')}`;
}

/**
 * What ours needs at its peak.
 * @param {readonly { shape, dtype, backend: string, output: number, peak: number }[]} measured bytes
 */
export function memoryTable(measured) {
  const rows = measured.map(({ shape, dtype, backend, output, peak }) => {
    const multiple = peak / output;
    return [
      `${dtype} ${shape.join('×')}`,
      backend,
      (output / 2 ** 20).toFixed(1),
      (peak / 2 ** 20).toFixed(1),
      `${multiple.toFixed(2)}×`,
      `${MEMORY_LIMIT}×`,
      verdictOf(multiple, { must: MEMORY_LIMIT, smaller: true }),
    ];
  });
  const headings = ['tensor', 'backend', 'its MiB', 'peak MiB', 'multiple', 'at most', ''];
  return alignedTable(headings, rows, 2);
}

/** All goals of speed and of orthogonality in one table, for the top of the report. */
export function goalsOf(results) {
  const lines = [];
  for (const { testCase, rows } of results) {
    const title = titleOf(testCase);
    for (const { name, ratio, goal, verdict } of rows) {
      if (goal === undefined) continue;
      lines.push([
        title,
        `as fast as ${name}`,
        `${ratio.toFixed(2)}×`,
        `${goal.must}×`,
        `${goal.aim}×`,
        verdict,
      ]);
    }
    const [ours] = rows;
    if (testCase.limit !== undefined) {
      const limit = { must: testCase.limit, smaller: true };
      lines.push([
        title,
        'time',
        seconds(ours.median),
        seconds(limit.must),
        '',
        verdictOf(ours.median, limit),
      ]);
    }
    const worst = Math.max(
      ...rows.filter(({ name }) => /^isometry/.test(name)).map(({ error }) => error ?? 0),
    );
    const must = ERROR_LIMITS.get(testCase.dtype);
    if (must !== undefined) {
      const verdict = verdictOf(worst, { must, smaller: true });
      lines.push([title, 'max abs(QᵀQ − I)', worst.toExponential(1), must.toExponential(0), '', verdict]);
    }
  }
  return alignedTable(['work', 'what', 'ours is', 'must', 'aim', ''], lines, 2);
}

function seconds(milliseconds) {
  return `${(milliseconds / 1e3).toFixed(3)} s`;
}
