// docs/guides/many-machines.md: its table of launchers, read as they set their variables.
import { expect, it } from 'vitest';
import { findRank } from '../../src/model/checkpoint/launcher.js';
import { read, tableAfter } from '../helpers/pages.js';

const rows = tableAfter(read('docs/guides/many-machines.md'), '## Who tells a process its rank').map(
  ([launcher, variables]) =>
    [launcher!, [...variables!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!)] as const,
);

it('lists all launchers', () => expect(rows).toHaveLength(7));

it.each(rows)('%s', (launcher, [rank, world, first]) => {
  const env = { [rank!]: '2', ...(world && { [world]: '3' }), ...(first && { [first]: '1' }) };
  const found = findRank(env, world ? {} : { world: 3 });
  expect(found).toMatchObject({ rank: first ? 1 : 2, world: 3 });
  expect(launcher).toContain(found!.from.split(' (')[0]);
});

it('goes from the innermost launcher outwards', () => {
  const env: Record<string, string> = {};
  // Each one further in is heard over those around it.
  for (const [, [rank, world]] of [...rows].reverse()) {
    Object.assign(env, { [rank!]: '0', ...(world && { [world]: '3' }) });
    expect(findRank(env, world ? {} : { world: 3 })!.from).toContain(rank);
  }
});
