// What could go wrong: the addon's file is missing, incomplete, damaged, no addon at all, or turned off. The process
// must never die of it (the system's loader answers a truncated library with SIGBUS), and the reason must be told.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type ChildResult, runNode } from '../helpers/child.js';
import { describeNative, itNative } from '../helpers/native.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copies: string[] = [];

/** A copy of the compiled package whose addon is `bytes`; with `recorded`, its manifest says that this is right. */
function packageWith(bytes: Uint8Array | null, recorded: 'true' | 'of the original' | 'nowhere'): string {
  const copy = mkdtempSync(join(tmpdir(), 'isometry-addon-'));
  copies.push(copy);
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  if (bytes === null) return copy;
  const release = join(copy, 'build/Release');
  mkdirSync(release, { recursive: true });
  writeFileSync(join(release, 'isometry.node'), bytes);
  const described = recorded === 'true' ? bytes : original();
  const manifest = { size: described.length, sha256: createHash('sha256').update(described).digest('hex') };
  if (recorded !== 'nowhere') writeFileSync(join(release, 'isometry.node.json'), JSON.stringify(manifest));
  return copy;
}

let addon: Buffer | undefined;
function original(): Buffer {
  addon ??= readFileSync(join(root, 'build/Release/isometry.node'));
  return addon;
}

const CODE = `
  const warnings = [];
  process.on('warning', (warning) => warnings.push(warning.code));
  const fill = (options) => isometry.fill('w', [100], isometry.uniform({ min: 0, max: 1 }), { seed: 1, ...options });
  const error = await fill({ device: 'cpu' }).then(() => null, (e) => e);
  const first = await fill({}).catch((e) => e), again = await fill({}).catch((e) => e);
  await new Promise((resolve) => setImmediate(resolve));
  console.log(JSON.stringify({ code: error?.code, message: error?.message, warnings,
    value: first.data?.[7] ?? first.code, equal: first.data?.[9] === again.data?.[9],
    cpu: isometry.capabilities().find((entry) => entry.name === 'cpu').probe }));
`;

interface Report {
  code?: string;
  message?: string;
  warnings: string[];
  value: number | string;
  equal: boolean;
  cpu: { available: boolean; reason?: string; detail?: string };
}

async function report(packageRoot: string, env = {}, nodeOptions: string[] = []): Promise<Report> {
  const result: ChildResult = await runNode(CODE, { packageRoot, env, nodeOptions });
  expect([result.code, result.signal], result.stderr).toEqual([0, null]);
  return JSON.parse(result.stdout);
}

async function expectFallback(packageRoot: string, reason: RegExp, env = {}, nodeOptions: string[] = []) {
  const found = await report(packageRoot, env, nodeOptions);
  expect(found).toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    warnings: ['ISOMETRY_NATIVE_UNAVAILABLE'],
    equal: true,
    cpu: { available: false },
  });
  expect(found.value).toBe((await report(root)).value);
  expect(found.message).toMatch(reason);
  expect(found.cpu.reason).toMatch(reason);
}

afterAll(() => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});

describeNative('a damaged addon', () => {
  for (const part of [0, 0.1, 0.25, 0.4, 0.5, 0.75, 0.95, 0.9999]) {
    itNative(`cut at ${part * 100} % is not loaded`, async () => {
      const cut = original().subarray(0, Math.floor(original().length * part));
      await expectFallback(packageWith(cut, 'of the original'), /incomplete/);
    });
  }

  itNative('with one bit flipped is not loaded', async () => {
    const bytes = Uint8Array.from(original());
    bytes[bytes.length >> 1]! ^= 4;
    await expectFallback(packageWith(bytes, 'of the original'), /SHA-256/);
  });

  itNative('that nobody recorded is not loaded', async () => {
    await expectFallback(packageWith(original(), 'nowhere'), /no size and checksum are recorded/);
  });

  itNative('with a manifest that is no JSON is not loaded', async () => {
    const copy = packageWith(original(), 'true');
    writeFileSync(join(copy, 'build/Release/isometry.node.json'), '{');
    await expectFallback(copy, /manifest cannot be read/);
  });

  itNative('with a manifest of another form is not loaded', async () => {
    const copy = packageWith(original(), 'true');
    for (const text of ['null', '[]', '3', '{}']) {
      writeFileSync(join(copy, 'build/Release/isometry.node.json'), text);
      await expectFallback(copy, /no size and checksum|incomplete/);
    }
  });

  itNative('that is a directory is not loaded', async () => {
    const copy = packageWith(original(), 'true');
    rmSync(join(copy, 'build/Release/isometry.node'));
    mkdirSync(join(copy, 'build/Release/isometry.node'));
    await expectFallback(copy, /cannot be read .*EISDIR/);
  });

  itNative('that is a text file is refused by the system, not by a signal', async () => {
    const text = Buffer.from('version https://example.org/spec/v1\n'.repeat(99));
    await expectFallback(packageWith(text, 'true'), /isometry\.node: .*(ELF|header|format)/i);
  });

  itNative('for another machine is refused by the system', async () => {
    const bytes = Uint8Array.from(original());
    bytes[18] = 0xb7; // e_machine of the ELF header: AArch64
    bytes[19] = 0;
    if (process.arch === 'arm64') bytes[18] = 0x3e;
    await expectFallback(packageWith(bytes, 'true'), /isometry\.node: /);
  });

  itNative('does not matter when addons are turned off', async () => {
    await expectFallback(root, /addon/i, {}, ['--no-addons']);
  });
});

describe('no addon', () => {
  it('is silent with device auto and told to who asks', async () => {
    const found = await report(packageWith(null, 'nowhere'));
    expect(found).toMatchObject({ code: 'BACKEND_UNAVAILABLE', warnings: [], cpu: { available: false } });
    expect(found.cpu.reason).toMatch(/No native build was found/);
  });

  it('is explained by what the build wrote down', async () => {
    const copy = packageWith(null, 'nowhere');
    mkdirSync(join(copy, 'build'));
    writeFileSync(
      join(copy, 'build/native-status.json'),
      '{ "built": false, "reason": "no C++ compiler was found" }',
    );
    expect((await report(copy)).cpu.reason).toBe('not built: no C++ compiler was found');
  });

  it('is what ISOMETRY_BACKEND=js makes of any machine', async () => {
    const found = await report(root, { ISOMETRY_BACKEND: 'js' });
    expect(found).toMatchObject({ code: 'BACKEND_UNAVAILABLE', warnings: [] });
    expect(found.message).toContain('ISOMETRY_BACKEND=js');
  });

  it('is an error when ISOMETRY_BACKEND=cpu asks for it', async () => {
    const found = await report(packageWith(null, 'nowhere'), { ISOMETRY_BACKEND: 'cpu' });
    expect(found).toMatchObject({ value: 'BACKEND_UNAVAILABLE', warnings: [] });
  });
});

describe('environment variables', () => {
  it('an unknown ISOMETRY_BACKEND is an error', async () => {
    expect((await report(root, { ISOMETRY_BACKEND: 'gpu' })).value).toBe('INVALID_OPTION');
  });
});

describeNative('environment variables of the cpu backend', () => {
  itNative('ISOMETRY_CPU_TARGET forces a target, ISOMETRY_THREADS their number', async () => {
    const found = await report(root, { ISOMETRY_CPU_TARGET: 'portable', ISOMETRY_THREADS: '3' });
    expect(found.cpu).toEqual({ available: true, detail: 'portable, 3 threads' });
  });

  itNative('one that the machine does not have turns the backend off, with a warning', async () => {
    await expectFallback(root, /ISOMETRY_CPU_TARGET is "neon"/, { ISOMETRY_CPU_TARGET: 'neon' });
  });

  itNative('one that is empty is not set', async () => {
    const env = { ISOMETRY_BACKEND: '', ISOMETRY_CPU_TARGET: '', ISOMETRY_THREADS: '' };
    const found = await report(root, env);
    expect(found).toMatchObject({ warnings: [], cpu: { available: true } });
    expect(found.cpu.detail).toBe((await report(root)).cpu.detail);
  });

  for (const threads of ['0', '-1', '1.5', 'all', ' ']) {
    itNative(
      `ISOMETRY_THREADS=${JSON.stringify(threads)} turns the backend off, with a warning`,
      async () => {
        await expectFallback(root, /ISOMETRY_THREADS must be/, { ISOMETRY_THREADS: threads });
      },
    );
  }
});
