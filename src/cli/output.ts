/** Standard output for results: text for people, or one JSON object per line for programs. */
export class Output {
  private readonly json: boolean;
  private readonly stream: NodeJS.WriteStream;

  constructor(json: boolean, stream: NodeJS.WriteStream = process.stdout) {
    this.json = json;
    this.stream = stream;
  }

  /** A line for people; nothing with `--json`. */
  text(line: string): void {
    if (!this.json) this.stream.write(`${line}\n`);
  }

  /** A line for programs; nothing without `--json`. Numbers that JSON cannot write become `null`. */
  record(type: string, fields: object): void {
    if (this.json) this.stream.write(`${JSON.stringify({ type, ...fields })}\n`);
  }
}

/** `124439808` → `124,439,808`. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal units, three digits: `498 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

/** `0.42 s`, `1 min 05 s`, `2 h 03 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 9.95) return `${seconds.toPrecision(2)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${pad(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/**
 * A name from a file as a terminal may show it: control characters and those that reorder text are written as
 * escapes, so that no file can clear the screen or fake a line.
 */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => {
    return `\\u{${char.codePointAt(0)!.toString(16)}}`;
  });
}

/** A longer cell sticks out: one name of megabytes must not make every row as long. */
const WIDEST_COLUMN = 100;

/** Rows as columns, two blanks apart; numbers (`right`) to the right. The first row is the heading. */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths = rows[0]!.map((_, column) =>
    Math.min(
      WIDEST_COLUMN,
      rows.reduce((widest, row) => Math.max(widest, row[column]!.length), 0),
    ),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
