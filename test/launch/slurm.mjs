// examples/slurm on a cluster of one machine: Debian's slurmctld, slurmd and munged, started here without systemd.

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { alone, cli, examples, freePort, need, run, same, start, until, workplace } from './common.mjs';

const TASKS = 5;

if (process.getuid() !== 0) throw new Error('slurmd starts as root only');
await need('slurmctld', ['slurmctld', 'slurmd', 'slurm-client', 'munge']);
const { folder, source } = workplace(64);
// Daemons look at who may write to the folders of their sockets and keys.
chmodSync(folder, 0o755);
for (const name of ['munge', 'state', 'spool', 'job']) mkdirSync(join(folder, name), { mode: 0o755 });

const key = join(folder, 'munge/key');
writeFileSync(key, randomBytes(128), { mode: 0o400 });
const socket = join(folder, 'munge/socket');
const munge = (name) => join(folder, 'munge', name);
const [node] = hostname().split('.');
const [controllerPort, nodePort] = [await freePort(), await freePort()];
const conf = join(folder, 'slurm.conf');
writeFileSync(
  conf,
  `ClusterName=isometry
SlurmctldHost=${node}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${socket}
CredType=cred/munge
StateSaveLocation=${join(folder, 'state')}
SlurmdSpoolDir=${join(folder, 'spool')}
SlurmctldPidFile=${join(folder, 'slurmctld.pid')}
SlurmdPidFile=${join(folder, 'slurmd.pid')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
NodeName=${node} NodeAddr=127.0.0.1 CPUs=${Math.max(2, cpus().length)} RealMemory=${Math.max(4096, Math.floor(totalmem() / 2 ** 21))} State=UNKNOWN
PartitionName=all Nodes=${node} Default=YES MaxTime=INFINITE State=UP
`,
);
const env = {
  SLURM_CONF: conf,
  ISOMETRY: cli.join(' '),
};
const daemons = [];
const daemon = (command, args) => {
  const started = start(command, args, { env });
  daemons.push(started);
  return started;
};
try {
  daemon('munged', [
    '--foreground',
    '--force',
    `--key-file=${key}`,
    `--socket=${socket}`,
    `--pid-file=${munge('pid')}`,
    `--log-file=${munge('log')}`,
    `--seed-file=${munge('seed')}`,
  ]);
  await until('munged', async () => (await start('munge', ['-n', '-S', socket]).ended).code === 0);
  const controller = daemon('slurmctld', ['-D', '-f', conf]);
  const worker = daemon('slurmd', ['-D', '-f', conf, '-N', node]);
  const state = async () => (await start('sinfo', ['-h', '-o', '%T'], { env }).ended).text.trim();
  await until('the node', async () => (await state()) === 'idle').catch(async (error) => {
    throw new Error(`${error.message}; ${await state()}\n${controller.output.text}\n${worker.output.text}`);
  });

  const directory = join(folder, 'checkpoint');
  const cwd = join(folder, 'job');
  const submit = join(examples, 'slurm/submit.sh');
  const last = (await run(submit, [source, directory, '42', `${TASKS}`, '100KB'], { env, cwd })).trim();
  const job = async () =>
    (await run('scontrol', ['show', 'job', last, '--oneliner'], { env })).match(/JobState=(\w+)/)[1];
  const end = await until(
    'the last job',
    async () => {
      const now = await job();
      return ['PENDING', 'RUNNING', 'COMPLETING', 'CONFIGURING'].includes(now) ? undefined : now;
    },
    120,
  );
  const logs = await run('sh', ['-c', 'cat isometry-*.log'], { cwd });
  if (end !== 'COMPLETED') throw new Error(`the last job is ${end}:\n${logs}`);
  for (let rank = 0; rank < TASKS; rank++) {
    if (!logs.includes(`rank ${rank} of ${TASKS}, from a Slurm array`))
      throw new Error(`no rank ${rank}:\n${logs}`);
  }
  const reference = join(folder, 'alone');
  await alone(source, reference, '100KB');
  same(reference, directory);
  const version = (await run('sbatch', ['--version'], { env })).trim();
  console.log(`slurm: ${version}, an array of ${TASKS} and the job behind it; what one process makes`);
} finally {
  for (const { child } of daemons.reverse()) if (child.exitCode === null) child.kill('SIGKILL');
}
