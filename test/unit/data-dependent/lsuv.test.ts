import { describe, expect, it } from 'vitest';
import { roundTo } from '../../../src/dtype-grid.js';
import {
  type Activations,
  DTYPE_NAMES,
  type DType,
  fillSync,
  type Initializer,
  IsometryError,
  type LsuvLayer,
  type LsuvOptions,
  type LsuvProgress,
  lsuv,
  normal,
  orthogonal,
  type Tensor,
  toFloat32,
} from '../../../src/index.js';
import { read, tableAfter } from '../../helpers/pages.js';

const guide = read('docs/guides/lsuv.md');
const qr = orthogonal({ method: 'qr' });
const SAMPLES = 64;
const WIDTHS = [8, 16, 12, 4];
const DATA = fillSync('data', [SAMPLES, WIDTHS[0]!], normal({ mean: 2, std: 5 }), { seed: 1 }).data;

/** Weights of dense layers with ReLU between them. */
const network = (dtype: DType = 'float32', init: Initializer = normal({ std: 0.01 })): Tensor[] =>
  WIDTHS.slice(1).map((width, index) =>
    fillSync(`fc${index}`, [width, WIDTHS[index]!], init, { seed: 3, dtype }),
  );

const valuesOf = (layer: Tensor): Float32Array | Float64Array =>
  layer.dtype === 'float64' ? (layer.data as Float64Array) : layer.toFloat32();

/** What layer `last` computes, before its ReLU. */
function forward(layers: readonly Tensor[], last: number): Float64Array {
  let x = Float64Array.from(DATA);
  for (let index = 0; ; index++) {
    const [outputs, inputs] = layers[index]!.shape as [number, number];
    const weight = valuesOf(layers[index]!);
    const z = new Float64Array(SAMPLES * outputs);
    for (let at = 0; at < z.length; at++) {
      const sample = Math.floor(at / outputs) * inputs;
      for (let k = 0; k < inputs; k++) z[at]! += weight[(at % outputs) * inputs + k]! * x[sample + k]!;
    }
    if (index === last) return z;
    x = z.map((value) => Math.max(value, 0));
  }
}

function stdOf(values: Float64Array): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
}

const copies = (layers: readonly Tensor[]) => layers.map(({ data }) => data.slice());
const failing =
  (code: string, ...texts: string[]) =>
  (error: unknown) => {
    expect(error).toBeInstanceOf(IsometryError);
    expect((error as IsometryError).code).toBe(code);
    for (const text of texts) expect((error as IsometryError).message).toContain(text);
    return true;
  };

describe('lsuv', () => {
  it.each(DTYPE_NAMES)('%s: gives each layer the standard deviation wanted', async (dtype) => {
    const layers = network(dtype);
    const before = layers.map((layer) => [...valuesOf(layer)]);
    expect(stdOf(forward(layers, 2))).toBeLessThan(1e-3); // far from it
    const reports = await lsuv(layers, (_, index) => forward(layers, index), { target: 2, tolerance: 0.005 });
    for (const [index, report] of reports.entries()) {
      const std = stdOf(forward(layers, index));
      expect(std).toBeGreaterThan(2 * 0.995);
      expect(std).toBeLessThan(2 * 1.005);
      expect(report.stdAfter).toBeCloseTo(std, 12);
      expect(report).toMatchObject({ name: `fc${index}`, converged: true });
      expect(report.iterations).toBeGreaterThan(0);
      const expected = before[index]!.map((x: number) => roundTo(dtype, x * report.scale));
      expect([...valuesOf(layers[index]!)]).toEqual(expected);
    }
  });

  it('gives a layer the paper’s factors: 1/std of what it computes', async () => {
    const layers = network('float64');
    const stds: number[] = [];
    const reports = await lsuv(layers, (_, index) => forward(layers, index), {
      onProgress: ({ std, iterations }) => void (iterations === 0 && stds.push(std)),
    });
    expect(reports.map(({ scale }) => scale)).toEqual(stds.map((std) => Math.sqrt(1 / (std * std))));
    expect(reports.map(({ stdBefore }) => stdBefore)).toEqual(stds);
  });

  it('does nothing the second time', async () => {
    const layers = network();
    const run = () => lsuv(layers, (_, index) => forward(layers, index));
    await run();
    const done = copies(layers);
    for (const report of await run())
      expect(report).toMatchObject({ iterations: 0, scale: 1, converged: true });
    expect(copies(layers)).toEqual(done);
  });

  it('takes arrays, batches and promises, and changes what it is told to alone', async () => {
    const layers = network();
    const want = network();
    await lsuv(want, (_, index) => forward(want, index));
    const named = layers.map(({ data }, index) => ({
      name: `fc${index}`,
      weight: data,
      outputs: WIDTHS[index + 1]!,
    }));
    async function* inBatches(index: number) {
      const values = forward(layers, index);
      for (let at = 0; at < values.length; at += 50) yield values.slice(at, at + 50);
    }
    await lsuv([named[0]!, named[2]!], async (name) => {
      if (name === 'fc2') layers[1]!.data.set(want[1]!.data);
      return name === 'fc0' ? forward(layers, 0) : inBatches(2);
    });
    expect(layers[0]!.data).toEqual(want[0]!.data);
    // The moments of batches are the same to rounding only.
    for (const [at, value] of layers[2]!.data.entries()) expect(value).toBeCloseTo(want[2]!.data[at]!, 5);
  });

  it('reports every pass', async () => {
    const layers = network();
    const seen: LsuvProgress[] = [];
    const calls: [string, number][] = [];
    await lsuv(
      layers,
      (name, index) => {
        calls.push([name, index]);
        return forward(layers, index);
      },
      { onProgress: (progress) => seen.push(progress) },
    );
    const passes = [0, 1, 2].flatMap((index) => [0, 1].map((iterations) => ({ index, iterations })));
    expect(seen).toMatchObject(passes.map((pass) => ({ ...pass, name: `fc${pass.index}`, layers: 3 })));
    expect(calls).toEqual(passes.map(({ index }) => [`fc${index}`, index]));
    for (const [at, { std }] of seen.entries()) if (at % 2) expect(std).toBeCloseTo(1, 2);
  });

  describe('initialize', () => {
    it.each(DTYPE_NAMES)('%s: fills all layers before the first pass', async (dtype) => {
      const layers = network(dtype);
      const filled = network(dtype, qr);
      await expect(
        lsuv(
          layers,
          () => {
            throw new Error('first pass');
          },
          { initialize: { seed: 3, initializer: qr } },
        ),
      ).rejects.toThrow('first pass');
      expect(copies(layers)).toEqual(copies(filled));
    });

    it('rounds 16-bit weights once: from the float32 ones', async () => {
      const layers = network('bfloat16');
      const whole = network('float32', qr);
      const reports = await lsuv(layers, (_, index) => forward(layers, index), {
        initialize: { seed: 3, initializer: qr },
        tolerance: 0.02,
      });
      for (const [index, { scale }] of reports.entries()) {
        expect(scale).not.toBe(1);
        const expected = whole[index]!.data.map((x) => roundTo('bfloat16', Math.fround(x * scale)));
        expect(toFloat32(layers[index]!.data, 'bfloat16')).toEqual(expected);
      }
    });

    it('checks everything before it fills anything', async () => {
      const layers = network();
      const before = copies(layers);
      const wrong: LsuvLayer[] = [...layers, { name: 'x', weight: new Float32Array(3), shape: [3] }];
      await expect(lsuv(wrong, () => [], { initialize: { seed: 1, initializer: qr } })).rejects.toSatisfy(
        failing('INVALID_SHAPE', '"x"'),
      );
      expect(copies(layers)).toEqual(before);
    });

    it.each([
      [{}, 'INVALID_SEED', 'seed'],
      [{ seed: -1 }, 'INVALID_SEED', 'seed'],
      [{ seed: 1, initializer: 'orthogonal' }, 'INVALID_INITIALIZER', 'initialize.initializer'],
      [{ seed: 1, initialiser: qr }, 'UNKNOWN_OPTION', 'did you mean "initializer"'],
      [7, 'INVALID_ARGUMENT', 'the options of initialize'],
    ])('refuses %j', async (initialize, code, text) => {
      const options = { initialize } as unknown as LsuvOptions;
      await expect(lsuv(network(), () => [], options)).rejects.toSatisfy(failing(code, text));
    });
  });

  describe('when it fails', () => {
    /** Runs into `fail` in layer 1, and says which layers hold what they held before. */
    async function untouched(fail: (pass: number) => Activations | undefined, options: LsuvOptions = {}) {
      const layers = network();
      const before = copies(layers);
      let pass = 0;
      const run = lsuv(
        layers,
        (_, index) => (index === 1 ? fail(pass++) : undefined) ?? forward(layers, index),
        options,
      );
      const error = await run.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const same = layers.map(({ data }, index) => data.every((x, at) => x === before[index]![at]));
      return { error, same, done: stdOf(forward(layers, 0)) };
    }

    it.each([
      [
        'a forward pass throws',
        () => {
          throw new Error('mine');
        },
      ],
      [
        'it throws later',
        (pass: number) => {
          if (pass) throw new Error('mine');
          return undefined;
        },
      ],
      ['activations are NaN', (pass: number) => (pass ? [1, Number.NaN] : undefined)],
      ['a layer is dead', () => new Float32Array(10)],
      ['nothing comes back', () => ({}) as number[]],
      ['one value comes back', () => [1]],
      ['it never converges', (pass: number) => [0, 20 + pass]],
    ])('because %s: the layers before are done, the others as before', async (_, fail) => {
      const { error, same, done } = await untouched(fail);
      expect(error).toBeInstanceOf(Error);
      expect(same).toEqual([false, true, true]);
      expect(done).toBeCloseTo(1, 6);
    });

    it('because of a callback: as well', async () => {
      const onProgress = ({ index, iterations }: LsuvProgress): void => {
        if (index === 1 && iterations === 1) throw new RangeError('mine');
      };
      expect(await untouched(() => undefined, { onProgress })).toMatchObject({
        error: new RangeError('mine'),
        same: [false, true, true],
      });
    });

    it('because it was aborted: as well, at the latest before the next pass', async () => {
      const controller = new AbortController();
      const result = await untouched(
        (pass) => {
          if (pass === 1) controller.abort(new Error('enough'));
          if (pass > 1) throw new Error('went on');
          return undefined;
        },
        { signal: controller.signal },
      );
      expect(result).toMatchObject({ error: new Error('enough'), same: [false, true, true] });
    });

    it('is aborted by a timer though no pass ever waits', async () => {
      const layers = network();
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('enough')), 5);
      let pass = 0;
      const options = { maxIterations: 1e9, tolerance: 1e-15, signal: controller.signal };
      const noisy = (): Float64Array => {
        const noise = 1 + 0.02 * Math.sin(pass++);
        return forward(layers, 0).map((z) => z * noise);
      };
      await expect(lsuv(layers, noisy, options)).rejects.toThrow('enough');
    });

    it('never begins when it was aborted before', async () => {
      const layers = network();
      const before = copies(layers);
      const options = {
        initialize: { seed: 1, initializer: qr },
        signal: AbortSignal.abort(new Error('enough')),
      };
      await expect(lsuv(layers, () => expect.unreachable(), options)).rejects.toThrow('enough');
      expect(copies(layers)).toEqual(before);
    });

    it('with an error of yours, passes that on though the weights are gone', async () => {
      const layers = network();
      const run = lsuv(layers, () => {
        const { buffer } = layers[0]!.data;
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
        throw new RangeError('mine');
      });
      await expect(run).rejects.toThrow(new RangeError('mine'));
    });

    it('because a forward pass took the weights away: says so', async () => {
      const layers = network();
      const run = lsuv(layers, (_, index) => {
        const result = forward(layers, index);
        const { buffer } = layers[0]!.data;
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
        return result;
      });
      await expect(run).rejects.toSatisfy(failing('INVALID_TARGET', 'detached'));
    });
  });

  it('leaves layers that do not converge at the nearest, if asked to', async () => {
    const layers = network();
    const [first, ...rest] = await lsuv(
      layers,
      (_, index) => (index === 0 ? forward(layers, 0).map((z) => Math.tanh(z)) : forward(layers, index)),
      { ifNotConverged: 'keep', maxIterations: 3 },
    );
    expect(first).toMatchObject({ converged: false, iterations: 3 });
    expect(first!.stdAfter).toBeGreaterThan(first!.stdBefore);
    expect(rest.map(({ converged }) => converged)).toEqual([true, true]);
  });

  it.each([
    [{ target: 0 }, 'INVALID_OPTION', 'target'],
    [{ target: Number.NaN }, 'INVALID_OPTION', 'target'],
    [{ target: 1e300 }, 'INVALID_OPTION', 'target'],
    [{ tolerance: 0 }, 'INVALID_OPTION', 'tolerance'],
    [{ tolerance: 1 }, 'INVALID_OPTION', 'tolerance'],
    [{ maxIterations: 0 }, 'INVALID_OPTION', 'maxIterations'],
    [{ maxIterations: 2.5 }, 'INVALID_OPTION', 'maxIterations'],
    [{ ifNotConverged: 'ignore' }, 'INVALID_OPTION', 'ifNotConverged'],
    [{ onProgress: 'log' }, 'INVALID_OPTION', 'onProgress'],
    [{ signal: true }, 'INVALID_OPTION', 'signal'],
    [{ tolerence: 0.1 }, 'UNKNOWN_OPTION', 'did you mean "tolerance"'],
    ['fast', 'INVALID_ARGUMENT', 'the options of lsuv'],
  ])('refuses the options %j', async (options, code, text) => {
    const run = lsuv(network(), () => expect.unreachable(), options as LsuvOptions);
    await expect(run).rejects.toSatisfy(failing(code, text));
  });

  it('refuses other arguments', async () => {
    const layers = network();
    const reject = (call: Promise<unknown>, ...texts: [string, string]) =>
      expect(call).rejects.toSatisfy(failing(...texts));
    await reject(
      lsuv(layers[0] as unknown as Tensor[], () => []),
      'INVALID_ARGUMENT',
      'an array of layers',
    );
    await reject(lsuv(layers, undefined as unknown as () => []), 'INVALID_ARGUMENT', 'forward');
    await reject(
      lsuv([layers[0]!, layers[0]!], () => []),
      'INVALID_NAME',
      'layers[1].name',
    );
    await reject(
      lsuv([layers[0]!, ...Array(1), layers[1]!] as Tensor[], () => []),
      'INVALID_NAME',
      'layers[1].name',
    );
    expect(await lsuv([], () => [])).toEqual([]);
  });

  it('has the options, keys of layers and reports that its guide says', async () => {
    const names = (heading: string) =>
      tableAfter(guide, heading).flatMap(([cell]) =>
        [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
      );
    const known = async (call: Promise<unknown>) =>
      /known options: (.*)$/
        .exec(await call.then(String, String))![1]!
        .split(', ')
        .sort();
    const options = { nothing: 1 } as LsuvOptions;
    expect(await known(lsuv([], () => [], options))).toEqual(names('## Options').sort());
    const layer = { nothing: 1 } as unknown as LsuvLayer;
    expect(await known(lsuv([layer], () => []))).toEqual(names('## Layers').sort());
    const layers = network();
    const [report] = await lsuv(layers, (_, index) => forward(layers, index));
    expect(guide).toContain(`\`{ ${Object.keys(report!).join(', ')} }\``);
  });
});
