import { expected, showName } from '../errors.js';
import type { ElementLaw, Law, LawPart } from '../law.js';
import { expectedHint } from '../options.js';
import { wholePlacement } from '../placement.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
// It imports this file, too, and has to be the first of the two that is imported: by others, always index.js.
import { lawOf, parseInitializer } from './index.js';
import type { Initializer } from './registry.js';

export interface ZeroRowsInitializer {
  readonly kind: 'zeroRows';
  readonly init: Initializer;
  /** Ascending. */
  readonly rows: readonly number[];
}

/** Options of {@link zeroRows}. */
export interface ZeroRowsOptions {
  /** Law of the other rows: one of independent elements, such as `normal({ std: 0.02 })`. */
  readonly init: Initializer;
  /** Indices along the first axis, from 0 on. */
  readonly rows: readonly number[];
}

/** @internal */
export const zeroRowsDefinition: Definition<ZeroRowsInitializer> = {
  kind: 'zeroRows',
  options: ['init', 'rows'],
  parse: ({ init, rows }, where) => ({
    kind: 'zeroRows',
    init: parseInner(init, `${where}.init`),
    rows: parseRows(rows, `${where}.rows`),
  }),
  law: (initializer, tensor) => zeroRowsLaw(initializer, tensor),
};

/**
 * Some rows 0, all others as `init` gives them: an embedding whose padding token says nothing. The others have the values
 * that `init` alone gives them under the same name.
 *
 * Shapes: any of at least one axis; rows are counted along the first one, whatever the layout.
 * @throws IsometryError `INVALID_INITIALIZER` unless `init` is an initializer, and when used, where its elements are not
 * independent of each other (`orthogonal()`, for example, would not be orthogonal any more); `INVALID_OPTION` unless
 * `rows` are different whole numbers from 0 on; when used on a tensor, `INVALID_SHAPE` for a scalar and `INVALID_OPTION`
 * for a row that it does not have.
 */
export function zeroRows(options: ZeroRowsOptions): ZeroRowsInitializer {
  return make(zeroRowsDefinition, options);
}

function parseInner(init: unknown, where: string): Initializer {
  const inner = parseInitializer(init, where);
  if (inner.kind !== 'zeroRows') return inner;
  throw expectedHint(
    'INVALID_INITIALIZER',
    'an initializer other than zeroRows',
    where,
    init,
    'name all rows at once',
  );
}

function parseRows(rows: unknown, where: string): readonly number[] {
  const isRow = (row: unknown): boolean => Number.isSafeInteger(row) && (row as number) >= 0;
  if (!Array.isArray(rows) || !rows.every(isRow) || new Set(rows).size < rows.length) {
    throw expected('INVALID_OPTION', 'a list of different whole numbers from 0 on', where, rows);
  }
  return Object.freeze((rows as number[]).map((row) => row + 0).sort((a, b) => a - b));
}

function zeroRowsLaw({ init, rows }: ZeroRowsInitializer, tensor: TensorInfo): Law {
  const { name, shape } = tensor;
  const law = lawOf(init, tensor);
  const where = `zeroRows.rows of tensor ${showName(name)}`;
  if (shape.length === 0) throw expected('INVALID_SHAPE', 'at least one axis', where, shape);
  const last = rows.at(-1);
  if (last !== undefined && last >= shape[0]!) {
    throw expected('INVALID_OPTION', `rows from 0 to ${shape[0]! - 1}`, where, rows);
  }
  if (!isOfElements(law)) {
    throw expectedHint(
      'INVALID_INITIALIZER',
      'an initializer of independent elements',
      'zeroRows.init',
      init,
      'rows of zeros would take from the others what makes them what they are',
    );
  }
  if (rows.length === 0 || elementCount(shape) === 0) return law;
  if (rows.length === shape[0]) return { kind: 'constant', value: 0 };
  const width = elementCount(shape.slice(1));
  const whole = wholePlacement(shape);
  const parts: LawPart[] = [{ law, placement: whole }];
  for (const [first, count] of runs(rows)) {
    const [axis, ...others] = whole.axes;
    const origin = shape.map((_, index) => (index === 0 ? first : 0));
    const placement = { sourceOffset: first * width, origin, axes: [{ ...axis!, extent: count }, ...others] };
    parts.push({ law: { kind: 'constant', value: 0 }, placement });
  }
  return { kind: 'parts', stacked: 0, parts };
}

function isOfElements(law: Law): law is ElementLaw {
  return law.kind !== 'parts' && law.kind !== 'qr';
}

/** Neighbours together: [first, how many]. */
function runs(rows: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const row of rows) {
    const last = found.at(-1);
    if (last !== undefined && last[0] + last[1] === row) last[1]++;
    else found.push([row, 1]);
  }
  return found;
}
