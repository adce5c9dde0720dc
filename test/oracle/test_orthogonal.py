"""orthogonal({ method: 'qr' }) against numpy.linalg.qr of the same normals, and against torch.nn.init.orthogonal_."""

import math
import unittest
from unittest import mock

import numpy as np
import torch

import isometry

NAME, SEED = "encoder.\u00e9\u00e8.weight", 0xDEADBEEFCAFEF00D
SQUARES = [[1, 1], [2, 2], [33, 33], [128, 128]]
SHAPES = [*SQUARES, [70, 5], [5, 70], [130, 64], [64, 130], [1, 9], [9, 1], [16, 3, 5, 5], [300, 2, 7], [2, 3, 2, 3]]
# One rounding of each dtype. The 16-bit ones are bit patterns.
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}


def normals(shape: list, dtype: str) -> np.ndarray:
    """G as documented: as many standard normals of the tensor's own stream as it has elements, column-major."""
    rows, cols = shape[0], math.prod(shape[1:])
    flat = isometry.fill(NAME, [rows * cols], {"kind": "normal", "std": 1}, SEED, dtype, device="js")
    return flat.astype(np.float64).reshape((max(rows, cols), min(rows, cols)), order="F")


def with_signs(q: np.ndarray, r: np.ndarray) -> np.ndarray:
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)


def expected(shape: list, dtype: str, gain: float) -> np.ndarray:
    q = with_signs(*np.linalg.qr(normals(shape, dtype)))
    return gain * (q.T if shape[0] < math.prod(shape[1:]) else q).reshape(shape)


def condition(shape: list, dtype: str) -> float:
    """How much larger than the rounding of G that of Q can be."""
    singular = np.linalg.svd(normals(shape, dtype), compute_uv=False)
    return float(singular[0] / singular[-1])


def fill(device: str, shape: list, dtype: str, gain: float = 1.0, **options) -> np.ndarray:
    initializer = {"kind": "orthogonal", "method": "qr", "gain": gain}
    return isometry.fill(NAME, shape, initializer, SEED, dtype, device=device, **options)


def tolerance(shape: list, dtype: str) -> float:
    """Of each element: both sides factorize in float64 (10 roundings for each of M rows, magnified by G's condition), and
    ours is then rounded to its dtype."""
    rows = max(shape[0], math.prod(shape[1:]))
    return 10 * rows * 2.0**-53 * condition(shape, dtype) + UNIT[dtype]


class NumPy(unittest.TestCase):
    def test_the_same_matrix(self):
        for device in isometry.devices():
            for dtype in UNIT:
                for shape in SHAPES:
                    with self.subTest(device=device, dtype=dtype, shape=shape):
                        error = np.abs(fill(device, shape, dtype).astype(np.float64) - expected(shape, dtype, 1.0)).max()
                        self.assertLess(error, tolerance(shape, dtype))

    def test_gain(self):
        for gain in (-2.5, 1e-3):
            error = np.abs(fill("js", [64, 20], "float64", gain) - expected([64, 20], "float64", gain)).max()
            self.assertLess(error, abs(gain) * tolerance([64, 20], "float64"))

    def test_stacked_matrices(self):
        """Matrix b takes the normals from b·M·N on."""
        flat = isometry.fill(NAME, [3 * 20 * 8], {"kind": "normal", "std": 1}, SEED, "float64", device="js")
        for shape, wide in (([3, 20, 8], False), ([3, 8, 20], True)):
            ours = fill("js", shape, "float64", layout="EOI")
            for b in range(3):
                q = with_signs(*np.linalg.qr(flat[b * 160 : (b + 1) * 160].reshape((20, 8), order="F")))
                self.assertLess(np.abs(ours[b] - (q.T if wide else q)).max(), 1e-13)

    def test_the_comparison_has_power(self):
        """Without the signs, with the normals row-major, or with those of another dtype, it fails."""
        shape, dtype = [33, 33], "float64"
        ours, g = fill("js", shape, dtype), normals(shape, dtype)
        for other in (np.linalg.qr(g)[0], with_signs(*np.linalg.qr(g.T)), expected(shape, "float32", 1.0)):
            self.assertGreater(np.abs(ours - other).max(), 100 * tolerance(shape, dtype))


class Torch(unittest.TestCase):
    """torch.nn.init.orthogonal_ with its normals replaced by ours. It draws a tensor of `rows × cols` and transposes that
    when it is wide, so the normals of a wide one are handed to it transposed."""

    def torch_of(self, shape: list, gain: float) -> np.ndarray:
        g = torch.from_numpy(np.ascontiguousarray(normals(shape, "float64")))
        wide = shape[0] < math.prod(shape[1:])
        asked = []

        def draw(tensor, *_, **__):
            asked.append(tuple(tensor.shape))
            return tensor.copy_(g.T if wide else g)

        with mock.patch.object(torch.Tensor, "normal_", draw):
            theirs = torch.nn.init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=gain)
        self.assertEqual(asked, [(shape[0], math.prod(shape[1:]))])
        return theirs.numpy()

    def test_the_same_matrix_of_the_same_normals(self):
        for shape in SHAPES:
            with self.subTest(shape=shape):
                error = np.abs(fill("js", shape, "float64", 1.5) - self.torch_of(shape, 1.5)).max()
                self.assertLess(error, 1.5 * tolerance(shape, "float64"))

    def test_other_layouts_are_the_matrix_of_torch_transposed(self):
        """A Keras kernel, inputs first, is PyTorch's with its axes in another order."""
        for shape, layout, axes in (([16, 3, 5, 5], "IHWO", (1, 2, 3, 0)), ([20, 30], "IO", (1, 0))):
            theirs = self.torch_of(shape, 1.0).transpose(axes)
            ours = fill("js", list(theirs.shape), "float64", layout=layout)
            self.assertLess(np.abs(ours - theirs).max(), tolerance(shape, "float64"))


if __name__ == "__main__":
    unittest.main()
