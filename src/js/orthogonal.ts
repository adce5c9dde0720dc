/**
 * Random orthogonal matrices by reflections, in JavaScript: docs/adr/0008-orthogonal.md. Twin of core/orthogonal.h and
 * cpu/orthogonal-inl.h.
 */
import { constants } from 'node:buffer';
import type { TensorArray } from '../dtype.js';
import { IsometryError } from '../errors.js';
import type { OrthogonalRequest } from '../job.js';
import { CHECK_FROM_BYTES, promisedBytes } from '../memory.js';
import { Panel, panelLength } from './orthogonal-panel.js';
import { Meter, Reflections, uLength, vLength } from './orthogonal-reflections.js';
import { Store } from './orthogonal-store.js';

/**
 * Computes the elements of a request that lie in `target`, whose first element is number `start` of the output, and
 * leaves the others alone. Only columns of Q up to the last one that is needed are drawn, and only those between the
 * first and the last that are needed are computed.
 *
 * Yields how much is done, from 0 to 1, between pieces of work of some milliseconds.
 *
 * @param available - bytes that this process may still use; by default as the system and the cgroup say.
 * @throws IsometryError `TOO_LARGE`, `OUT_OF_MEMORY`: before anything is computed.
 */
export function* fillOrthogonal(
  request: OrthogonalRequest,
  target: TensorArray,
  start: number,
  available: () => number = () => process.availableMemory(),
): Generator<number, void> {
  const { rows, cols } = request;
  const size = rows * cols;
  const store = new Store(request, target, start);
  const begin = store.first(0);
  if (begin === Number.POSITIVE_INFINITY) return;
  const last = store.last(Number.POSITIVE_INFINITY);
  const matrices = { first: Math.floor(begin / size), last: Math.floor(last / size) };
  const several = matrices.last > matrices.first;
  const most = several ? cols : Math.floor((last - matrices.first * size) / rows) + 1;
  const { reflections, panel } = allocate(request, most, () => available() - promisedBytes(target));

  const meter = new Meter();
  for (let index = begin; index !== Number.POSITIVE_INFINITY; ) {
    const matrix = Math.floor(index / size);
    const from = Math.floor((index - matrix * size) / rows);
    const to = Math.floor((store.last((matrix + 1) * size) - matrix * size) / rows) + 1;
    meter.done = 0;
    const work = reflections.work(to) + Panel.work(rows, from, to);
    const done = (): number =>
      (matrix - matrices.first + Math.min(1, meter.done / work)) / (matrices.last - matrices.first + 1);
    for (const _ of reflections.make(matrix, to, meter)) yield done();
    for (let column = from; column < to; column = panel.end) {
      for (const _ of panel.make(column, Panel.reach(column, to), meter)) yield done();
      for (const _ of store.take(panel, reflections, matrix)) yield done();
    }
    if (meter.add(MATRIX)) yield done();
    index = several ? store.first((matrix + 1) * size) : Number.POSITIVE_INFINITY;
  }
}

/** A matrix takes as long as so many multiplications besides those that are counted. */
const MATRIX = 1000;

/** Work memory for the first `cols` columns of one matrix. */
function allocate(
  request: OrthogonalRequest,
  cols: number,
  available: () => number,
): { reflections: Reflections; panel: Panel } {
  const { rows, precision } = request;
  const what = `a random orthogonal matrix, ${cols} of its columns of ${rows} numbers,`;
  const lengths = [vLength(rows, cols), uLength(cols), panelLength(rows, cols, precision)] as const;
  const longest = Math.max(...lengths);
  if (longest > constants.MAX_LENGTH) {
    throw new IsometryError(
      'TOO_LARGE',
      `${what} needs an array of ${longest} numbers, but one holds at most ${constants.MAX_LENGTH}; ` +
        'use device: "cpu" or "cuda"',
    );
  }
  const bytes = lengths[0] * (precision === 'float64' ? 8 : 4) + 8 * (lengths[1] + lengths[2]);
  const left = bytes < CHECK_FROM_BYTES ? bytes : available();
  if (bytes > left) throw outOfMemory(what, bytes, `only ${left} are available`);
  try {
    const reflections = new Reflections(request, cols);
    return { reflections, panel: new Panel(reflections, cols) };
  } catch (error) {
    if (error instanceof IsometryError) throw error;
    throw outOfMemory(what, bytes, 'the system refused them', error);
  }
}

function outOfMemory(what: string, bytes: number, why: string, cause?: unknown): IsometryError {
  const message =
    `${what} needs ${bytes} bytes of work memory, but ${why}; ` +
    'use a smaller matrix, or a slice of the first columns of it (rows, where it has not more rows than columns)';
  return new IsometryError('OUT_OF_MEMORY', message, cause === undefined ? undefined : { cause });
}
