import { IsometryError, showName } from '../../errors.js';
import { type Initializer, parseInitializer } from '../../initializers/index.js';
import { type Glob, matchesGlob, parseGlob, segmentsOf } from './globs.js';

/** A rule or a tensor as JSON has it, whose keys have passed the schema. */
export type Facts = Readonly<Record<string, unknown>>;

/** Where a tensor comes from. */
export type Way = 'init' | 'tie' | 'copyOf' | 'copied';

const WAYS: readonly Way[] = ['init', 'tie', 'copyOf', 'copied'];

/** What makes the tensors whose names match. */
export interface Rule {
  /** At least one glob. */
  readonly match: readonly string[];
  readonly way: Way;
  /** All other keys: `dtype`, `layout`, `groups`, `zeroRows`, `tie`, `copyOf`. */
  readonly facts: Facts;
  /** What tensors get that name no rows of their own to be zero; for `init`. */
  readonly init: Initializer | undefined;
  /** The same before any rows are zero. */
  readonly bare: Initializer | undefined;
}

/**
 * Checks a rule, as far as it can be without a tensor.
 * @param pointer - how messages call it.
 * @throws IsometryError as `parseInitializer`; `INVALID_OPTION` for one that makes nothing.
 */
export function parseRule({ match, init, ...facts }: Facts, pointer: string): Rule {
  const way = wayOf({ ...facts, init }, pointer);
  if (way === undefined) {
    throw new IsometryError('INVALID_OPTION', `expected one of init, tie and copyOf in ${pointer}`);
  }
  const bare = way === 'init' ? parseInitializer(init, `${pointer}/init`) : undefined;
  return {
    match: [match].flat() as string[],
    way,
    facts,
    bare,
    init: bare === undefined ? undefined : withZeroRows(bare, facts['zeroRows'], `${pointer}/zeroRows`),
  };
}

/**
 * Which of the keys is there that say where a tensor comes from.
 * @throws IsometryError `INVALID_OPTION` where there are several.
 */
export function wayOf(facts: Facts, pointer: string): Way | undefined {
  let found: Way | undefined;
  for (const way of WAYS) {
    if (facts[way] === undefined) continue;
    if (found !== undefined) {
      throw new IsometryError(
        'INVALID_OPTION',
        `expected one of ${WAYS.join(', ')} in ${pointer} but it has ${found} and ${way}`,
      );
    }
    found = way;
  }
  return found;
}

/**
 * An initializer of which some rows are zero; the initializer itself where `rows` are none.
 * @throws IsometryError as `zeroRows`.
 */
export function withZeroRows(init: Initializer, rows: unknown, where: string): Initializer {
  if (rows === undefined || (Array.isArray(rows) && rows.length === 0)) return init;
  return parseInitializer({ kind: 'zeroRows', init, rows }, where);
}

/** Finds the rule for a name; remembers which ones were used. */
export class RuleMatcher {
  readonly rules: readonly Rule[];
  private readonly globs: readonly (readonly Glob[])[];
  private readonly used: boolean[];

  /**
   * @param where - how messages call the list of rules.
   * @throws IsometryError as `parseGlob`.
   */
  constructor(rules: readonly Rule[], where = '/rules') {
    this.rules = rules;
    this.globs = rules.map(({ match }, rule) =>
      match.map((glob) => parseGlob(glob, `${where}/${rule}/match`)),
    );
    this.used = rules.map(() => false);
  }

  /** Index of the first rule that matches. */
  find(name: string): number | undefined {
    const segments = segmentsOf(name);
    const index = this.globs.findIndex((globs) => globs.some((glob) => matchesGlob(glob, segments)));
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
