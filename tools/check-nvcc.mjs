#!/usr/bin/env node
// npm run check:nvcc: compiles the kernels one architecture at a time and looks at what came out: instructions per
// sample, registers, memory that should not be touched. Needs nvcc and no GPU; says what was not looked at, and why.
//   node tools/check-nvcc.mjs            no nvcc or no cuRAND headers: says so, exit 0 (1 with ISOMETRY_REQUIRE_CUDA=1)
//   node tools/check-nvcc.mjs --quick    only the architecture that the budgets are for
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCubin } from './cubin.mjs';
import { ARCHITECTURES, FLAGS, findCurandHeaders, findNvcc } from './nvcc.mjs';
import { allLoops, storeLoops } from './sass.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'build/nvcc');

/** Hopper, which the speed targets are measured on. */
const BUDGET_ARCHITECTURE = 90;
/**
 * Instructions per sample, at most, in the loop that full tiles run in. An H200 stores a float32 in the time of about 30
 * (docs/adr/0007-cuda.md). Where a law needs more, the number is today's and a little, so that it does not grow unseen.
 */
const BUDGET = new Map([
  ['fillUniformF32', 15],
  ['fillUniformBF16', 17],
  ['fillUniformF16', 17],
  ['fillUniformF64', 38],
  ['fillNormalF32', 32],
  ['fillNormalBF16', 32],
  ['fillNormalF16', 32],
  ['fillTruncatedF32', 34],
  ['fillTruncatedBF16', 36],
  ['fillTruncatedF16', 36],
  ['fillQuantileF64', 90],
  ['fillQuantileF32', 74],
]);
/**
 * The multiplying instructions, and what share of the loop that has most of them they must at least be. All else costs
 * issue slots that they would have had: a matrix of 16384 columns has 2.9e12 of them.
 */
const PRODUCTS = new Map([
  ['orthogonalProductF32', { names: ['FFMA'], share: 0.88 }],
  ['orthogonalUpdateF32', { names: ['FFMA'], share: 0.88 }],
  ['orthogonalProductF64', { names: ['DMUL', 'DADD'], share: 0.88 }],
  ['orthogonalUpdateF64', { names: ['DMUL', 'DADD'], share: 0.88 }],
]);
/**
 * Accesses to local memory in such a loop for each of its products, at most: none where the speed is promised, and
 * elsewhere what a compiler that spills a few registers around some thousand products may do.
 */
const PRODUCT_LOCAL = (architecture) => (architecture === BUDGET_ARCHITECTURE ? 0 : 0.02);
/** Bytes of a sample, by the end of a kernel's name. */
const SAMPLE_BYTES = new Map([
  ['F64', 8],
  ['F32', 4],
  ['BF16', 2],
  ['F16', 2],
]);
const PACKET_BYTES = 16;

const failures = [];
const nvcc = findNvcc();
if (nvcc === null) giveUp('no nvcc was found');
if (findCurandHeaders(nvcc) === null) {
  spawnSync(process.execPath, ['tools/fetch-cuda-headers.mjs', '--toolkit', String(nvcc.major)], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
const headers = findCurandHeaders(nvcc);
if (headers === null) giveUp('there are no cuRAND headers; get them with: node tools/fetch-cuda-headers.mjs');
mkdirSync(out, { recursive: true });
await checkAll();
for (const failure of failures) console.error(`FAILED ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);

function giveUp(why) {
  console.log(`nvcc: ${why}; the kernels were NOT compiled`);
  process.exit(process.env.ISOMETRY_REQUIRE_CUDA === '1' ? 1 : 0);
}

async function checkAll() {
  const { stdout } = spawnSync(nvcc.path, ['--list-gpu-code'], { encoding: 'utf8' });
  const known = new Set([...stdout.matchAll(/sm_(\d+)/g)].map((match) => Number(match[1])));
  const wanted = process.argv.includes('--quick') ? [BUDGET_ARCHITECTURE] : ARCHITECTURES;
  const architectures = wanted.filter((a) => known.has(a));
  const unknown = wanted.filter((a) => !known.has(a));
  console.log(`nvcc: release ${nvcc.release}, ${architectures.map((a) => `sm_${a}`).join(' ')}`);
  if (unknown.length > 0)
    console.log(`nvcc: NOT ${unknown.map((a) => `sm_${a}`).join(' ')}, which this one does not know`);

  const files = readdirSync(join(root, 'cuda')).filter((name) => name.endsWith('.cu'));
  const pending = architectures.flatMap((architecture) => files.map((file) => ({ file, architecture })));
  const results = [];
  const worker = async () => {
    for (let job = pending.shift(); job !== undefined; job = pending.shift()) {
      results.push({ ...job, kernels: await compile(job.file, job.architecture) });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));

  for (const { file, architecture, kernels } of results) {
    for (const kernel of kernels) {
      const where = `${kernel.name} (cuda/${file}, sm_${architecture})`;
      checkMemory(kernel, where, architecture);
      checkPointers(kernel, where);
      if (PRODUCTS.has(kernel.name)) checkProduct(kernel, where);
    }
  }
  const counted = results.filter(({ architecture }) => architecture === BUDGET_ARCHITECTURE);
  if (counted.length > 0) checkBudget(counted.flatMap(({ kernels }) => kernels));
}

/** The kernels of one source for one architecture. */
async function compile(file, architecture) {
  const cubin = join(out, `${file}.sm_${architecture}.cubin`);
  const include = headers === '' ? [] : ['-isystem', headers];
  const args = [...FLAGS, `-I${root}`, ...include, `-arch=sm_${architecture}`, '-Xptxas', '-v', '-cubin'];
  const { status, output } = await run(nvcc.path, [...args, join(root, 'cuda', file), '-o', cubin]);
  if (status !== 0) {
    failures.push(`cuda/${file} does not compile for sm_${architecture}:\n${output}`);
    return [];
  }
  const resources = parseResources(output);
  return readCubin(readFileSync(cubin), architecture).map(({ kernel, instructions }) => ({
    name: kernel,
    local: instructions.filter(({ name }) => name === 'LDL' || name === 'STL').length,
    loops: storeLoops(instructions),
    product: productLoop(kernel, instructions),
    ...resources.get(kernel),
  }));
}

/** Of a kernel of PRODUCTS the loop that multiplies most, and how often it does in a turn. */
function productLoop(name, instructions) {
  const wanted = PRODUCTS.get(name)?.names;
  if (wanted === undefined) return undefined;
  return allLoops(instructions)
    .map((loop) => ({
      ...loop,
      products: wanted.reduce((sum, product) => sum + (loop.names.get(product) ?? 0), 0),
    }))
    .sort((a, b) => b.products - a.products)[0];
}

/** What `ptxas -v` says of each kernel. */
function parseResources(output) {
  const resources = new Map();
  for (const part of output.split(/Compiling entry function '/).slice(1)) {
    const number = (pattern) => Number(pattern.exec(part)?.[1] ?? 0);
    resources.set(part.slice(0, part.indexOf("'")), {
      registers: number(/Used (\d+) registers/),
      shared: number(/(\d+) bytes smem/),
      spilled: number(/(\d+) bytes spill stores/) + number(/(\d+) bytes spill loads/),
    });
  }
  return resources;
}

/**
 * Keys, tables and results reached through pointers of which the compiler does not know where they point: a kernel
 * that was not made one function (see Packets in cuda/fill-inl.h). Twice as slow in the mixed kernel.
 */
function checkPointers({ loops }, where) {
  const isGeneric = ({ packets, straight, names }) =>
    packets > 0 && straight && (names.has('LD') || names.has('ST'));
  const count = loops.filter(isGeneric).length;
  if (count > 0) failures.push(`${where} uses generic pointers in ${count} of its loops`);
}

/** Local memory is memory: what goes there in a loop costs as much as what the loop is for. */
function checkMemory({ name, registers, spilled, local, loops: [fullTiles], product }, where, architecture) {
  if (!registers) failures.push(`${where}: ptxas says nothing of it`);
  if (local === 0 && spilled === 0) return;
  const what = `${where} has ${local} accesses to local memory, ${spilled} bytes of them spilled registers`;
  const inLoop = (product ?? fullTiles)?.local ?? 0;
  const allowed = product === undefined ? 0 : product.products * PRODUCT_LOCAL(architecture);
  if (BUDGET.has(name)) failures.push(what);
  else if (inLoop > allowed) failures.push(`${what}, ${inLoop} in the loop that matters`);
  else console.log(`nvcc: ${what}, ${inLoop || 'none'} in the loop that matters`);
}

/** Products on any architecture: the loop is the same everywhere. */
function checkProduct({ name, product }, where) {
  const share = (product?.products ?? 0) / (product?.total ?? 1);
  if (share >= PRODUCTS.get(name).share) return;
  failures.push(`${where}: ${(100 * share).toFixed(1)} % of its inner loop are products`);
}

function checkBudget(kernels) {
  console.log(
    `\nOn sm_${BUDGET_ARCHITECTURE}, in the loop of full tiles (≤: it branches, so a turn may have fewer):`,
  );
  console.log(
    'kernel               per packet  per sample  budget  registers  shared  local  most frequent in one turn',
  );
  for (const kernel of kernels.sort((a, b) => a.name.localeCompare(b.name))) {
    const [loop] = kernel.loops;
    const perByte = loop === undefined ? Number.NaN : loop.total / loop.bytes;
    const sampleBytes = SAMPLE_BYTES.get(/(F64|F32|BF16|F16)$/.exec(kernel.name)?.[1]);
    const perSample = perByte * (sampleBytes ?? Number.NaN);
    const budget = BUDGET.get(kernel.name);
    if (budget !== undefined && !(perSample <= budget)) {
      failures.push(`${kernel.name}: ${perSample.toFixed(1)} instructions per sample, more than ${budget}`);
    }
    const most = [...(loop?.names ?? [])].sort((a, b) => b[1] - a[1]).slice(0, 6);
    const columns = [
      kernel.name.padEnd(20),
      number(perByte * PACKET_BYTES, 11, loop?.straight === false ? '≤' : ''),
      number(perSample, 11),
      String(budget ?? '').padStart(7),
      String(kernel.registers).padStart(10),
      String(kernel.shared).padStart(7),
      String(kernel.local).padStart(6),
      ` ${most.map(([name, count]) => `${name} ${count}`).join(', ')}`,
    ];
    console.log(columns.join(' '));
  }
  console.log('\nkernel                 instructions in a turn  products  registers  shared');
  for (const { name, product, registers, shared } of kernels.filter(({ name }) => PRODUCTS.has(name))) {
    const share = `${((100 * product.products) / product.total).toFixed(1)} %`;
    console.log(
      `${name.padEnd(20)} ${number(product.total, 24)} ${share.padStart(9)} ${String(registers).padStart(10)} ${String(shared).padStart(7)}`,
    );
  }
  const names = new Set(kernels.map(({ name }) => name));
  for (const name of [...BUDGET.keys(), ...PRODUCTS.keys()])
    if (!names.has(name)) failures.push(`there is no kernel ${name}`);
}

function number(value, width, prefix = '') {
  return (Number.isNaN(value) ? '' : `${prefix}${value.toFixed(1)}`).padStart(width);
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data;
      });
    }
    child.on('error', (error) => resolve({ status: -1, output: error.message }));
    child.on('close', (status) => resolve({ status, output }));
  });
}
