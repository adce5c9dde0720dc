// Copies what tsc leaves behind from src/ to dist/, and makes the command-line entry executable.
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';

const root = new URL('..', import.meta.url);
mkdirSync(new URL('dist/model/', root), { recursive: true });
copyFileSync(new URL('src/model/plan.schema.json', root), new URL('dist/model/plan.schema.json', root));
chmodSync(new URL('dist/cli/main.js', root), 0o755);
