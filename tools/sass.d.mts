import type { Instruction } from './cubin.mjs';

export interface StoreLoop {
  first: number;
  total: number;
  bytes: number;
  straight: boolean;
  packets: number;
  local: number;
  names: Map<string, number>;
}
export function storeLoops(instructions: readonly Instruction[]): StoreLoop[];
export function allLoops(instructions: readonly Instruction[]): StoreLoop[];
