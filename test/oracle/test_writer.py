"""Our safetensors files are the bytes that the safetensors library writes."""

import json
import random
import struct
import unittest

import numpy as np
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

import isometry

NUMPY = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
TORCH = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}

SHAPES = [[], [0], [1], [3], [2, 3], [4, 0, 5], [1, 1, 1, 1, 1, 1, 1], [17, 2]]

# Escapes, non-ASCII, right-to-left, combining, and the two orders of UTF-8 and UTF-16 (U+FF5A against U+1F600).
NAMES = [
    "weight",
    "encoder.0.weight",
    "Weight",
    'quote"d',
    "back\\slash",
    "sla/sh",
    "tab\tnew\nline\rfeed\x0cback\x08",
    "control\x01\x1f",
    "delete\x7f",
    "\u00e9t\u00e9",
    "e\u0301t\u00e9",
    "\u91cd\u307f",
    "\u0648\u0632\u0646",
    "\uff5a",
    "\U0001f600",
    "\u2028",
    "\ufeff",
    " ",
    "a" * 300,
    "<script>&amp;",
]


def random_tensors(generator: random.Random, dtypes, count: int) -> list:
    tensors = []
    for name in generator.sample(NAMES, count):
        dtype, shape = generator.choice(dtypes), generator.choice(SHAPES)
        data = generator.randbytes(int(np.prod(shape, dtype=np.int64)) * BYTES[dtype])
        tensors.append({"name": name, "dtype": dtype, "shape": shape, "data": data})
    return tensors


def ours(tensors: list, metadata) -> bytes:
    path = isometry.temporary("ours.safetensors")
    hexed = [{**tensor, "data": tensor["data"].hex()} for tensor in tensors]
    isometry.ask("safetensors", path=path, tensors=hexed, metadata=metadata)
    with open(path, "rb") as file:
        return file.read()


def theirs(save, tensors: dict, metadata) -> bytes:
    path = isometry.temporary("theirs.safetensors")
    save(tensors, path, metadata=metadata)
    with open(path, "rb") as file:
        return file.read()


def as_numpy(tensor: dict) -> np.ndarray:
    return np.frombuffer(tensor["data"], NUMPY[tensor["dtype"]]).reshape(tensor["shape"])


def as_torch(tensor: dict) -> torch.Tensor:
    bits = torch.frombuffer(bytearray(tensor["data"] or b"\0" * 8), dtype=torch.uint8)[: len(tensor["data"])]
    return bits.view(TORCH[tensor["dtype"]]).reshape(tensor["shape"])


def with_sorted_metadata(file: bytes) -> bytes:
    """The library writes metadata keys in the random order of a hash map; ours are sorted by UTF-8 bytes."""
    (length,) = struct.unpack("<Q", file[:8])
    text = file[8 : 8 + length].decode("utf-8")
    metadata = json.loads(text).get("__metadata__")
    if metadata is None:
        return file
    shown = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    ordered = dict(sorted(metadata.items(), key=lambda item: item[0].encode("utf-8")))
    start = text.index(shown)  # the same characters: only the order may change
    text = text[:start] + json.dumps(ordered, ensure_ascii=False, separators=(",", ":")) + text[start + len(shown) :]
    return file[:8] + text.encode("utf-8") + file[8 + length :]


class Writer(unittest.TestCase):
    METADATA = [None, {}, {"format": "pt"}, {"k\u00e9y \"1\"": "va\\lue\n\U0001f600"}]

    def test_numpy_save_file(self):
        generator = random.Random(1)
        for round_number in range(60):
            tensors = random_tensors(generator, list(NUMPY), generator.randrange(1, len(NAMES)))
            for metadata in self.METADATA:
                with self.subTest(round=round_number, metadata=metadata):
                    named = {tensor["name"]: as_numpy(tensor) for tensor in tensors}
                    expected = theirs(safetensors.numpy.save_file, named, metadata)
                    self.assertEqual(ours(tensors, metadata), expected)

    def test_no_tensors(self):
        # With metadata {} and no tensors the library, 0.8.0, writes JSON that it cannot read itself.
        for metadata in (None, {"format": "pt"}):
            self.assertEqual(ours([], metadata), theirs(safetensors.numpy.save_file, {}, metadata))

    def test_torch_save_file(self):
        generator = random.Random(2)
        for round_number in range(60):
            tensors = random_tensors(generator, list(TORCH), generator.randrange(len(NAMES)))
            with self.subTest(round=round_number):
                named = {tensor["name"]: as_torch(tensor) for tensor in tensors}
                expected = theirs(safetensors.torch.save_file, named, {"format": "pt"})
                self.assertEqual(ours(tensors, {"format": "pt"}), expected)

    def test_many_metadata_keys(self):
        tensors = random_tensors(random.Random(3), list(NUMPY), 5)
        metadata = {name: name[::-1] for name in NAMES}
        named = {tensor["name"]: as_numpy(tensor) for tensor in tensors}
        expected = theirs(safetensors.numpy.save_file, named, metadata)
        self.assertEqual(ours(tensors, metadata), with_sorted_metadata(expected))

    def test_a_whole_checkpoint(self):
        """The command's file, read by the library and saved by it again."""
        dtypes = ["float32", "bfloat16", "float64", "float16"]
        shapes = [[5, 7], [], [0, 3], [64], [3, 1, 2]]
        tensors = [
            {"name": name, "shape": shapes[i % 5], "init": {"kind": "normal", "std": 1}, "dtype": dtypes[i % 4]}
            for i, name in enumerate(NAMES)
        ]
        plan, out = isometry.temporary("plan.json"), isometry.temporary("checkpoint.safetensors")
        with open(plan, "w", encoding="utf-8") as file:
            json.dump({"tensors": tensors}, file)
        isometry.command("init", plan, "--out", out, "--seed", "7")
        with open(out, "rb") as file:
            written = file.read()
        with safetensors.safe_open(out, "pt") as file:
            metadata, loaded = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
        self.assertEqual(sorted(loaded), sorted(NAMES))
        expected = theirs(safetensors.torch.save_file, loaded, metadata)
        self.assertEqual(written, with_sorted_metadata(expected))


if __name__ == "__main__":
    unittest.main()
