import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expected, IsometryError } from '../../errors.js';
import { booleanOption, checkKeys, isPlainObject } from '../../options.js';
import { type ModelEntry, ModelReader } from '../../safetensors/read-model.js';
import { type FileIdentity, readError } from '../../safetensors/stable-file.js';
import { PROVENANCE_KEYS } from '../checkpoint/metadata.js';
import { compileGlob } from './globs.js';
import { type LikeChoice, type LikeTensors, tensorsByPlan, tensorsByRules } from './like-tensors.js';
import { amendPlan, type CopiedTensor, type Plan, type PlanFile, parsePlan } from './plan.js';
import { companions, type PlanFromOptions, planFrom } from './plan-from.js';
import { parsePlanText, readPlanText } from './plan-text.js';

/** What `planLike` takes beside the checkpoint and its laws. */
export interface PlanLikeOptions extends PlanFromOptions {
  /** Globs, as in a rule: tensors to make again. All others are copied, byte for byte. */
  readonly only?: string | readonly string[];
  /** Tensors that the plan has and the checkpoint lacks are made, all others copied; with `only`, those too are made. */
  readonly fillMissing?: boolean;
}

const KEYS = ['only', 'fillMissing', 'recipe', 'base'];

/**
 * The plan of a checkpoint that is like another: the same names, shapes and dtypes, initialized anew; or some tensors
 * anew, and the rest copied byte for byte when it is written. Of the other one the headers are read, and checked; it must
 * still be the same when it is copied from.
 *
 * Laws come from rules, or from a plan (such as a config.json's), whose tensors are found by their names.
 * Where a plan ties names that the checkpoint stores separately, they get the same values.
 *
 * @param path of the checkpoint: a safetensors file, the index of a sharded one, or a directory with either.
 * @param source rules (`{ "rules": […] }`), a plan, or a configuration: an object, or the path of a file or directory, as
 * `planFrom` takes it.
 * @throws (rejects with) IsometryError as `planFrom`; `FORMAT_ERROR` and `IO_ERROR` for the checkpoint;
 * `PLAN_ERROR` where a tensor has no law, where plan and checkpoint differ in a shape, and for a dtype that
 * can only be copied; `INVALID_OPTION` and `UNKNOWN_OPTION` for wrong options, and for a glob that matches nothing.
 */
export async function planLike(
  path: string,
  source: Plan | object | string,
  options?: PlanLikeOptions,
): Promise<Plan> {
  const { only, fillMissing: given, ...planOptions } = checkKeys(options, KEYS, 'planLike');
  const fillMissing = given === undefined ? false : booleanOption(given, 'fillMissing');
  const selection = only === undefined ? undefined : new Selection(only);
  const laws = await readLaws(source, planOptions);
  if (laws.rules !== undefined && fillMissing) {
    throw new IsometryError(
      'INVALID_OPTION',
      'expected a plan or a config.json with fillMissing but received rules, which name no tensors that could be missing',
    );
  }
  const reader = await ModelReader.open(path);
  await reader.close();
  const choice: LikeChoice = {
    path: reader.path,
    // Without either option all are; to fill what is missing is to keep the rest.
    chosen: (name) => (selection === undefined ? !fillMissing : selection.has(name)),
    fillMissing,
  };
  const found =
    laws.rules === undefined
      ? tensorsByPlan(reader.tensors, laws.plan, choice)
      : tensorsByRules(reader.tensors, choice);
  selection?.refuseUnused(reader.path);
  const plan = parseLike(laws, found, reader);
  const copied = plan.copied === undefined ? {} : { copied: locate(plan.copied, reader) };
  const files = laws.plan?.files ?? (await filesBeside(reader.path));
  const warnings = [...reader.notes, ...(plan.warnings ?? []), ...found.warnings];
  return amendPlan(plan, {
    ...copied,
    ...(files.length === 0 ? {} : { files }),
    ...(warnings.length === 0 ? {} : { warnings: Object.freeze(warnings) }),
  });
}

/** Where the laws come from. */
type Laws =
  | { readonly rules: Readonly<Record<string, unknown>>; readonly plan?: undefined }
  | { readonly plan: Plan; readonly rules?: undefined };

async function readLaws(source: unknown, options: Readonly<Record<string, unknown>>): Promise<Laws> {
  let tree = source;
  if (typeof source === 'string') tree = await readRules(source);
  if (!isRules(tree)) return { plan: await planFrom(source as string | object, options) };
  checkKeys(options, [], 'planLike with rules');
  return { rules: { ...tree } };
}

function isRules(tree: unknown): tree is Readonly<Record<string, unknown>> {
  return isPlainObject(tree) && 'rules' in tree && !('tensors' in tree);
}

/** Files of rules are small; anything larger is a plan. */
const MAX_RULES_BYTES = 10_000_000;

/** What a file says, if that is rules; whatever else it is, or is not, is `planFrom`'s to say. */
async function readRules(path: string): Promise<unknown> {
  let text: string;
  try {
    if ((await stat(path)).size > MAX_RULES_BYTES) return undefined;
    text = await readPlanText(path);
    if (!isRules(JSON.parse(text.replace(/^\ufeff/, '')))) return undefined;
  } catch {
    return undefined;
  }
  return parsePlanText(text, path);
}

function parseLike({ rules, plan }: Laws, { tensors }: LikeTensors, reader: ModelReader): Plan {
  const { metadata, ...head } = rules ?? { metadata: plan!.metadata, dtype: plan!.dtype };
  const all = withKept(metadata, reader.metadata);
  return parsePlan(
    { ...head, ...(all === undefined ? {} : { metadata: all }), tensors },
    `the plan of ${reader.path}`,
  );
}

/** A plan's metadata, with what else the file says of itself, except of where it comes from. */
function withKept(metadata: unknown, found: ReadonlyMap<string, string>): unknown {
  // What is no object is for the plan's own check to refuse.
  if (metadata !== undefined && !isPlainObject(metadata)) return metadata;
  const kept = [...found].filter(([key]) => !PROVENANCE_KEYS.includes(key));
  const all = [...kept, ...Object.entries(metadata ?? {})];
  // Not by assignment, which would lose a key `__proto__`.
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

/** Where in which file the copied tensors are. */
function locate(copied: readonly CopiedTensor[], reader: ModelReader): readonly CopiedTensor[] {
  const entries = new Map<string, ModelEntry>(reader.tensors.map((entry) => [entry.name, entry]));
  const identities = new Map<string, FileIdentity>(
    reader.files.map(({ path, identity }) => [path, Object.freeze(identity)]),
  );
  return Object.freeze(
    copied.map((tensor) => {
      const { file, begin, end } = entries.get(tensor.name)!;
      return Object.freeze({ ...tensor, path: file, begin, end, identity: identities.get(file)! });
    }),
  );
}

/** The configuration that belongs to a checkpoint, and what a tokenizer needs. */
async function filesBeside(checkpoint: string): Promise<readonly PlanFile[]> {
  const path = join(dirname(checkpoint), 'config.json');
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw readError(path, cause);
  }
  return Object.freeze([{ name: 'config.json', bytes }, ...(await companions(dirname(path)))]);
}

/** What `only` names. */
class Selection {
  private readonly globs: readonly { glob: string; matches: (name: string) => boolean; used: boolean }[];

  /** @throws IsometryError `INVALID_OPTION`. */
  constructor(only: unknown) {
    const list: readonly unknown[] = Array.isArray(only) ? only : [only];
    if (list.length === 0) throw expected('INVALID_OPTION', 'at least one glob', 'only', only);
    this.globs = list.map((glob) => ({ glob: String(glob), matches: compile(glob), used: false }));
  }

  has(name: string): boolean {
    let found = false;
    for (const glob of this.globs) {
      if (!glob.matches(name)) continue;
      glob.used = true;
      found = true;
    }
    return found;
  }

  /** @throws IsometryError `INVALID_OPTION` for a glob that is no tensor's: it was misspelled. */
  refuseUnused(path: string): void {
    const unused = this.globs.find(({ used }) => !used);
    if (unused === undefined) return;
    throw expected('INVALID_OPTION', `globs that match tensors of ${path}`, 'only', unused.glob);
  }
}

function compile(glob: unknown): (name: string) => boolean {
  try {
    return compileGlob(glob, 'only');
  } catch (error) {
    if (!(error instanceof IsometryError)) throw error;
    throw new IsometryError('INVALID_OPTION', error.message, { cause: error });
  }
}
