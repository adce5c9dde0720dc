import { createHash } from 'node:crypto';
import { inStep } from './in-step.js';
import type { OpenCheckpoint, OpenTensor } from './open-checkpoint.js';

/** A tensor that should equal no other. */
export interface Candidate {
  readonly tensor: OpenTensor;
  /**
   * `anywhere`: independent random elements, no part of which should be found again, in the tensor or in another.
   * `whole`: it has a structure of its own, so that only tensors that are equal as a whole say something.
   */
  readonly repeats: 'anywhere' | 'whole';
}

/** The same run of elements at two places. */
export interface Duplicate {
  readonly a: { readonly name: string; readonly element: number };
  readonly b: { readonly name: string; readonly element: number };
  /** How many elements are equal from there on; counted up to `MOST_COMPARED` bytes unless both tensors are equal. */
  readonly elements: number;
  /** The two tensors are equal from their first byte to their last. */
  readonly whole: boolean;
}

/** Elements that are held against each other first. */
const RUN = 64;

/**
 * So many different values must be among them: fewer could be equal by chance. Two runs of independent elements with
 * that many values agree with a probability below 2^-128.
 */
const FEWEST_VALUES = 16;

/** Of a repeated run, unless all of a tensor is compared. */
const MOST_COMPARED = 2 ** 20;

/** With more tensors than this, only the beginning of each is looked at: memory for places is bounded. */
const MOST_WITH_PARTS = 100_000;

/**
 * Numbers of processes that are looked for: with one seed for all of them, a tensor repeats its first rows. The most
 * come first, so that the shortest repetition is the one that is told.
 */
const WORLDS = [64, 32, 16, 8, 4, 3, 2];

const BUFFER_BYTES = 2 ** 20;

interface Place {
  readonly tensor: OpenTensor;
  readonly element: number;
}

/**
 * Finds tensors, and parts of tensors, that repeat each other: what a seed that is used twice looks like. Reads some
 * hundred bytes of each tensor, and more only where they are equal. Only dtypes of the library's own are looked at.
 *
 * @param expected - says of a repetition that it is as it should be; such a one is left out.
 */
export async function findDuplicates(
  checkpoint: OpenCheckpoint,
  candidates: readonly Candidate[],
  expected: (duplicate: Duplicate) => Promise<boolean>,
  signal?: AbortSignal,
  onTensor?: (name: string) => void,
): Promise<readonly Duplicate[]> {
  const seen = new Map<string, Place>();
  const found: Duplicate[] = [];
  const parts = candidates.length <= MOST_WITH_PARTS;
  for (const candidate of candidates) {
    signal?.throwIfAborted();
    const { tensor } = candidate;
    if (tensor.dtype.dtype === undefined || tensor.elements < FEWEST_VALUES) continue;
    onTensor?.(tensor.name);
    // One repetition says all: the other places of the two tensors repeat for the same reason.
    let measured = false;
    for await (const { key, element } of keysOf(checkpoint, candidate, parts)) {
      const other = seen.get(key);
      if (other === undefined) seen.set(key, { tensor, element });
      else if (!measured) {
        const duplicate = await measure(checkpoint, other, { tensor, element });
        measured = duplicate.elements > 0;
        if (measured && !(await expected(duplicate))) found.push(duplicate);
      }
    }
  }
  return found;
}

/** What the tensor is found by, and at which element. */
async function* keysOf(
  checkpoint: OpenCheckpoint,
  { tensor, repeats }: Candidate,
  parts: boolean,
): AsyncGenerator<{ key: string; element: number }> {
  const length = Math.min(RUN, tensor.elements);
  const last = tensor.elements - length;
  if (repeats === 'whole') {
    const hash = createHash('sha256');
    let values = 0;
    for (const element of new Set([0, Math.floor(last / 2), last])) {
      const bytes = await readElements(checkpoint, tensor, element, length);
      values = Math.max(values, valuesIn(bytes, tensor.dtype.bits / 8));
      hash.update(bytes);
    }
    const key = `${tensor.dtype.name} ${tensor.elements} ${hash.digest('base64')}`;
    if (values >= FEWEST_VALUES) yield { key, element: 0 };
    return;
  }
  for (const element of parts ? placesOf(tensor, last) : [0]) {
    const bytes = await readElements(checkpoint, tensor, element, length);
    if (valuesIn(bytes, tensor.dtype.bits / 8) < FEWEST_VALUES) continue;
    yield { key: `${tensor.dtype.name} ${createHash('sha256').update(bytes).digest('base64')}`, element };
  }
}

/** The beginning of the tensor, and of its second part for several numbers of processes that share its rows. */
function placesOf({ shape, elements }: OpenTensor, last: number): Iterable<number> {
  const rows = shape[0] ?? 1;
  const width = elements / rows;
  const places = [0, ...WORLDS.map((world) => Math.ceil(rows / world) * width)];
  return new Set(places.filter((element) => element <= last));
}

/** How many different bit patterns the elements have. */
function valuesIn(bytes: Uint8Array, size: number): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Set<string>();
  for (let at = 0; at < buffer.length; at += size) values.add(buffer.toString('latin1', at, at + size));
  return values.size;
}

async function readElements(
  checkpoint: OpenCheckpoint,
  tensor: OpenTensor,
  element: number,
  count: number,
): Promise<Uint8Array> {
  const size = tensor.dtype.bits / 8;
  const begin = tensor.begin + element * size;
  const bytes = new Uint8Array(count * size);
  // A buffer of whole words, as `chunks` wants it.
  const buffer = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
  for await (const piece of checkpoint.chunks({ ...tensor, begin, end: begin + bytes.length }, buffer))
    bytes.set(piece);
  return bytes;
}

/** How far two places are equal. */
async function measure(checkpoint: OpenCheckpoint, a: Place, b: Place): Promise<Duplicate> {
  const size = b.tensor.dtype.bits / 8;
  const rest = Math.min(a.tensor.elements - a.element, b.tensor.elements - b.element);
  const mayBeWhole = a.element === 0 && b.element === 0 && a.tensor.elements === b.tensor.elements;
  const most = mayBeWhole ? rest * size : Math.min(MOST_COMPARED, rest * size);
  const from = ({ tensor, element }: Place): AsyncGenerator<Uint8Array> => {
    const begin = tensor.begin + element * size;
    return checkpoint.chunks({ ...tensor, begin, end: begin + most }, new Uint8Array(BUFFER_BYTES));
  };
  let bytes = 0;
  for await (const [mine, theirs] of inStep(from(a), from(b))) {
    const equal = equalBytes(mine, theirs);
    bytes += equal;
    if (equal < mine.length) break;
  }
  const elements = Math.floor(bytes / size);
  const whole = mayBeWhole && elements === rest;
  return {
    a: { name: a.tensor.name, element: a.element },
    b: { name: b.tensor.name, element: b.element },
    elements,
    whole,
  };
}

function equalBytes(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return a.length;
  let at = 0;
  while (a[at] === b[at]) at++;
  return at;
}
