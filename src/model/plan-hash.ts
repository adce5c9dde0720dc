import { createHash } from 'node:crypto';
import { compareUtf8 } from '../safetensors/header.js';
import type { Plan, PlanTensor } from './plan.js';

/**
 * Identifies what a plan makes: the SHA-256, in hexadecimal, of its canonical form. That is the JSON
 * `{"dtype":…,"tensors":[…]}` with all defaults filled in (`dtype` float32, the options of every initializer),
 * without `metadata` and `$schema`, tensors ordered by the UTF-8 bytes of their names, and written as RFC 8785 has
 * it: keys sorted, no white space, numbers as ECMAScript prints them. So order, spelling and defaults of a plan file
 * do not matter; a name, a shape or a law does.
 */
export function planHash(plan: Plan): string {
  const hash = createHash('sha256').update(`{"dtype":${JSON.stringify(plan.dtype ?? 'float32')},"tensors":[`);
  const tensors = [...plan.tensors].sort((a, b) => compareUtf8(a.name, b.name));
  for (const [index, tensor] of tensors.entries()) {
    hash.update(`${index === 0 ? '' : ','}${canonicalTensor(tensor)}`, 'utf8');
  }
  return hash.update(']}').digest('hex');
}

// Keys in their sorted order.
function canonicalTensor({ dtype, groups, init, layout, name, shape }: PlanTensor): string {
  const parts: string[] = [];
  if (dtype !== undefined) parts.push(`"dtype":"${dtype}"`);
  if (groups !== undefined) parts.push(`"groups":${groups}`);
  parts.push(`"init":${JSON.stringify(init, Object.keys(init).sort())}`);
  if (layout !== undefined) parts.push(`"layout":"${layout}"`);
  parts.push(`"name":${JSON.stringify(name)}`, `"shape":[${shape.join(',')}]`);
  return `{${parts.join(',')}}`;
}
