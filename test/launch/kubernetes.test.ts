// examples/kubernetes: the containers' commands; npm run test:launch has Kubernetes' schema too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
// @ts-expect-error Plain JavaScript, as the examples are.
import { alone, cli, examples, run, same, workplace } from './common.mjs';

const manifest = (name: string): string => readFileSync(join(examples, 'kubernetes', name), 'utf8');
const shards = manifest('shards.yaml');
const completions = Number(/^ {2}completions: (\d+)$/m.exec(shards)![1]);

/** The list of a container's arguments. */
function argsOf(text: string): string[] {
  const [, list] = /^ +args:\n((?: +- ".*"\n)+)/m.exec(text)!;
  return [...list!.matchAll(/- "(.*)"/g)].map(([, argument]) => argument!);
}

it('says how many pods there are, which no variable does', () => {
  expect(argsOf(shards)).toContain(`--world=${completions}`);
  expect(shards).toContain('completionMode: Indexed');
});

it('the package is this one', () => {
  const { version } = JSON.parse(readFileSync(join(examples, '../package.json'), 'utf8'));
  for (const name of ['shards.yaml', 'finalize.yaml']) {
    expect(manifest(name)).toContain(`command: ["npx", "--yes", "isometry@${version}"]`);
  }
});

// Node starts slowly where others work too.
it('all indices and the job behind them make what one process makes', { timeout: 90_000 }, async () => {
  const { folder, source } = workplace(64);
  const directory = join(folder, 'checkpoint');
  const here = (text: string): string[] =>
    argsOf(text).map((argument) =>
      argument
        .replace('/volume/model/config.json', join(source, 'config.json'))
        .replace('/volume/checkpoint', directory)
        .replace('5GB', '100KB'),
    );
  const [node, main] = cli as [string, string];
  // All at once, as pods start.
  await Promise.all(
    Array.from({ length: completions }, (_, index) =>
      run(node, [main, ...here(shards)], { env: { JOB_COMPLETION_INDEX: `${index}` } }),
    ),
  );
  await run(node, [main, ...here(manifest('finalize.yaml'))]);
  const reference = join(folder, 'alone');
  await alone(source, reference, '100KB');
  same(reference, directory);
});
