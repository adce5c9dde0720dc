import type { Initializer } from '../initializers/index.js';
import type { Law } from '../law.js';

/** Longest text of an option; a list of a thousand rows is no word. */
const LONGEST_OPTION = 40;

/**
 * An initializer and the law that it means for one tensor, in words: `heNormal: normal cut at ±2σ`. Standard deviations
 * have a column of their own.
 */
export function lawInWords(init: Initializer, law: Law): string {
  const {
    kind,
    init: inner,
    rows,
  } = init as {
    readonly kind: string;
    readonly init?: Initializer;
    readonly rows?: readonly number[];
  };
  if (kind === 'zeroRows' && inner !== undefined && rows !== undefined) {
    const base = law.kind === 'parts' ? law.parts[0]!.law : law;
    const elements = isElementLaw(base) ? lawInWords(inner, base) : callInWords(inner);
    return `${elements}, ${rows.length === 1 ? 'row' : 'rows'} ${shortOption(rows)} zero`;
  }
  if (!isElementLaw(law)) return callInWords(init);
  const words = elementLawInWords(law);
  const plain = ['constant', 'zeros', 'ones', 'uniform', 'normal', 'truncatedNormal'].includes(kind);
  return plain ? words : `${kind}: ${words}`;
}

type Element = Extract<Law, { kind: 'constant' | 'uniform' | 'normal' | 'truncatedNormal' }>;

function isElementLaw(law: { readonly kind: string }): law is Element {
  return ['constant', 'uniform', 'normal', 'truncatedNormal'].includes(law.kind);
}

function elementLawInWords(law: Element): string {
  switch (law.kind) {
    case 'constant':
      return law.value === 0 ? 'zeros' : law.value === 1 ? 'ones' : `constant ${shortNumber(law.value)}`;
    case 'uniform':
      return `uniform from ${shortNumber(law.min)} to ${shortNumber(law.max)}`;
    case 'normal':
      return `normal${around(law.mean)}`;
    case 'truncatedNormal': {
      if ('absolute' in law.bounds) {
        const [lower, upper] = law.bounds.absolute.map(shortNumber);
        return `normal${around(law.mean)} cut to [${lower}, ${upper}]`;
      }
      const [lower, upper] = law.bounds.sigmas;
      const cut = lower === -upper ? `±${shortNumber(upper)}σ` : `${bound(lower)} and ${bound(upper)}`;
      return `normal${around(law.mean)} cut at ${cut}`;
    }
  }
}

function around(mean: number): string {
  return mean === 0 ? '' : ` around ${shortNumber(mean)}`;
}

function bound(sigmas: number): string {
  return Number.isFinite(sigmas) ? `${shortNumber(sigmas)}σ` : 'nothing';
}

/** `orthogonal (gain 1)`, for what is no law of single elements. */
function callInWords(init: Initializer): string {
  const { kind, ...options } = init as { readonly kind: string } & Readonly<Record<string, unknown>>;
  const parts = Object.entries(options).map(([name, value]) => `${name} ${shortOption(value)}`);
  return parts.length === 0 ? kind : `${kind} (${parts.join(', ')})`;
}

function shortOption(value: unknown): string {
  if (typeof value === 'number') return shortNumber(value);
  const text = Array.isArray(value)
    ? value.map((entry) => JSON.stringify(entry)).join(', ')
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
  return text.length <= LONGEST_OPTION ? text : `${text.slice(0, LONGEST_OPTION - 1)}…`;
}

/** At most five digits. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(5)));
}

/** `[768, 3072]`. */
export function shapeInWords(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
