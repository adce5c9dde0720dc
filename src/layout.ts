import { expected } from './errors.js';
import { expectedHint } from './options.js';
import { parseShape } from './shape.js';

/** Spatial axes: depth, height, width, length, a generic kernel axis, time, and x, y, z. */
const SPATIAL = 'DHWLKTXYZ';

/** By rank: output first, as PyTorch stores dense and convolution weights. */
const DEFAULT_LAYOUTS: ReadonlyMap<number, string> = new Map([
  [2, 'OI'],
  [3, 'OIL'],
  [4, 'OIHW'],
  [5, 'OIDHW'],
]);

/** How many connections a unit of a layer has. */
export interface Fans {
  /** Inputs that one output sees. */
  readonly fanIn: number;
  /** Outputs that one input reaches (at stride 1). */
  readonly fanOut: number;
  /** Positions of the kernel: the product of the spatial axes, 1 for a dense layer. */
  readonly receptiveField: number;
}

/**
 * A layout: one letter for each axis, outermost first. `O` is the axis of outputs, `I` of inputs, each at most once;
 * `D H W L K T X Y Z` are spatial (the receptive field), each at most once; `E`, any number of times, are
 * axes of independent layers stacked in one tensor (experts, heads, depthwise channels), which belong to no fan.
 *
 * `OI` PyTorch linear · `IO` Keras and Flax dense · `OIHW` PyTorch conv · `HWIO` Keras and Flax conv · `OHWI` MLX
 * and TensorFlow Lite conv · `IOHW` PyTorch transposed conv · `EOI` stacked experts.
 *
 * @throws IsometryError `INVALID_LAYOUT`, unless it is such a string with `rank` letters.
 */
export function parseLayout(layout: unknown, rank: number): string {
  const what = `${rank} axis letters such as ${DEFAULT_LAYOUTS.get(rank) ?? 'OI, HWIO or EOI'}`;
  if (typeof layout !== 'string') throw expected('INVALID_LAYOUT', what, 'layout', layout);
  if (layout.length !== rank) {
    throw expectedHint('INVALID_LAYOUT', what, 'layout', layout, `the tensor has ${rank} axes`);
  }
  for (const [index, letter] of [...layout].entries()) {
    if (!`OIE${SPATIAL}`.includes(letter)) {
      const hint = `letter ${JSON.stringify(letter)} is none of O (outputs), I (inputs), E (stacked), ${SPATIAL} (spatial)`;
      throw expectedHint('INVALID_LAYOUT', what, 'layout', layout, hint);
    }
    if (letter !== 'E' && layout.indexOf(letter) !== index) {
      throw expectedHint('INVALID_LAYOUT', what, 'layout', layout, `${letter} appears more than once`);
    }
  }
  return layout;
}

/**
 * The number of groups of a grouped convolution.
 * @param where - what a message calls it.
 * @throws IsometryError `INVALID_OPTION` unless it is a whole number from 1 to 2^53 − 1.
 */
export function parseGroups(groups: unknown, where = 'groups'): number {
  if (typeof groups !== 'number' || !Number.isSafeInteger(groups) || groups < 1) {
    throw expected('INVALID_OPTION', 'a whole number ≥ 1', where, groups);
  }
  return groups;
}

/**
 * The fans of a weight tensor. With `I`, `O` the lengths of the stored axes (1 where the layout has none), `rf` the
 * product of the spatial ones and `g` the groups:
 *
 * | weight | stored | fanIn | fanOut |
 * |---|---|---|---|
 * | dense, convolution | O × I/g × … | I·rf | (O/g)·rf |
 * | transposed convolution: `I` is the first axis that is not `E` | I × O/g × … | (I/g)·rf | O·rf |
 *
 * So depthwise convolution is PyTorch's `[C·m, 1, kh, kw]` with `groups: C`: fanIn kh·kw, fanOut m·kh·kw. Keras's
 * depthwise kernel `[kh, kw, C, m]` has C layers with one input each: layout `HWEO`, without groups, the same fans.
 * `E` axes belong to no fan. A dense Keras layer `[in, out]` is `IO`.
 *
 * This counts what a unit really sees. `torch.nn.init` reads fans off axes 0 and 1, whatever the layer: it swaps the
 * fans of a transposed convolution and takes a grouped convolution's fanOut g times too large.
 *
 * @param shape - the whole tensor's, never a shard's.
 * @param layout - see {@link parseLayout}; by rank `OI`, `OIL`, `OIHW`, `OIDHW`. A three-axis tensor is a convolution
 * over a length unless told otherwise: for stacked experts say `EOI`.
 * @param groups - default 1; must divide O, or I for a transposed convolution.
 * @param where - what a message calls them.
 * @throws IsometryError `INVALID_SHAPE` for another rank without a layout; `INVALID_LAYOUT`; `INVALID_OPTION` for
 * groups.
 */
export function fans(
  shape: readonly number[],
  layout?: string,
  groups?: number,
  where = 'the fans of a tensor',
): Fans {
  const dims = parseShape(shape);
  const axes = axisLetters(dims, layout) ?? missingLayout(dims, where);
  const count = groups === undefined ? 1 : parseGroups(groups);

  let receptiveField = 1;
  let inputs = 1;
  let outputs = 1;
  for (const [axis, letter] of [...axes].entries()) {
    const dim = dims[axis]!;
    if (letter === 'I') inputs = dim;
    else if (letter === 'O') outputs = dim;
    else if (letter !== 'E') receptiveField *= dim;
  }

  const transposed = sharedAxis(axes) === 'I';
  checkGroups(count, transposed ? inputs : outputs, axes);
  return {
    fanIn: (transposed ? inputs / count : inputs) * receptiveField,
    fanOut: (transposed ? outputs : outputs / count) * receptiveField,
    receptiveField,
  };
}

/**
 * One letter for each axis: the layout, or the default of the rank, which only ranks 2 to 5 have.
 * @throws IsometryError `INVALID_LAYOUT`.
 */
export function axisLetters(shape: readonly number[], layout: string | undefined): string | undefined {
  return layout === undefined ? DEFAULT_LAYOUTS.get(shape.length) : parseLayout(layout, shape.length);
}

/** The stored axis that all groups of a convolution share; the other one holds a single group's part already. */
export function sharedAxis(axes: string): 'O' | 'I' {
  return axes.replaceAll('E', '').startsWith('I') ? 'I' : 'O';
}

/**
 * @param shared - length of the axis that the groups share.
 * @throws IsometryError `INVALID_OPTION` unless the groups divide it.
 */
export function checkGroups(groups: number, shared: number, axes: string): void {
  if (shared % groups === 0) return;
  const axis = `${sharedAxis(axes)} (${shared})`;
  throw expected('INVALID_OPTION', `a divisor of axis ${axis} of layout ${axes}`, 'groups', groups);
}

function missingLayout(shape: readonly number[], where: string): never {
  const hint =
    shape.length < 2
      ? 'a bias or scale has no fans: use zeros(), ones() or normal({ std }), or name its axes, as in layout: "O"'
      : 'name its axes, as in layout: "EOIDHW"';
  throw expectedHint('INVALID_SHAPE', 'a shape of rank 2 to 5 or a layout', where, shape, hint);
}
