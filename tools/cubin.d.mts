export interface Instruction {
  name: string;
  target: number | null;
  falls: boolean;
  bytes: number;
}
export function readCubin(
  cubin: Buffer,
  architecture: number,
): { kernel: string; instructions: Instruction[] }[];
export function decode(code: Buffer, architecture: number): Instruction[];
