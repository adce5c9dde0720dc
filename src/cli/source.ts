import type { DType } from '../dtype.js';
import { planLike } from '../model/plan/like.js';
import type { Plan } from '../model/plan/plan.js';
import { planFrom } from '../model/plan/plan-from.js';
import type { Settings } from './options.js';
import { type Output, printable } from './output.js';

/** What says which model it is, checked. */
export interface SourceOptions {
  readonly recipe?: string;
  readonly set?: Settings;
  readonly base?: string;
  readonly like?: string;
  readonly only?: readonly string[];
  readonly fillMissing?: true;
  readonly dtype?: DType;
}

/**
 * The plan that a command line means; its warnings are told.
 * @throws (rejects with) IsometryError as `planFrom` and `planLike`.
 */
export async function readSource(source: string, options: SourceOptions, output: Output): Promise<Plan> {
  const { recipe, set, base, like, only, fillMissing } = options;
  const choice = set === undefined ? recipe : { ...Object.fromEntries(set), id: recipe ?? 'hf5' };
  const from = {
    ...(choice === undefined ? {} : { recipe: choice }),
    ...(base === undefined ? {} : { base }),
  };
  const plan =
    like === undefined
      ? await planFrom(source, from)
      : await planLike(like, source, {
          ...from,
          ...(only === undefined ? {} : { only }),
          ...(fillMissing === undefined ? {} : { fillMissing }),
        });
  for (const message of plan.warnings ?? []) {
    process.stderr.write(`isometry: warning: ${printable(message)}\n`);
    output.record('warning', { message });
  }
  return plan;
}
