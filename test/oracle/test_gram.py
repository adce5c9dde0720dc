"""The benchmark's measure of how orthogonal a contender's matrix is (bench/orthogonal/gram.py)."""

import os
import subprocess
import sys
import unittest

import numpy as np

import isometry
import reflections

SCRIPT = os.path.join(isometry.ROOT, "bench", "orthogonal", "gram.py")


def run(values: np.ndarray, *shape: int) -> subprocess.CompletedProcess:
    path = isometry.temporary("matrix.bin")
    values.tofile(path)
    command = [sys.executable, "-B", SCRIPT, path, str(values.dtype), *map(str, shape or values.shape)]
    return subprocess.run(command, capture_output=True, text=True)


def error(values: np.ndarray) -> float:
    return float(run(values).stdout)


class Gram(unittest.TestCase):
    def setUp(self):
        self.tall = reflections.orthogonal(np.random.default_rng(1).standard_normal((20, 7)))

    def test_tall_wide_and_square(self):
        for q in (self.tall, self.tall.T, np.eye(5)):
            self.assertLess(error(np.ascontiguousarray(q)), 1e-14)

    def test_it_sees_lengths_angles_and_any_matrix_of_a_stack(self):
        self.assertAlmostEqual(error(1.5 * np.eye(4)), 1.25)
        leaning = np.eye(3)
        leaning[0, 1] = 0.25
        self.assertAlmostEqual(error(leaning), 0.25)
        stack = np.stack([np.eye(4), 1.5 * np.eye(4), np.eye(4)])
        self.assertAlmostEqual(error(stack), 1.25)

    def test_float32_is_not_rounded_again(self):
        q = self.tall.astype(np.float32)
        wide = q.astype(np.float64)
        self.assertEqual(error(q), np.abs(wide.T @ wide - np.eye(7)).max())

    def test_what_is_no_matrix_is_not_called_orthogonal(self):
        stack = np.stack([np.eye(4), np.full((4, 4), np.nan), np.eye(4)])
        self.assertTrue(np.isnan(error(stack)))
        self.assertNotEqual(run(np.eye(4), 4, 5).returncode, 0)


if __name__ == "__main__":
    unittest.main()
