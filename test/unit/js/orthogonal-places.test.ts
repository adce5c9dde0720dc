import { describe, expect, it } from 'vitest';
import type { Region } from '../../../src/job.js';
import { Places } from '../../../src/js/orthogonal-places.js';

/** A small linear congruential generator: inputs of the test, not weights. */
let state = 4711;
function below(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

/** Every element, as [source, target]. */
function elements({ shape, sourceOffset, sourceStrides, targetOffset, targetStrides }: Region) {
  let all: (readonly [number, number])[] = [[sourceOffset, targetOffset]];
  for (const [axis, extent] of shape.entries()) {
    all = all.flatMap(([source, target]) =>
      Array.from(
        { length: extent },
        (_, j) => [source + j * sourceStrides[axis]!, target + j * targetStrides[axis]!] as const,
      ),
    );
  }
  return all;
}

/** Strides in any order, so that neither side has its axes nested; some axes of extent 1. */
function anyRegion(): Region {
  const rank = below(4);
  const many = (limit: number): number[] => Array.from({ length: rank }, () => 1 + below(limit));
  return {
    shape: many(5),
    sourceOffset: below(30),
    sourceStrides: many(40),
    targetOffset: below(30),
    targetStrides: many(40),
  };
}

describe('Places', () => {
  it('are those of a walk over all elements, for any region, window and part of the source', () => {
    let visited = 0;
    for (let trial = 0; trial < 3000; trial++) {
      const region = anyRegion();
      const [start, from, inner] = [below(60), below(60), below(60)];
      const [end, to, innerEnd] = [start + below(400), from + below(400), inner + below(400)];
      const places = new Places(region, start, end);
      const inWindow = elements(region).filter(([, target]) => target >= start && target < end);
      const sources = inWindow.map(([source]) => source);
      const what = JSON.stringify({ region, start, end, from, to });
      expect(places.first(from), what).toBe(Math.min(...sources.filter((source) => source >= from)));
      expect(places.last(to), what).toBe(Math.max(...sources.filter((source) => source < to)));
      const found: (readonly [number, number])[] = [];
      places.forEachRun(from, to, inner, innerEnd, (source, target, count, stride, step) => {
        for (let i = 0; i < count; i++) found.push([source + i * stride, target + i * step]);
      });
      const wanted = inWindow.filter(
        ([source, target]) => source >= from && source < to && target >= inner && target < innerEnd,
      );
      expect(found, what).toEqual(wanted);
      visited += found.length;
    }
    expect(visited).toBeGreaterThan(3000);
  });

  it('are found at once among many', () => {
    const shape = [2 ** 20, 2 ** 10];
    const region = { shape, sourceOffset: 0, sourceStrides: [2 ** 12, 2], targetOffset: 0 };
    const places = new Places({ ...region, targetStrides: [2 ** 10, 1] }, 0, 2 ** 30);
    for (let trial = 0; trial < 1000; trial++) {
      const [row, column] = [below(2 ** 20), below(2 ** 10)];
      const source = row * 2 ** 12 + column * 2;
      expect(places.first(source)).toBe(source);
      expect(places.last(source + 1)).toBe(source);
      const found: number[] = [];
      places.forEachRun(source, source + 2, 0, 2 ** 30, (_source, target, count) =>
        found.push(target, count),
      );
      expect(found).toEqual([row * 2 ** 10 + column, 1]);
    }
  });
});
