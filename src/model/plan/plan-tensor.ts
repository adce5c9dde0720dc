import { expected } from '../../errors.js';
import { type Initializer, lawOf, parseInitializer } from '../../initializers/index.js';
import { checkKeys, expectedHint } from '../../options.js';
import { type StoredDType, storedDType } from '../../safetensors/dtypes.js';
import { elementCount, parseShape } from '../../shape.js';
import { parseName } from '../../stream.js';
import { checkIntegers } from './integers.js';
import type { CopiedTensor, PlanTensor } from './plan.js';
import { integerInfo, parsePlanDType } from './plan-dtype.js';
import { type Facts, type Rule, withZeroRows } from './rules.js';

/**
 * A name that a tensor may have. JavaScript consumers lose one that is called `__proto__` in a plain object, and the file
 * format reserves `__metadata__`.
 */
export function parseTensorName(raw: unknown, where: string): string {
  const name = parseName(raw, where);
  if (name !== '__proto__' && name !== '__metadata__') return name;
  throw expected('INVALID_NAME', 'a name other than __metadata__ and __proto__', where, name);
}

/**
 * A tensor that is made. Its own keys win over its rule's, which is the one of that index.
 * @param pointer - how messages call it.
 * @throws IsometryError of the value that is wrong.
 */
export function parseTensor(
  name: string,
  raw: Facts,
  pointer: string,
  rule: Rule | undefined,
  index: number | undefined,
): PlanTensor {
  const shape = parseShape(raw['shape'], `${pointer}/shape`);
  const init = initOf(raw, rule, pointer);
  const dtype = raw['dtype'] ?? rule?.facts['dtype'];
  const layout = raw['layout'] ?? rule?.facts['layout'];
  const groups = raw['groups'] ?? rule?.facts['groups'];
  const tensor: { -readonly [K in keyof PlanTensor]: PlanTensor[K] } = { name, shape, init };
  if (dtype !== undefined) tensor.dtype = parsePlanDType(dtype);
  if (layout !== undefined) tensor.layout = layout as string;
  if (groups !== undefined) tensor.groups = groups as number;
  lawOf(init, tensor);
  const integers = tensor.dtype === undefined ? undefined : integerInfo(tensor.dtype);
  if (integers !== undefined) checkIntegers(tensor, integers);
  if (index !== undefined) tensor.rule = index;
  return Object.freeze(tensor);
}

/** The same object for all tensors of a rule, as far as it can be. */
function initOf(raw: Facts, rule: Rule | undefined, pointer: string): Initializer {
  const rows = raw['zeroRows'];
  if (rule?.init !== undefined && rows === undefined) return rule.init;
  return withZeroRows(
    rule?.bare ?? parseInitializer(raw['init'], `${pointer}/init`),
    rows,
    `${pointer}/zeroRows`,
  );
}

/** Of a plan that says what became of a checkpoint: where from is not known any more. */
export function parseCopied(name: string, raw: Facts, pointer: string): CopiedTensor {
  const shape = parseShape(raw['shape'], `${pointer}/shape`);
  const { dtype } = checkKeys(raw['copied'], ['dtype'], `${pointer}/copied`);
  const info = storedDType(dtype);
  if (info === undefined) {
    const hint = 'as a safetensors header has it: F32, BF16, I64, …';
    throw expectedHint('INVALID_DTYPE', 'the name of a stored dtype', `${pointer}/copied/dtype`, dtype, hint);
  }
  const end = (elementCount(shape) * info.bits) / 8;
  if (!Number.isSafeInteger(end)) {
    const what = `a shape that fills less than 2^53 whole bytes of ${info.bits}-bit elements`;
    throw expected('INVALID_SHAPE', what, `${pointer}/shape`, shape);
  }
  return Object.freeze({ name, shape, dtype: dtype as StoredDType, path: '', begin: 0, end });
}
