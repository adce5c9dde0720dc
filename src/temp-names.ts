import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { FileOps } from './file-ops.js';

/**
 * A fresh name for the temporary file of `target`, in the same directory (a rename must not cross file systems).
 * It says whose it is, so that another process can tell when its writer is dead:
 * `.isometry-TARGET-HOST-PID-START-RANDOM.tmp`, TARGET and HOST being hashes. It has at most 100 bytes, however
 * long the target's own name is.
 */
export function tempName(target: string): string {
  const owner = `${host()}-${process.pid}-${startTime(process.pid) ?? 0}`;
  return join(dirname(target), `${prefixOf(target)}${owner}-${randomBytes(8).toString('hex')}.tmp`);
}

// A writer that cannot be shown to be dead (another machine or container, on shared storage) is given this long
// without a single write before its file counts as abandoned.
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;
const OWNER = /^([0-9a-f]{8})-([0-9]{1,10})-([0-9]{1,20})-[0-9a-f]{16}\.tmp$/;

const PREFIX = /^\.isometry-[0-9a-f]{12}-/;

/** Removes temporary files of `target` whose writers were killed. Best effort: what cannot be removed stays. */
export function sweepStaleTemps(target: string, ops: FileOps): Promise<void> {
  return sweep(dirname(target), prefixOf(target), ops);
}

/** Removes all temporary files in a directory whose writers were killed, whatever their targets. Best effort. */
export function sweepDirectory(directory: string, ops: FileOps): Promise<void> {
  return sweep(directory, undefined, ops);
}

async function sweep(directory: string, only: string | undefined, ops: FileOps): Promise<void> {
  const names = await ops.list(directory).catch(() => []);
  for (const name of names) {
    const prefix = only ?? PREFIX.exec(name)?.[0];
    if (prefix === undefined || !name.startsWith(prefix)) continue;
    const owner = OWNER.exec(name.slice(prefix.length));
    if (owner === null) continue;
    const path = join(directory, name);
    const [, ownerHost, pid, start] = owner;
    const dead = ownerHost === host() && !isAlive(Number(pid), Number(start));
    if (dead || (await isAbandoned(path, ops))) await ops.unlink(path).catch(() => {});
  }
}

async function isAbandoned(path: string, ops: FileOps): Promise<boolean> {
  const info = await ops.inspect(path).catch(() => null);
  return info !== null && Date.now() - info.modified > ABANDONED_AFTER_MS;
}

function prefixOf(target: string): string {
  return `.isometry-${hash(basename(target), 12)}-`;
}

function isAlive(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, as somebody else's process.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startTime(pid);
  return now === undefined || start === 0 || now === start;
}

/** When a process began, in clock ticks since boot; tells it from a later one with the same id. Linux only. */
function startTime(pid: number): number | undefined {
  try {
    // Field 22 of proc(5) stat; field 2 is the command in parentheses and may itself contain spaces and ")".
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    return Number.isSafeInteger(ticks) ? ticks : undefined;
  } catch {
    return undefined;
  }
}

let hostHash: string | undefined;

/** Names the world in which a process id means something: this boot of this machine, this PID namespace. */
function host(): string {
  hostHash ??= hash(
    [
      hostname(),
      orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')),
      orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    ].join('\n'),
    8,
  );
  return hostHash;
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
