/** What `parseJson` refuses beyond malformed text, and how it reports. */
export interface JsonRules {
  /** Deepest nesting of arrays and objects allowed; bounds the recursion, so hostile text cannot exhaust the stack. */
  readonly maxDepth: number;
  /** Builds the error to throw for `reason` at character `offset` of the text. */
  readonly fail: (reason: string, offset: number) => Error;
}

/**
 * Parses JSON (RFC 8259) more strictly than `JSON.parse`: duplicate keys, numbers beyond the range of a double and
 * nesting deeper than `rules.maxDepth` are errors. Objects have no prototype, so no key of the text (`__proto__`,
 * `constructor`) can reach anything but its own value.
 *
 * @throws whatever `rules.fail` returns.
 */
export function parseJson(text: string, rules: JsonRules): unknown {
  const parser = new Parser(text, rules);
  return parser.document();
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

class Parser {
  private at = 0;
  private readonly text: string;
  private readonly rules: JsonRules;

  constructor(text: string, rules: JsonRules) {
    this.text = text;
    this.rules = rules;
  }

  document(): unknown {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) throw this.rules.fail('text after the end of the JSON value', this.at);
    return value;
  }

  private value(depth: number): unknown {
    this.space();
    switch (this.text[this.at]) {
      case '{':
        return this.object(this.deeper(depth));
      case '[':
        return this.array(this.deeper(depth));
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

  private deeper(depth: number): number {
    if (depth >= this.rules.maxDepth) {
      throw this.rules.fail(`nesting deeper than ${this.rules.maxDepth} levels`, this.at);
    }
    return depth + 1;
  }

  private object(depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = Object.create(null);
    this.at++;
    if (this.next() === '}') {
      this.at++;
      return result;
    }
    for (;;) {
      if (this.next() !== '"') throw this.unexpected('a key in double quotes');
      const keyAt = this.at;
      const key = this.string();
      if (key in result) throw this.rules.fail(`duplicate key ${shorten(key)}`, keyAt);
      if (this.next() !== ':') throw this.unexpected('":"');
      this.at++;
      result[key] = this.value(depth);
      const separator = this.next();
      if (separator !== ',' && separator !== '}') throw this.unexpected('"," or "}"');
      this.at++;
      if (separator === '}') return result;
    }
  }

  private array(depth: number): unknown[] {
    const result: unknown[] = [];
    this.at++;
    if (this.next() === ']') {
      this.at++;
      return result;
    }
    for (;;) {
      result.push(this.value(depth));
      const separator = this.next();
      if (separator !== ',' && separator !== ']') throw this.unexpected('"," or "]"');
      this.at++;
      if (separator === ']') return result;
    }
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
    try {
      return JSON.parse(this.text.slice(start, end));
    } catch {
      throw this.rules.fail('an unknown escape sequence in a string', start);
    }
  }

  private number(): number {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.unexpected('a JSON value');
    const value = Number(match[0]);
    if (!Number.isFinite(value)) throw this.rules.fail('a number too large for a double', this.at);
    this.at += match[0].length;
    return value;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected('a JSON value');
    this.at += word.length;
    return value;
  }

  /** The next character that is not white space, left unread. */
  private next(): string | undefined {
    this.space();
    return this.text[this.at];
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

function shorten(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 59)}…` : key);
}
