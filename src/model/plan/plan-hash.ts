import { createHash } from 'node:crypto';
import type { Initializer } from '../../initializers/index.js';
import { compareUtf8 } from '../../safetensors/header.js';
import type { Plan, PlanTensor } from './plan.js';

/**
 * Identifies what a plan makes: the SHA-256, in hexadecimal, of its canonical form. That is the JSON
 * `{"dtype":…,"tensors":[…]}` with all defaults filled in (`dtype` float32, the options of every initializer),
 * without `metadata` and `$schema`, with `copied` and `ties` where there are any, tensors ordered by the UTF-8 bytes of
 * their names, and written as RFC 8785 has it: keys sorted, no white space, numbers as ECMAScript prints them. So order,
 * spelling and defaults of a plan file do not matter; a name, a shape or a law does.
 */
export function planHash(plan: Plan): string {
  const hash = createHash('sha256');
  let waiting = '';
  const write = (text: string): void => {
    waiting += text;
    if (waiting.length < CHUNK) return;
    hash.update(waiting, 'utf8');
    waiting = '';
  };
  const list = <T extends { readonly name: string }>(
    key: string,
    items: readonly T[],
    show: (item: T) => string,
  ): void => {
    write(`"${key}":[`);
    const sorted = [...items].sort((a, b) => compareUtf8(a.name, b.name));
    for (const [index, item] of sorted.entries()) write(index === 0 ? show(item) : `,${show(item)}`);
    write(']');
  };
  const show = new TensorWriter();
  write('{');
  if (plan.copied !== undefined) {
    list('copied', plan.copied, ({ name, shape, dtype }) => canonical({ name, shape, dtype }));
    write(',');
  }
  write(`"dtype":${JSON.stringify(plan.dtype ?? 'float32')},`);
  list('tensors', plan.tensors, (tensor) => show.tensor(tensor));
  if (plan.ties !== undefined) {
    write(',');
    list('ties', plan.ties, canonical);
  }
  return hash.update(`${waiting}}`, 'utf8').digest('hex');
}

/** Characters that are hashed at once. */
const CHUNK = 1 << 16;

/** Tensors in canonical form: by hand, as a plan may have 10^6 of them. */
class TensorWriter {
  /** Those of a rule share one. */
  private readonly inits = new Map<Initializer, string>();

  tensor({ name, shape, init, dtype, layout, groups, stream }: PlanTensor): string {
    const copyOf = stream === undefined ? '' : `"copyOf":${JSON.stringify(stream)},`;
    const type = dtype === undefined ? '' : `"dtype":"${dtype}",`;
    const parts = groups === undefined ? '' : `"groups":${groups},`;
    const axes = layout === undefined ? '' : `"layout":${JSON.stringify(layout)},`;
    return `{${copyOf}${type}${parts}"init":${this.init(init)},${axes}"name":${JSON.stringify(name)},"shape":[${shape.join(',')}]}`;
  }

  private init(init: Initializer): string {
    let text = this.inits.get(init);
    if (text !== undefined) return text;
    text = canonical(init);
    if (this.inits.size < MOST_SHARED) this.inits.set(init, text);
    return text;
  }
}

/** More initializers than this are no rule's but each a tensor's own. */
const MOST_SHARED = 1000;

/** JSON with the keys of every object sorted; those that are undefined are left out. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const entry: unknown = (value as Record<string, unknown>)[key];
    if (entry !== undefined) entries.push(`${JSON.stringify(key)}:${canonical(entry)}`);
  }
  return `{${entries.join(',')}}`;
}
