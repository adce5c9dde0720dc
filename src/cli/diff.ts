import { diffCheckpoints, type TensorDifference } from '../model/verify/diff.js';
import { formatBytes, groupDigits, Output, printable } from './output.js';
import { stageBar } from './progress.js';
import { shapeInWords, shortNumber } from './words.js';

/** Options of `isometry diff`, checked. */
export interface DiffOptions {
  readonly metadata: boolean;
  readonly json?: true;
}

/** `isometry diff A B`: returns 0 when they are equal, else 1. */
export async function diff(a: string, b: string, options: DiffOptions, signal: AbortSignal): Promise<number> {
  const json = options.json === true;
  const output = new Output(json);
  const bar = json ? undefined : stageBar();
  try {
    const found = await diffCheckpoints(a, b, {
      metadata: options.metadata,
      signal,
      onProgress: ({ tensor, tensorsDone, tensorsTotal }) =>
        bar?.update('comparing', tensorsDone, tensorsTotal, tensor),
    });
    bar?.stop();
    const { equal, onlyInA, onlyInB, changed, metadata, tensors, bytes } = found;
    for (const [side, names] of [
      ['A', onlyInA],
      ['B', onlyInB],
    ] as const) {
      for (const name of names) {
        output.text(`only in ${side}: ${printable(name)}`);
        output.record(`only_in_${side.toLowerCase()}`, { name });
        await output.ready();
      }
    }
    for (const difference of changed) {
      output.text(`${printable(difference.name)}: ${inWords(difference)}`);
      output.record('changed', difference);
      await output.ready();
    }
    for (const { key, a: mine, b: theirs } of metadata) {
      output.text(`metadata ${printable(key)}: ${value(mine)} → ${value(theirs)}`);
      output.record('metadata', { key, a: mine, b: theirs });
    }
    const both = `${groupDigits(tensors)} tensors in both, ${formatBytes(bytes)} compared`;
    output.text(
      equal
        ? `equal: ${both}`
        : `different: ${both}, ${changed.length} of them differ, ${onlyInA.length} only in A, ${onlyInB.length} only in B`,
    );
    output.record('summary', {
      equal,
      tensors,
      bytes,
      changed: changed.length,
      onlyInA: onlyInA.length,
      onlyInB: onlyInB.length,
      metadata: metadata.length,
    });
    return equal ? 0 : 1;
  } finally {
    bar?.stop();
  }
}

function inWords({ kind, a, b, differing, first, maxAbs, nonFinite }: TensorDifference): string {
  if (kind === 'shape') return `shape ${shapeInWords(a.shape)} → ${shapeInWords(b.shape)}`;
  if (kind === 'dtype') return `dtype ${a.dtype} → ${b.dtype}`;
  const total = a.shape.reduce((product, dim) => product * dim, 1);
  const parts = [
    differing === null
      ? 'bytes differ'
      : `${groupDigits(differing)} of ${groupDigits(total)} elements differ`,
  ];
  if (maxAbs !== null) parts.push(`by at most ${shortNumber(maxAbs)}`);
  if (nonFinite > 0) parts.push(`${groupDigits(nonFinite)} of them NaN or infinite`);
  if (first !== null) parts.push(`the first is element ${groupDigits(first)}`);
  return parts.join(', ');
}

function value(text: string | null): string {
  return text === null ? '-' : JSON.stringify(printable(text));
}
