"""GPT-2 as the README initializes it, loaded by those who will: safetensors, PyTorch and transformers."""

import json
import math
import os
import shutil
import unittest

import safetensors.torch
import torch
import transformers

import isometry

transformers.utils.logging.disable_progress_bar()

EXAMPLE = os.path.join(isometry.ROOT, "examples", "gpt2")
PARAMETERS = 124_439_808
SEED = "42"
STD = 0.02

# A mean or a standard deviation this many standard errors off is a failure; one in two million by chance.
SIGMAS = 5


def write(dtype: str) -> dict:
    """Runs the command; returns the tensors by name."""
    out = isometry.temporary(f"gpt2-{dtype}.safetensors")
    isometry.command("init", os.path.join(EXAMPLE, "plan.json"), "--out", out, "--seed", SEED, "--dtype", dtype)
    tensors = safetensors.torch.load_file(out)
    if dtype == "float32":
        folder = isometry.temporary("gpt2")
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(EXAMPLE, "config.json"), folder)
        os.replace(out, os.path.join(folder, "model.safetensors"))
    else:
        os.remove(out)
    return tensors


class Gpt2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tensors = write("float32")
        cls.layers = json.load(open(os.path.join(EXAMPLE, "config.json")))["n_layer"]

    def expected_law(self, name: str):
        """Mean and std by GPT-2's own recipe, from the parameter's name."""
        if name.endswith(".bias"):
            return 0.0, 0.0
        if ".ln_" in name:
            return 1.0, 0.0
        if name.endswith(".c_proj.weight"):  # what feeds the residual stream: two of them per layer
            return 0.0, STD / math.sqrt(2 * self.layers)
        return 0.0, STD

    def test_number_of_parameters(self):
        self.assertEqual(sum(tensor.numel() for tensor in self.tensors.values()), PARAMETERS)

    def test_every_parameter_follows_the_recipe(self):
        for name, tensor in self.tensors.items():
            with self.subTest(name=name):
                self.assertEqual(tensor.dtype, torch.float32)
                mean, std = self.expected_law(name)
                values, count = tensor.double(), tensor.numel()
                if std == 0:
                    self.assertTrue(torch.all(values == mean))
                    continue
                self.assertLess(abs(values.mean().item() - mean), SIGMAS * std / math.sqrt(count))
                self.assertLess(abs(values.std().item() / std - 1), SIGMAS / math.sqrt(2 * count))

    def test_no_two_parameters_share_values(self):
        first = [tuple(t.flatten()[:4].tolist()) for name, t in self.tensors.items() if self.expected_law(name)[1] > 0]
        self.assertEqual(len(set(first)), len(first))

    def test_transformers_loads_it_strictly(self):
        model, info = transformers.GPT2LMHeadModel.from_pretrained(
            isometry.temporary("gpt2"), output_loading_info=True, local_files_only=True, dtype=torch.float32
        )
        self.assertLessEqual({"missing_keys", "unexpected_keys", "mismatched_keys"}, set(info))
        for problem, names in info.items():
            self.assertFalse(names, f"{problem}: {names}")
        self.assertEqual(sum(parameter.numel() for parameter in model.parameters()), PARAMETERS)
        # What the model holds is what the file holds, not its own initialization.
        held = dict(model.named_parameters())
        for name, tensor in self.tensors.items():
            self.assertTrue(torch.equal(held.get(name, held.get(f"transformer.{name}")), tensor), name)

        # An untrained model knows nothing: its loss is that of guessing among 50,257 tokens, give or take the spread
        # that logits of std 0.02·sqrt(768) = 0.55 add, half their variance.
        torch.manual_seed(0)
        tokens = torch.randint(0, model.config.vocab_size, (2, 64))
        with torch.no_grad():
            loss = model(input_ids=tokens, labels=tokens).loss.item()
        self.assertAlmostEqual(loss, math.log(model.config.vocab_size) + 0.55**2 / 2, delta=0.2)

    def test_16_bit_files_are_the_cast_of_the_32_bit_file(self):
        for name, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16)):
            tensors = write(name)
            self.assertEqual(sorted(tensors), sorted(self.tensors))
            for key, tensor in tensors.items():
                with self.subTest(name=key, dtype=name):
                    expected = self.tensors[key].to(dtype)
                    self.assertEqual(tensor.dtype, dtype)
                    self.assertTrue(torch.equal(tensor.view(torch.int16), expected.view(torch.int16)))


if __name__ == "__main__":
    unittest.main()
