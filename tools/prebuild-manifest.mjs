#!/usr/bin/env node
// Writes prebuilds/PLATFORM/manifest.json: size and SHA-256 of each addon there, which the loader asks for.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeFile, writeJson } from './native-manifest.mjs';

const prebuilds = fileURLToPath(new URL('../prebuilds', import.meta.url));
let count = 0;
for (const entry of readdirSync(prebuilds, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const folder = join(prebuilds, entry.name);
  const addons = readdirSync(folder).filter((name) => name.endsWith('.node'));
  if (addons.length === 0) continue;
  writeJson(
    join(folder, 'manifest.json'),
    Object.fromEntries(addons.sort().map((name) => [name, describeFile(join(folder, name))])),
  );
  for (const name of addons) console.log(`prebuilds/${entry.name}/${name}`);
  count += addons.length;
}
if (count === 0 || !existsSync(prebuilds)) {
  console.error('no prebuilt addon found; run: npm run prebuildify');
  process.exit(1);
}
