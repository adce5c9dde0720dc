#!/usr/bin/env node
// Makes weights on the GPU and hands them to another process, which reads them where they are:
//   node examples/gpu-handover/share.mjs examples/gpu-handover/open_torch.py [DTYPE]
// The script is run with python3 ($PYTHON when set); it gets one line of JSON and answers with one. Exit status 0 when
// it saw the very bytes that this process has.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fill, heNormal } from 'isometry';

const [script, dtype = 'bfloat16'] = process.argv.slice(2);
if (script === undefined) {
  process.stderr.write('usage: share.mjs SCRIPT.py [float64|float32|float16|bfloat16]\n');
  process.exit(2);
}

const weight = await fill('encoder.0.weight', [1024, 256], heNormal(), {
  seed: 42,
  dtype,
  device: 'cuda',
  keep: 'device',
});
const { device, handle, offset, byteLength } = weight.ipcHandle();
const message = {
  device,
  handle: Buffer.from(handle).toString('hex'),
  offset,
  byteLength,
  dtype,
  shape: weight.shape,
};

// The tensor must live until the other process has closed the handle: it is disposed after that process has ended.
const answer = JSON.parse(await runPython(script, JSON.stringify(message)));
const { data } = await weight.toHost();
const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
weight.dispose();

const ours = createHash('sha256').update(bytes).digest('hex');
console.log(
  `${answer.library}: mean ${answer.mean}, std ${answer.std} of ${message.shape.join(' × ')} ${dtype}`,
);
console.log(
  answer.sha256 === ours
    ? 'the same bytes in both processes'
    : `expected ${ours} but it saw ${answer.sha256}`,
);
process.exitCode = answer.sha256 === ours ? 0 : 1;

/** What the script prints, given `input` on its standard input. */
function runPython(file, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.env.PYTHON ?? 'python3', [file], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.stdin.on('error', () => {}); // a script that ended early has said why
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${file} ended with ${code}`)),
    );
    child.stdin.end(`${input}\n`);
  });
}
