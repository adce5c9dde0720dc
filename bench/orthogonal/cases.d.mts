export interface Goal {
  readonly must: number;
  readonly aim?: number;
  readonly smaller?: boolean;
}

export interface Case {
  readonly size: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly threads: number;
  readonly contenders: readonly string[];
  /** Least ratios by contender. */
  readonly goals: ReadonlyMap<string, Goal>;
  /** Most milliseconds of ours. */
  readonly limit?: number | undefined;
  /** Contenders that are too slow for more than one turn. */
  readonly once: readonly string[];
}

export const SIZES: ReadonlyMap<string, readonly number[]>;
export const ERROR_LIMITS: ReadonlyMap<string, number>;
export const MEMORY_LIMIT: number;

export function makeCases(options: { sizes: readonly string[]; cpus: number }): Case[];
export function operationsOf(shape: readonly number[]): number;
