// What is measured, and what the project asks of itself. A case is one law, dtype, size, kind of memory and number of
// threads; every contender that can do it takes part.

/** Elements: 64 MiB and 512 MiB of float32, both far beyond any cache. */
const MEDIUM = 2 ** 24;
const LARGE = 2 ** 27;
/** For plain JavaScript, where 2^24 elements would take a second a turn. */
const SMALL = 2 ** 20;
/** With --quick: shows that everything runs; the numbers mean little. */
const QUICK = 2 ** 16;

/** What is filled in, in the order of the report. `bound` marks what memory, not arithmetic, limits. */
const FILLS = [
  { law: 'constant', dtype: 'float32', bound: true },
  { law: 'uniform', dtype: 'float32', bound: true },
  { law: 'normal', dtype: 'float32', bound: true },
  { law: 'truncatedNormal', dtype: 'float32' },
  { law: 'normal', dtype: 'bfloat16' },
  { law: 'normal', dtype: 'float64' },
];

/**
 * The project's goals: how many times as fast as a peer, with all threads on warm memory (`must` is what we hold
 * ourselves to, `aim` what we hope for). Ratios only: absolute times are a machine's mood.
 */
const GOALS = [
  { law: 'uniform', dtype: 'float32', peer: 'PyTorch', must: 6, aim: 9 },
  { law: 'normal', dtype: 'float32', peer: 'PyTorch', must: 5, aim: 8 },
  { law: 'truncatedNormal', dtype: 'float32', peer: 'PyTorch', must: 60, aim: 120 },
  { law: 'normal', dtype: 'bfloat16', peer: 'PyTorch', must: 5, aim: 9 },
  ...FILLS.map(({ law, dtype }) => ({ law, dtype, peer: 'memset', must: 0.4, aim: 0.8 })),
];
const JS_GOALS = [{ law: 'normal', dtype: 'float32', peer: 'tfjs', must: 1, aim: 2 }];

/**
 * @param {{ quick: boolean, cpus: number }} options
 * @returns cases: contenders are named as in contenders.mjs; the first one is ours, which the others are compared to
 */
export function makeCases({ quick, cpus }) {
  const cases = [];
  const threadCounts = cpus > 1 ? [1, cpus] : [1];
  const medium = quick ? QUICK : MEDIUM;
  for (const fill of FILLS) {
    for (const threads of threadCounts) {
      // Of tiny sizes the goals say nothing.
      const goals = threads === cpus && !quick ? goalsOf(GOALS, fill) : [];
      const contenders = [
        'isometry',
        'isometry avx512',
        'isometry avx2',
        'isometry portable',
        'memset',
        'PyTorch',
      ];
      // NumPy has one thread only.
      if (threads === 1) contenders.push('NumPy');
      cases.push({ ...fill, elements: medium, memory: 'warm', threads, contenders, goals });
    }
    const fresh = ['isometry', 'memset', 'PyTorch', 'NumPy', 'JAX'];
    cases.push({ ...fill, elements: medium, memory: 'fresh', threads: cpus, contenders: fresh, goals: [] });
    if (fill.bound && !quick) {
      const contenders = ['isometry', 'memset', 'PyTorch'];
      cases.push({ ...fill, elements: LARGE, memory: 'warm', threads: cpus, contenders, goals: [] });
    }
  }
  for (const fill of FILLS) {
    const contenders = ['isometry js', 'tfjs'];
    const elements = quick ? QUICK : SMALL;
    cases.push({
      ...fill,
      elements,
      memory: 'fresh',
      threads: 1,
      contenders,
      goals: goalsOf(JS_GOALS, fill),
    });
  }
  return cases;
}

function goalsOf(goals, { law, dtype }) {
  return goals.filter((goal) => goal.law === law && goal.dtype === dtype);
}
