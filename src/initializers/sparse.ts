import { expected, showName } from '../errors.js';
import type { Law } from '../law.js';
import { parseLayout } from '../layout.js';
import { expectedHint, numberOption, withDefault } from '../options.js';
import { wholePlacement } from '../placement.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';

export interface SparseInitializer {
  readonly kind: 'sparse';
  readonly sparsity: number;
  readonly std: number;
}

/** Options of {@link sparse}. */
export interface SparseOptions {
  /** The fraction of each column that is zero, rounded up to whole elements; from 0 to below 1. */
  readonly sparsity: number;
  /** Standard deviation of the others, ≥ 0. Default 0.01. */
  readonly std?: number | undefined;
}

/** @internal */
export const sparseDefinition: Definition<SparseInitializer> = {
  kind: 'sparse',
  options: ['sparsity', 'std'],
  parse: (options, where) => ({
    kind: 'sparse',
    sparsity: sparsityOption(options['sparsity'], `${where}.sparsity`),
    std: numberOption(withDefault(options['std'], 0.01), `${where}.std`, { min: 0 }),
  }),
  law: ({ sparsity, std }, tensor) => sparseLaw(sparsity, std, tensor),
};

/**
 * A matrix in which each input feeds only some outputs: in every column (input, axis `I`) exactly
 * ⌈sparsity · rows⌉ of the rows (outputs, axis `O`) are 0, a uniformly random subset, independent from column to column; the
 * others are normal with mean 0 and standard deviation `std`. The product sparsity · rows is rounded to float64 before
 * it is rounded up, as `torch.nn.init.sparse_` does.
 *
 * Shapes: two axes, outputs first unless `layout` says `IO`, and any number of axes `E`, whose slices are matrices of their
 * own. The values are those of `normal({ std })` under the same name; only the zeros are added. An element's being zero
 * depends on its row and column alone (docs/adr/0009-sparse.md), so any slice can be had alone.
 *
 * Martens 2010, "Deep learning via Hessian-free optimization".
 * @throws IsometryError `INVALID_OPTION` unless `sparsity` is a number from 0 to below 1 and `std` a finite one ≥ 0; when
 * used on a tensor, `INVALID_SHAPE` without a layout for any rank but 2, `INVALID_LAYOUT` for a layout that is not one `O`,
 * one `I` and any number of `E`.
 */
export function sparse(options: SparseOptions): SparseInitializer {
  return make(sparseDefinition, options);
}

function sparsityOption(value: unknown, name: string): number {
  if (typeof value === 'number' && value >= 0 && value < 1) return value + 0;
  throw expectedHint('INVALID_OPTION', 'a number ≥ 0 and < 1', name, value, 'for all zeros use zeros()');
}

function sparseLaw(sparsity: number, std: number, tensor: TensorInfo): Law {
  const { shape } = tensor;
  const outputs = outputAxis(tensor);
  const rows = shape[outputs]!;
  const zeros = Math.ceil(sparsity * rows);
  if (std === 0 || zeros >= rows) return { kind: 'constant', value: 0 };
  const values: Law = { kind: 'normal', mean: 0, std };
  if (zeros === 0) return values;
  const placement = wholePlacement(shape);
  const stride = elementCount(shape.slice(outputs + 1));
  if (elementCount(shape) === 0) return values;
  const mask = { kind: 'mask', rows, stride, zeros } as const;
  return {
    kind: 'parts',
    stacked: 0,
    parts: [
      { law: values, placement },
      { law: mask, placement, role: 'mask' },
    ],
  };
}

function outputAxis({ name, shape, layout }: TensorInfo): number {
  const where = `sparse tensor ${showName(name)}`;
  if (layout === undefined) {
    if (shape.length === 2) return 0;
    const hint = 'only matrices have columns: name the axes, as in layout: "EOI", or use another initializer';
    throw expectedHint('INVALID_SHAPE', 'a shape of rank 2 or a layout', where, shape, hint);
  }
  const axes = parseLayout(layout, shape.length).replaceAll('E', '');
  if (axes !== 'OI' && axes !== 'IO') {
    throw expected('INVALID_LAYOUT', 'a layout of one O, one I and any number of E', where, layout);
  }
  return layout.indexOf('O');
}
