"""Ramps, logarithms, sinusoids and time steps against NumPy, SciPy and the code of transformers."""

import math
import unittest

import numpy as np
import torch
from scipy import stats
from transformers import Mamba2Config, MambaConfig
from transformers.models.mamba2.modeling_mamba2 import Mamba2Mixer
from transformers.models.mamba.modeling_mamba import MambaMixer
from transformers.models.whisper.modeling_whisper import sinusoids

import isometry

NAME, SEED = "encoder.embed_positions.weight", 2**63 + 11
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}


def fill(shape: list, initializer: dict, dtype: str = "float64", device: str = "js", **options) -> np.ndarray:
    return isometry.fill(NAME, shape, initializer, SEED, dtype, device=device, **options)


def as_float(values: np.ndarray, dtype: str) -> np.ndarray:
    """16-bit dtypes come as bit patterns."""
    if dtype in EPSILON:
        return values.astype(np.float64)
    kind = torch.bfloat16 if dtype == "bfloat16" else torch.float16
    return torch.from_numpy(values.view(np.int16)).view(kind).double().numpy()


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    """float64 as PyTorch rounds it, 16-bit dtypes by way of float32."""
    single = torch.from_numpy(values).float()
    kinds = {"float64": torch.from_numpy(values), "float32": single}
    return kinds.get(dtype, single.to(getattr(torch, dtype))).double().numpy()


class Tables(unittest.TestCase):
    def test_every_dtype_and_device_rounds_the_float64_value(self):
        tables = (
            ([7, 11], {"kind": "ramp", "start": -3, "step": 0.7}),
            ([5, 16], {"kind": "logRamp"}),
            ([40, 24], {"kind": "sinusoidal", "order": "halves"}),
            ([40, 24], {"kind": "sinusoidal", "order": "interleaved"}),
            ([300], {"kind": "logOfUniform", "min": 1, "max": 16}),
            ([300], {"kind": "softplusInverseLogUniform"}),
        )
        for shape, init in tables:
            exact = fill(shape, init)
            for device in isometry.devices():
                for dtype in ("float64", "float32", "float16", "bfloat16"):
                    with self.subTest(init=init, device=device, dtype=dtype):
                        ours = as_float(fill(shape, init, dtype, device), dtype)
                        np.testing.assert_array_equal(ours, rounded(exact, dtype))

    def test_ramp(self):
        for start, step, count in ((0, 1, 512), (1, -0.3, 77), (2.5, 1 / 3, 20_000)):
            expected = np.arange(count, dtype=np.float64) * step + start
            ours = fill([2, count], {"kind": "ramp", "start": start, "step": step})
            np.testing.assert_array_equal(ours, np.stack([expected, expected]))
        positions = torch.arange(512, dtype=torch.float32).expand(1, -1).numpy()
        np.testing.assert_array_equal(fill([1, 512], {"kind": "ramp"}, "float32"), positions)

    def test_log_ramp(self):
        for start, step, count in ((1, 1, 256), (0.01, 0.5, 10_000), (300, -1, 300)):
            expected = np.log(start + step * np.arange(count, dtype=np.float64))
            ours = fill([count], {"kind": "logRamp", "start": start, "step": step})
            np.testing.assert_allclose(ours, expected, rtol=2 * EPSILON["float64"])

    def test_sinusoids_of_whisper(self):
        """Their angles are float32: an error of half a unit in the last place of the frequency, times the position."""
        for positions, width in ((1500, 384), (64, 8), (3000, 1280)):
            init = {"kind": "sinusoidal", "order": "halves"}
            ours = fill([positions, width], init, "float32")
            theirs = sinusoids(positions, width).numpy()
            slack = np.arange(positions)[:, None] * 6 * EPSILON["float32"] + 2 * EPSILON["float32"]
            self.assertTrue((np.abs(ours.astype(np.float64) - theirs) <= slack).all())

    def test_sinusoids_in_float64(self):
        for positions, width, scale in ((2000, 512, 10_000.0), (50, 6, 7.5)):
            count = width // 2
            position = np.arange(positions, dtype=np.longdouble)[:, None]
            halves = position * np.exp(-np.log(np.longdouble(scale)) / (count - 1) * np.arange(count))
            expected = np.concatenate([np.sin(halves), np.cos(halves)], axis=1).astype(np.float64)
            ours = fill([positions, width], {"kind": "sinusoidal", "order": "halves", "maxTimescale": scale})
            np.testing.assert_allclose(ours, expected, rtol=0, atol=3e-16)
            # Attention is all you need, §3.5, as it stands there.
            angles = position / np.longdouble(scale) ** (2 * np.arange(count, dtype=np.longdouble) / width)
            expected = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(positions, width)
            ours = fill([positions, width], {"kind": "sinusoidal", "order": "interleaved", "maxTimescale": scale})
            np.testing.assert_allclose(ours, expected.astype(np.float64), rtol=0, atol=3e-16)


class StateSpaces(unittest.TestCase):
    """The laws of Mamba's own parameters, against transformers' modules, whose random numbers are others."""

    def module(self, seed: int, **steps):
        torch.manual_seed(seed)
        config = MambaConfig(hidden_size=32, expand=128, state_size=16, num_hidden_layers=1, **steps)
        return MambaMixer(config, 0)

    def test_a_log(self):
        theirs = self.module(0).A_log.detach().numpy()
        np.testing.assert_allclose(fill([4096, 16], {"kind": "logRamp"}, "float32"), theirs, rtol=EPSILON["float32"])
        config = Mamba2Config(hidden_size=64, num_heads=128, head_dim=1, num_hidden_layers=1)
        theirs = Mamba2Mixer(config, 0).A_log.detach().numpy()
        np.testing.assert_allclose(fill([128], {"kind": "logRamp"}, "float32"), theirs, rtol=EPSILON["float32"])

    def test_time_steps(self):
        for low, high, floor in ((0.001, 0.1, 1e-4), (0.002, 0.5, 0.01), (0.01, 3.0, 1e-4)):
            theirs = np.concatenate(
                [
                    self.module(seed, time_step_min=low, time_step_max=high, time_step_floor=floor)
                    .dt_proj.bias.detach()
                    .numpy()
                    for seed in range(4)
                ]
            )
            init = {"kind": "softplusInverseLogUniform", "min": low, "max": high, "floor": floor}
            ours = fill([theirs.size], init, "float32")
            # The floor's value is the same, up to what float32 leaves of 1 − e^−t.
            self.assertLess(abs(float(ours.min()) - float(theirs.min())), 2e-3)
            self.assertGreater(stats.ks_2samp(np.round(ours, 3), np.round(theirs, 3)).pvalue, 1e-3)

    def test_time_steps_by_their_formula(self):
        """The same uniform numbers through NumPy's functions, in float64."""
        low, high, floor, n = 0.001, 0.1, 0.004, 9000
        init = {"kind": "softplusInverseLogUniform", "min": low, "max": high, "floor": floor}
        # Of steps without a floor: dt itself, from which all else follows.
        free = np.log1p(np.exp(fill([n], init | {"floor": 0})))
        expected = np.maximum(free, floor)
        expected = expected + np.log(-np.expm1(-expected))
        np.testing.assert_allclose(fill([n], init), expected, rtol=1e-12)
        u = (np.log(free) - math.log(low)) / (math.log(high) - math.log(low))
        self.assertGreater(stats.kstest(u, "uniform").pvalue, 1e-3)

    def test_log_of_uniform(self):
        n = 50_000
        ours = fill([n], {"kind": "logOfUniform", "min": 1, "max": 16})
        self.assertGreater(stats.kstest(np.exp(ours), stats.uniform(1, 15).cdf).pvalue, 1e-3)
        law = isometry.ask("law", initializer={"kind": "logOfUniform", "min": 1, "max": 16}, tensor={"name": "a", "shape": [n]})
        torch.manual_seed(0)
        theirs = torch.log(torch.empty(1_000_000, dtype=torch.float64).uniform_(1, 16))
        self.assertLess(abs(float(theirs.mean()) - law["mean"]), 5 * law["std"] / 1000)
        self.assertLess(abs(float(theirs.std()) / law["std"] - 1), 0.01)


class ZeroRows(unittest.TestCase):
    def test_padding(self):
        """As torch.nn.Embedding has it: a normal, then zeros in one row."""
        for device in isometry.devices():
            for dtype in ("float32", "bfloat16"):
                init = {"kind": "normal", "std": 0.02}
                whole = fill([50, 8], init, dtype, device)
                whole[3] = 0
                ours = fill([50, 8], {"kind": "zeroRows", "init": init, "rows": [3]}, dtype, device)
                np.testing.assert_array_equal(ours.view(np.uint8), whole.view(np.uint8))
