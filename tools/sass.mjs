// Finds the loops of a kernel that store, from its instructions alone, and counts what one turn of each executes.

/** @typedef {import('./cubin.mjs').Instruction} Instruction */

/** The widest store that there is; what full tiles are made of. */
const PACKET_BYTES = 16;

/**
 * The innermost loops that store to global memory. First the one that stores most packets of 16 bytes per turn, of
 * equals the one without branches: that is the loop that full tiles run in. The others are for ends and for what is
 * not aligned.
 * @param {readonly Instruction[]} instructions of one kernel
 * @returns {{ first: number, total: number, bytes: number, straight: boolean, local: number, names: Map<string, number> }[]}
 *   `first`: index of the loop's first instruction; `total`: instructions of one turn, an upper bound unless the loop
 *   is `straight`, that is, has no other branch than the one back; `bytes`: stored in one turn; `local`: accesses to
 *   local memory in it
 */
export function storeLoops(instructions) {
  return allLoops(instructions)
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.packets - a.packets || b.straight - a.straight || b.total - a.total);
}

/**
 * All innermost loops, in no order.
 * @param {readonly Instruction[]} instructions of one kernel
 */
export function allLoops(instructions) {
  return innermostLoops(basicBlocks(instructions)).map((loop) => describe(instructions, loop));
}

function describe(instructions, loop) {
  const body = loop
    .flatMap(({ start, end }) => instructions.slice(start, end))
    .filter(({ name }) => name !== 'NOP');
  const names = new Map();
  for (const { name } of body) names.set(name, (names.get(name) ?? 0) + 1);
  const count = (...wanted) => wanted.reduce((sum, name) => sum + (names.get(name) ?? 0), 0);
  return {
    first: Math.min(...loop.map(({ start }) => start)),
    total: body.length,
    bytes: body.reduce((sum, { bytes }) => sum + bytes, 0),
    packets: body.filter(({ bytes }) => bytes >= PACKET_BYTES).length,
    straight: count('BRA') === 1 && count('BRX', 'CALL', 'RET', 'EXIT') === 0,
    local: count('LDL', 'STL'),
    names,
  };
}

/** Runs of instructions without a jump into or out of their middle: [start, end), and who may follow and precede. */
function basicBlocks(instructions) {
  const leaders = new Set([0]);
  for (const [i, { target, falls }] of instructions.entries()) {
    if (target !== null) leaders.add(target).add(i + 1);
    if (!falls) leaders.add(i + 1);
  }
  const starts = [...leaders].filter((i) => i >= 0 && i < instructions.length).sort((a, b) => a - b);
  const blockAt = new Map(starts.map((start, index) => [start, index]));
  const blocks = starts.map((start, index) => ({
    start,
    end: starts[index + 1] ?? instructions.length,
    next: [],
    previous: [],
  }));
  const link = (from, to) => {
    if (to === undefined) return;
    blocks[from].next.push(to);
    blocks[to].previous.push(from);
  };
  for (const [index, { end }] of blocks.entries()) {
    const last = instructions[end - 1];
    if (last.target !== null) link(index, blockAt.get(last.target));
    if (last.falls) link(index, blockAt.get(end));
  }
  return blocks;
}

/** Natural loops without another loop inside, each as its blocks. */
function innermostLoops(blocks) {
  const dominates = dominators(withEntry(blocks));
  const loops = new Map(); // by header
  for (const [tail, { next }] of blocks.entries()) {
    for (const header of next) {
      if (!dominates(header, tail)) continue;
      const body = loops.get(header) ?? new Set([header]);
      loops.set(header, body);
      const pending = [tail];
      for (let b = pending.pop(); b !== undefined; b = pending.pop()) {
        if (body.has(b)) continue;
        body.add(b);
        pending.push(...blocks[b].previous);
      }
    }
  }
  return [...loops]
    .filter(([header, body]) => ![...body].some((b) => b !== header && loops.has(b)))
    .map(([, body]) => [...body].map((b) => blocks[b]));
}

/**
 * The same blocks and, as the last one, an entry that leads to the first of them and to all that nothing seems to lead
 * to: the targets of jump tables, and functions that are called.
 */
function withEntry(blocks) {
  const entry = { start: 0, end: 0, next: [], previous: [] };
  const all = [...blocks.map((block) => ({ ...block, previous: [...block.previous] })), entry];
  const seen = new Set();
  for (const start of blocks.keys()) {
    if (seen.has(start)) continue;
    entry.next.push(start);
    all[start].previous.push(blocks.length);
    for (const pending = [start]; pending.length > 0; ) {
      const block = pending.pop();
      if (!seen.has(block)) pending.push(...blocks[block].next);
      seen.add(block);
    }
  }
  return all;
}

/**
 * Whether every way from the last block to b goes through a. Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
 */
function dominators(blocks) {
  const entry = blocks.length - 1;
  const order = postorder(blocks, entry);
  const rank = new Map(order.map((block, i) => [block, i]));
  const parent = new Map([[entry, entry]]);
  const meet = (a, b) => {
    while (a !== b) {
      while (rank.get(a) < rank.get(b)) a = parent.get(a);
      while (rank.get(b) < rank.get(a)) b = parent.get(b);
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order.toReversed().slice(1)) {
      const known = blocks[block].previous.filter((p) => parent.has(p));
      const dominator = known.reduce(meet);
      if (parent.get(block) !== dominator) {
        parent.set(block, dominator);
        changed = true;
      }
    }
  }
  return (a, b) => {
    while (b !== a && b !== entry) b = parent.get(b);
    return a === b;
  };
}

/** Each block after those it leads to, where no loop forbids it. */
function postorder(blocks, entry) {
  const order = [];
  const seen = new Set([entry]);
  const stack = [[entry, 0]];
  while (stack.length > 0) {
    const top = stack.at(-1);
    const following = blocks[top[0]].next[top[1]++];
    if (following === undefined) order.push(stack.pop()[0]);
    else if (!seen.has(following)) {
      seen.add(following);
      stack.push([following, 0]);
    }
  }
  return order;
}
