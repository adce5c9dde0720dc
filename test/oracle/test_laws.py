"""The laws: what torch.nn.init passes to its generator, Keras's formulas, and SciPy's moments of truncated normals."""

import itertools
import math
import unittest
from unittest import mock

import numpy as np
import torch
from scipy import stats

import isometry

# Relative: both sides compute a few square roots and quotients in float64.
ROUNDING = 1e-14

SHAPES = [[7, 5], [300, 784], [64, 32, 9], [64, 3, 7, 7], [16, 8, 3, 3, 5]]
GAINS = [
    ("linear", "linear", None),
    ("conv1d", "conv1d", None),
    ("convTranspose3d", "conv_transpose3d", None),
    ("sigmoid", "sigmoid", None),
    ("tanh", "tanh", None),
    ("relu", "relu", None),
    ("leakyRelu", "leaky_relu", None),
    ("leakyRelu", "leaky_relu", 0.2),
    ("selu", "selu", None),
]


def law(shape, initializer, **tensor) -> dict:
    return isometry.ask("law", initializer=initializer, tensor={"name": "w", "shape": shape, **tensor})


def torch_draws(function, shape, **arguments):
    """What a function of torch.nn.init asks of the tensor's generator: its method and that method's two numbers."""
    drawn = []

    def record(method):
        return lambda tensor, a, b, **_: drawn.append((method, float(a), float(b))) or tensor

    with mock.patch.object(torch.Tensor, "normal_", record("normal")):
        with mock.patch.object(torch.Tensor, "uniform_", record("uniform")):
            function(torch.empty(shape), **arguments)
    (one,) = drawn
    return one


class Torch(unittest.TestCase):
    def compare(self, ours: dict, theirs) -> None:
        method, a, b = theirs
        self.assertEqual(ours["law"]["kind"], method)
        names = ("mean", "std") if method == "normal" else ("min", "max")
        for name, expected in zip(names, (a, b)):
            self.assertTrue(math.isclose(ours["law"][name], expected, rel_tol=ROUNDING), (ours, theirs))

    def test_gain(self):
        for ours, theirs, slope in GAINS:
            with self.subTest(activation=ours, slope=slope):
                expected = torch.nn.init.calculate_gain(theirs, slope)
                got = isometry.ask("gain", activation=ours, slope=slope)
                self.assertTrue(math.isclose(got, expected, rel_tol=ROUNDING), (got, expected))

    def test_xavier(self):
        for shape, gain in itertools.product(SHAPES, [1, 5 / 3]):
            for kind in ("Uniform", "Normal"):
                with self.subTest(kind=kind, shape=shape, gain=gain):
                    function = getattr(torch.nn.init, f"xavier_{kind.lower()}_")
                    self.compare(law(shape, {"kind": f"xavier{kind}", "gain": gain}), torch_draws(function, shape, gain=gain))

    def test_kaiming(self):
        modes = [("fanIn", "fan_in"), ("fanOut", "fan_out")]
        shaped = [("leakyRelu", "leaky_relu", 0.3), ("relu", "relu", 0), ("tanh", "tanh", 0), ("linear", "linear", 0)]
        for shape, mode, (ours, theirs, a) in itertools.product(SHAPES, modes, shaped):
            for kind in ("Uniform", "Normal"):
                with self.subTest(kind=kind, shape=shape, mode=mode[0], nonlinearity=ours):
                    function = getattr(torch.nn.init, f"kaiming_{kind.lower()}_")
                    drawn = torch_draws(function, shape, a=a, mode=mode[1], nonlinearity=theirs)
                    initializer = {"kind": f"kaiming{kind}", "a": a, "mode": mode[0], "nonlinearity": ours}
                    self.compare(law(shape, initializer), drawn)

    def test_defaults(self):
        for kind, name in [("kaimingUniform", "kaiming_uniform_"), ("xavierNormal", "xavier_normal_")]:
            with self.subTest(kind=kind):
                self.compare(law([30, 70], {"kind": kind}), torch_draws(getattr(torch.nn.init, name), [30, 70]))


def keras_fans(shape):
    """keras.initializers.compute_fans: input and output are the last two axes, the others the receptive field."""
    receptive = math.prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive


class Keras(unittest.TestCase):
    def test_variance_scaling_family(self):
        cases = {  # scale, mode
            "glorot": (1, lambda fan_in, fan_out: (fan_in + fan_out) / 2),
            "he": (2, lambda fan_in, fan_out: fan_in),
            "lecun": (1, lambda fan_in, fan_out: fan_in),
        }
        layouts = [("IO", [784, 300]), ("HWIO", [3, 3, 64, 128]), ("LIO", [5, 16, 8]), ("DHWIO", [3, 3, 3, 4, 8])]
        for (family, (scale, mode)), (layout, shape) in itertools.product(cases.items(), layouts):
            variance = scale / mode(*keras_fans(shape))
            with self.subTest(family=family, layout=layout):
                normal = law(shape, {"kind": f"{family}Normal"}, layout=layout)
                self.assertEqual(normal["law"]["kind"], "truncatedNormal")
                self.assertTrue(math.isclose(normal["std"], math.sqrt(variance), rel_tol=ROUNDING))
                # Keras divides by its constant for the standard deviation of a normal cut at two sigmas.
                before = math.sqrt(variance) / 0.87962566103423978
                got = isometry.fill("w", shape, {"kind": f"{family}Normal"}, 1, "float64", layout=layout)
                self.assertLessEqual(np.abs(got).max(), 2 * before * (1 + ROUNDING))
                self.assertGreater(np.abs(got).max(), 1.9 * before)

                uniform = law(shape, {"kind": f"{family}Uniform"}, layout=layout)["law"]
                self.assertEqual(uniform["kind"], "uniform")
                self.assertTrue(math.isclose(uniform["max"], math.sqrt(3 * variance), rel_tol=ROUNDING))
                self.assertEqual(uniform["min"], -uniform["max"])


class TruncatedMoments(unittest.TestCase):
    WINDOWS = [(-2, 2), (-1, 3), (-0.5, 0.25), (0, 1), (-3, 3), (2, 4), (-5, -3), (0, np.inf), (-np.inf, 1), (-8, 8)]

    def test_mean_and_std(self):
        for low, high in self.WINDOWS:
            sigmas = [None if np.isinf(x) else x for x in (low, high)]
            expected_mean, variance = stats.truncnorm.stats(low, high, moments="mv")
            for rescale in (False, True):
                with self.subTest(window=(low, high), rescale=rescale):
                    initializer = {"kind": "truncatedNormal", "mean": 3, "std": 0.1, "sigmas": sigmas, "rescale": rescale}
                    ours = law([4], initializer)
                    scale = 0.1 / math.sqrt(variance) if rescale else 0.1
                    # SciPy's own variance of a narrow window cancels; its error is what this bounds.
                    self.assertTrue(math.isclose(ours["std"], scale * math.sqrt(variance), rel_tol=1e-10))
                    self.assertTrue(math.isclose(ours["mean"], 3 + scale * expected_mean, rel_tol=1e-12))

    def test_keras_constant(self):
        ours = law([4], {"kind": "truncatedNormal", "std": 1, "sigmas": [-2, 2]})
        self.assertTrue(math.isclose(ours["std"], 0.87962566103423978, rel_tol=1e-15))


if __name__ == "__main__":
    unittest.main()
