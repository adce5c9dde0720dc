import picomatch from 'picomatch';
import { describe, IsometryError } from '../../errors.js';

const LONGEST_GLOB = 512;

/**
 * In one segment of a glob. The time to compare it with a segment of a name grows with the name's length to the power of the
 * number of stars, and with the product of the numbers of alternatives: with these bounds it is some milliseconds for
 * the longest name.
 */
const MOST_STARS = 2;
const MOST_BRACES = 2;
const MOST_COMMAS = 32;

/** Longer names, in UTF-16 units, are matched by `**` only. */
const LONGEST_NAME = 512;

/** A segment of a glob: one text, or a pattern. */
type Segment = string | RegExp;

/** A glob, to be compared with names: the runs of segments between its `**`. */
export interface Glob {
  /** Before the first `**`; all of it where there is none. */
  readonly head: readonly Segment[];
  readonly middle: readonly (readonly Segment[])[];
  /** Behind the last `**`; `undefined` where there is none. */
  readonly tail: readonly Segment[] | undefined;
}

/** The segments of a name, which is a path; none of one that is too long for a name. */
export function segmentsOf(name: string): readonly string[] | undefined {
  return name.length > LONGEST_NAME ? undefined : name.split(SEPARATOR);
}

const SEPARATOR = /[./]/;

/**
 * A glob on the names of tensors. Names are paths: `.` (and `/`) part their segments. `*` is any text within a segment, `**`
 * any number of segments, `?` one character, `[0-9]` one of several, `{a,b}` one of several texts within a segment.
 *
 * Each segment is compiled by picomatch and compared by itself: as one regular expression a glob could take for ever, as
 * what each segment could be would be tried with all that the others could be.
 *
 * @param where - how messages call it.
 * @throws IsometryError `PLAN_ERROR` for a pattern that is none, or longer or wilder than any name needs.
 */
export function parseGlob(glob: unknown, where: string): Glob {
  const fail = (what: string): IsometryError =>
    new IsometryError('PLAN_ERROR', `expected ${what} for ${where} but received ${describe(glob)}`);
  if (typeof glob !== 'string' || glob === '') throw fail('a glob such as "encoder.*.weight"');
  if (glob.length > LONGEST_GLOB) throw fail(`a glob of at most ${LONGEST_GLOB} characters`);
  const runs: Segment[][] = [[]];
  for (const text of glob.split(SEPARATOR)) {
    if (text === '**') runs.push([]);
    else runs.at(-1)!.push(parseSegment(text, fail));
  }
  const [head, ...others] = runs;
  return { head: head!, middle: others.slice(0, -1), tail: others.at(-1) };
}

/** A glob as a function of names. */
export function compileGlob(glob: unknown, where: string): (name: string) => boolean {
  const parsed = parseGlob(glob, where);
  return (name) => matchesGlob(parsed, segmentsOf(name));
}

/** Whether a glob matches a name, in time that grows with the product of their lengths. */
export function matchesGlob({ head, middle, tail }: Glob, name: readonly string[] | undefined): boolean {
  if (name === undefined) return head.length === 0 && middle.every(isEmpty) && tail?.length === 0;
  if (tail === undefined) return name.length === head.length && matchesAt(head, name, 0);
  const end = name.length - tail.length;
  if (end < head.length) return false;
  // The tail first, as most names differ in it.
  if (!matchesAt(tail, name, end) || !matchesAt(head, name, 0)) return false;
  return findsAll(middle, name, head.length, end);
}

/** Whether runs come one behind the other in [begin, end): each as early as it can. */
function findsAll(
  runs: readonly (readonly Segment[])[],
  name: readonly string[],
  begin: number,
  end: number,
): boolean {
  let at = begin;
  for (const run of runs) {
    while (at + run.length <= end && !matchesAt(run, name, at)) at++;
    if (at + run.length > end) return false;
    at += run.length;
  }
  return true;
}

function isEmpty(run: readonly Segment[]): boolean {
  return run.length === 0;
}

function matchesAt(segments: readonly Segment[], name: readonly string[], at: number): boolean {
  for (let i = segments.length - 1; i >= 0; i--) {
    const segment = segments[i]!;
    const text = name[at + i]!;
    if (segment !== text && (typeof segment !== 'object' || !segment.test(text))) return false;
  }
  return true;
}

function parseSegment(text: string, fail: (what: string) => IsometryError): Segment {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  if (count(/\{/g) !== count(/\}/g)) {
    throw fail('a glob whose {…} lie within one segment, and ranges as in [0-9],');
  }
  if (count(/\*+/g) > MOST_STARS) throw fail(`a glob with at most ${MOST_STARS} * in a segment`);
  if (count(/\{/g) > MOST_BRACES || count(/,/g) > MOST_COMMAS) {
    throw fail(`a glob with at most ${MOST_BRACES} {…} and ${MOST_COMMAS} commas in a segment`);
  }
  if (!/[*?[\]{}]/.test(text)) return text;
  try {
    // Nothing in a name is a dot file; parentheses and the like are characters here.
    const escaped = text.replaceAll(/[\\()+|$@"']|(?<!\[)[!^]/g, '\\$&');
    return picomatch.makeRe(escaped, { dot: true, noextglob: true, nonegate: true, strictBrackets: true });
  } catch (error) {
    throw fail(`a glob (${error instanceof Error ? error.message : String(error)})`);
  }
}
