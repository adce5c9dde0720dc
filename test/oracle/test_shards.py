"""Checkpoints as directories: cut as huggingface_hub cuts, indexed as transformers does, sliced as PyTorch reads."""

import json
import os
import random
import unittest

import huggingface_hub.serialization
import safetensors
import safetensors.torch
import torch
import torch.distributed.checkpoint as dcp
import transformers
from torch.distributed.checkpoint import HuggingFaceStorageReader
from torch.distributed.checkpoint._consolidate_hf_safetensors import consolidate_safetensors_files

import isometry

transformers.utils.logging.disable_progress_bar()

NAMES = ["weight", "bias", "\u00e9", "\u91cd", "\uff5a", "\U0001f600", 'a"b', "a\\b", "tab\t", "del\x7f", "__proto__"]
INDEX = "model.safetensors.index.json"


def write(tensors: list, folder: str, **options) -> None:
    isometry.ask("checkpoint", plan={"tensors": tensors}, path=isometry.temporary(folder), options=options)


def files_of(folder: str) -> list:
    return sorted(name for name in os.listdir(isometry.temporary(folder)) if name.endswith(".safetensors"))


def load(folder: str) -> dict:
    """Tensors of a directory of whole tensors, by name."""
    tensors = {}
    for name in files_of(folder):
        tensors.update(safetensors.torch.load_file(os.path.join(isometry.temporary(folder), name)))
    return tensors


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return a.reshape(-1).view(torch.uint8).equal(b.reshape(-1).view(torch.uint8))


class Shards(unittest.TestCase):
    def test_split_and_index_are_those_of_huggingface_hub(self):
        generator = random.Random(1)
        for round_number in range(300):
            count = generator.randrange(1, 40)
            names = [f"{generator.choice(NAMES)}.{index}" for index in range(count)]
            sizes = [generator.choice([0, 1, 10, generator.randrange(1, 3000)]) for _ in names]
            limit = generator.choice([1, 100, 2000, 4000, 12000, "1KB", "0.5MB", "1.001kb", 10**12])
            state = {name: torch.empty(size, device="meta") for name, size in zip(names, sizes)}
            with self.subTest(round=round_number):
                split = huggingface_hub.serialization.split_torch_state_dict_into_shards(state, max_shard_size=limit)
                shown = isometry.ask(
                    "shards", tensors=[[name, 4 * size] for name, size in zip(names, sizes)], maxShardSize=limit
                )
                self.assertEqual(shown["files"], split.filename_to_tensors)
                index = {
                    "metadata": {"total_parameters": sum(sizes), **split.metadata},
                    "weight_map": split.tensor_to_filename,
                }
                expected = json.dumps(index, indent=2, sort_keys=True) + "\n"
                self.assertEqual(shown["index"], expected)

    def test_save_pretrained_makes_the_same_files(self):
        config = transformers.LlamaConfig(
            vocab_size=50,
            hidden_size=16,
            intermediate_size=40,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=False,
        )
        model = transformers.LlamaForCausalLM(config)
        theirs = isometry.temporary("theirs")
        model.save_pretrained(theirs, max_shard_size="10KB")
        tensors = [
            {"name": name, "shape": list(tensor.shape), "init": {"kind": "normal", "std": 1}}
            for name, tensor in model.state_dict().items()
        ]
        write(tensors, "ours", seed=4, maxShardSize="10KB")
        self.assertGreater(len(files_of("ours")), 3)
        self.assertEqual(files_of("ours"), files_of("theirs"))
        for name in (INDEX,):
            with open(os.path.join(isometry.temporary("ours"), name), "rb") as ours:
                with open(os.path.join(theirs, name), "rb") as other:
                    self.assertEqual(ours.read(), other.read())
        for name in files_of("ours"):
            paths = [os.path.join(isometry.temporary(folder), name) for folder in ("ours", "theirs")]
            with safetensors.safe_open(paths[0], "pt") as ours, safetensors.safe_open(paths[1], "pt") as other:
                self.assertEqual(list(ours.keys()), list(other.keys()))

        config.save_pretrained(isometry.temporary("ours"))
        loaded, info = transformers.LlamaForCausalLM.from_pretrained(
            isometry.temporary("ours"), output_loading_info=True, local_files_only=True
        )
        for problem, names in info.items():
            self.assertFalse(names, f"{problem}: {names}")
        written = load("ours")
        self.assertEqual(sorted(written), sorted(model.state_dict()))
        for name, tensor in loaded.state_dict().items():
            self.assertTrue(torch.equal(tensor, written[name]), name)


class Slices(unittest.TestCase):
    FLOATS = [
        {"name": "w", "shape": [13, 5], "init": {"kind": "normal", "std": 1}},
        {"name": "half", "shape": [8, 3, 2], "init": {"kind": "heNormal"}, "dtype": "bfloat16"},
        {"name": "double", "shape": [1, 7], "init": {"kind": "normal", "std": 1}, "dtype": "float64"},
        {"name": "bias", "shape": [10], "init": {"kind": "uniform", "min": -1, "max": 1}, "dtype": "float16"},
        {"name": "q", "shape": [12, 4], "init": {"kind": "orthogonal"}},
        {"name": "\u91cd\u307f \"x\"", "shape": [2, 2], "init": {"kind": "normal", "std": 1}},
    ]
    # What PyTorch 2.13 loads, but cannot consolidate, or not without loss.
    OTHERS = [
        {"name": "scalar", "shape": [], "init": {"kind": "constant", "value": 2.5}},
        {"name": "empty", "shape": [0, 4], "init": {"kind": "ones"}},
        {"name": "counter", "shape": [], "init": {"kind": "zeros"}, "dtype": "int64"},
        {"name": "steps", "shape": [9], "init": {"kind": "constant", "value": 7}, "dtype": "int32"},
    ]
    WORLDS = (1, 2, 3, 8)

    def sliced(self, tensors: list, folder: str, world: int) -> str:
        for rank in range(world):
            write(tensors, folder, seed=5, slices=True, rank=rank, world=world)
        path = isometry.temporary(folder)
        isometry.ask("finalize", path=path)
        return path

    def test_files_are_named_and_tagged_as_pytorch_does(self):
        path = self.sliced(self.FLOATS, "tagged", 3)
        self.assertEqual(files_of("tagged"), [f"shard-0000{rank}-model-00001-of-00001.safetensors" for rank in (1, 2, 3)])
        with safetensors.safe_open(os.path.join(path, files_of("tagged")[1]), "pt") as file:
            metadata = file.metadata()
            info = json.loads(metadata["DCP_SHARDING_INFO"])
            self.assertEqual(sorted(info), sorted(file.keys()))
        self.assertEqual(metadata["DCP_VERSION"], "1.0")
        self.assertEqual(info["w"], {"saved_offsets": [5, 0]})
        chunks = torch.empty(13, 5).chunk(3)
        self.assertEqual(chunks[0].shape[0], 5)

    def test_pytorch_loads_them_whatever_the_world(self):
        tensors = self.FLOATS + self.OTHERS
        write(tensors, "whole", seed=5, maxShardSize="1TB")
        whole = load("whole")
        self.assertEqual(len(whole), len(tensors))
        for world in self.WORLDS:
            with self.subTest(world=world):
                path = self.sliced(tensors, f"slices-{world}", world)
                state = {name: torch.full_like(tensor, 3) for name, tensor in whole.items()}
                dcp.load(state, storage_reader=HuggingFaceStorageReader(path), no_dist=True)
                for name, tensor in whole.items():
                    self.assertTrue(same_bits(state[name], tensor), name)

    def test_pytorch_consolidates_them_to_a_checkpoint(self):
        write(self.FLOATS, "floats", seed=5, maxShardSize="1TB")
        whole = load("floats")
        for world in self.WORLDS:
            with self.subTest(world=world):
                path = self.sliced(self.FLOATS, f"floats-{world}", world)
                output = isometry.temporary(f"consolidated-{world}")
                os.makedirs(output)
                mapping = {name: 1 for name in whole}
                consolidate_safetensors_files(path, output, fqn_to_index_mapping=mapping)
                consolidated = load(f"consolidated-{world}")
                self.assertEqual(sorted(consolidated), sorted(whole))
                for name, tensor in whole.items():
                    self.assertTrue(same_bits(consolidated[name], tensor), name)


if __name__ == "__main__":
    unittest.main()
