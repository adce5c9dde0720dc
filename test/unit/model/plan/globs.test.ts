import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../../../src/model/plan/globs.js';

describe('compileGlob', () => {
  const cases: [string, string[], string[]][] = [
    ['a.b', ['a.b', 'a/b'], ['a', 'axb', 'a.b.c', 'A.b']],
    ['*.weight', ['a.weight', 'a-b.weight'], ['weight', 'a.b.weight', 'a.weights']],
    ['**.weight', ['weight', 'a.weight', 'a.b.c.weight'], ['a.bias', 'a.b.weights']],
    ['**', ['a', 'a.b', 'a.b.c', '.a', 'a..b', '!x', 'ü.ß'], []],
    ['h.*.attn.**', ['h.0.attn.c_attn.weight', 'h.11.attn.x'], ['h.0.mlp.x', 'h.0.1.attn.x']],
    ['**.{q,k}_proj.weight', ['l.0.q_proj.weight', 'k_proj.weight'], ['l.0.v_proj.weight']],
    ['l.[0-3].w', ['l.0.w', 'l.3.w'], ['l.4.w', 'l.10.w']],
    ['l.?.w', ['l.0.w'], ['l.10.w', 'l..w']],
    ['h.1*', ['h.1', 'h.10'], ['h.1.x', 'h.2']],
    ['__proto__', ['__proto__'], []],
    ['dense/kernel:0', ['dense/kernel:0'], []],
    ['a(b)+', ['a(b)+'], ['ab', 'abb']],
  ];
  it.each(cases)('%s', (glob, hits, misses) => {
    const matches = compileGlob(glob, '/match');
    for (const name of hits) expect(matches(name), name).toBe(true);
    for (const name of misses) expect(matches(name), name).toBe(false);
  });

  it.each([
    ['', 'a glob such as'],
    [3, 'a glob such as'],
    ['x'.repeat(513), 'at most 512 characters'],
    ['*a'.repeat(3), 'at most 2 * in a segment'],
    ['{a,b}'.repeat(3), 'at most 2 {…}'],
    [`{${'a,'.repeat(33)}}`, '32 commas in a segment'],
    ['{a.b,c}', 'within one segment'],
    ['l.{0..3}', 'as in [0-9]'],
    ['[a', 'a glob'],
    ['[a.b]', 'a glob'],
  ])('refuses %j', (glob, text) => {
    expect(() => compileGlob(glob, '/rules/0/match/0')).toThrow(
      expect.objectContaining({ code: 'PLAN_ERROR', message: expect.stringContaining(text) }),
    );
  });

  it('is what trying all ways finds', () => {
    const tryAll = (glob: readonly string[], name: readonly string[]): boolean => {
      const [first, ...rest] = glob;
      if (first === undefined) return name.length === 0;
      if (first === '**') return name.some((_, at) => tryAll(rest, name.slice(at))) || tryAll(rest, []);
      return name.length > 0 && picomatch.isMatch(name[0]!, first) && tryAll(rest, name.slice(1));
    };
    const segment = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', '?', '{a,bb}', '[ab]*', '**', '**');
    const glob = fc.array(segment, { minLength: 1, maxLength: 6 });
    const name = fc.array(fc.constantFrom('a', 'b', 'ab', 'bb', 'aab'), { minLength: 1, maxLength: 6 });
    let hits = 0;
    fc.assert(
      fc.property(glob, fc.array(name, { minLength: 10, maxLength: 10 }), (parts, names) => {
        const matches = compileGlob(parts.join('.'), 'x');
        for (const path of names) {
          const expected = tryAll(parts, path);
          if (expected) hits++;
          expect(matches(path.join('.')), `${parts.join('.')} on ${path.join('.')}`).toBe(expected);
        }
      }),
      { numRuns: 300 },
    );
    expect(hits).toBeGreaterThan(100);
  });

  it('answers at once whatever the name', () => {
    const started = performance.now();
    const globs = [
      '*a*b',
      '**.a.**.a.**.a.**.b',
      Array(8).fill('*a*a').join('.'),
      Array(8).fill('**.*a*a').join('.'),
      '**.{a,aa}*{a,aa}*b',
      `**.{${'a,'.repeat(16)}a}*{${'a,'.repeat(15)}a}*b`,
      '*.'.repeat(200),
    ];
    const names = ['a'.repeat(512), 'a.'.repeat(256), `${'a'.repeat(63)}.`.repeat(8), 'a'.repeat(1_000_000)];
    for (const glob of globs) {
      const matches = compileGlob(glob, 'x');
      for (const name of names) expect(matches(name)).toBe(false);
    }
    expect(performance.now() - started).toBeLessThan(2000);
    for (const name of names) expect(compileGlob('**', 'x')(name)).toBe(true);
  });
});
