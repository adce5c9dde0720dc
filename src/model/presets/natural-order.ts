import type { ModelTensor } from './types.js';

/**
 * The order in which transformers 5 stores a model whose modules it has renamed or fused in memory: by the names in
 * memory, part by part, whole numbers by value and before texts, and the digits at a text's end by value too. Several
 * tensors that are one in memory keep the order they come in.
 */
export function naturalOrder(tensors: readonly ModelTensor[]): readonly ModelTensor[] {
  return tensors
    .map((tensor) => ({ tensor, key: naturalKey(tensor.key ?? tensor.name) }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ tensor }) => tensor);
}

/** A number before a text; a text without digits at its end before one with them. */
type KeyPart = readonly [kind: 0 | 1, text: string, digits: number];

function naturalKey(name: string): readonly KeyPart[] {
  return name.split('.').map((part): KeyPart => {
    if (/^\d+$/.test(part)) return [0, '', Number(part)];
    const digits = /\d*$/.exec(part)![0];
    return [1, part.slice(0, part.length - digits.length), digits === '' ? -1 : Number(digits)];
  });
}

function compareKeys(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x[0] !== y[0]) return x[0] - y[0];
    if (x[1] !== y[1]) return x[1] < y[1] ? -1 : 1;
    if (x[2] !== y[2]) return x[2] - y[2];
  }
  return a.length - b.length;
}
