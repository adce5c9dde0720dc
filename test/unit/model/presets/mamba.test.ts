import { describe, expect, it } from 'vitest';
import type { Initializer } from '../../../../src/initializers/index.js';
import { planFrom } from '../../../../src/model/plan/plan-from.js';
import { elementCount } from '../../../../src/shape.js';

const MAMBA = {
  model_type: 'mamba',
  vocab_size: 50280,
  hidden_size: 2560,
  num_hidden_layers: 64,
  state_size: 16,
};
const SMALL = { ...MAMBA, vocab_size: 10, hidden_size: 40, num_hidden_layers: 4, state_size: 3 };

const lawsOf = async (extra: object): Promise<ReadonlyMap<string, Initializer>> =>
  new Map(
    (await planFrom({ ...SMALL, ...extra })).tensors.map(({ name, init }) => [
      name.replace('backbone.layers.3.mixer.', ''),
      init,
    ]),
  );

describe('hf5/mamba', () => {
  it('of 2.8B has 2,768,345,600 parameters', async () => {
    const { tensors } = await planFrom(MAMBA);
    expect(tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(2_768_345_600);
  });

  it('starts states, time steps, convolutions and outputs by their own laws', async () => {
    const laws = await lawsOf({ time_step_floor: 0.002 });
    expect(laws.get('A_log')).toEqual({ kind: 'logRamp', start: 1, step: 1 });
    expect(laws.get('D')).toEqual({ kind: 'ones' });
    expect(laws.get('dt_proj.bias')).toEqual({
      kind: 'softplusInverseLogUniform',
      min: 0.001,
      max: 0.1,
      floor: 0.002,
    });
    // Rank ⌈40/16⌉.
    const max = 1 / Math.sqrt(3);
    expect(laws.get('dt_proj.weight')).toEqual({ kind: 'uniform', min: -max, max });
    expect(laws.get('conv1d.weight')).toMatchObject({ kind: 'kaimingUniform', a: Math.sqrt(5) });
    expect(laws.get('out_proj.weight')).toMatchObject({ kind: 'kaimingUniform', a: Math.sqrt(5) });
    expect(laws.get('in_proj.weight')).toMatchObject({ kind: 'normal', std: 0.1 });
  });

  it('scales the output by depth where it is asked to', async () => {
    const max = 1 / Math.sqrt(80) / 2;
    expect((await lawsOf({ rescale_prenorm_residual: true })).get('out_proj.weight')).toEqual({
      kind: 'uniform',
      min: -max,
      max,
    });
  });

  it('takes other schemes of time steps', async () => {
    const laws = await lawsOf({ time_step_init_scheme: 'constant', time_step_scale: 2, time_step_rank: 4 });
    expect(laws.get('dt_proj.weight')).toEqual({ kind: 'constant', value: 1 });
    expect((await lawsOf({ time_step_scale: 0 })).get('dt_proj.weight')).toEqual({
      kind: 'constant',
      value: 0,
    });
  });

  it.each([
    [
      'time steps the wrong way round',
      { time_step_min: 0.2 },
      /≥ time_step_min, which is 0.2 for time_step_max/,
    ],
    ['no shortest time step', { time_step_min: 0 }, /> 0 for time_step_min/],
    ['another scheme', { time_step_init_scheme: 'randm' }, /did you mean "random"/],
    ['a rank that is none', { time_step_rank: 'big' }, /time_step_rank/],
    ['a factor that leaves nothing', { expand: 0.01 }, /from 1 to 2\^31 for expand/],
    ['no size of the state', { state_size: undefined }, /a key "state_size"/],
  ])('refuses %s', async (_, extra, message) => {
    await expect(planFrom({ ...SMALL, ...extra })).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      message: expect.stringMatching(message),
    });
  });
});
