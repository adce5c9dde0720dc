// Counts the instructions of the kernels in a cubin, without a disassembler: where a CUDA toolkit is only its
// compiler, a budget of instructions per sample can still be watched. The low nine bits of a 128-bit instruction
// word are its opcode (sm_75 to sm_90).

/** Opcodes by name, as far as our kernels use them; others are shown by number. */
const OPCODES = new Map([
  [0x002, 'MOV'],
  [0x006, 'VOTE'],
  [0x007, 'SEL'],
  [0x008, 'FSEL'],
  [0x009, 'FMNMX'],
  [0x00b, 'FSETP'],
  [0x00c, 'ISETP'],
  [0x010, 'IADD3'],
  [0x011, 'LEA'],
  [0x012, 'LOP3'],
  [0x016, 'PRMT'],
  [0x019, 'SHF'],
  [0x020, 'FMUL'],
  [0x021, 'FADD'],
  [0x023, 'FFMA'],
  [0x024, 'IMAD'],
  [0x025, 'IMAD.WIDE'],
  [0x027, 'IMAD.HI'],
  [0x028, 'DMUL'],
  [0x029, 'DADD'],
  [0x02a, 'DSETP'],
  [0x02b, 'DFMA'],
  [0x036, 'VIADD'],
  [0x045, 'I2FP'],
  [0x0ab, 'DFMA'],
  [0x106, 'I2F'],
  [0x108, 'MUFU'],
  [0x10a, 'F2F'],
  [0x112, 'I2F.F64'],
  [0x118, 'NOP'],
  [0x119, 'S2R'],
  [0x11d, 'BAR'],
  [0x121, 'BAR.SYNC'],
  [0x147, 'BRA'],
  [0x14d, 'EXIT'],
  [0x181, 'LDG'],
  [0x182, 'LDC'],
  [0x184, 'LDS'],
  [0x186, 'STG'],
  [0x188, 'STS'],
  [0x1c3, 'S2UR'],
]);

const OPCODE_BRA = 0x147;
const OPCODE_STG = 0x186;
const OPCODE_NOP = 0x118;
const INSTRUCTION_BYTES = 16;

/**
 * @param {Buffer} cubin an ELF file as `nvcc -cubin` writes it, for one architecture
 * @returns {{ kernel: string, total: number, straight: boolean, opcodes: Map<string, number> }[]} for every kernel
 *   with a loop that stores: how many instructions one turn of that loop has, by opcode; `straight` when it has no
 *   branch inside, so that every turn executes exactly these
 */
export function countInstructions(cubin) {
  return sections(cubin)
    .filter(({ name }) => name.startsWith('.text.'))
    .map(({ name, data }) => ({ kernel: name.slice('.text.'.length), loop: storeLoop(data) }))
    .filter(({ loop }) => loop !== undefined)
    .map(({ kernel, loop }) => ({ kernel, ...histogram(loop) }));
}

/** The instructions from a backward branch's target to the branch, around a store to global memory. */
function storeLoop(code) {
  const all = Array.from({ length: Math.floor(code.length / INSTRUCTION_BYTES) }, (_, i) => ({
    opcode: code.readUInt32LE(i * INSTRUCTION_BYTES) & 0x1ff,
    target: branchTarget(code, i),
  }));
  for (const [i, { opcode, target }] of all.entries()) {
    if (opcode !== OPCODE_BRA || target < 0 || target >= i) continue;
    const loop = all.slice(target, i + 1);
    if (loop.some((instruction) => instruction.opcode === OPCODE_STG)) return loop;
  }
  return undefined;
}

/** Index of the instruction a branch at index i jumps to: next + 4·(bits 81…34 ‖ bits 23…16) bytes, signed. */
function branchTarget(code, i) {
  const at = i * INSTRUCTION_BYTES;
  const word = code.readBigUInt64LE(at) | (code.readBigUInt64LE(at + 8) << 64n);
  const high = BigInt.asIntN(48, word >> 34n);
  const low = (word >> 16n) & 0xffn;
  return i + 1 + Number(((high << 8n) | low) * 4n) / INSTRUCTION_BYTES;
}

function histogram(loop) {
  const body = loop.filter(({ opcode }) => opcode !== OPCODE_NOP);
  const opcodes = new Map();
  for (const { opcode } of body) {
    const name = OPCODES.get(opcode) ?? `0x${opcode.toString(16).padStart(3, '0')}`;
    opcodes.set(name, (opcodes.get(name) ?? 0) + 1);
  }
  const branches = opcodes.get('BRA') ?? 0;
  return { total: body.length, straight: branches === 1, opcodes };
}

/** The sections of a 64-bit little-endian ELF file. */
function sections(elf) {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46) throw new Error('expected an ELF file');
  const start = Number(elf.readBigUInt64LE(40));
  const [entrySize, count, namesIndex] = [elf.readUInt16LE(58), elf.readUInt16LE(60), elf.readUInt16LE(62)];
  const raw = Array.from({ length: count }, (_, i) => {
    const at = start + i * entrySize;
    const [offset, size] = [Number(elf.readBigUInt64LE(at + 24)), Number(elf.readBigUInt64LE(at + 32))];
    return {
      name: elf.readUInt32LE(at),
      info: elf.readUInt32LE(at + 44),
      data: elf.subarray(offset, offset + size),
    };
  });
  const names = raw[namesIndex].data;
  return raw.map((s) => ({ ...s, name: names.toString('latin1', s.name, names.indexOf(0, s.name)) }));
}
