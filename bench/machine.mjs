// What every benchmark does around its measurements: build first, say where it ran, keep the report.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const model = cpus()[0].model.trim();
const loadBefore = loadavg()[0];

/** What was built from yesterday's source is not what is measured. Ends the process when it cannot be built. */
export function buildFirst() {
  const built = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (built.status === 0) return;
  process.stderr.write('bench: npm run build failed\n');
  process.exit(1);
}

/**
 * Writes bench/results/DATE-KIND-MACHINE.md and says so.
 * @param {string} kind '' for the benchmark of fills, which was there first
 * @param {string} title
 * @param {readonly string[]} facts beyond the machine's
 * @param {Map<string, string>} versions of the contenders
 * @param {string} body Markdown
 */
export function saveReport(kind, title, facts, versions, body) {
  const machine = `${kind} ${model} ${availableParallelism()} threads`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '');
  const date = new Date().toISOString().slice(0, 10);
  const folder = join(root, 'bench', 'results');
  const file = join(folder, `${date}-${machine}.md`);
  const all = [
    `${model}, ${availableParallelism()} threads, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${process.platform} ${release()}, Node ${process.version}`,
    `load average before the run ${loadBefore.toFixed(2)}, after it ${loadavg()[0].toFixed(2)}`,
    ...facts,
    ...[...versions].map(([name, version]) => `${name}: ${version}`),
  ];
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `# ${title}, ${date}\n\n${all.map((fact) => `- ${fact}`).join('\n')}\n\n${body}`);
  console.log(`written: ${file}`);
}
