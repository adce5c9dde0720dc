#!/usr/bin/env node
// npm run test:memory: a whole model of 70 billion parameters, computed and written to a disk that forgets, in less than
// 2 GiB of memory. Takes some minutes of all CPUs; other models: npm run test:memory -- path/to/config.json
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Most memory of the process, bytes. */
const LIMIT = 2 * 2 ** 30;

/** Llama 3 70B: 70,553,706,496 parameters. */
const CONFIG = {
  model_type: 'llama',
  vocab_size: 128_256,
  hidden_size: 8192,
  intermediate_size: 28_672,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  tie_word_embeddings: false,
  dtype: 'bfloat16',
};
const PARAMETERS = 70_553_706_496;

const build = spawnSync('npm', ['run', 'build:ts'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), 'isometry-memory-'));
try {
  const own = process.argv[2];
  const config = own ?? join(folder, 'config.json');
  if (own === undefined) writeFileSync(config, JSON.stringify(CONFIG));
  const fixture = join(root, 'test/faults/fixtures/discard.mjs');
  const out = join(folder, 'model/');
  const run = spawnSync(process.execPath, [fixture, config, out], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`ended with ${run.status ?? run.signal}`);
  const { parameters, bytes, shards, seconds, backend, megabytes } = JSON.parse(run.stdout);
  console.log(
    `${parameters} parameters, ${bytes} bytes in ${shards} shards, ${seconds.toFixed(1)} s (${backend}), ${megabytes} MB of memory`,
  );
  if (own === undefined && parameters !== PARAMETERS) throw new Error(`expected ${PARAMETERS} parameters`);
  if (megabytes * 1e6 > LIMIT) throw new Error(`expected at most ${LIMIT} bytes of memory`);
} finally {
  rmSync(folder, { recursive: true });
}
