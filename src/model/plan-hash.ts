import { createHash } from 'node:crypto';
import { compareUtf8 } from '../safetensors/header.js';
import type { Plan, PlanTensor } from './plan.js';

/**
 * Identifies what a plan makes: the SHA-256, in hexadecimal, of its canonical form. That is the JSON
 * `{"dtype":…,"tensors":[…]}` with all defaults filled in (`dtype` float32, the options of every initializer),
 * without `metadata` and `$schema`, with `copied` and `ties` where there are any, tensors ordered by the UTF-8 bytes of their names, and written as RFC 8785 has
 * it: keys sorted, no white space, numbers as ECMAScript prints them. So order, spelling and defaults of a plan file
 * do not matter; a name, a shape or a law does.
 */
export function planHash(plan: Plan): string {
  const hash = createHash('sha256').update('{');
  const list = <T extends { readonly name: string }>(
    key: string,
    items: readonly T[],
    show: (item: T) => string,
  ): void => {
    hash.update(`"${key}":[`);
    const sorted = [...items].sort((a, b) => compareUtf8(a.name, b.name));
    for (const [index, item] of sorted.entries())
      hash.update(`${index === 0 ? '' : ','}${show(item)}`, 'utf8');
    hash.update(']');
  };
  if (plan.copied !== undefined) {
    list('copied', plan.copied, ({ name, shape, dtype }) => canonical({ name, shape, dtype }));
    hash.update(',');
  }
  hash.update(`"dtype":${JSON.stringify(plan.dtype ?? 'float32')},`);
  list('tensors', plan.tensors, canonicalTensor);
  if (plan.ties !== undefined) {
    hash.update(',');
    list('ties', plan.ties, canonical);
  }
  return hash.update('}').digest('hex');
}

function canonicalTensor({ rule: _, stream, ...tensor }: PlanTensor): string {
  return canonical(stream === undefined ? tensor : { ...tensor, copyOf: stream });
}

/** JSON with the keys of every object sorted; those that are undefined are left out. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`;
}
