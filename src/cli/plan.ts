import { writeAtomically } from '../atomic-file.js';
import { lawOf } from '../initializers/index.js';
import { cutShards, DEFAULT_SHARD_SIZE, parseShardSize, shardName } from '../model/checkpoint/shards.js';
import { type Plan, type PlanTensor, serializePlan } from '../model/plan/plan.js';
import { planHash } from '../model/plan/plan-hash.js';
import { isCopied, type StoredPlanTensor, storedTensors } from '../model/plan/stored-tensors.js';
import { lawMoments } from '../moments.js';
import { elementCount } from '../shape.js';
import { formatBytes, groupDigits, Output, printable, TableStream } from './output.js';
import { refuseSameFile } from './same-file.js';
import { readSource, type SourceOptions } from './source.js';
import { lawInWords, shapeInWords, shortNumber } from './words.js';

/** Options of `isometry plan`, checked. */
export interface PlanOptions extends SourceOptions {
  readonly out?: string;
  /** Bytes. */
  readonly maxShardSize?: number;
  readonly json?: true;
}

/** So many tensors are told before anything else may happen, such as an interruption. */
const ROWS_AT_ONCE = 256;

/** `isometry plan SOURCE`: what `init` would write. */
export async function plan(source: string, options: PlanOptions, signal: AbortSignal): Promise<number> {
  const output = new Output(options.json === true);
  const resolved = await readSource(source, options, output);
  if (options.out !== undefined) {
    const { base, like } = options;
    await refuseSameFile(options.out, { 'plan or configuration': source, base, checkpoint: like });
    await writePlan(resolved, options.out, signal);
  }
  const dtype = options.dtype ?? resolved.dtype ?? 'float32';
  const stored = storedTensors(resolved, dtype);
  const limit = options.maxShardSize ?? parseShardSize(DEFAULT_SHARD_SIZE);
  const shards = cutShards(stored, limit);
  const shardOf = new Map<StoredPlanTensor, string>();
  for (const [index, tensors] of shards.entries())
    for (const tensor of tensors) shardOf.set(tensor, shardName(index, shards.length));

  // Whoever has the plan as a file needs no table.
  const shown = options.out === undefined;
  const table = new TableStream(output, HEADING, new Set([3, 6]));
  for (const [index, tensor] of stored.entries()) {
    if (!shown) break;
    const row = describeTensor(tensor);
    const file = shardOf.get(tensor)!;
    output.record('tensor', { ...row, shard: file });
    table.row([
      printable(row.name),
      shapeInWords(row.shape),
      printable(row.law),
      row.std === null ? '-' : shortNumber(row.std),
      row.dtype,
      shardInWords(file),
      groupDigits(row.bytes),
    ]);
    if (index % ROWS_AT_ONCE > 0) continue;
    await output.ready();
    await new Promise(setImmediate);
    signal.throwIfAborted();
  }
  if (shown) table.end();
  report(output, resolved, stored, shards.length, options);
  return 0;
}

const HEADING = ['tensor', 'shape', 'law', 'std', 'dtype', 'shard', 'bytes'];

interface Row {
  readonly name: string;
  readonly shape: readonly number[];
  /** As safetensors names it. */
  readonly dtype: string;
  readonly bytes: number;
  /** As a plan has it; `null` for what is copied. */
  readonly init: object | null;
  /** In words. */
  readonly law: string;
  readonly mean: number | null;
  readonly std: number | null;
  /** Number of the plan's rule that made it, from 0 on. */
  readonly rule: number | null;
  /** Whose values it has, where they are not its own. */
  readonly copyOf: string | null;
}

function describeTensor({ name, shape, dtype, bytes, source }: StoredPlanTensor): Row {
  const common = { name, shape, dtype, bytes };
  if (isCopied(source)) {
    const law = `copied from ${source.path}`;
    return { ...common, init: null, law, mean: null, std: null, rule: null, copyOf: null };
  }
  const law = lawOf(source.init, source);
  const { mean, std } = lawMoments(law, elementCount(shape));
  return {
    ...common,
    init: source.init,
    law: `${lawInWords(source.init, law)}${wherefrom(source)}`,
    mean,
    std,
    rule: source.rule ?? null,
    copyOf: source.stream ?? null,
  };
}

function wherefrom({ stream }: PlanTensor): string {
  return stream === undefined ? '' : `, as ${stream}`;
}

/** `model-00002-of-00009.safetensors` → `2 of 9`. */
function shardInWords(file: string): string {
  const [, index, count] = /-(\d+)-of-(\d+)\./.exec(file) ?? [];
  return index === undefined ? '1 of 1' : `${Number(index)} of ${Number(count)}`;
}

function report(
  output: Output,
  resolved: Plan,
  stored: readonly StoredPlanTensor[],
  shards: number,
  { out }: PlanOptions,
): void {
  const ties = resolved.ties ?? [];
  for (const { name, to } of ties) {
    output.text(`tied: ${printable(name)} is ${printable(to)}, and is not stored`);
    output.record('tie', { name, to });
  }
  const bytes = stored.reduce((total, tensor) => total + tensor.bytes, 0);
  const parameters = stored.reduce((total, { shape }) => total + elementCount(shape), 0);
  const warnings = resolved.warnings?.length ?? 0;
  if (out === undefined) output.text('');
  else output.text(`${printable(out)}: the plan`);
  output.text(
    `${groupDigits(stored.length)} tensors, ${groupDigits(parameters)} parameters, ${formatBytes(bytes)} in ${groupDigits(shards)} ${shards === 1 ? 'shard' : 'shards'}`,
  );
  for (const { name } of resolved.files ?? []) output.text(`copied beside them: ${printable(name)}`);
  output.record('summary', {
    tensors: stored.length,
    parameters,
    bytes,
    shards,
    ties: ties.length,
    warnings,
    files: (resolved.files ?? []).map(({ name }) => name),
    plan_sha256: planHash(resolved),
  });
}

async function writePlan(resolved: Plan, path: string, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(serializePlan(resolved), 'utf8');
  await writeAtomically(path, bytes.length, (file) => file.write(bytes, 0), { signal });
}
