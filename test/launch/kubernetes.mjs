// examples/kubernetes: its manifests against Kubernetes' own schema, and the container's command for every index.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone, cli, examples, run, same, workplace } from './common.mjs';

// Releases of the schemas that Kubernetes publishes, in the package of that name.
const VALIDATOR = 'kubernetes-validate==1.37.0';
const SCHEMAS = ['1.33', '1.37'];
const MANIFESTS = ['volume.yaml', 'shards.yaml', 'finalize.yaml'].map((name) =>
  join(examples, 'kubernetes', name),
);

const { folder, source } = workplace(64);
const venv = join(folder, 'venv');
await run(process.env.PYTHON ?? 'python3', ['-m', 'venv', venv]);
await run(join(venv, 'bin/pip'), ['install', '-q', VALIDATOR]);
for (const schema of SCHEMAS) {
  await run(join(venv, 'bin/kubernetes-validate'), ['-k', schema, '--strict', ...MANIFESTS]);
}
// A schema that refuses nothing would prove nothing.
const wrong = readFileSync(MANIFESTS[1], 'utf8').replace('backoffLimitPerIndex', 'backoffLimitPerindex');
const refused = await run(
  'sh',
  [
    '-c',
    'printf %s "$WRONG" > "$1/wrong.yaml"; ! "$1/venv/bin/kubernetes-validate" -k 1.37 --strict "$1/wrong.yaml"',
    'sh',
    folder,
  ],
  { env: { WRONG: wrong } },
);
if (!refused.includes('backoffLimitPerindex')) throw new Error(`not refused as expected: ${refused}`);

const shards = await job('shards.yaml');
const { completions, completionMode } = shards.spec;
if (completionMode !== 'Indexed') throw new Error('the job is not indexed');
const directory = join(folder, 'checkpoint');
const [node, main] = cli;
/** The container's arguments, on this machine's paths and with shards that fit the small model. */
const here = ({ spec }) => {
  const [{ command, args }] = spec.template.spec.containers;
  if (!/isometry/.test(command.at(-1))) throw new Error(`the command is ${command.join(' ')}`);
  return args.map((argument) =>
    argument
      .replace('/volume/model/config.json', join(source, 'config.json'))
      .replace('/volume/checkpoint', directory)
      .replace('5GB', '100KB'),
  );
};
// In no order, as pods start.
for (let index = completions - 1; index >= 0; index--) {
  const said = await run(node, [main, ...here(shards)], { env: { JOB_COMPLETION_INDEX: `${index}` } });
  if (!said.includes('summary')) throw new Error(`no summary of index ${index}: ${said}`);
}
await run(node, [main, ...here(await job('finalize.yaml'))]);
const reference = join(folder, 'alone');
await alone(source, reference, '100KB');
same(reference, directory);
console.log(
  `kubernetes: valid for ${SCHEMAS.join(' and ')}; ${completions} indices make what one process makes`,
);

async function job(name) {
  const script = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
  return JSON.parse(await run(join(venv, 'bin/python'), ['-c', script, join(examples, 'kubernetes', name)]));
}
