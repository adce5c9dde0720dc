// The commands of the guide to models, one after the other, as a reader would run them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runShell } from '../../helpers/cli.js';
import { blocks } from '../../helpers/pages.js';

const page = blocks.filter((block) => block.page === 'docs/guides/models.md');
const commands = page
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trimEnd().split('\n'));

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-guide-'));
  mkdirSync(join(dir, 'model'));
  writeFileSync(join(dir, 'model/config.json'), page.find(({ language }) => language === 'jsonc')!.code);
});
afterAll(() => rmSync(dir, { recursive: true }));

test('the guide has commands', () => {
  expect(commands.length).toBeGreaterThan(10);
  for (const command of commands) expect(command).toMatch(/^npx isometry /);
});

test('they do what it says', async () => {
  const outputs = new Map<string, string>();
  for (const command of commands) {
    const line = `cd "${dir}" && ${command.replace('npx isometry', '"$NODE" "$ISOMETRY"')}`;
    const { code, stdout, stderr } = await runShell(line);
    // Two checkpoints in that section are not the same.
    const differs = command.includes('fourth') && command.includes('diff');
    expect({ command, code, stderr }).toEqual({ command, code: differs ? 1 : 0, stderr: '' });
    outputs.set(command, stdout);
  }
  const said = page.find(({ language, code }) => language === 'text' && code.startsWith('tensor'))!.code;
  const shown = outputs.get('npx isometry plan model')!;
  for (const line of said.trimEnd().split('\n')) if (line !== '…') expect(shown).toContain(`${line}\n`);
  expect(outputs.get('npx isometry verify checkpoint')).toContain('all is as it should be');
  expect(outputs.get('npx isometry diff checkpoint together')).toMatch(/^equal: /);
  expect(outputs.get('npx isometry diff checkpoint one.safetensors')).toMatch(/^equal: /);
  expect(outputs.get('npx isometry diff checkpoint fourth --no-metadata')).toMatch(
    /, 7 of them differ, 0 only in A/,
  );
}, 60_000);
