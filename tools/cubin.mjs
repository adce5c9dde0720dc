// Reads a cubin (the ELF file that `nvcc -cubin` writes for one architecture) without a disassembler, so that the
// instructions of a kernel can be watched where a CUDA toolkit is only its compiler. Instructions have 16 bytes; the
// low nine bits are the operation. The names were compared with nvdisasm's, instruction by instruction, on sm_75, 80,
// 86, 89, 90, 100 and 120.

const INSTRUCTION_BYTES = 16;

/** Operations as far as our kernels use them; others are shown by number. */
const OPERATIONS = names(`
  002 MOV  005 CS2R  006 VOTE  007 SEL  008 FSEL  009 FMNMX  00b FSETP  00c ISETP  010 IADD3  011 LEA  012 LOP3
  016 PRMT  017 IMNMX  019 SHF  01c PLOP3  020 FMUL  021 FADD  023 FFMA  024 IMAD  025 IMAD.WIDE  027 IMAD.HI
  028 DMUL  029 DADD  02a DSETP  02b DFMA  031 HFMA2  035 HFMA2  036 VIADD  03e F2FP  045 I2FP  046 VIADDMNMX
  048 VIMNMX  04a UVIMNMX  05a UI2F  082 UMOV  085 UIMNMX  087 USEL  08c UISETP  090 UIADD3  091 ULEA  092 ULOP3
  097 UIADD3  099 USHF  0a4 UIMAD  0a5 UIMAD.WIDE  0b9 ULDC  0ca R2UR  105 F2I  106 I2F  108 MUFU  110 F2F
  111 F2I.64  112 I2F.64  118 NOP  119 S2R  11d BAR  141 BSYNC  142 BREAK  144 CALL  145 BSSY  147 BRA  149 BRX
  14d EXIT  150 RET  155 BMOV  180 LD  181 LDG  182 LDC  183 LDL  184 LDS  185 ST  186 STG  187 STL  188 STS
  1ac LDCU  1c2 R2UR  1c3 S2UR`);
/** What Blackwell calls otherwise. */
const BLACKWELL = names('035 IADD');

function names(text) {
  return new Map(
    [...text.matchAll(/([0-9a-f]{3}) (\S+)/g)].map((match) => [Number.parseInt(match[1], 16), match[2]]),
  );
}

/** Bytes by the size field of a store; field 7 is not one of ours. */
const STORE_BYTES = [1, 1, 2, 2, 4, 8, 16, 32];

/**
 * @typedef {{ name: string, target: number | null, falls: boolean, bytes: number }} Instruction `target`: index of the
 *   instruction that a BRA goes to; `falls`: whether the next one may follow; `bytes`: stored to global memory
 * @param {Buffer} cubin
 * @param {number} architecture that it was compiled for: 90 for sm_90
 * @returns {{ kernel: string, instructions: Instruction[] }[]}
 */
export function readCubin(cubin, architecture) {
  return sections(cubin)
    .filter(({ name }) => name.startsWith('.text.'))
    .map(({ name, data }) => ({
      kernel: name.slice('.text.'.length),
      instructions: decode(data, architecture),
    }));
}

/**
 * @param {Buffer} code
 * @param {number} architecture
 */
export function decode(code, architecture) {
  return Array.from({ length: Math.floor(code.length / INSTRUCTION_BYTES) }, (_, i) => {
    const at = i * INSTRUCTION_BYTES;
    const word = code.readBigUInt64LE(at) | (code.readBigUInt64LE(at + 8) << 64n);
    const code9 = Number(word & 0x1ffn);
    const known = (architecture >= 100 && BLACKWELL.get(code9)) || OPERATIONS.get(code9);
    const name = known ?? `0x${code9.toString(16).padStart(3, '0')}`;
    const always = ((word >> 12n) & 0xfn) === 7n; // bits 12 to 15: the predicate; 7 is the one that is always true
    const uniform = ((word >> 9n) & 7n) === 2n; // BRA.U has a predicate elsewhere
    const ends = ['EXIT', 'RET', 'BRX'].includes(name) || (name === 'BRA' && !uniform);
    return {
      name,
      target: name === 'BRA' ? branchTarget(word, i, architecture) : null,
      falls: !(always && ends),
      bytes: name === 'STG' || name === 'ST' ? STORE_BYTES[Number((word >> 73n) & 7n)] : 0,
    };
  });
}

/**
 * Index of the instruction that a branch at index i jumps to. Its distance from the next instruction, signed and in
 * units of four bytes, is in bits 81…34; from Hopper on, bits 23…16 are its low end.
 */
function branchTarget(word, i, architecture) {
  const high = BigInt.asIntN(48, word >> 34n);
  const units = architecture >= 90 ? (high << 8n) | ((word >> 16n) & 0xffn) : high;
  return i + 1 + Number(units * 4n) / INSTRUCTION_BYTES;
}

/** The sections of a 64-bit little-endian ELF file. */
function sections(elf) {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46) throw new Error('expected an ELF file');
  const start = Number(elf.readBigUInt64LE(40));
  const [entrySize, count, namesIndex] = [elf.readUInt16LE(58), elf.readUInt16LE(60), elf.readUInt16LE(62)];
  const raw = Array.from({ length: count }, (_, i) => {
    const at = start + i * entrySize;
    const [offset, size] = [Number(elf.readBigUInt64LE(at + 24)), Number(elf.readBigUInt64LE(at + 32))];
    return { name: elf.readUInt32LE(at), data: elf.subarray(offset, offset + size) };
  });
  const names = raw[namesIndex].data;
  return raw.map((s) => ({ ...s, name: names.toString('latin1', s.name, names.indexOf(0, s.name)) }));
}
