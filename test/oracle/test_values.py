"""From words to weights by SciPy's inverse CDFs: a second implementation of the whole chain, stream name included."""

import hashlib
import unittest

import numpy as np
from scipy import stats
from scipy.special import ndtri

import isometry

NAME, SEED = "encoder.\u00e9\u00e8.weight", 0xDEADBEEFCAFEF00D
STREAM = int.from_bytes(hashlib.sha256(NAME.encode("utf-8")).digest()[:8], "little")
COUNT = 40_000

# Truncation windows in sigmas. In float32 a window of a quarter of all words and more is an affine map of the word,
# the others are tables in float64; in float64 all are tables.
WIDE = [(-2.0, 2.0), (-1.0, 3.0), (0.0, np.inf), (-np.inf, 0.5), (-0.7, 0.7), (-6.0, 6.0)]
NARROW = [(2.0, 3.0), (-0.01, 0.02), (5.0, 5.5), (-9.0, -7.0), (4.0, np.inf), (20.0, 21.0), (-np.inf, -12.0)]


def words(count: int) -> np.ndarray:
    return isometry.words(SEED, STREAM, 0, (count + 3) // 4)[:count]


def fill(device: str, initializer: dict, dtype: str) -> np.ndarray:
    return isometry.fill(NAME, [COUNT], initializer, SEED, dtype, device=device)


def folded_numbers():
    """Sign and (number + 1/2)·2^-64 of the first word pairs, folded about 1/2: no digit of a tail is lost."""
    low, high = (words(2 * COUNT)[k::2].astype(np.uint64) for k in (0, 1))
    number = (high << np.uint64(32)) | low
    upper = number >= np.uint64(2**63)
    tail = (np.where(upper, ~number, number).astype(np.longdouble) + 0.5) * np.longdouble(2.0) ** -64
    return np.where(upper, -1.0, 1.0), tail.astype(np.float64)


def truncated(window) -> dict:
    low, high = (None if np.isinf(x) else x for x in window)
    return {"kind": "truncatedNormal", "std": 1, "sigmas": [low, high]}


class Values(unittest.TestCase):
    def test_uniform_float32(self):
        """fma(u, max - min, min), u the top 24 bits: done exactly in float64, rounded once."""
        low, high = np.float32(-0.25), np.float32(0.7)
        u = (words(COUNT) >> 8) * 2.0**-24
        expected = (u * float(high - low) + float(low)).astype(np.float32)
        initializer = {"kind": "uniform", "min": float(low), "max": float(high)}
        for device in isometry.devices():
            with self.subTest(device=device):
                np.testing.assert_array_equal(fill(device, initializer, "float32"), expected)

    def test_uniform_float64(self):
        pairs = words(2 * COUNT).astype(np.uint64)
        u = ((pairs[1::2] << np.uint64(21)) | (pairs[0::2] >> np.uint64(11))) * 2.0**-53
        for device in isometry.devices():
            with self.subTest(device=device):
                ours = fill(device, {"kind": "uniform", "min": -0.25, "max": 0.7}, "float64")
                np.testing.assert_array_equal(ours, u * (0.7 + 0.25) - 0.25)

    def test_normal_float32(self):
        z = ndtri((words(COUNT) + 0.5) * 2.0**-32)
        for device in isometry.devices():
            with self.subTest(device=device):
                ours = fill(device, {"kind": "normal", "std": 1}, "float32").astype(np.float64)
                self.assertLess(np.abs(ours - z).max(), 1e-6)

    def test_normal_float64(self):
        sign, tail = folded_numbers()
        z = sign * ndtri(tail)
        for device in isometry.devices():
            with self.subTest(device=device):
                ours = fill(device, {"kind": "normal", "std": 1}, "float64")
                self.assertLess((np.abs(ours - z) / np.maximum(np.abs(z), 0.1)).max(), 1e-14)

    def test_truncated_normal_float32(self):
        u = (words(COUNT) + 0.5) * 2.0**-32
        for window in WIDE + NARROW:
            z = stats.truncnorm.ppf(u, *window)
            tolerance = 1e-6 + 2.0**-24 * np.abs(z)
            if window in WIDE:  # the affine map moves a probability by up to two words
                tolerance = tolerance + 2 * 2.0**-32 / stats.norm.pdf(z)
            for device in isometry.devices():
                with self.subTest(device=device, window=window):
                    ours = fill(device, truncated(window), "float32").astype(np.float64)
                    self.assertTrue(np.all((ours >= window[0]) & (ours <= window[1])))
                    self.assertLessEqual((np.abs(ours - z) - tolerance).max(), 0)

    def test_truncated_normal_float64(self):
        low, high = (words(2 * COUNT)[k::2].astype(np.uint64) for k in (0, 1))
        u = (((high << np.uint64(32)) | low).astype(np.longdouble) + 0.5) * np.longdouble(2.0) ** -64
        for window in WIDE + NARROW:
            z = stats.truncnorm.ppf(u.astype(np.float64), *window)
            # SciPy gets u rounded to 53 bits; beyond that both sides claim a few last places.
            tolerance = 2.0**-53 / stats.truncnorm.pdf(z, *window) + 1e-14 * np.maximum(1, np.abs(z))
            for device in isometry.devices():
                with self.subTest(device=device, window=window):
                    ours = fill(device, truncated(window), "float64")
                    self.assertTrue(np.all((ours >= window[0]) & (ours <= window[1])))
                    self.assertLessEqual((np.abs(ours - z) - tolerance).max(), 0)

    def test_the_stream_is_the_names_hash(self):
        """The comparison has power: another stream, and nothing agrees."""
        u = (isometry.words(SEED, STREAM ^ 1, 0, COUNT // 4) >> 8) * 2.0**-24
        ours = fill("js", {"kind": "uniform", "min": 0, "max": 1}, "float32")
        self.assertLess(np.count_nonzero(ours == u.astype(np.float32)), 10)


if __name__ == "__main__":
    unittest.main()
