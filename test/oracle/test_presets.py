"""Every preset against transformers 5, on random small configurations.

For each configuration transformers builds the model, with every operation on its parameters traced (traced.py), and saves
it. Compared with the plan that this project makes of the same config.json: names, shapes, dtypes, the order of the state
dict (which decides how it is cut into shards), ties, and the law of each tensor. Then a checkpoint of that plan is
loaded by from_pretrained, in 32 and in 16 bits: no key missing, unexpected or of another shape, and every tensor of the
file's dtype and equal to it.

A model is one entry of MODELS (preset_configs.py): a function from a random generator to the options of its configuration,
and the classes that are tried.
"""

import json
import math
import os
import random
import shutil
import unittest

import safetensors
import safetensors.torch
import torch
import transformers
import transformers.modeling_utils

import isometry
from preset_configs import EDITED, MODELS
from traced import Trace

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

SEEDS = range(6)
DTYPES = {torch.float32: "F32", torch.int64: "I64", torch.bfloat16: "BF16", torch.float16: "F16"}

# Made of random numbers by JavaScript; their distributions are compared in test_generators.
RANDOM_TABLES = ("softplusInverseLogUniform", "logOfUniform")


class Case:
    """One configuration, as both sides see it."""

    def __init__(self, model_type: str, seed: int, edits: dict | None = None):
        make, classes = MODELS[model_type]
        self.random = random.Random(f"{model_type} {seed}")
        options = make(self.random)
        config = transformers.AutoConfig.for_model(model_type, **options)
        self.name = f"{model_type}-{seed}"
        if edits is not None:
            config, edited = self._edited(config, edits)
        self.type = getattr(transformers, classes[seed % len(classes)])
        with Trace() as trace:
            self.model = self.type(config)
        self.folder = isometry.temporary(self.name)
        self._save(trace)
        if edits is not None:
            self.config = edited
        else:
            with open(os.path.join(self.folder, "config.json"), encoding="utf-8") as file:
                self.config = json.load(file)
        plan = isometry.ask("plan", config=self.config, options={})
        self.plan, self.ties = plan["tensors"], plan["ties"]

    def _edited(self, config, edits: dict):
        """The configuration of a config.json in which keys were changed by hand, and what is in that file."""
        folder = isometry.temporary(f"{self.name}-edited")
        config.save_pretrained(folder)
        path = os.path.join(folder, "config.json")
        with open(path, encoding="utf-8") as file:
            edited = json.load(file) | edits
        # Now it is one of the class that is built, as a saved model's is.
        edited["architectures"] = [MODELS[config.model_type][1][0]]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(edited, file)
        config = transformers.AutoConfig.from_pretrained(folder)
        shutil.rmtree(folder)
        return config, edited

    def _save(self, trace: Trace) -> None:
        """What transformers saves: names, shapes, dtypes in order, and for each which law it comes from.

        Tensors are renamed, cut and fused on the way to the disk, so each gets a number as its value and is known by it.
        """
        laws, saved = [], []
        tensors = dict(self.model.named_parameters())
        tensors |= {name: value for name, value in self.model.state_dict().items() if name not in tensors}
        seen = {}
        with torch.no_grad():
            for tensor in tensors.values():
                if tensor.data_ptr() in seen and tensor.numel() > 0:
                    continue
                seen[tensor.data_ptr()] = True
                laws.append({**trace.law(tensor), "values": tensor.detach().clone()})
                tensor.fill_(len(laws) - 1)
        original = transformers.modeling_utils.split_torch_state_dict_into_shards

        def spy(state_dict, *arguments, **options):
            saved.extend((name, list(t.shape), DTYPES[t.dtype], t.flatten()) for name, t in state_dict.items())
            return original(state_dict, *arguments, **options)

        transformers.modeling_utils.split_torch_state_dict_into_shards = spy
        try:
            self.model.save_pretrained(self.folder)
        finally:
            transformers.modeling_utils.split_torch_state_dict_into_shards = original
        self.saved = [(name, shape, dtype) for name, shape, dtype, _ in saved]
        self.laws = {name: laws[int(values[0])] for name, _, _, values in saved if values.numel() > 0}


class Presets(unittest.TestCase):
    maxDiff = None

    def check(self, model_type: str) -> None:
        for seed in SEEDS:
            case = Case(model_type, seed)
            with self.subTest(case.name, type=case.type.__name__):
                self.check_names(case)
                for tensor in case.plan:
                    with self.subTest(tensor=tensor["name"]):
                        self.check_law(case, tensor)
                # Where three classes take turns each is loaded in both dtypes.
                self.check_loading(case, ("float32", "bfloat16")[seed // 3 % 2])

    def test_configurations_edited_by_hand(self):
        for model_type, edits in EDITED:
            with self.subTest(model_type, **edits):
                case = Case(model_type, 0, edits)
                self.check_names(case)
                for tensor in case.plan:
                    with self.subTest(tensor=tensor["name"]):
                        self.check_law(case, tensor)
                self.check_loading(case, "float32")

    def check_names(self, case: Case) -> None:
        stored = {"int64": "I64", "float32": "F32", None: "F32"}
        ours = [(t["name"], t["shape"], stored[t.get("dtype")]) for t in case.plan]
        self.assertEqual(sorted(map(str, ours)), sorted(map(str, case.saved)))
        self.assertEqual(ours, case.saved, "the same tensors in another order")
        state = case.model.state_dict()
        for tie in case.ties:
            self.assertNotIn(tie["name"], [name for name, _, _ in case.saved])
            self.assertIn(tie["to"], [name for name, _, _ in case.saved])
            # Names may differ in memory; where they do not, it is one tensor.
            if tie["name"] in state and tie["to"] in state:
                self.assertEqual(state[tie["name"]].data_ptr(), state[tie["to"]].data_ptr())

    def check_law(self, case: Case, tensor: dict) -> None:
        theirs = case.laws.get(tensor["name"])
        if theirs is None:  # no elements
            return
        init, rows = tensor["init"], []
        if init["kind"] == "zeroRows":
            init, rows = init["init"], init["rows"]
        self.assertEqual(rows, theirs["rows"])
        kind, *numbers = theirs["law"]
        if kind == "copied":
            self.check_table(tensor, theirs["values"])
            return
        facts = {key: tensor[key] for key in ("name", "shape", "layout", "groups") if key in tensor}
        law = isometry.ask("law", initializer=init, tensor=facts)["law"]
        if kind == "truncated":
            mean, std, low, high = numbers
            # Bounds that no float32 normal reaches are none: 6.4 standard deviations is one in 6e9.
            self.assertTrue(low <= mean - 6.4 * std and high >= mean + 6.4 * std, "a truncation that matters")
            kind, numbers = "normal", [mean, std]
        if kind == "normal" and numbers[1] == 0:
            kind, numbers = "constant", [numbers[0]]
        if law["kind"] == "normal" and law["std"] == 0:
            law = {"kind": "constant", "value": law["mean"]}
        self.assertEqual(law["kind"], kind)
        keys = {"constant": ["value"], "normal": ["mean", "std"], "uniform": ["min", "max"]}[kind]
        for key, number in zip(keys, numbers, strict=True):
            self.assertTrue(math.isclose(law[key], number, rel_tol=1e-9, abs_tol=1e-12), f"{key}: {law} {numbers}")

    def check_table(self, tensor: dict, values: torch.Tensor) -> None:
        if tensor["init"]["kind"] in RANDOM_TABLES:
            self.assertTrue(torch.isfinite(values).all())
            return
        ours = isometry.fill(tensor["name"], tensor["shape"], tensor["init"], 1)
        torch.testing.assert_close(torch.from_numpy(ours), values, rtol=1e-5, atol=2e-6)

    def check_loading(self, case: Case, dtype: str) -> None:
        folder = isometry.temporary(f"{case.name}-ours")
        os.makedirs(folder)
        # Transformers 5.18 divides Mamba's output matrices again when it loads them: the division in its _init_weights,
        # unlike the initializers there, does not look whether the parameter is loaded.
        config = case.config | ({"rescale_prenorm_residual": False} if "rescale_prenorm_residual" in case.config else {})
        config |= {"dtype": dtype}
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        plan = {"dtype": dtype, "tensors": case.plan + [{"name": t["name"], "tie": t["to"]} for t in case.ties]}
        isometry.ask("checkpoint", plan=plan, path=folder, options={"seed": 5})
        path = os.path.join(folder, "model.safetensors")
        loaded, info = case.type.from_pretrained(folder, output_loading_info=True, dtype="auto")
        for problem in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
            self.assertFalse(info[problem], problem)
        # What was loaded, under the names of files again.
        again = isometry.temporary(f"{case.name}-again")
        loaded.save_pretrained(again)
        ours = safetensors.torch.load_file(path)
        theirs = safetensors.torch.load_file(os.path.join(again, "model.safetensors"))
        self.assertEqual(set(ours), set(theirs))
        for name, value in ours.items():
            self.assertEqual(value.dtype, theirs[name].dtype, name)
            self.assertTrue(torch.equal(value, theirs[name]), name)
        for used in (folder, again, case.folder):
            shutil.rmtree(used)


def _add(model_type: str) -> None:
    def test(self: Presets) -> None:
        self.check(model_type)

    setattr(Presets, f"test_{model_type}", test)


for _model_type in MODELS:
    _add(_model_type)


class Everything(unittest.TestCase):
    def test_every_preset_is_compared(self):
        self.assertEqual(sorted(isometry.ask("presets")), sorted(MODELS))
