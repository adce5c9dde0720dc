import { vi } from 'vitest';

/** What a command did. */
export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of `stdout` as JSON; only for commands that were called with `json`. */
  readonly records: () => Record<string, unknown>[];
}

/** Runs a command in this process and keeps what it writes. */
export async function capture(run: (signal: AbortSignal) => Promise<number>): Promise<Captured> {
  let stdout = '';
  let stderr = '';
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
  try {
    const code = await run(new AbortController().signal);
    const records = (): Record<string, unknown>[] =>
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    return { code, stdout, stderr, records };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}
