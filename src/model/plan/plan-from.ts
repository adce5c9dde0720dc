import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expected, IsometryError } from '../../errors.js';
import { parseJson, positionOf } from '../../json.js';
import { checkKeys, expectedHint, isPlainObject, nearest } from '../../options.js';
import { readError } from '../../safetensors/stable-file.js';
import { type ModelConfig, parseConfig } from '../presets/config.js';
import { presetFor } from '../presets/index.js';
import type { ModelDescription, ModelTensor } from '../presets/types.js';
import { RECIPES } from '../recipes/index.js';
import { type Plan, type PlanFile, parsePlan, readPlan, withFiles } from './plan.js';

/** A recipe by its id, or with options of its own. */
export type RecipeChoice = string | { readonly id: string; readonly [option: string]: unknown };

/** What `planFrom` takes beside the source. */
export interface PlanFromOptions {
  /**
   * How the weights are drawn: `hf5` (the default), as transformers 5 does it, or one of the training recipes. With
   * options as an object: `{ id: 'megatron', std: 0.01 }`.
   */
  readonly recipe?: RecipeChoice;
  /** The configuration, or the path of the config.json, of the model that a recipe scales from: `mup` needs one, `megatron` may have one. */
  readonly base?: string | object;
}

const KEYS = ['recipe', 'base'];

/** A configuration is some kilobytes; more than this is another file. */
const MAX_CONFIG_BYTES = 10_000_000;

/** What a checkpoint's directory also holds, and consumers look for beside config.json. */
const COMPANIONS = [
  'generation_config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
  'spiece.model',
  'sentencepiece.bpe.model',
  'chat_template.jinja',
];

/**
 * The plan of a model: of a Hugging Face `config.json` (its path, its directory, or the object itself), with the names,
 * shapes and laws that transformers 5 gives that type of model; or of a plan file.
 *
 * From a directory the plan also has `files`: config.json and what lies beside it for tokenizers and generation, which
 * `writeCheckpoint` copies.
 *
 * @throws (rejects with) IsometryError `CONFIG_ERROR` for a configuration of unknown type, without a key that is
 * needed, or that contradicts itself; `PLAN_ERROR` for a wrong plan; `IO_ERROR` when it cannot be read;
 * `INVALID_OPTION` and `UNKNOWN_OPTION` for wrong options.
 */
export async function planFrom(source: string | object, options?: PlanFromOptions): Promise<Plan> {
  const given = checkKeys(options, KEYS, 'planFrom');
  if (typeof source !== 'string') return planOf(source, 'the config', given);
  if (source === '' || source.includes('\0')) {
    throw expected('INVALID_ARGUMENT', 'the path of a config.json or of a plan', 'source', source);
  }
  const path = (await isDirectory(source)) ? join(source, 'config.json') : source;
  // What says nothing of a model is a plan, or is to be one: that reader knows what is wrong with it.
  const isPlan = (tree: unknown): boolean =>
    basename(path) === 'config.json'
      ? isPlainObject(tree) && !('model_type' in tree) && ('tensors' in tree || 'rules' in tree)
      : !isPlainObject(tree) || !('model_type' in tree);
  const { tree, bytes } = await readConfig(path, isPlan);
  if (tree === undefined) {
    refuseRecipe(given);
    return readPlan(path);
  }
  const plan = await planOf(tree, path, given);
  return withFiles(plan, [{ name: 'config.json', bytes }, ...(await companions(dirname(path)))]);
}

async function planOf(tree: object, where: string, given: Record<string, unknown>): Promise<Plan> {
  if (!('model_type' in tree) && ('tensors' in tree || 'rules' in tree)) {
    refuseRecipe(given);
    return parsePlan(tree);
  }
  const config = parseConfig(tree, where);
  const preset = presetFor(config);
  const model = preset.describe(config);
  const { id, options } = parseChoice(given['recipe']);
  const base = given['base'] === undefined ? undefined : await describeBase(given['base']);
  const laws = lawsOf(id, model, options, base);
  const dtype = dtypeOf(config);
  return parsePlan(
    {
      ...(dtype === undefined ? {} : { dtype }),
      metadata: { preset: id === undefined ? preset.id : `${id}/${model.modelType}` },
      tensors: [
        ...model.tensors.map((tensor) => planTensor(tensor, laws(tensor))),
        ...model.ties.map(({ name, to }) => ({ name, tie: to })),
      ],
    },
    where,
  );
}

function planTensor(tensor: ModelTensor, init: ModelTensor['init'] | undefined): object {
  const { name, shape, dtype, layout, groups, zeroRows } = tensor;
  return {
    name,
    shape,
    init: init ?? tensor.init,
    ...(dtype === undefined ? {} : { dtype }),
    ...(layout === undefined ? {} : { layout }),
    ...(groups === undefined ? {} : { groups }),
    ...(zeroRows === undefined || zeroRows.length === 0 ? {} : { zeroRows }),
  };
}

function lawsOf(
  id: string | undefined,
  model: ModelDescription,
  options: Readonly<Record<string, unknown>>,
  base: ModelDescription | undefined,
): (tensor: ModelTensor) => ModelTensor['init'] | undefined {
  if (id === undefined) {
    checkKeys(options, [], 'the recipe hf5');
    refuseBase(base, 'hf5');
    return () => undefined;
  }
  const recipe = RECIPES.get(id);
  if (recipe === undefined) {
    const known = ['hf5', ...RECIPES.keys()];
    const near = nearest(id, known);
    const what = `one of ${known.join(', ')}`;
    if (near === undefined) throw expected('INVALID_OPTION', what, 'recipe', id);
    throw expectedHint('INVALID_OPTION', what, 'recipe', id, `did you mean ${JSON.stringify(near)}?`);
  }
  if (!recipe.families.includes(model.family)) {
    throw new IsometryError(
      'INVALID_OPTION',
      `expected a recipe for ${model.family} models such as ${model.modelType} but received ${JSON.stringify(id)}, which is for ${recipe.families.join(', ')}`,
    );
  }
  const checked = checkKeys(options, recipe.options, `the recipe ${id}`);
  if (recipe.base === undefined) refuseBase(base, id);
  if (recipe.base === 'required' && base === undefined) {
    throw new IsometryError(
      'INVALID_OPTION',
      `expected a base for the recipe ${id}, which scales from a smaller model; give that model's config.json as base`,
    );
  }
  const laws = recipe.lawsOf(model, checked, base);
  // What is not trained has no law but its own.
  return (tensor) => (tensor.part === 'buffer' ? undefined : laws(tensor));
}

function refuseBase(base: ModelDescription | undefined, id: string): void {
  if (base === undefined) return;
  const known = [...RECIPES.values()]
    .filter((recipe) => recipe.base !== undefined)
    .map((recipe) => recipe.id);
  throw new IsometryError(
    'INVALID_OPTION',
    `expected no base with the recipe ${id}, which does not scale from another model; recipes that do: ${known.join(', ')}`,
  );
}

function parseChoice(recipe: unknown): { id?: string; options: Readonly<Record<string, unknown>> } {
  if (recipe === undefined) return { options: {} };
  const chosen: unknown = isPlainObject(recipe) ? (recipe as { id?: unknown }).id : recipe;
  if (typeof chosen !== 'string') {
    throw expected('INVALID_OPTION', 'the id of a recipe, or an object with one', 'recipe', recipe);
  }
  const { id: _, ...options } = isPlainObject(recipe) ? (recipe as Record<string, unknown>) : {};
  // As presets are called, `nanogpt/gpt2`: the model's type is the configuration's to say.
  const id = chosen.split('/', 1)[0]!;
  return id === 'hf5' ? { options } : { id, options };
}

async function describeBase(base: unknown): Promise<ModelDescription> {
  let tree = base;
  let where = 'the base config';
  if (typeof base === 'string') {
    where = (await isDirectory(base)) ? join(base, 'config.json') : base;
    tree = (await readConfig(where)).tree;
  }
  const config = parseConfig(tree, where);
  return presetFor(config).describe(config);
}

function refuseRecipe(given: Record<string, unknown>): void {
  for (const key of KEYS) {
    if (given[key] === undefined) continue;
    throw new IsometryError(
      'INVALID_OPTION',
      `expected no ${key} with a plan, which names each tensor's law itself; use it with a config.json`,
    );
  }
}

const DTYPES: ReadonlyMap<unknown, string> = new Map(
  ['float64', 'float32', 'float16', 'bfloat16'].flatMap((name) => [
    [name, name],
    [`torch.${name}`, name],
  ]),
);

/** `dtype`, which was called `torch_dtype`. */
function dtypeOf(config: ModelConfig): string | undefined {
  const value = config.raw('dtype') ?? config.raw('torch_dtype');
  if (value === undefined || value === 'auto') return undefined;
  const dtype = DTYPES.get(value);
  if (dtype === undefined) throw config.wrong('one of float64, float32, float16, bfloat16', 'dtype', value);
  return dtype;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** A JSON object from a file; without its `tree` when `skip` says that another reader is for it. */
async function readConfig(
  path: string,
  skip: (tree: unknown) => boolean = () => false,
): Promise<{ tree?: object; bytes: Uint8Array }> {
  let bytes: Buffer;
  try {
    const info = await stat(path);
    // Plans may be longer; their own reader says how long.
    if (info.size > MAX_CONFIG_BYTES) return { bytes: Buffer.alloc(0) };
    if (!info.isFile())
      throw Object.assign(new Error('not a regular file'), { code: 'it is no regular file' });
    bytes = await readFile(path);
  } catch (cause) {
    throw readError(path, cause);
  }
  let tree: unknown;
  try {
    tree = parseConfigText(bytes, path);
  } catch (error) {
    if (skip(undefined)) return { bytes };
    throw error;
  }
  if (skip(tree)) return { bytes };
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    throw new IsometryError(
      'CONFIG_ERROR',
      `expected an object in ${path} but received ${describe(tree)}; it is neither a config.json nor a plan`,
    );
  }
  return { tree, bytes };
}

function parseConfigText(bytes: Uint8Array, path: string): unknown {
  const fail = (reason: string, cause?: unknown): IsometryError =>
    new IsometryError(
      'CONFIG_ERROR',
      `${path} is not valid: ${reason}`,
      cause === undefined ? {} : { cause },
    );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fail('it is not UTF-8 text', cause);
  }
  return parseJson(text, {
    maxDepth: 64,
    fail: (reason, offset) => {
      const { line, column } = positionOf(text, offset);
      return fail(`${reason} (line ${line}, column ${column})`);
    },
  });
}

/**
 * What lies in a directory for tokenizers and generation.
 * @throws (rejects with) IsometryError `IO_ERROR`.
 */
export async function companions(directory: string): Promise<PlanFile[]> {
  const present = new Set(await readdir(directory).catch(() => []));
  const names = COMPANIONS.filter((name) => present.has(name));
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      try {
        return { name: basename(name), bytes: await readFile(path) };
      } catch (cause) {
        const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
        throw new IsometryError('IO_ERROR', `could not read ${path}: ${code}`, { cause });
      }
    }),
  );
}
