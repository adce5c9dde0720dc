"""What NumPy and readers of TensorFlow.js' format get from our files is what the safetensors library gets."""

import io
import json
import os
import subprocess
import unittest
import zipfile

import numpy as np
import safetensors.numpy

import isometry

SHAPES = [[5, 7], [], [0, 3], [64], [3, 1, 2], [33, 65]]
INTEGERS = {"int64": -3, "int32": 70000, "int16": -7, "int8": -128, "uint8": 255, "bool": 1}


def tensors(dtypes: list) -> list:
    made = []
    for dtype in dtypes:
        constant = {"kind": "constant", "value": INTEGERS.get(dtype, 0)}
        init = constant if dtype in INTEGERS else {"kind": "normal", "std": 1}
        for number, shape in enumerate(SHAPES):
            made.append({"name": f"{dtype}.{number}", "shape": shape, "dtype": dtype, "init": init})
    return made


class Formats(unittest.TestCase):
    def write(self, plan: list, kind: str) -> tuple:
        """The tensors as safetensors has them, and the path of the same in another format."""
        path, where = self.write_alone(plan, kind)
        expected = isometry.temporary(f"{self.id()}.safetensors")
        isometry.command("init", where, "--out", expected, "--seed", "11")
        return safetensors.numpy.load_file(expected), path

    def write_alone(self, plan: list, kind: str) -> tuple:
        where = isometry.temporary(f"formats.{self.id()}.json")
        with open(where, "w", encoding="utf-8") as file:
            json.dump({"tensors": plan}, file)
        path = isometry.temporary(f"{self.id()}.{kind}")
        script = os.path.join(isometry.ROOT, "test", "oracle", "formats.mjs")
        subprocess.run([isometry.NODE, script, where, "11", kind, path], check=True)
        return path, where

    def assert_same(self, found: np.ndarray, expected: np.ndarray, name: str) -> None:
        with self.subTest(name):
            self.assertEqual(found.dtype, expected.dtype)
            self.assertEqual(found.shape, expected.shape)
            self.assertEqual(found.tobytes(), expected.tobytes())

    def test_npy(self):
        plan = tensors(["float64", "float32", "float16", *INTEGERS])
        expected, path = self.write(plan, "npy")
        self.assertEqual(sorted(os.listdir(path)), sorted(f"{name}.npy" for name in expected))
        for name, array in expected.items():
            file = os.path.join(path, f"{name}.npy")
            self.assert_same(np.load(file), array, name)
            if array.size > 0:  # NumPy cannot map nothing.
                self.assert_same(np.asarray(np.load(file, mmap_mode="r")), array, name)
            saved = io.BytesIO()
            np.save(saved, array)
            with open(file, "rb") as stream:
                self.assertEqual(stream.read(), saved.getvalue())

    def test_npz(self):
        plan = tensors(["float64", "float32", "float16", *INTEGERS])
        odd = ["\u00e9t\u00e9", "layers/0/kernel", "\U0001f600", " ", "__proto", "x" * 300]
        plan += [{"name": name, "shape": [3], "init": {"kind": "ones"}} for name in odd]
        expected, path = self.write(plan, "npz")
        with zipfile.ZipFile(path) as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(archive.namelist(), [f"{tensor['name']}.npy" for tensor in plan])
        with np.load(path) as found:
            self.assertEqual(sorted(found.files), sorted(expected))
            for name, array in expected.items():
                self.assert_same(found[name], array, name)

    def test_npz_of_more_entries_than_16_bits_count(self):
        count = 65_600
        plan = [{"name": f"t{i}", "shape": [1], "dtype": "int32", "init": {"kind": "ones"}} for i in range(count)]
        path, _ = self.write_alone(plan, "npz")
        with zipfile.ZipFile(path) as archive:
            self.assertEqual(len(archive.namelist()), count)
        with np.load(path) as found:
            self.assertEqual(found[f"t{count - 1}"].tolist(), [1])

    def test_tfjs(self):
        plan = tensors(["bool", "uint8", "float16", "int32", "float32"])
        plan.append({"name": "large", "shape": [1100, 1000], "init": {"kind": "normal", "std": 1}})
        plan.append({"name": "matrix", "shape": [40, 30], "init": {"kind": "orthogonal"}})
        expected, path = self.write(plan, "tfjs")
        with open(os.path.join(path, "model.json"), encoding="utf-8") as file:
            model = json.load(file)
        self.assertEqual(model["userDefinedMetadata"]["seed"], "11")
        (group,) = model["weightsManifest"]
        self.assertGreater(len(group["paths"]), 1)
        data = b""
        for name in group["paths"]:
            with open(os.path.join(path, name), "rb") as file:
                data += file.read()
        found = {}
        for weight in group["weights"]:
            stored = weight.get("quantization", weight)["dtype"]
            kind = np.dtype("bool" if stored == "bool" else stored)
            size = int(np.prod(weight["shape"], dtype=np.int64)) * kind.itemsize
            found[weight["name"]] = np.frombuffer(data[:size], kind).reshape(weight["shape"])
            data = data[size:]
        self.assertEqual(data, b"")
        self.assertEqual(sorted(found), sorted(expected))
        for name, array in expected.items():
            self.assert_same(found[name], array, name)


if __name__ == "__main__":
    unittest.main()
