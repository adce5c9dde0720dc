import type { Law } from '../law.js';
import { numberOption, oneOf, withDefault } from '../options.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { matrixView, orthogonalPart } from './matrix-view.js';

const METHODS: readonly OrthogonalMethod[] = ['reflections', 'qr'];

/** See {@link orthogonal}. */
export type OrthogonalMethod = 'reflections' | 'qr';

export interface OrthogonalInitializer {
  readonly kind: 'orthogonal';
  readonly gain: number;
  readonly method: OrthogonalMethod;
}

/** Options of {@link orthogonal}. */
export interface OrthogonalOptions {
  /** Factor on the matrix, any finite number; see `gain`. Default 1. */
  readonly gain?: number | undefined;
  /** How the matrix is made. Default `reflections`, the same bits everywhere. */
  readonly method?: OrthogonalMethod | undefined;
}

/** @internal */
export const orthogonalDefinition: Definition<OrthogonalInitializer> = {
  kind: 'orthogonal',
  options: ['gain', 'method'],
  parse: (options, where) => ({
    kind: 'orthogonal',
    gain: numberOption(withDefault(options['gain'], 1), `${where}.gain`),
    method: oneOf(withDefault(options['method'], 'reflections'), METHODS, `${where}.method`),
  }),
  law: ({ gain, method }, tensor) => orthogonalLaw(gain, method, tensor),
};

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
 * With M the larger and N the smaller dimension, G is an M × N matrix of independent standard normals: G(r, c) is element
 * c·M + r of the tensor's random stream, of matrix b (b + …) element b·M·N + c·M + r.
 *
 * `method: 'reflections'` is Stewart's product of random reflections (Stewart 1980, "The efficient generation of random
 * orthogonal matrices with an application to condition estimators"), H₁·H₂⋯H_N·D with H_c made of column c of G from row c
 * on. No factorization, half of the operations of QR, and an order of operations that docs/adr/0008-orthogonal.md fixes:
 * the bits are the same on every backend. It is computed in float32 (in float64 for float64 tensors) and rounded at the
 * end; max|QᵀQ − I| stays below 2e-6 (1e-14). Q's columns are the matrix's columns where it has more rows than columns,
 * else its rows; each can be computed alone, so a slice of them costs its share. Other slices cost all of their columns.
 *
 * `method: 'qr'` is the textbook way (Mezzadri 2007, "How to generate random matrices from the classical compact
 * groups"), for comparison with other frameworks. From G = Q·R comes Q·diag(sign(R₀₀), sign(R₁₁), …), sign(0) being 1,
 * which does not depend on the algorithm that found Q and R. That is the matrix if it has at least as many rows as
 * columns, else its transpose is. G has the same bits everywhere. Q is computed in float64 by the `cpu` and `js`
 * backends, which agree to the bit, and for all dtypes but float64 in float32 by the `cuda` backend (cuSOLVER), which
 * agrees with them **to rounding only**. `device: 'auto'` therefore computes a tensor in host memory on the CPU, always:
 * so the choice of a backend never changes a result here either. One that stays on the GPU (`keep: 'device'`) is
 * computed there. Whole tensors only: `slice` is an error. 1024 × 1024 takes a second or two on the CPU.
 *
 * Saxe, McClelland, Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
 * networks", arXiv:1312.6120.
 * @throws IsometryError `INVALID_OPTION` unless `gain` is a finite number and `method` one of those; when used on a
 * tensor, `INVALID_SHAPE` for rank 0 or 1 without a layout, `INVALID_LAYOUT` for one without `O` or with an `E` that
 * does not come first.
 */
export function orthogonal(options: OrthogonalOptions = {}): OrthogonalInitializer {
  return make(orthogonalDefinition, options);
}

function orthogonalLaw(gain: number, method: OrthogonalMethod, tensor: TensorInfo): Law {
  const { shape } = tensor;
  const view = matrixView(tensor, 'orthogonal');
  if (gain === 0) return { kind: 'constant', value: 0 };
  const { stacked, count, outputAxis, outputs } = view;
  if (method === 'reflections') {
    return { kind: 'parts', stacked, parts: [orthogonalPart(shape, view, gain)] };
  }
  const before = elementCount(shape.slice(stacked, outputAxis));
  const after = elementCount(shape.slice(outputAxis + 1));
  return { kind: 'qr', gain, matrices: { count, before, outputs, after } };
}
