// What of orthogonal matrices is measured, and what the project asks of itself. A case is one shape, dtype and number of
// threads; every contender that can do it takes part.

/** Shapes by the name that --sizes takes; three axes are a stack of matrices. */
export const SIZES = new Map([
  ['64', [1024, 64, 64]],
  ['256', [256, 256]],
  ['1024', [1024, 1024]],
  ['2048', [2048, 2048]],
  ['4096', [4096, 4096]],
  ['4096x1024', [4096, 1024]],
  ['1024x4096', [1024, 4096]],
]);

/** Plain JavaScript takes part up to here: 1024² takes it seconds. */
const JS_SIZES = ['64', '256', '1024'];
/** So does the portable SIMD target, some ten times as slow as the others. */
const PORTABLE_SIZES = JS_SIZES;
/** method 'qr' is computed in float64, by one thread: 1024² takes a second or two. */
const QR_SIZES = ['256', '1024'];

/** Their time over ours, float32, all threads: `must` is what we hold ourselves to, `aim` what we hope for. */
const PYTORCH_GOALS = new Map([
  ['256', { must: 1.5, aim: 3 }],
  ['1024', { must: 3, aim: 6 }],
  ['2048', { must: 3, aim: 5 }],
  ['4096', { must: 3, aim: 5 }],
]);
const TFJS_GOALS = new Map([['256', { must: 100, aim: 300 }]]);
/** Milliseconds of plain JavaScript, float32. */
const JS_LIMITS = new Map([
  ['256', 200],
  ['1024', 8000],
]);

/** Largest max|QᵀQ − I| of ours. A bfloat16's is its rounding, 2^-9 of each element, and has no goal. */
export const ERROR_LIMITS = new Map([
  ['float32', 2e-6],
  ['float64', 1e-14],
]);
/** Most of ours at its peak, in multiples of the output. */
export const MEMORY_LIMIT = 2.5;

/**
 * @param {{ sizes: readonly string[], cpus: number }} options
 * @returns cases: contenders are named as in contenders.mjs, with ` qr` after the name for their second way; the first
 * one is ours, which the others are compared to
 */
export function makeCases({ sizes, cpus }) {
  const cases = [];
  for (const size of sizes) {
    for (const dtype of ['float32', 'float64', 'bfloat16']) {
      for (const threads of cpus > 1 ? [1, cpus] : [1]) {
        if (dtype === 'bfloat16' && threads !== cpus) continue; // nobody to be compared with
        cases.push(makeCase(size, dtype, threads, threads === cpus ? all(size) : few()));
      }
    }
  }
  for (const size of sizes.filter((name) => JS_SIZES.includes(name))) {
    for (const dtype of ['float32', 'float64']) {
      // tfjs takes 17 s for 256² in float32, and has no float64.
      const peers = size === '256' && dtype === 'float32' ? ['tfjs', 'isometry'] : ['isometry'];
      cases.push(makeCase(size, dtype, 1, ['isometry js', ...peers]));
    }
  }
  return cases;

  function all(size) {
    const names = ['isometry', 'isometry avx512', 'isometry avx2'];
    if (PORTABLE_SIZES.includes(size)) names.push('isometry portable');
    if (QR_SIZES.includes(size)) names.push('isometry qr');
    names.push('PyTorch');
    if (SIZES.get(size).length === 3) names.push('PyTorch qr');
    return [...names, 'JAX', 'NumPy', 'matmul'];
  }

  function few() {
    return ['isometry', 'PyTorch', 'NumPy', 'matmul'];
  }

  function makeCase(size, dtype, threads, contenders) {
    const shape = SIZES.get(size);
    const inJs = contenders[0] === 'isometry js';
    const compared = dtype === 'float32' && (inJs || threads === cpus);
    const goals = new Map();
    if (compared && !inJs && PYTORCH_GOALS.has(size)) goals.set('PyTorch', PYTORCH_GOALS.get(size));
    if (compared && inJs && TFJS_GOALS.has(size)) goals.set('tfjs', TFJS_GOALS.get(size));
    const limit = compared && inJs ? JS_LIMITS.get(size) : undefined;
    return { size, shape, dtype, threads, contenders, goals, limit, once: ['tfjs'] };
  }
}

/** Multiplications and additions of the reflections: for each matrix 2·M·N² − 2/3·N³, 4/3·N³ of a square one. */
export function operationsOf(shape) {
  const stacked = shape.length === 3 ? shape[0] : 1;
  const rows = Math.max(...shape.slice(-2));
  const cols = Math.min(...shape.slice(-2));
  return stacked * (2 * rows * cols ** 2 - (2 / 3) * cols ** 3);
}
