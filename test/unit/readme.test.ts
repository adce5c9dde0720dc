// Every block of code in README.md and the pages under docs/ is run and type-checked, so that none of it is only said.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlan } from '../../src/index.js';
import { type Block, blocks, root } from '../helpers/pages.js';

const snippets = blocks.filter(({ language }) => language === 'js' || language === 'ts');
const plans = blocks.filter(({ language }) => language === 'json');
const titled = (list: readonly Block[]): [string, Block][] =>
  list.map((block, index) => [`${block.page}, number ${index + 1}`, block]);

describe('code blocks', () => {
  let folder: string;
  beforeAll(() => {
    // A folder of a user's: the package in node_modules, and a plan.
    folder = mkdtempSync(join(tmpdir(), 'isometry-readme-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/isometry'));
    symlinkSync(join(root, 'examples'), join(folder, 'examples'));
    if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing; run: npm run build');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const planOf = (page: string): string =>
    plans.find((block) => block.page === page)?.code ?? '{"tensors":[]}';

  it('are there', () => {
    expect(snippets.length).toBeGreaterThan(5);
    expect(plans.length).toBeGreaterThan(1);
  });

  it.each(titled(snippets))('%s prints what its comments say', (_, { page, code }) => {
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(join(folder, 'plan.json'), planOf(page));
    writeFileSync(join(folder, 'snippet.mjs'), outputText);
    const stdout = execFileSync(process.execPath, ['snippet.mjs'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const promised = [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    expect(stdout.trimEnd().split('\n').filter(Boolean)).toEqual(promised);
  });

  it('have the right types', () => {
    const files = new Map(
      snippets.map(({ code }, index) => [join(root, `test/unit/snippet-${index}.mts`), code]),
    );
    const options: ts.CompilerOptions = {
      ...ts.parseJsonConfigFileContent(
        ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
        ts.sys,
        root,
      ).options,
      isolatedDeclarations: false,
      declaration: false,
      declarationMap: false,
      noUnusedLocals: false,
      paths: { isometry: [join(root, 'src/index.ts')] },
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (name) => files.has(name) || fileExists(name);
    host.readFile = (name) => files.get(name) ?? readFile(name);
    host.getSourceFile = (name, version, ...rest) => {
      const code = files.get(name);
      return code === undefined
        ? getSourceFile(name, version, ...rest)
        : ts.createSourceFile(name, code, version);
    };
    const program = ts.createProgram([...files.keys()], options, host);
    const messages = [...files.keys()].flatMap((name) =>
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(name))
        .map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
    );
    expect(messages).toEqual([]);
  });

  it.each(titled(plans))('%s is a valid plan', (_, { code }) => {
    expect(parsePlan(code).tensors.length).toBeGreaterThan(0);
  });

  const commands = blocks
    .filter(({ language, page }) => language === 'sh' && /^(README|docs)/.test(page))
    .flatMap(({ page, code }) => code.split('\n').map((line) => [page, line] as const))
    .filter(([, line]) => line.startsWith('node dist/cli/main.js'));
  it('with commands are there', () => expect(commands.length).toBeGreaterThan(2));

  it.each(commands)('%s: %s', { timeout: 120_000 }, (page, line) => {
    writeFileSync(join(folder, 'plan.json'), planOf(page));
    const args = line.split(' ').slice(2);
    const stdout = execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(stdout).not.toBe('');
    if (args[0] === 'inspect') expect(stdout).toContain('every tensor follows its law');
  });
});
