"""orthogonal(), by reflections, against the same reflections in textbook form, and how orthogonal it is."""

import math
import unittest

import numpy as np

import isometry
import reflections

NAME, SEED = "encoder.éè.weight", 0xDEADBEEFCAFEF00D
# Of elements of at most 1. What is seen is 7e-7 and 1.5e-15.
TOLERANCE = {"float32": 2e-6, "float64": 1e-14}
# Largest max|QᵀQ − I|.
ORTHOGONALITY = {"float32": 2e-6, "float64": 1e-14}
# 1, 2, 3: reflections of one dimension; 64, 65, 128: edges of a block; 256, 257, 300: of a chunk of rows.
MATRICES = [[n, n] for n in (1, 2, 3, 4, 9, 32, 63, 64, 65, 128, 256, 257, 300)]
MATRICES += [[70, 5], [5, 70], [65, 64], [64, 65], [1, 9], [9, 1], [1000, 70], [70, 1000]]
# Shape, layout, and the axes in the order of a matrix: stacked, outputs, others.
LAYOUTS = [
    ([16, 3, 5, 5], "OIHW", 0, [0, 1, 2, 3]),
    ([100, 3, 5, 5], "OIHW", 0, [0, 1, 2, 3]),
    ([3, 3, 7, 20], "HWIO", 0, [3, 0, 1, 2]),
    ([3, 2, 7, 80], "HWIO", 0, [3, 0, 1, 2]),
    ([7, 3, 20, 3], "IHOW", 0, [2, 0, 1, 3]),
    ([20, 30], "IO", 0, [1, 0]),
    ([30, 20], "IO", 0, [1, 0]),
    ([300, 2, 7], None, 0, [0, 1, 2]),
    ([3, 20, 8], "EOI", 1, [0, 1, 2]),
    ([3, 8, 20], "EOI", 1, [0, 1, 2]),
    ([5, 70, 70], "EOI", 1, [0, 1, 2]),
    ([2, 3, 4, 9], "EEIO", 2, [0, 1, 3, 2]),
]
# Sizes of the shapes above and larger ones; JavaScript has the smaller of these, the same bits being tested elsewhere.
ORTHOGONAL = {
    "js": [[257, 257], [1024, 128]],
    "cpu": [[257, 257], [1024, 1024], [2048, 2048], [4096, 4096], [4096, 1024], [1024, 4096], [128, 64, 64]],
}


def fill(device: str, shape: list, dtype: str, gain: float = 1.0, **options) -> np.ndarray:
    return isometry.fill(NAME, shape, {"kind": "orthogonal", "gain": gain}, SEED, dtype, device=device, **options)


def normals(count: int, dtype: str) -> np.ndarray:
    """The tensor's own standard normals; those of 16-bit dtypes are the float32 ones."""
    working = "float64" if dtype == "float64" else "float32"
    return isometry.fill(NAME, [count], {"kind": "normal", "std": 1}, SEED, working, device="js")


def oracle(shape: list, dtype: str, stacked: int = 0, axes: list | None = None) -> np.ndarray:
    """What fill should be, with gain 1, from the axes' order in a matrix."""
    axes = axes or list(range(len(shape)))
    ordered = [shape[axis] for axis in axes]
    count, outputs, others = math.prod(ordered[:stacked]), ordered[stacked], math.prod(ordered[stacked + 1 :])
    made = reflections.matrices(normals(math.prod(shape), dtype), count, outputs, others)
    return made.reshape(ordered).transpose(np.argsort(axes))


def gram_error(matrices: np.ndarray) -> float:
    q = matrices.astype(np.float64)
    if q.shape[-2] < q.shape[-1]:
        q = q.swapaxes(-2, -1)
    return float(np.abs(q.swapaxes(-2, -1) @ q - np.eye(q.shape[-1])).max())


class Reflections(unittest.TestCase):
    def test_the_same_matrix(self):
        for device in isometry.devices():
            for dtype, tolerance in TOLERANCE.items():
                for shape in MATRICES:
                    with self.subTest(device=device, dtype=dtype, shape=shape):
                        error = np.abs(fill(device, shape, dtype) - oracle(shape, dtype)).max()
                        self.assertLess(error, tolerance)

    def test_layouts_and_stacks(self):
        for device in isometry.devices():
            for dtype, tolerance in TOLERANCE.items():
                for shape, layout, stacked, axes in LAYOUTS:
                    with self.subTest(device=device, dtype=dtype, shape=shape, layout=layout):
                        options = {} if layout is None else {"layout": layout}
                        ours = fill(device, shape, dtype, **options)
                        self.assertLess(np.abs(ours - oracle(shape, dtype, stacked, axes)).max(), tolerance)

    def test_gain(self):
        for gain in (-2.5, 1e-3):
            for dtype, tolerance in TOLERANCE.items():
                error = np.abs(fill("js", [64, 20], dtype, gain) - gain * oracle([64, 20], dtype)).max()
                self.assertLess(error, abs(gain) * tolerance)

    def test_16_bit_dtypes_are_the_float32_ones_rounded(self):
        """bfloat16 has 8 bits, float16 11, and 2^-24 for the smallest."""
        for device in isometry.devices():
            for shape in ([70, 70], [9, 40]):
                expected = oracle(shape, "float32")
                brain = (fill(device, shape, "bfloat16").astype(np.uint32) << 16).view(np.float32)
                half = fill(device, shape, "float16").view(np.float16)
                for ours, unit in ((brain, 2.0**-9), (half, 2.0**-12)):
                    self.assertLess(np.abs(ours - expected).max(), unit + TOLERANCE["float32"])

    def test_a_slice_is_that_part(self):
        whole = oracle([130, 130], "float64")
        for device in isometry.devices():
            for rows, cols in (((0, 1), (0, 130)), ((64, 129), (3, 4)), ((129, 130), (60, 70))):
                ours = fill(device, [130, 130], "float64", slice=[rows, cols])
                self.assertLess(np.abs(ours - whole[slice(*rows), slice(*cols)]).max(), TOLERANCE["float64"])

    def test_the_comparison_has_power(self):
        """It sees signs forgotten, the last sign, normals in another order, a transpose, and normals of another dtype."""
        shape, dtype = [33, 33], "float64"
        ours = fill("js", shape, dtype)
        g = normals(33 * 33, dtype).reshape((33, 33), order="F")
        last = g.copy()
        last[32, 32] *= -1
        others = [np.abs(ours), *(reflections.orthogonal(other).T for other in (last, g.T, g[:, ::-1]))]
        for other in [*others, ours.T, oracle(shape, "float32")]:
            self.assertGreater(np.abs(ours - other).max(), 100 * TOLERANCE[dtype])


class Orthogonality(unittest.TestCase):
    def test_all_small_shapes(self):
        for device in isometry.devices():
            for dtype, limit in ORTHOGONALITY.items():
                for shape in MATRICES:
                    with self.subTest(device=device, dtype=dtype, shape=shape):
                        self.assertLessEqual(gram_error(fill(device, shape, dtype)), limit)

    def test_layouts_and_stacks(self):
        for device in isometry.devices():
            for dtype, limit in ORTHOGONALITY.items():
                for shape, layout, stacked, axes in LAYOUTS:
                    with self.subTest(device=device, dtype=dtype, shape=shape, layout=layout):
                        ordered = [shape[axis] for axis in axes]
                        options = {} if layout is None else {"layout": layout}
                        ours = fill(device, shape, dtype, **options).transpose(axes)
                        matrices = ours.reshape(math.prod(ordered[:stacked]), ordered[stacked], -1)
                        self.assertLessEqual(gram_error(matrices), limit)

    def test_large_ones(self):
        for device in isometry.devices():
            for dtype, limit in ORTHOGONALITY.items():
                for shape in ORTHOGONAL.get(device, []):
                    with self.subTest(device=device, dtype=dtype, shape=shape):
                        options = {"layout": "EOI"} if len(shape) == 3 else {}
                        self.assertLessEqual(gram_error(fill(device, shape, dtype, **options)), limit)


class TheOracle(unittest.TestCase):
    """That it is right by itself, without us."""

    def test_it_is_orthogonal_and_maps_as_it_says(self):
        for m, n in ((1, 1), (5, 5), (40, 7), (60, 60)):
            g = np.random.default_rng(1).standard_normal((m, n))
            q = reflections.orthogonal(g)
            self.assertLess(gram_error(q), 1e-14)
            # The first reflection alone makes the first column: that of the normals, scaled.
            self.assertLess(np.abs(q[:, 0] - g[:, 0] / np.linalg.norm(g[:, 0])).max(), 1e-14)

    def test_it_is_the_qr_factorization_that_it_reads_backwards(self):
        """Householder's QR makes its reflections from what the ones before have left of each column. Of such columns, the
        product of reflections is its Q, with the diagonal of R positive."""
        g = np.random.default_rng(2).standard_normal((30, 12))
        left = g.copy()
        normals_ = np.zeros_like(g)
        for c in range(12):
            normals_[c:, c] = left[c:, c]
            v = left[c:, c].copy()
            v[0] += math.copysign(np.linalg.norm(v), v[0])
            left[c:] -= np.outer(2 * v / (v @ v), v @ left[c:])
        q, r = np.linalg.qr(g)
        self.assertLess(np.abs(reflections.orthogonal(normals_) - q * np.sign(np.diagonal(r))).max(), 1e-13)


if __name__ == "__main__":
    unittest.main()
