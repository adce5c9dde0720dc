import { IsometryError, showName } from '../../errors.js';
import type { ModelDescription } from '../presets/types.js';

/**
 * Checks that a model and the base that it is scaled from are of one type.
 * @throws IsometryError `INVALID_OPTION`.
 */
export function checkBaseType(model: ModelDescription, base: ModelDescription): void {
  if (base.modelType === model.modelType) return;
  throw new IsometryError(
    'INVALID_OPTION',
    `expected a ${model.modelType} model for base but received a ${base.modelType} model; the base is the same model with smaller widths`,
  );
}

/**
 * The shapes of the base's tensors by their names, which must be the model's: only widths may differ.
 * @throws IsometryError `INVALID_OPTION` for a base of another type, or with other tensors or ranks.
 */
export function baseShapes(
  model: ModelDescription,
  base: ModelDescription,
): ReadonlyMap<string, readonly number[]> {
  checkBaseType(model, base);
  const shapes = new Map(base.tensors.map(({ name, shape }) => [name, shape]));
  const names = new Map(model.tensors.map(({ name, shape }) => [name, shape]));
  for (const [name, shape] of names) {
    if (shapes.get(name)?.length !== shape.length) throw wrongTensors(name, 'the model', 'the base');
  }
  for (const name of shapes.keys()) if (!names.has(name)) throw wrongTensors(name, 'the base', 'the model');
  return shapes;
}

function wrongTensors(name: string, has: string, lacks: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `expected a base that differs from the model in widths alone, but ${has} has a tensor ${showName(name)} that ${lacks} has not, or not with that rank; give both the same number of blocks and the same options`,
  );
}
