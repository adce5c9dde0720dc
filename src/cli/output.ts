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

  /** Waits until a slow reader has caught up, so that a million lines do not gather in memory. */
  async ready(): Promise<void> {
    const { stream } = this;
    if (!stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const events = ['drain', 'error', 'close'] as const;
      const done = (): void => {
        for (const event of events) stream.removeListener(event, done);
        resolve();
      };
      // A reader that goes away never drains; what becomes of that is decided where errors of the stream are.
      for (const event of events) stream.on(event, done);
    });
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
  const widths = widthsOf(rows);
  return rows.map((row) => alignRow(row, widths, right));
}

function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  return rows[0]!.map((_, column) =>
    Math.min(
      WIDEST_COLUMN,
      rows.reduce((widest, row) => Math.max(widest, row[column]!.length), 0),
    ),
  );
}

function alignRow(cells: readonly string[], widths: readonly number[], right: ReadonlySet<number>): string {
  return cells
    .map((cell, column) =>
      right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    )
    .join('  ')
    .trimEnd();
}

/** So many rows decide how wide the columns of a long table are. */
const SAMPLE_ROWS = 1000;

/** A table of any length in bounded memory: the first rows decide the widths, and a longer cell sticks out. */
export class TableStream {
  private readonly output: Output;
  private readonly right: ReadonlySet<number>;
  private waiting: (readonly string[])[] = [];
  private widths: readonly number[] | undefined;

  constructor(output: Output, heading: readonly string[], right: ReadonlySet<number>) {
    this.output = output;
    this.right = right;
    this.waiting.push(heading);
  }

  row(cells: readonly string[]): void {
    if (this.widths !== undefined) this.output.text(alignRow(cells, this.widths, this.right));
    else if (this.waiting.push(cells) > SAMPLE_ROWS) this.flush();
  }

  /** To be called after the last row. */
  end(): void {
    if (this.widths === undefined) this.flush();
  }

  private flush(): void {
    const widths = widthsOf(this.waiting);
    for (const cells of this.waiting) this.output.text(alignRow(cells, widths, this.right));
    this.waiting = [];
    this.widths = widths;
  }
}
