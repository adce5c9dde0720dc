"""Identities, Dirac kernels, ZerO and Hadamard matrices against torch.nn.init and against dense products of SciPy's matrices."""

import hashlib
import math
import unittest

import numpy as np
import torch
from scipy.linalg import hadamard

import isometry

NAME, SEED = "encoder.\u00e9\u00e8.weight", 0xDEADBEEFCAFEF00D
DTYPES = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def bits(tensor: torch.Tensor) -> np.ndarray:
    """As isometry gives them: 16-bit dtypes as bit patterns."""
    return (tensor.view(torch.int16).numpy().view(np.uint16)) if tensor.element_size() == 2 else tensor.numpy()


def fill(device: str, shape: list, initializer: dict, dtype: str = "float64", **options) -> np.ndarray:
    return isometry.fill(NAME, shape, initializer, SEED, dtype, device=device, **options)


class Torch(unittest.TestCase):
    def test_eye(self):
        for device in isometry.devices():
            for dtype, theirs in DTYPES.items():
                for shape in ([1, 1], [7, 7], [5, 9], [9, 5], [300, 200]):
                    with self.subTest(device=device, dtype=dtype, shape=shape):
                        expected = bits(torch.nn.init.eye_(torch.empty(shape, dtype=theirs)))
                        np.testing.assert_array_equal(fill(device, shape, {"kind": "identity"}, dtype), expected)

    def test_dirac(self):
        shapes = [[1, 1, 1], [4, 4, 3], [4, 6, 3], [6, 4, 4], [12, 5, 3, 3], [12, 4, 2, 5], [24, 2, 3, 4, 2], [24, 24, 1, 1, 1]]
        compared = 0
        for device in isometry.devices():
            for dtype, theirs in DTYPES.items():
                for shape in shapes:
                    for groups in (g for g in (1, 2, 3, 4, 6, 12) if shape[0] % g == 0):
                        with self.subTest(device=device, dtype=dtype, shape=shape, groups=groups):
                            expected = bits(torch.nn.init.dirac_(torch.empty(shape, dtype=theirs), groups))
                            ours = fill(device, shape, {"kind": "dirac", "groups": groups}, dtype)
                            np.testing.assert_array_equal(ours, expected)
                            np.testing.assert_array_equal(fill(device, shape, {"kind": "dirac"}, dtype, groups=groups), expected)
                            compared += 1
        self.assertGreater(compared, 30 * len(DTYPES))

    def test_dirac_keeps_a_signal(self):
        """Through torch's own convolution, with groups, where the padding is as long as the kernel's middle."""
        for shape, groups in (([6, 3, 3, 5], 2), ([6, 6, 5, 3], 1)):
            weight = torch.from_numpy(fill("js", shape, {"kind": "dirac"}, groups=groups))
            x = torch.randn(2, 6, 8, 9, dtype=torch.float64)
            padding = (shape[2] // 2, shape[3] // 2)
            self.assertTrue(torch.equal(torch.conv2d(x, weight, padding=padding, groups=groups), x))

    def test_delta_orthogonal_keeps_lengths(self):
        """In torch's grouped and transposed convolutions: groups and layouts mean there what they mean here."""
        for groups in (1, 2, 4):
            weight = torch.from_numpy(fill("js", [16, 8 // groups, 3, 5], {"kind": "deltaOrthogonal"}, groups=groups))
            x = torch.randn(3, 8, 6, 7, dtype=torch.float64)
            y = torch.conv2d(x, weight, padding=(1, 2), groups=groups)
            self.assertLess(float((y.norm(dim=1) - x.norm(dim=1)).abs().max()), 1e-12)
            options = {"layout": "IOHW", "groups": groups}
            weight = torch.from_numpy(fill("js", [8, 16 // groups, 3, 5], {"kind": "deltaOrthogonal"}, **options))
            y = torch.conv_transpose2d(x, weight, padding=(1, 2), groups=groups)
            self.assertLess(float((y.norm(dim=1) - x.norm(dim=1)).abs().max()), 1e-12)


class Dense(unittest.TestCase):
    def test_zero(self):
        """Algorithm 1 of the paper with a dense Hadamard matrix."""
        for device in isometry.devices():
            for m, n in ((1, 1), (3, 8), (8, 8), (2, 1), (9, 4), (16, 15), (100, 64), (257, 256)):
                with self.subTest(device=device, shape=(m, n)):
                    p = 1 << (m - 1).bit_length()
                    expected = np.eye(m, n) if m <= n else np.eye(m, p) @ hadamard(p) @ np.eye(p, n) / math.sqrt(p)
                    ours = fill(device, [m, n], {"kind": "zero"})
                    self.assertLessEqual(np.abs(ours - expected).max(), 2.0**-53)
                    np.testing.assert_array_equal(np.sign(ours), np.sign(expected))
                    kernel = fill(device, [m, n, 3, 4], {"kind": "zero"})
                    np.testing.assert_array_equal(kernel[:, :, 1, 2], ours)
                    self.assertEqual(np.count_nonzero(kernel), np.count_nonzero(ours))

    def signs(self, n: int, first: int) -> np.ndarray:
        """Three diagonals: a number of the stream is negative where its word is below 2^31."""
        digest = hashlib.sha256(NAME.encode() + b"\0signs").digest()
        stream = int.from_bytes(digest[:8], "little")
        words = isometry.words(SEED, stream, 0, (first + 3 * n + 3) // 4)[first : first + 3 * n]
        return np.where(words < 2**31, -1.0, 1.0).reshape(3, n)

    def test_hadamard_orthogonal(self):
        for device in isometry.devices():
            for n, cols in ((1, 1), (2, 2), (8, 3), (64, 64), (512, 100)):
                with self.subTest(device=device, n=n, cols=cols):
                    initializer = {"kind": "hadamardOrthogonal", "gain": 1}
                    stack = fill(device, [2, cols, n], initializer, layout="EOI")
                    for matrix in range(2):
                        d1, d2, d3 = self.signs(n, matrix * 3 * n)
                        h = hadamard(n).astype(np.float64)
                        q = (h * d3) @ (h * d2) @ (h * d1) / n**1.5
                        self.assertLess(np.abs(stack[matrix].T - q[:, :cols]).max(), 1e-15)

    def test_the_comparison_has_power(self):
        """Other signs, or one factor less, and nothing agrees."""
        n = 64
        d1, d2, d3 = self.signs(n, 0)
        h = hadamard(n).astype(np.float64)
        ours = fill("js", [n, n], {"kind": "hadamardOrthogonal"}).T
        for other in ((h * d1) @ (h * d2) @ (h * d3) / n**1.5, (h * d2) @ (h * d1) / n):
            self.assertGreater(np.abs(ours - other).max(), 0.1)


if __name__ == "__main__":
    unittest.main()
