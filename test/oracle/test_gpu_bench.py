"""What the GPU suite says of the libraries' orthogonal matrices (bench/gpu/), which can be checked without a GPU."""

import os
import sys
import unittest

import numpy as np
import torch

import isometry

sys.path.append(os.path.join(isometry.ROOT, "bench", "gpu"))

import orthogonal  # noqa: E402
import report  # noqa: E402
from libraries import Torch  # noqa: E402


class Ways(unittest.TestCase):
    def test_each_makes_a_stack_of_orthogonal_matrices(self):
        library = Torch("cpu")
        for shape in ((1, 30, 30), (1, 40, 12), (5, 9, 9), (3, 9, 4)):
            for way, work in orthogonal.WAYS["torch"](library, shape, "float64"):
                made = work()
                self.assertEqual(tuple(made.shape), shape)
                error = orthogonal.error(torch, made)
                with self.subTest(way=way, shape=shape):
                    if way in orthogonal.NO_MATRIX:
                        self.assertGreater(error, 0.1)
                    else:
                        self.assertLess(error, 1e-13)
                        # Random, and not the identity or a permutation.
                        self.assertGreater(float(made.abs().min()), 0)

    def test_reflectors_are_those_of_the_columns(self):
        """H_0 takes the first column of the normals to the first axis."""
        g = torch.randn(2, 8, 5, dtype=torch.float64)
        q = torch.linalg.householder_product(*orthogonal.torch_reflectors(torch, g))
        for matrix, normals in zip(q, g):
            first = normals[:, 0] / normals[:, 0].norm()
            self.assertLess(float((matrix[:, 0].abs() - first.abs()).abs().max()), 1e-14)

    def test_error(self):
        for module in (np, torch):
            unit = module.eye(3, dtype=module.float32)
            self.assertEqual(orthogonal.error(module, module.stack([unit, unit])), 0)
            self.assertEqual(orthogonal.error(module, module.stack([unit, 2 * unit, unit])), 3)
            self.assertTrue(np.isnan(orthogonal.error(module, module.stack([unit, unit * float("nan"), unit]))))

    def test_a_product_has_as_many_operations(self):
        for count, rows, cols in ((1, 4096, 4096), (1, 4096, 1024), (1024, 64, 64)):
            product = count * 2 * rows * cols * orthogonal.inner(count, rows, cols)
            self.assertAlmostEqual(product / orthogonal.operations(count, rows, cols), 1, delta=0.01)
        self.assertAlmostEqual(orthogonal.operations(1, 300, 300), 4 / 3 * 300**3)


class Goals(unittest.TestCase):
    def of(self, suite: list, peers: list) -> dict:
        rows = report.goals_of(suite, peers)
        return {row["work"]: row for row in rows if row["work"].startswith("orthogonal")}

    def test_the_ratio_is_to_the_initializer_in_float32_of_that_size(self):
        ours = {"kind": "matrices", "name": "reflections", "n": 1024, "count": 1, "ms": 0.5, "tflops": 2.9}
        others = [{**ours, "name": "qr", "ms": 9}, {**ours, "n": 64, "ms": 9}, {**ours, "n": 64, "count": 1024, "ms": 2}]
        theirs = {"kind": "orthogonal", "library": "torch", "name": "orthogonal_", "dtype": "float32", "error": None}
        theirs |= {"count": 1, "rows": 1024, "cols": 1024, "n": 1024, "ms": 3}
        wrong = [{"name": "matmul"}, {"dtype": "float64"}, {"library": "jax"}, {"n": 4096}, {"count": 2}]
        peers = [theirs, *({**theirs, **other, "ms": 100} for other in wrong)]
        peers += [{**theirs, "count": 1024, "n": 64, "ms": 1000}]
        goals = self.of([ours, *others], peers)
        self.assertEqual((goals["orthogonal 1024²"]["value"], goals["orthogonal 1024²"]["verdict"]), (6, "must met"))
        self.assertEqual(goals["orthogonal 1024 × 64²"]["value"], 500)
        self.assertEqual(goals["orthogonal 4096²"]["verdict"], "not measured")

    def test_markdown_names_sizes_ways_and_rates(self):
        peer = {"kind": "orthogonal", "library": "torch", "name": "orthogonal_", "dtype": "float64", "error": 1e-15}
        peer |= {"count": 1, "rows": 3000, "cols": 1000, "n": None, "ms": 1000}
        page = report.markdown("2000-01-01", [], [peer], [])
        line = next(line for line in page.splitlines() if "orthogonal_" in line)
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        # 2·3000·1000² − 2/3·1000³ operations in a second.
        self.assertEqual(cells, ["torch, orthogonal_, float64", "3000 × 1000", "1000.000", "0.0", "1.0e-15"])
        self.assertIn("| library", page.split("## Orthogonal")[1])
        heading = next(line for line in page.split("## Orthogonal")[1].splitlines() if line.startswith("| library"))
        self.assertEqual(heading.count("|"), line.count("|"))


if __name__ == "__main__":
    unittest.main()
