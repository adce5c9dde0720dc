import { describe, IsometryError } from '../../errors.js';
import { nearest } from '../../options.js';
import { bert } from './bert.js';
import { clip } from './clip.js';
import type { ModelConfig } from './config.js';
import { convnext } from './convnext.js';
import { deepseekV3 } from './deepseek-v3.js';
import { gemma2 } from './gemma2.js';
import { gptNeox } from './gpt-neox.js';
import { gpt2 } from './gpt2.js';
import { llama } from './llama.js';
import { mamba } from './mamba.js';
import { mamba2 } from './mamba2.js';
import { mistral } from './mistral.js';
import { mixtral } from './mixtral.js';
import { olmo2 } from './olmo2.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';
import { qwen3Moe } from './qwen3-moe.js';
import { resnet } from './resnet.js';
import { roberta } from './roberta.js';
import { swin } from './swin.js';
import { t5 } from './t5.js';
import type { Preset } from './types.js';
import { vit } from './vit.js';
import { whisper } from './whisper.js';

const ALL: readonly Preset[] = [
  deepseekV3,
  gemma2,
  gptNeox,
  gpt2,
  llama,
  mistral,
  mixtral,
  olmo2,
  qwen2,
  qwen3,
  qwen3Moe,
  bert,
  convnext,
  resnet,
  roberta,
  swin,
  t5,
  vit,
  clip,
  mamba,
  mamba2,
  whisper,
];

/** Every type of model that is known, by its `model_type`. */
export const PRESETS: ReadonlyMap<string, Preset> = new Map(ALL.map((preset) => [preset.modelType, preset]));

/**
 * The preset for a configuration's `model_type`.
 * @throws IsometryError `CONFIG_ERROR` for one that is not known; names the nearest.
 */
export function presetFor(config: ModelConfig): Preset {
  const modelType = config.raw('model_type');
  const preset = typeof modelType === 'string' ? PRESETS.get(modelType) : undefined;
  if (preset !== undefined) {
    if (!config.has('quantization_config')) return preset;
    throw config.wrong(
      'no quantization_config',
      'quantization_config',
      config.raw('quantization_config'),
      '; quantized weights are made from a trained model: remove the key',
    );
  }
  const known = [...PRESETS.keys()].sort();
  const near = typeof modelType === 'string' ? nearest(modelType, known) : undefined;
  const guess = near === undefined ? '' : `did you mean ${JSON.stringify(near)}? `;
  throw new IsometryError(
    'CONFIG_ERROR',
    `expected a known model_type in ${config.where} but received ${describe(modelType)}; ${guess}known: ${known.join(', ')}; for any other model write a plan`,
  );
}
