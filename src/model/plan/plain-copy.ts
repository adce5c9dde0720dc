import { isPlainObject } from '../../options.js';

/**
 * A copy of the arrays and plain objects of `value`, every property read once: what is checked afterwards is what is
 * used, whatever getters and proxies would answer next time. Anything else (typed arrays, Maps, functions) is kept
 * as it is, for the checks to refuse. Objects of the copy have no prototype; properties that are `undefined` are
 * left out, as `JSON.stringify` does.
 *
 * @param maxDepth deepest nesting of arrays and objects.
 * @returns `undefined` when `value` is nested deeper (or in itself).
 */
export function plainCopy(value: unknown, maxDepth: number): { value: unknown } | undefined {
  try {
    return { value: copy(value, maxDepth) };
  } catch (error) {
    if (error === TOO_DEEP) return undefined;
    throw error;
  }
}

const TOO_DEEP = Symbol('too deep');

function copy(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) {
    if (depth === 0) throw TOO_DEEP;
    return Array.from(value, (item) => copy(item, depth - 1));
  }
  if (!isPlainObject(value)) return value;
  if (depth === 0) throw TOO_DEEP;
  const result: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) {
    const property: unknown = (value as Record<string, unknown>)[key];
    if (property !== undefined) result[key] = copy(property, depth - 1);
  }
  return result;
}
