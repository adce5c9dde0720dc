"""orthogonal() against its definition written once more: the page that defines the bits says enough to get them."""

import math
import unittest
from fractions import Fraction
from unittest import mock

import numpy as np

import definition
import isometry
from test_reflections import MATRICES, fill, normals

DTYPES = ("float32", "float64")


class Definition(unittest.TestCase):
    def expected(self, shape: list, dtype: str, gain: float) -> np.ndarray:
        m, n = max(shape), min(shape)
        q = definition.orthogonal(normals(m * n, dtype).reshape((m, n), order="F"), gain)
        return q if shape[0] > shape[1] else q.T

    def same(self, device: str, shape: list, dtype: str, expected: np.ndarray, gain: float = 1.0):
        with self.subTest(device=device, dtype=dtype, shape=shape, gain=gain):
            ours = fill(device, shape, dtype, gain)
            self.assertEqual(ours.tobytes(), np.ascontiguousarray(expected).tobytes())

    def test_every_bit(self):
        # Three chunks, and blocks that begin in the second.
        for shape in [*MATRICES, [600, 40], [40, 600], [530, 330]]:
            for dtype in DTYPES:
                expected = self.expected(shape, dtype, 1.0)
                for device in isometry.devices():
                    self.same(device, shape, dtype, expected)

    def test_gain(self):
        for gain in (-math.sqrt(2), 0.1):
            for dtype in DTYPES:
                expected = self.expected([70, 20], dtype, gain)
                for device in isometry.devices():
                    self.same(device, [70, 20], dtype, expected, gain)

    def test_16_bit_dtypes(self):
        for shape in ([70, 70], [9, 40]):
            expected = self.expected(shape, "float32", 1.0)
            for device in isometry.devices():
                self.same(device, shape, "float16", expected.astype(np.float16))
                self.same(device, shape, "bfloat16", definition.to_bfloat16(expected))

    def test_the_comparison_has_power(self):
        """Chunks and blocks of other sizes, and sums rounded twice, give other bits."""
        shape = [300, 130]
        ours = fill("js", shape, "float32")
        self.assertTrue(np.array_equal(ours, self.expected(shape, "float32", 1.0)))
        others = (("CHUNK", 512), ("BLOCK", 32), ("ARITHMETIC", {"float32": (np.float32, definition.twice64)}))
        for name, value in others:
            with mock.patch.object(definition, name, value):
                self.assertFalse(np.array_equal(ours, self.expected(shape, "float32", 1.0)), name)

    def test_the_fused_sum_is_rounded_once(self):
        """Against exact fractions, with sums that a rounding to float64 on the way would spoil."""
        generator = np.random.default_rng(3)
        a, b, c = (generator.standard_normal(3000).astype(np.float32) for _ in range(3))
        c *= np.float32(2.0) ** generator.integers(-40, 3, 3000).astype(np.float32)
        # ±2^-24·(1 − 2^-46), just short of half a unit in the last place, beside an odd 1 + 2^-23: float64 makes a tie of it.
        tie = 2.0**-12
        a = np.append(a, [tie * (1 + 2.0**-23), -tie * (1 + 2.0**-23)])
        b = np.append(b, [tie * (1 - 2.0**-23)] * 2)
        c = np.append(c, [1 + 2.0**-23] * 2)
        a, b, c = (values.astype(np.float32) for values in (a, b, c))
        got = definition.fused32(a, b, c)
        for x, y, z, value in zip(a, b, c, got):
            exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
            below, above = (np.nextafter(value, np.float32(s)) for s in (-np.inf, np.inf))
            error = abs(Fraction(float(value)) - exact)
            for other in (below, above):
                distance = abs(Fraction(float(other)) - exact)
                self.assertTrue(error < distance or (error == distance and value.view(np.int32) % 2 == 0), (x, y, z))


if __name__ == "__main__":
    unittest.main()
