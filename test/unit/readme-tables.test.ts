// What the tables and the first page's sentences in README.md say, compared with the code.
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INITIALIZER_KINDS, parsePlan, writeCheckpoint } from '../../src/index.js';
import { lawOf, parseInitializer } from '../../src/initializers/index.js';
import { fans } from '../../src/layout.js';
import { lawMoments } from '../../src/moments.js';
import { elementCount } from '../../src/shape.js';
import { filesUnder, read, tableAfter } from '../helpers/pages.js';

const readme = read('README.md');

describe('README.md', () => {
  it('has the two commands, and they are what package.json has', () => {
    const { scripts, engines } = JSON.parse(read('package.json'));
    const lines = readme.split('\n');
    for (const script of ['demo', 'test']) {
      expect(lines).toContain(script === 'test' ? 'npm ci && npm test' : 'npm ci && npm run demo');
      expect(scripts[script]).toMatch(/^npm run build && /);
    }
    expect(scripts.demo).toContain('init examples/gpt2/plan.json --out gpt2.safetensors --seed 42');
    expect(readme).toContain(`Node ${engines.node.replace('>=', '')} or newer`);
    const tensors = parsePlan(read('examples/gpt2/plan.json')).tensors;
    const parameters = tensors.reduce((total, { shape }) => total + elementCount(shape), 0);
    const shown = parameters.toLocaleString('en-US');
    expect(readme).toContain(`GPT-2 (${shown} parameters`);
    expect(readme).toContain(`gpt2.safetensors: ${tensors.length} tensors, ${shown} parameters, 498 MB`);
  });

  it('has the SHA-256 of the file that the demo writes', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isometry-demo-'));
    try {
      const path = join(folder, 'gpt2.safetensors');
      await writeCheckpoint(read('examples/gpt2/plan.json'), path, { seed: 42 });
      const hash = createHash('sha256');
      for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece);
      expect(readme).toContain(`\`${hash.digest('hex')}\``);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has every initializer in its table, with its standard deviation', () => {
    const rows = tableAfter(readme, '## Initializers');
    const kinds = rows.flatMap(([call]) => [...call!.matchAll(/(\w+)\(/g)].map(([, kind]) => kind!));
    expect(new Set(kinds)).toEqual(new Set(INITIALIZER_KINDS));
    const given = { min: -0.3, max: 0.7, mean: 0.1, std: 0.02, scale: 0.7, value: 3, gain: 1.3, a: 0.2 };
    let compared = 0;
    for (const [call, , formula] of rows) {
      if (formula === 'depends' || formula === '0') continue;
      const kind = /(\w+)\(/.exec(call!)![1]!;
      const options = Object.entries(given).filter(
        ([name]) =>
          call!.includes(`${name} [`) || call!.includes(`{ ${name},`) || call!.includes(` ${name} }`),
      );
      const rescale = call!.includes('rescale: true') ? { rescale: true, std: given.std } : {};
      const initializer = parseInitializer({ kind, ...Object.fromEntries(options), ...rescale }, 'init');
      for (const shape of [
        [30, 70],
        [64, 3, 7, 7],
      ]) {
        const { fanIn, fanOut } = fans(shape);
        // The modes' default is fanIn.
        const expected = evaluate(formula!, { ...given, fanIn, fanOut, n: fanIn });
        expect(
          lawMoments(lawOf(initializer, { name: 'w', shape }), elementCount(shape)).std / expected,
          call,
        ).toBeCloseTo(1, 12);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(26);
  });

  it('has defaults as they are', () => {
    for (const [call] of tableAfter(readme, '## Initializers')) {
      const kind = /(\w+)\(/.exec(call!)![1]!;
      if (call!.includes('…')) continue;
      const defaults = [...call!.matchAll(/(\w+) \[((?:[^[\]]|\[[^\]]*\])*)\]/g)];
      const required = new Map<string, object>([
        ['normal', { std: 1 }],
        ['uniform', { min: 0, max: 1 }],
        ['sparse', { sparsity: 0.5 }],
        ['mimetic', { role: 'query', source: 'attn', heads: 1 }],
        ['sinusoidal', { order: 'halves' }],
      ]).get(kind);
      if (defaults.length === 0) continue;
      const parsed = parseInitializer({ kind, ...required }, 'init') as unknown as Record<string, unknown>;
      for (const [, name, value] of defaults) {
        expect(JSON.stringify(parsed[name!]), `${kind}.${name}`).toBe(
          value!.replaceAll("'", '"').replace(', ', ','),
        );
      }
    }
  });

  it('has the fans of every layer in its table', () => {
    const rows = tableAfter(readme, '## Layouts and fans');
    expect(rows.length).toBeGreaterThan(8);
    for (const [layer, shape, layout, groups, fanIn, fanOut] of rows) {
      const got = fans(
        JSON.parse(shape!),
        layout!.replaceAll('`', ''),
        groups === '' ? undefined : Number(groups),
      );
      expect([got.fanIn, got.fanOut], layer).toEqual([Number(fanIn), Number(fanOut)]);
    }
  });

  it('names for every promise a test that exists', () => {
    const rows = tableAfter(readme, '## Promises');
    expect(rows.map(([label]) => label).filter(Boolean)).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P6']);
    for (const [, promise, proof] of rows) {
      const tests = proof!.split('; ').map((part) => /^`(test\/[\w./-]+)`: (.+)$/.exec(part));
      expect(tests.length, promise).toBeGreaterThan(0);
      for (const test of tests) {
        expect(test, proof).not.toBeNull();
        expect(read(test![1]!), proof).toContain(test![2]!);
      }
    }
  });

  it('has every option of fill', () => {
    const code = read('src/fill.ts');
    const keys = [.../INTO_KEYS = \[(.*?)\]/.exec(code)![1]!.matchAll(/'(\w+)'/g)].map(([, key]) => key!);
    const rows = tableAfter(readme, '## Tensors').map(([option]) => option!.replaceAll('`', ''));
    expect(rows).toEqual([...keys, 'keep', 'signal']);
  });

  it('has every environment variable that is read', () => {
    const used = new Set<string>();
    for (const file of filesUnder('src').filter((name) => name.endsWith('.ts'))) {
      for (const [, variable] of read(file).matchAll(/(?:process\.env|= )\['(ISOMETRY_\w+)'/g))
        used.add(variable!);
    }
    expect(used.size).toBeGreaterThan(3);
    const backends = readme.split('\n## Backends\n')[1]!;
    const rows = [...backends.matchAll(/^\| `(ISOMETRY_\w+)`/gm)].map(([, variable]) => variable!);
    expect(new Set(rows)).toEqual(used);
  });
});

/** A formula as the table writes it: √, ·, ² and numbers or names. */
function evaluate(formula: string, values: Readonly<Record<string, number>>): number {
  const code = formula
    .replaceAll('√(', 'Math.sqrt(')
    .replace(/√(\w+)/g, 'Math.sqrt($1)')
    .replaceAll('·', '*')
    .replaceAll('²', '**2')
    .replaceAll('−', '-');
  return new Function(...Object.keys(values), `return ${code}`)(...Object.values(values)) as number;
}
