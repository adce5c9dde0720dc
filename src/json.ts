import { showName } from './errors.js';
import { isWellFormed } from './safetensors/header.js';

/** What is refused beyond malformed text, and how that is reported. */
export interface JsonRules {
  /** Deepest nesting of arrays and objects allowed; bounds the recursion, so hostile text cannot exhaust the stack. */
  readonly maxDepth: number;
  /** Whether numbers must be spelled as whole numbers: `2`, and neither `2.0` nor `2e0` nor `-0`. Default false. */
  readonly wholeNumbers?: boolean;
  /** Builds the error to throw for `reason` at character `offset` of the text. */
  readonly fail: (reason: string, offset: number) => Error;
}

/**
 * Parses JSON (RFC 8259) more strictly than `JSON.parse`: duplicate keys, strings with half a surrogate pair, numbers
 * beyond the range of a double and nesting deeper than `rules.maxDepth` are errors. Objects have no prototype, so no key
 * of the text (`__proto__`, `constructor`) can reach anything but its own value.
 *
 * @throws whatever `rules.fail` returns.
 */
export function parseJson(text: string, rules: JsonRules): unknown {
  const scanner = new JsonScanner(text, rules);
  const value = scanner.value();
  scanner.end();
  return value;
}

/** Line and column, both from 1, of a character offset. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) {
    line++;
    start = i + 1;
  }
  return { line, column: offset - start + 1 };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// Digits cannot be matched in two ways anywhere in this pattern, so it runs in linear time on any text.
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** 10^15 − 1 is below 2^53. */
const MOST_EXACT_DIGITS = 15;
const ZERO = 0x30;
const WHOLE = /^(?:0|-?[1-9][0-9]*)$/;

/**
 * Reads JSON piece by piece, as strictly as `parseJson`, for texts that are too large for a tree of all their values.
 * Who reads an object that way has to tell keys apart: see `duplicate`.
 */
export class JsonScanner {
  private at = 0;
  private depth = 0;
  private readonly text: string;
  private readonly rules: JsonRules;

  constructor(text: string, rules: JsonRules) {
    this.text = text;
    this.rules = rules;
  }

  /** The next value, whatever it is. */
  value(): unknown {
    switch (this.next()) {
      case '{': {
        const result: Record<string, unknown> = Object.create(null);
        this.object((key, keyAt) => {
          if (key in result) throw this.duplicate(key, keyAt);
          result[key] = this.value();
        });
        return result;
      }
      case '[': {
        const result: unknown[] = [];
        this.array(() => {
          result.push(this.value());
        });
        return result;
      }
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  /** The character that the next value begins with, left unread; `undefined` at the end of the text. */
  next(): string | undefined {
    this.space();
    return this.text[this.at];
  }

  /** Reads an object. `entry` must read the value of the key that it is told, and only that. */
  object(entry: (key: string, keyAt: number) => void): void {
    this.items('{', '}', () => {
      if (this.next() !== '"') throw this.unexpected('a key in double quotes');
      const keyAt = this.at;
      const key = this.string();
      if (this.next() !== ':') throw this.unexpected('":"');
      this.at++;
      entry(key, keyAt);
    });
  }

  /** Reads an array. `item` must read one value. */
  array(item: () => void): void {
    this.items('[', ']', item);
  }

  /** Checks that nothing follows. */
  end(): void {
    this.space();
    if (this.at < this.text.length) throw this.rules.fail('text after the end of the JSON value', this.at);
  }

  /** The error for a key that was there already. */
  duplicate(key: string, keyAt: number): Error {
    return this.rules.fail(`duplicate key ${showName(key)}`, keyAt);
  }

  /** What is between two brackets, with commas between. */
  private items(open: '{' | '[', close: '}' | ']', item: () => void): void {
    if (this.next() !== open) throw this.unexpected(`"${open}"`);
    if (this.depth >= this.rules.maxDepth) {
      throw this.rules.fail(`nesting deeper than ${this.rules.maxDepth} levels`, this.at);
    }
    this.depth++;
    this.at++;
    let more = this.next() !== close;
    while (more) {
      item();
      const separator = this.next();
      if (separator !== ',' && separator !== close) throw this.unexpected(`"," or "${close}"`);
      more = separator === ',';
      if (more) this.at++;
    }
    this.at++;
    this.depth--;
  }

  private string(): string {
    const start = this.at + 1;
    let escaped = false;
    for (let i = start; ; i++) {
      const unit = this.text.charCodeAt(i);
      if (unit === QUOTE) {
        this.at = i + 1;
        return escaped ? this.unescape(start - 1, i + 1) : this.text.slice(start, i);
      }
      if (unit === BACKSLASH) {
        escaped = true;
        i++;
      } else if (unit < 0x20) {
        throw this.rules.fail('a control character inside a string (write it as \\u00XX)', i);
      } else if (Number.isNaN(unit)) {
        throw this.rules.fail('a string without its closing quote', start - 1);
      }
    }
  }

  private unescape(start: number, end: number): string {
    let text: string;
    try {
      text = JSON.parse(this.text.slice(start, end));
    } catch {
      throw this.rules.fail('an unknown escape sequence in a string', start);
    }
    // Only an escape can make one, as the text itself was decoded from UTF-8.
    if (!isWellFormed(text)) throw this.rules.fail('half a surrogate pair in a string', start);
    return text;
  }

  private number(): number {
    // The common case without a pattern's cost: so few digits that the sum is exact, and nothing else.
    const { text } = this;
    let value = 0;
    let digits = 0;
    for (; digits < MOST_EXACT_DIGITS; digits++) {
      const digit = text.charCodeAt(this.at + digits) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = 10 * value + digit;
    }
    const plain = digits > 0 && (digits === 1 || text.charCodeAt(this.at) !== ZERO);
    if (!plain || isPartOfNumber(text.charCodeAt(this.at + digits))) return this.anyNumber();
    this.at += digits;
    return value;
  }

  private anyNumber(): number {
    NUMBER.lastIndex = this.at;
    const spelled = NUMBER.exec(this.text)?.[0];
    if (spelled === undefined) throw this.unexpected('a JSON value');
    if (this.rules.wholeNumbers === true && !WHOLE.test(spelled)) {
      throw this.rules.fail('a number that is not spelled as a whole number', this.at);
    }
    const value = Number(spelled);
    if (!Number.isFinite(value)) throw this.rules.fail('a number too large for a double', this.at);
    this.at += spelled.length;
    return value;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected('a JSON value');
    this.at += word.length;
    return value;
  }

  private space(): void {
    for (;;) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.at++;
    }
  }

  private unexpected(wanted: string): Error {
    const found = this.text.codePointAt(this.at);
    const shown = found === undefined ? 'the end of the text' : JSON.stringify(String.fromCodePoint(found));
    return this.rules.fail(`expected ${wanted}, found ${shown}`, this.at);
  }
}

/** Whether a number may go on with this character. */
function isPartOfNumber(unit: number): boolean {
  const isDigit = unit >= ZERO && unit <= ZERO + 9;
  return isDigit || unit === 0x2e || unit === 0x65 || unit === 0x45;
}
