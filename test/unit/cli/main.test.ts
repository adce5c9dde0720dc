import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../../../src/version.js';
import { runCli, runShell } from '../../helpers/cli.js';

let dir: string;
let plan: string;
let out: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-cli-'));
  plan = join(dir, 'plan.json');
  out = join(dir, 'out.safetensors');
  const tensors = [
    { name: 'w', shape: [64, 100], init: { kind: 'normal', std: 0.02 } },
    { name: 'b\u001b[2J', shape: [64], init: { kind: 'zeros' } },
  ];
  writeFileSync(plan, JSON.stringify({ tensors }));
});
afterAll(() => rmSync(dir, { recursive: true }));

const records = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('init', () => {
  test('writes the file and says what it did', async () => {
    const { code, stdout, stderr } = await runCli(['init', plan, '--out', out, '--seed', '42']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/out\.safetensors: 2 tensors, 6,464 parameters, 26\.\d kB\n/);
    expect(stdout).toMatch(/\/s, backend (cpu|js): .+\n$/);
    expect(statSync(out).size % 8).toBe(0);
  });

  test('hexadecimal seed, dtype, device and threads; the bytes depend on none of the last two', async () => {
    const files = [join(dir, 'a'), join(dir, 'b')] as const;
    const common = ['init', plan, '--dtype', 'bfloat16', '--json'];
    const first = await runCli([...common, '--out', files[0], '--seed', '0x2a', '--device', 'js']);
    const second = await runCli([...common, '--out', files[1], '--seed', '42', '--threads', '1']);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(readFileSync(files[0]).equals(readFileSync(files[1]))).toBe(true);
    const [progress, summary] = records(first.stdout).slice(-2);
    expect(progress).toMatchObject({
      type: 'progress',
      tensorsDone: 2,
      tensorsTotal: 2,
      bytesDone: 12928,
      bytesTotal: 12928,
    });
    expect(summary).toMatchObject({
      type: 'summary',
      path: files[0],
      tensors: 2,
      parameters: 6464,
      backend: 'js',
      seed: '42',
    });
    expect(summary!['bytes']).toBe(statSync(files[0]).size);
  });

  test('a failure is one line, for programs also as JSON, and a stack only on demand', async () => {
    const args = ['init', join(dir, 'none.json'), '--out', out, '--seed', '1'];
    const plain = await runCli(args, { ISOMETRY_DEBUG: '' });
    expect(plain).toMatchObject({ code: 1, stdout: '' });
    expect(plain.stderr).toMatch(/^isometry: IO_ERROR: could not read .*none.json: ENOENT.*\n$/);
    expect(records((await runCli([...args, '--json'])).stdout)).toEqual([
      { type: 'error', code: 'IO_ERROR', message: expect.stringContaining('ENOENT') },
    ]);
    expect((await runCli(args, { ISOMETRY_DEBUG: '1' })).stderr).toContain('    at ');
  });

  test.each([
    ['a device that is not there', ['--device', 'cuda'], 'BACKEND_UNAVAILABLE'],
    ['a broken environment', [], 'INVALID_OPTION', { ISOMETRY_BACKEND: 'gpu' }],
  ] as [string, string[], string, NodeJS.ProcessEnv?][])('%s', async (_, args, code, env) => {
    const ended = await runCli(['init', plan, '--out', join(dir, 'never'), '--seed', '1', ...args], env);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`isometry: ${code}: `);
  });
});

test.each([
  [[], /^Usage: isometry/],
  [['init', 'plan', '--out', 'x', '--seed', '1', '--sedd', '2'], /unknown option '--sedd'\n.*--seed/],
])('a usage error has exit code 2: %j', async (args, message) => {
  const { code, stdout, stderr } = await runCli(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
});

test('--help and --version', async () => {
  expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  const root = await runCli(['--help']);
  for (const command of ['init', 'plan', 'finalize', 'verify', 'inspect', 'diff', 'doctor'])
    expect(root.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  const help = await runCli(['init', '--help']);
  expect(help.code).toBe(0);
  for (const option of [
    '--out',
    '--seed',
    '--dtype',
    '--device',
    '--threads',
    '--json',
    '--recipe',
    '--rank',
  ])
    expect(help.stdout).toContain(option);
});

describe('inspect', () => {
  beforeAll(async () => {
    expect((await runCli(['init', plan, '--out', out, '--seed', '42'])).code).toBe(0);
  });

  test('shows tensors, names escaped', async () => {
    const { code, stdout } = await runCli(['inspect', out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^w +F32 +\[64, 100\] +-?\d/m);
    expect(stdout).toContain('b\\u{1b}[2J');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('seed: 42');
  });

  test('with the plan, a right file passes and a wrong one does not', async () => {
    expect(await runCli(['inspect', out, '--plan', plan])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('every tensor follows its law'),
    });
    const other = join(dir, 'other.json');
    const tensors = [
      { name: 'w', shape: [64, 100], init: { kind: 'normal', std: 0.025 } },
      { name: 'missing', shape: [1], init: { kind: 'zeros' } },
    ];
    writeFileSync(other, JSON.stringify({ tensors }));
    const { code, stdout } = await runCli(['inspect', out, '--plan', other, '--json']);
    expect(code).toBe(1);
    const lines = records(stdout);
    expect(lines.find(({ name }) => name === 'w')).toMatchObject({
      law: { std: 0.025, plausible: false },
      problems: [expect.stringContaining('does not follow its law')],
    });
    expect(lines.find(({ name }) => name === 'b\u001b[2J')).toMatchObject({ problems: ['not in the plan'] });
    expect(lines.at(-1)).toMatchObject({ type: 'summary', missing: ['missing'], bad: 2 });
  });

  test('a shape or dtype that is not the plan’s', async () => {
    const other = join(dir, 'shape.json');
    const tensors = [
      { name: 'w', shape: [100, 64], init: { kind: 'zeros' } },
      { name: 'b\u001b[2J', shape: [64], init: { kind: 'zeros' }, dtype: 'float64' },
    ];
    writeFileSync(other, JSON.stringify({ tensors }));
    const { code, stdout } = await runCli(['inspect', out, '--plan', other]);
    expect(code).toBe(1);
    expect(stdout).toContain('the plan has shape [100, 64]');
    expect(stdout).toContain('the plan has float64');
  });

  test('a file of another format', async () => {
    const other = join(dir, 'text');
    writeFileSync(other, 'text of some length');
    for (const [path, what] of [
      [other, 'a safetensors file at'],
      [plan, 'the index of a sharded safetensors model at'],
    ] as const) {
      const { code, stderr } = await runCli(['inspect', path]);
      expect(code).toBe(1);
      expect(stderr).toContain(`isometry: FORMAT_ERROR: expected ${what} ${path}`);
    }
  });

  test('a name that would clear the screen does not, in an error either', async () => {
    const path = join(dir, 'evil\u001b[2Jall is as it should be.safetensors');
    writeFileSync(path, 'no safetensors');
    const { code, stderr } = await runCli(['inspect', path]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^isometry: FORMAT_ERROR: .*evil\\u\{1b\}\[2Jall is/);
    expect(stderr).not.toContain('\u001b');
  });

  test('a reader that goes away (| head) is no crash', async () => {
    const { code, stderr } = await runShell(
      `"$NODE" "$ISOMETRY" inspect "${out}" --json | head -c 1; exit \${PIPESTATUS[0]}`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const target = join(dir, 'piped');
    await runShell(`"$NODE" "$ISOMETRY" init "${plan}" --out "${target}" --seed 42 --json | true`);
    expect(readFileSync(target).equals(readFileSync(out))).toBe(true);
  });
});

test.skipIf(!existsSync('/dev/full'))(
  'results that cannot be written are one line and exit code 1',
  async () => {
    for (const command of ['doctor', `inspect "${out}"`]) {
      const { code, stderr } = await runShell(`"$NODE" "$ISOMETRY" ${command} > /dev/full`);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: 'isometry: IO_ERROR: could not write to standard output: ENOSPC\n',
      });
    }
  },
);

describe('doctor', () => {
  test('says what works and why the rest does not', async () => {
    const { code, stdout } = await runCli(['doctor', '--json'], {
      ISOMETRY_BACKEND: 'js',
      ISOMETRY_THREADS: '3',
    });
    expect(code).toBe(0);
    expect(records(stdout)).toEqual([
      expect.objectContaining({
        versions: expect.objectContaining({ isometry: VERSION, node: process.version }),
        backends: [
          { name: 'cuda', available: false, detail: expect.stringContaining('ISOMETRY_BACKEND=js') },
          { name: 'cpu', available: false, detail: expect.stringContaining('ISOMETRY_BACKEND=js') },
          { name: 'js', available: true, detail: expect.any(String) },
        ],
        automatic: expect.stringContaining('js: '),
        environment: { ISOMETRY_BACKEND: 'js', ISOMETRY_THREADS: '3' },
        problems: [],
      }),
    ]);
  });

  test('something broken is exit code 1', async () => {
    const { code, stdout } = await runCli(['doctor'], { ISOMETRY_BACKEND: 'gpu' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^problem: .*ISOMETRY_BACKEND/m);
    expect(stdout).toMatch(/^CUDA runtime: +none needed \(driver API\)$/m);
  });
});
