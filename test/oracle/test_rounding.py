"""A 16-bit weight is PyTorch's cast of the 32-bit weight of the same seed, kept within the law's bounds."""

import unittest

import numpy as np
import torch

import isometry

SEED = 20_26
COUNT = 300_007
TORCH = {"bfloat16": torch.bfloat16, "float16": torch.float16}

NORMALS = [
    {"kind": "normal", "std": 1},
    {"kind": "normal", "mean": 1.5, "std": 0.02},
    {"kind": "normal", "std": 1e-7},  # float16 subnormals and zeros
    {"kind": "normal", "std": 3e-39},  # float32 and bfloat16 subnormals
    {"kind": "normal", "std": 9000},  # near float16's largest
]
# Lower and upper bound: the upper one of a uniform law is never reached.
BOUNDED = [
    ({"kind": "uniform", "min": 0, "max": 1}, 0, 1),
    ({"kind": "uniform", "min": -0.01, "max": 0.3}, -0.01, 0.3),
    ({"kind": "uniform", "min": 1, "max": 1.01}, 1, 1.01),
    ({"kind": "truncatedNormal"}, -2, 2),
    ({"kind": "truncatedNormal", "absolute": [0.1, 0.25]}, 0.1, 0.25),
    ({"kind": "truncatedNormal", "sigmas": [3, 4]}, 3, 4),
]


def cast(values: np.ndarray, dtype: str) -> torch.Tensor:
    return torch.from_numpy(values).to(TORCH[dtype])


def tensor(bits: np.ndarray, dtype: str) -> torch.Tensor:
    return torch.from_numpy(bits.view(np.int16)).view(TORCH[dtype])


def grid_bounds(dtype: str, low: float, high: float, open_above: bool):
    """Smallest and largest value of the dtype in [low, high], or [low, high) if open_above, by searching all values."""
    every = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(TORCH[dtype]).to(torch.float64)
    inside = every[(every >= low) & ((every < high) if open_above else (every <= high))]
    return inside.min().item(), inside.max().item()


class Rounding(unittest.TestCase):
    def check(self, initializer: dict, bounds=None) -> None:
        for device in isometry.devices():
            wide = isometry.fill("w", [COUNT], initializer, SEED, "float32", device=device)
            for dtype in TORCH:
                with self.subTest(initializer=initializer, dtype=dtype, device=device):
                    ours = tensor(isometry.fill("w", [COUNT], initializer, SEED, dtype, device=device), dtype)
                    expected = cast(wide, dtype)
                    if bounds is None:
                        self.assertTrue(torch.equal(ours.view(torch.int16), expected.view(torch.int16)))
                        continue
                    low, high = grid_bounds(dtype, *bounds, open_above=initializer["kind"] == "uniform")
                    expected = expected.to(torch.float64).clamp(low, high)
                    self.assertTrue(torch.equal(ours.to(torch.float64), expected))

    def test_normals_bit_for_bit(self):
        for initializer in NORMALS:
            self.check(initializer)

    def test_bounded_laws(self):
        for initializer, low, high in BOUNDED:
            self.check(initializer, (low, high))

    def test_truncation_would_be_seen(self):
        """The comparison has power: bfloat16 by cutting digits off differs in about half of the values."""
        wide = isometry.fill("w", [COUNT], NORMALS[0], SEED, "float32")
        cut = (wide.view(np.uint32) >> 16).astype(np.uint16)
        ours = isometry.fill("w", [COUNT], NORMALS[0], SEED, "bfloat16")
        self.assertGreater(np.count_nonzero(ours != cut), COUNT // 3)


if __name__ == "__main__":
    unittest.main()
