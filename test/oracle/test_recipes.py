"""The recipe `torch` against torch: what its layers draw when they are made, traced, and the laws that we give their tensors."""

import unittest
from unittest import mock

import torch
from torch import nn

import isometry

HIDDEN, INNER, WORDS, HEADS = 48, 112, 37, 4
GPT2 = {"model_type": "gpt2", "n_embd": HIDDEN, "n_inner": INNER, "n_layer": 1, "n_head": HEADS, "vocab_size": WORDS, "n_positions": 19}
LLAMA = {
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_hidden_layers": 1,
    "num_attention_heads": HEADS,
    "num_key_value_heads": 2,
    "vocab_size": WORDS,
    "pad_token_id": 5,
    "attention_bias": True,
    "mlp_bias": True,
    "tie_word_embeddings": False,
}
RESNET = {
    "model_type": "resnet",
    "architectures": ["ResNetForImageClassification"],
    "num_channels": 3,
    "embedding_size": 16,
    "hidden_sizes": [24, 40],
    "depths": [1, 1],
    "layer_type": "basic",
    "num_labels": 11,
}


def made(layer, *arguments, **options) -> tuple:
    """A layer of torch's, and the law of each of its parameters: the last draw into it, or its one value."""
    drawn = {}

    def traced(name):
        draw = getattr(torch.Tensor, name)

        def record(tensor, *bounds, **named):
            numbers = (number for number in named.values() if number is not None)  # `generator` is beside them
            drawn[tensor.data_ptr()] = (name, *bounds, *numbers)
            return draw(tensor, *bounds, **named)

        return mock.patch.object(torch.Tensor, name, record)

    with traced("uniform_"), traced("normal_"):
        module = layer(*arguments, **options)
    laws = {}
    for name, parameter in module.named_parameters():
        values = parameter.detach().unique()
        if len(values) == 1:
            laws[name] = ("constant", values.item())
        else:
            kind, *numbers = drawn[parameter.data_ptr()]
            laws[name] = (kind.rstrip("_"), *numbers)
    return module, laws


class Torch(unittest.TestCase):
    def laws(self, config: dict) -> dict:
        """By the names of a model's tensors: the law, as `made` writes it, the shape and the initializer."""
        found = {}
        for tensor in isometry.ask("plan", config=config, options={"recipe": "torch"})["tensors"]:
            info = {key: tensor[key] for key in ("name", "shape", "layout", "groups") if key in tensor}
            init = tensor["init"]["init"] if tensor["init"]["kind"] == "zeroRows" else tensor["init"]
            law = isometry.ask("law", initializer=init, tensor=info)["law"]
            numbers = {"uniform": ("min", "max"), "normal": ("mean", "std"), "constant": ("value",)}[law["kind"]]
            found[tensor["name"]] = ((law["kind"], *(law[key] for key in numbers)), tensor)
        return found

    def same(self, ours: dict, name: str, theirs: tuple, shape) -> None:
        law, tensor = ours[name]
        with self.subTest(name):
            self.assertEqual(law[0], theirs[0])
            self.assertEqual(sorted(tensor["shape"]), sorted(shape))
            for mine, number in zip(law[1:], theirs[1:], strict=True):
                # Bounds and standard deviations, in float64 there as here.
                self.assertAlmostEqual(mine, number, delta=1e-15 * max(1, abs(number)))

    def compare(self, ours: dict, prefix: str, module: nn.Module, laws: dict) -> None:
        for name, parameter in module.named_parameters():
            self.same(ours, f"{prefix}.{name}", laws[name], parameter.shape)

    def test_linear(self):
        ours = self.laws(LLAMA)
        block = "model.layers.0."
        for prefix, inputs, outputs in (
            (block + "self_attn.q_proj", HIDDEN, HIDDEN),
            (block + "self_attn.k_proj", HIDDEN, HIDDEN // 2),
            (block + "self_attn.o_proj", HIDDEN, HIDDEN),
            (block + "mlp.up_proj", HIDDEN, INNER),
            (block + "mlp.down_proj", INNER, HIDDEN),
        ):
            self.compare(ours, prefix, *made(nn.Linear, inputs, outputs))
        self.compare(ours, "lm_head", *made(nn.Linear, HIDDEN, WORDS, bias=False))
        self.compare(ours, "model.norm", *made(nn.RMSNorm, HIDDEN))

    def test_embedding(self):
        module, laws = made(nn.Embedding, WORDS, HIDDEN, padding_idx=LLAMA["pad_token_id"])
        ours = self.laws(LLAMA)
        self.compare(ours, "model.embed_tokens", module, laws)
        zeros = [row for row in range(WORDS) if not module.weight[row].any()]
        self.assertEqual(ours["model.embed_tokens.weight"][1]["init"]["rows"], zeros)

    def test_multihead_attention(self):
        """One matrix for queries, keys and values; inputs first here, which changes no fan."""
        module, laws = made(nn.MultiheadAttention, HIDDEN, HEADS)
        ours = self.laws(GPT2)
        attention = "transformer.h.0.attn."
        for theirs, name in (
            ("in_proj_weight", "c_attn.weight"),
            ("in_proj_bias", "c_attn.bias"),
            ("out_proj.weight", "c_proj.weight"),
            ("out_proj.bias", "c_proj.bias"),
        ):
            self.same(ours, attention + name, laws[theirs], module.get_parameter(theirs).shape)
        for prefix, inputs, outputs in (("mlp.c_fc", HIDDEN, INNER), ("mlp.c_proj", INNER, HIDDEN)):
            self.compare(ours, f"transformer.h.0.{prefix}", *made(nn.Linear, inputs, outputs))
        self.compare(ours, "transformer.ln_f", *made(nn.LayerNorm, HIDDEN))

    def test_convolution(self):
        ours = self.laws(RESNET)
        self.compare(ours, "resnet.embedder.embedder.convolution", *made(nn.Conv2d, 3, 16, 7, bias=False))
        layer = "resnet.encoder.stages.1.layers.0."
        self.compare(ours, layer + "layer.0.convolution", *made(nn.Conv2d, 24, 40, 3, bias=False))
        self.compare(ours, layer + "shortcut.convolution", *made(nn.Conv2d, 24, 40, 1, bias=False))
        self.compare(ours, layer + "shortcut.normalization", *made(nn.BatchNorm2d, 40))
        self.compare(ours, "classifier.1", *made(nn.Linear, 40, 11))


if __name__ == "__main__":
    unittest.main()
