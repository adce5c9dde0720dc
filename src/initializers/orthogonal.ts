import { expected, showName } from '../errors.js';
import type { Law } from '../law.js';
import { parseLayout } from '../layout.js';
import { expectedHint, numberOption, withDefault } from '../options.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';

export interface OrthogonalInitializer {
  readonly kind: 'orthogonal';
  readonly gain: number;
  readonly method: 'qr';
}

/** Options of {@link orthogonal}. */
export interface OrthogonalOptions {
  /** Factor on the matrix, any finite number; see `gain`. Default 1. */
  readonly gain?: number | undefined;
  /** How the matrix is made. There is no default: say `'qr'`. */
  readonly method: 'qr';
}

/** @internal */
export const orthogonalDefinition: Definition<OrthogonalInitializer> = {
  kind: 'orthogonal',
  options: ['gain', 'method'],
  parse: (options, where) => ({
    kind: 'orthogonal',
    gain: numberOption(withDefault(options['gain'], 1), `${where}.gain`),
    method: parseMethod(options['method'], `${where}.method`),
  }),
  law: ({ gain, method }, tensor) => orthogonalLaw(gain, method, tensor),
};

function parseMethod(method: unknown, where: string): 'qr' {
  if (method === 'qr') return method;
  const hint = "pass method: 'qr'; it must be said, since it has no default";
  throw expectedHint('INVALID_OPTION', "'qr'", where, method, hint);
}

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`: uniform among all such matrices
 * (Haar's measure). Keeps the length of signals in both directions.
 *
 * The tensor is a matrix as for `torch.nn.init.orthogonal_`: a row for each output (axis `O`), a column for each index
 * of all the other axes together, counted in the order in which they are stored. So `OIHW` is O × (I·H·W), `HWIO` is
 * O × (H·W·I), and the `IO` kernel of a Keras layer is the transpose of what is stored. `E` axes, which must come
 * first, stack matrices that are independent of each other. A tensor without a layout has its outputs first, whatever
 * its rank, from 2 on. Groups make no difference.
 *
 * `method: 'qr'` is the textbook way (Stewart 1980; Mezzadri 2007, "How to generate random matrices from the classical
 * compact groups"). With M the larger and N the smaller dimension, G is an M × N matrix of independent standard
 * normals: G(r, c) is element c·M + r of the tensor's random stream, of matrix b (b + …) element b·M·N + c·M + r. From
 * G = Q·R comes Q·diag(sign(R₀₀), sign(R₁₁), …), sign(0) being 1, which does not depend on the algorithm that found Q
 * and R. That is the matrix if it has at least as many rows as columns, else its transpose is.
 *
 * G has the same bits everywhere. Q is computed in float64 by the `cpu` and `js` backends, which agree to the bit, and
 * for all dtypes but float64 in float32 by the `cuda` backend (cuSOLVER), which agrees with them **to rounding only**.
 * `device: 'auto'` therefore computes a tensor in host memory on the CPU, always: so the choice of a backend never
 * changes a result here either. One that stays on the GPU (`keep: 'device'`) is computed there.
 *
 * Whole tensors only: `slice` is an error. Time grows with M·N²; 1024 × 1024 takes a second or two on the CPU.
 *
 * Saxe, McClelland, Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
 * networks", arXiv:1312.6120.
 * @throws IsometryError `INVALID_OPTION` unless `gain` is a finite number and `method` is `'qr'`; when used on a
 * tensor, `INVALID_SHAPE` for rank 0 or 1 without a layout, `INVALID_LAYOUT` for one without `O` or with an `E` that
 * does not come first.
 */
export function orthogonal(options: OrthogonalOptions): OrthogonalInitializer {
  return make(orthogonalDefinition, options);
}

function orthogonalLaw(gain: number, method: 'qr', { name, shape, layout }: TensorInfo): Law {
  const where = `tensor ${showName(name)}`;
  if (layout === undefined && shape.length < 2) {
    const hint = 'a bias or scale is no matrix: use zeros() or ones(), or name its axes, as in layout: "O"';
    throw expectedHint(
      'INVALID_SHAPE',
      'a shape of rank 2 or more or a layout',
      `orthogonal ${where}`,
      shape,
      hint,
    );
  }
  const axes = layout === undefined ? `O${'I'.repeat(shape.length - 1)}` : parseLayout(layout, shape.length);
  const stacked = axes.length - axes.replace(/^E+/, '').length;
  const outputAxis = axes.indexOf('O');
  if (outputAxis < 0)
    throw expected('INVALID_LAYOUT', 'a layout with an axis O', `orthogonal ${where}`, layout);
  if (axes.lastIndexOf('E') >= stacked) {
    throw expected('INVALID_LAYOUT', 'a layout whose axes E come first', `orthogonal ${where}`, layout);
  }
  if (gain === 0) return { kind: 'constant', value: 0 };
  const before = elementCount(shape.slice(stacked, outputAxis));
  const after = elementCount(shape.slice(outputAxis + 1));
  return {
    kind: 'orthogonal',
    method,
    gain,
    matrices: { count: elementCount(shape.slice(0, stacked)), before, outputs: shape[outputAxis]!, after },
  };
}
