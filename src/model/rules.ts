import picomatch from 'picomatch';
import { describe, IsometryError, showName } from '../errors.js';

/** What makes the tensors whose names match; the keys are checked where a tensor takes them. */
export interface Rule {
  /** At least one glob. */
  readonly match: readonly string[];
  /** All other keys: `init`, `dtype`, `layout`, `groups`, `zeroRows`, `tie`, `copyOf`. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * Wilder patterns match nothing that a name could be, and could take for ever to say so: the time to match grows with the
 * length of a name to the power of their number.
 */
const LONGEST_GLOB = 512;
const MOST_IN_SEGMENT = 3;
const MOST_GLOBSTARS = 3;
const MOST_BRACES = 4;

/**
 * A glob on the names of tensors. Names are paths: `.` (and `/`) part their segments. `*` is any text within a segment, `**`
 * any number of segments, `?` one character, `[0-9]` one of several, `{a,b}` one of several texts.
 *
 * @param where - how messages call it.
 * @throws IsometryError `PLAN_ERROR` for a pattern that is none, or longer or wilder than any name needs.
 */
export function compileGlob(glob: unknown, where: string): (name: string) => boolean {
  const fail = (what: string): IsometryError =>
    new IsometryError('PLAN_ERROR', `expected ${what} for ${where} but received ${describe(glob)}`);
  if (typeof glob !== 'string' || glob === '') throw fail('a glob such as "encoder.*.weight"');
  if (glob.length > LONGEST_GLOB) throw fail(`a glob of at most ${LONGEST_GLOB} characters`);
  const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  if (count(glob, /\*\*/g) > MOST_GLOBSTARS) throw fail(`a glob with at most ${MOST_GLOBSTARS} **`);
  if (count(glob, /\{/g) > MOST_BRACES) throw fail(`a glob with at most ${MOST_BRACES} {…}`);
  if (glob.split(/[./]/).some((segment) => count(segment, /\*+/g) > MOST_IN_SEGMENT)) {
    throw fail(`a glob with at most ${MOST_IN_SEGMENT} * in a segment`);
  }
  // Nothing in a name is a character to be escaped, a dot file, or a negation.
  const options = {
    dot: true,
    noextglob: true,
    nonegate: true,
    strictBrackets: true,
    maxLength: 2 * LONGEST_GLOB,
  };
  let matches: RegExp;
  try {
    // Parentheses and the like are characters of names here, not patterns.
    matches = picomatch.makeRe(toPath(glob.replaceAll(/[\\()+|^$!@]/g, '\\$&')), options);
  } catch (error) {
    throw fail(`a glob (${error instanceof Error ? error.message : String(error)})`);
  }
  return (name) => matches.test(toPath(name));
}

function toPath(name: string): string {
  return name.replaceAll('.', '/');
}

/** Finds the rule for a name; remembers which ones were used. */
export class RuleMatcher {
  readonly rules: readonly Rule[];
  private readonly globs: readonly ((name: string) => boolean)[][];
  private readonly used: boolean[];

  /**
   * @param where - how messages call the list of rules.
   * @throws IsometryError as `compileGlob`.
   */
  constructor(rules: readonly Rule[], where = '/rules') {
    this.rules = rules;
    this.globs = rules.map(({ match }, rule) =>
      match.map((glob) => compileGlob(glob, `${where}/${rule}/match`)),
    );
    this.used = rules.map(() => false);
  }

  /** Index of the first rule that matches. */
  find(name: string): number | undefined {
    const index = this.globs.findIndex((globs) => globs.some((matches) => matches(name)));
    if (index < 0) return undefined;
    this.used[index] = true;
    return index;
  }

  /** One warning for each rule that has made nothing. */
  warnings(): readonly string[] {
    return this.rules.flatMap(({ match }, index) =>
      this.used[index]
        ? []
        : [
            `rule ${index} (${match.map((glob) => showName(glob)).join(', ')}) made no tensor: nothing matches, or earlier rules took it`,
          ],
    );
  }
}
