// examples/bullmq on a Redis of its own: a worker is killed while it writes a shard, another one takes over, and the result is
// what one process makes.
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  alone,
  examples,
  freePort,
  linkPackage,
  need,
  run,
  same,
  start,
  until,
  workplace,
} from './common.mjs';

const JOBS = 6;
const SIZE = '20MB';

await need('redis-server', ['redis-server']);
const { folder, source } = workplace(512);
const example = join(folder, 'bullmq');
cpSync(join(examples, 'bullmq'), example, { recursive: true });
// The two packages from the registry; this one from here.
await run('npm', ['pkg', 'delete', 'dependencies.isometry'], { cwd: example });
await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: example });
linkPackage(example);

const port = await freePort();
const redis = start('redis-server', ['--port', `${port}`, '--save', '', '--dir', folder]);
const children = [redis];
try {
  await until('Redis', () => redis.output.text.includes('Ready to accept connections'));
  const env = { REDIS_URL: `redis://127.0.0.1:${port}`, LOCK_SECONDS: '2' };
  const directory = join(folder, 'checkpoint');
  const startNode = (...args) => {
    const started = start(process.execPath, args, { cwd: example, env });
    children.push(started);
    return started;
  };

  const client = startNode('enqueue.mjs', source, directory, '42', `${JOBS}`, SIZE);
  const victim = startNode('worker.mjs');
  // Files get their names when they are complete; until then they have others.
  const unfinished = () => listed(directory).filter((name) => name.endsWith('.tmp'));
  const done = () => listed(directory).filter((name) => name.endsWith('.safetensors')).length;
  // Not the first one: what is done must be kept.
  await until('a shard in the making', () => done() >= 2 && unfinished().length > 0);
  victim.child.kill('SIGKILL');
  await victim.ended;
  const left = unfinished();
  if (left.length === 0) throw new Error('the worker was killed too late: nothing was unfinished');
  const kept = done();

  const others = [startNode('worker.mjs'), startNode('worker.mjs')];
  const { code, text } = await client.ended;
  if (code !== 0) throw new Error(`enqueue.mjs ended with ${code}: ${text}`);
  // Another seed in the same directory: refused by every job, and at once.
  const refused = await startNode('enqueue.mjs', source, directory, '43', '2', SIZE).ended;
  if (refused.code !== 1) throw new Error(`another model was not refused: ${refused.text}`);
  for (const { child } of others) child.kill('SIGTERM');
  const said = (await Promise.all(others.map(({ ended }) => ended))).map(({ text }) => text).join('');
  if (!said.includes('taken over')) throw new Error(`no job was taken over:\n${said}`);

  const reference = join(folder, 'alone');
  await alone(source, reference, SIZE);
  same(reference, directory);
  console.log(
    `bullmq: killed with ${kept} shards done and ${left.length} unfinished; taken over; ${text.trim().split('\n').at(-1)}`,
  );
} finally {
  for (const { child } of children) if (child.exitCode === null) child.kill('SIGKILL');
}

function listed(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
