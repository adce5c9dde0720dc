"""Random small configurations of every model type that has a preset, covering what changes names, shapes or laws."""


def _sizes(r, blocks: int = 3) -> dict:
    heads = r.choice([2, 4])
    return {
        "vocab_size": r.randint(9, 20),
        "hidden_size": heads * r.choice([2, 4]),
        "intermediate_size": r.randint(3, 17),
        # Ten and more, now and then: names are sorted by number, not by text.
        "num_hidden_layers": 11 if r.random() < 0.15 else r.randint(1, blocks),
        "num_attention_heads": heads,
        "initializer_range": r.choice([0.02, 0.1, 0.0]),
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def _decoder(r, *flags: str, head_dim: bool = True, pad=(None, 0, 3)) -> dict:
    sizes = _sizes(r)
    heads = sizes["num_attention_heads"]
    sizes["num_key_value_heads"] = r.choice([k for k in (1, 2, 4) if heads % k == 0])
    sizes["tie_word_embeddings"] = r.random() < 0.5
    sizes["pad_token_id"] = r.choice(pad)
    if head_dim and r.random() < 0.6:
        sizes["head_dim"] = r.choice([2, 4])
    return sizes | {flag: r.random() < 0.5 for flag in flags}


def gpt2(r) -> dict:
    heads = r.choice([1, 2])
    return {
        "vocab_size": r.randint(9, 20),
        "n_embd": 4 * heads,
        "n_head": heads,
        "n_layer": r.randint(1, 11),
        "n_positions": r.randint(3, 9),
        "n_inner": r.choice([None, 7]),
        "tie_word_embeddings": r.random() < 0.6,
        "initializer_range": r.choice([0.02, 0.1, 0.0]),
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def mixtral(r) -> dict:
    return _decoder(r) | {"num_local_experts": r.randint(2, 12), "num_experts_per_tok": 1}


def qwen3_moe(r) -> dict:
    return _decoder(r, "attention_bias") | {
        "num_experts": r.randint(2, 11),
        "moe_intermediate_size": r.randint(2, 5),
        "num_experts_per_tok": 1,
        "mlp_only_layers": r.choice([[], [0]]),
        "decoder_sparse_step": r.choice([1, 2]),
    }


def deepseek_v3(r) -> dict:
    sizes = _decoder(r, "attention_bias", head_dim=False)
    return sizes | {
        "num_key_value_heads": sizes["num_attention_heads"],
        "n_routed_experts": r.choice([4, 12]),
        "n_group": 2,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 4,
        "first_k_dense_replace": r.randint(0, 2),
        "q_lora_rank": r.choice([None, 4]),
        "kv_lora_rank": 4,
        "qk_rope_head_dim": 2,
        "v_head_dim": r.choice([4, 6]),
        "qk_nope_head_dim": 4,
        "n_shared_experts": r.randint(1, 2),
    }


def gpt_neox(r) -> dict:
    sizes = _decoder(r, "attention_bias", head_dim=False, pad=(None,))
    del sizes["num_key_value_heads"]
    return sizes


def bert(r) -> dict:
    return _sizes(r) | {
        "max_position_embeddings": r.randint(4, 9),
        "type_vocab_size": r.randint(1, 3),
        "pad_token_id": r.choice([0, None, 2]),
        "tie_word_embeddings": r.random() < 0.7,
    }


def roberta(r) -> dict:
    return bert(r) | {"pad_token_id": r.choice([1, 2])}


def t5(r) -> dict:
    return {
        "vocab_size": r.randint(9, 20),
        "d_model": r.choice([4, 8]),
        "d_kv": r.choice([2, 3]),
        "d_ff": r.randint(3, 9),
        "num_layers": r.randint(1, 3),
        "num_decoder_layers": r.choice([None, 1, 3]),
        "num_heads": r.choice([1, 2]),
        "feed_forward_proj": r.choice(["relu", "gated-gelu"]),
        "relative_attention_num_buckets": r.choice([8, 32]),
        "initializer_factor": r.choice([1.0, 0.5]),
        "decoder_start_token_id": 0,
    }


def vit(r) -> dict:
    sizes = _sizes(r)
    for key in ("vocab_size", "bos_token_id", "eos_token_id"):
        del sizes[key]
    return sizes | {
        "image_size": r.choice([8, 12, [8, 12], 9]),
        "patch_size": r.choice([4, 2]),
        "num_channels": r.choice([1, 3]),
        "qkv_bias": r.random() < 0.6,
        "num_labels": r.choice([2, 5]),
        # Not 0: transformers cannot build that one, as torch's truncated normal divides by it.
        "initializer_range": r.choice([0.02, 0.1]),
    }


def resnet(r) -> dict:
    stages = r.randint(1, 3)
    return {
        "embedding_size": r.choice([4, 8]),
        "hidden_sizes": [r.choice([4, 8, 12]) for _ in range(stages)],
        "depths": [r.randint(1, 3) for _ in range(stages)],
        "layer_type": r.choice(["basic", "bottleneck"]),
        "downsample_in_first_stage": r.random() < 0.5,
        "num_channels": r.choice([1, 3]),
        "num_labels": r.choice([2, 7]),
    }


def convnext(r) -> dict:
    stages = r.randint(1, 4)
    return {
        "num_stages": stages,
        "hidden_sizes": [r.choice([4, 6]) for _ in range(stages)],
        "depths": [r.randint(1, 3) for _ in range(stages)],
        "patch_size": r.choice([2, 4]),
        "layer_scale_init_value": r.choice([1e-6, 0.5, 0.0]),
        "num_channels": r.choice([1, 3]),
        "initializer_range": r.choice([0.02, 0.1, 0.0]),
    }


def swin(r) -> dict:
    stages = r.randint(1, 3)
    return {
        "image_size": r.choice([16, 24]),
        "patch_size": 2,
        "embed_dim": r.choice([4, 6]),
        "depths": [r.randint(1, 11 if stages == 1 else 2) for _ in range(stages)],
        "num_heads": [r.choice([1, 2]) for _ in range(stages)],
        "window_size": r.choice([2, 3]),
        "mlp_ratio": r.choice([4.0, 1.5]),
        "qkv_bias": r.random() < 0.6,
        "use_absolute_embeddings": r.random() < 0.4,
    }


def _mamba(r) -> dict:
    return {
        "vocab_size": r.randint(9, 20),
        "state_size": r.randint(1, 5),
        "num_hidden_layers": r.choice([1, 2, 11]),
        "conv_kernel": r.randint(1, 4),
        "use_bias": r.random() < 0.5,
        "use_conv_bias": r.random() < 0.5,
        "initializer_range": r.choice([0.02, 0.1, 0.0]),
        "time_step_min": r.choice([0.001, 0.01]),
        "time_step_floor": r.choice([1e-4, 0.02]),
        "rescale_prenorm_residual": r.random() < 0.5,
        "tie_word_embeddings": r.random() < 0.5,
        "pad_token_id": r.choice([None, 0]),
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def mamba(r) -> dict:
    return _mamba(r) | {
        "hidden_size": r.choice([4, 6, 17]),
        "expand": r.choice([2, 3]),
        "time_step_rank": r.choice(["auto", 3]),
        "time_step_scale": r.choice([1.0, 0.5]),
        "time_step_init_scheme": r.choice(["random", "random", "constant"]),
    }


def mamba2(r) -> dict:
    heads, width = r.choice([2, 4, 6]), r.choice([2, 4])
    return _mamba(r) | {
        "hidden_size": heads * width // 2,
        "num_heads": heads,
        "head_dim": width,
        "n_groups": r.choice([1, 2]),
    }


def whisper(r) -> dict:
    return {
        "vocab_size": r.randint(9, 20),
        "num_mel_bins": r.choice([3, 8]),
        "encoder_layers": r.choice([1, 3]),
        "decoder_layers": r.choice([2, 11]),
        "encoder_attention_heads": r.choice([1, 2]),
        "decoder_attention_heads": r.choice([1, 2]),
        "encoder_ffn_dim": r.randint(3, 9),
        "decoder_ffn_dim": r.randint(3, 9),
        "d_model": r.choice([4, 8]),
        "init_std": r.choice([0.02, 0.1]),
        "max_source_positions": r.randint(3, 30),
        "max_target_positions": r.randint(3, 9),
        "pad_token_id": r.choice([None, 0, 3]),
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 1,
        "suppress_tokens": None,
        "begin_suppress_tokens": None,
        "tie_word_embeddings": r.random() < 0.6,
    }


def clip(r) -> dict:
    def tower(**own) -> dict:
        sizes = _sizes(r) | {"initializer_factor": r.choice([1.0, 0.5]), "projection_dim": 6} | own
        return {key: value for key, value in sizes.items() if value is not None}

    return {
        "text_config": tower(max_position_embeddings=r.randint(3, 9), pad_token_id=0),
        "vision_config": tower(
            vocab_size=None,
            bos_token_id=None,
            eos_token_id=None,
            image_size=r.choice([8, 11]),
            patch_size=r.choice([4, 2]),
            num_channels=r.choice([1, 3]),
        ),
        "projection_dim": r.randint(2, 6),
        "initializer_factor": r.choice([1.0, 2.0]),
        "logit_scale_init_value": r.choice([2.6592, 1.0]),
    }


MODELS = {
    "gpt2": (gpt2, ["GPT2LMHeadModel", "GPT2LMHeadModel", "GPT2Model"]),
    "llama": (lambda r: _decoder(r, "attention_bias", "mlp_bias"), ["LlamaForCausalLM", "LlamaForCausalLM", "LlamaModel"]),
    "mistral": (_decoder, ["MistralForCausalLM", "MistralForCausalLM", "MistralModel"]),
    "qwen2": (lambda r: _decoder(r, head_dim=False), ["Qwen2ForCausalLM", "Qwen2ForCausalLM", "Qwen2Model"]),
    "qwen3": (lambda r: _decoder(r, "attention_bias"), ["Qwen3ForCausalLM", "Qwen3ForCausalLM", "Qwen3Model"]),
    "gemma2": (lambda r: _decoder(r, "attention_bias"), ["Gemma2ForCausalLM", "Gemma2ForCausalLM", "Gemma2Model"]),
    "olmo2": (
        lambda r: _decoder(r, "attention_bias", head_dim=False),
        ["Olmo2ForCausalLM", "Olmo2ForCausalLM", "Olmo2Model"],
    ),
    "mixtral": (mixtral, ["MixtralForCausalLM", "MixtralForCausalLM", "MixtralModel"]),
    "qwen3_moe": (qwen3_moe, ["Qwen3MoeForCausalLM", "Qwen3MoeForCausalLM", "Qwen3MoeModel"]),
    "deepseek_v3": (deepseek_v3, ["DeepseekV3ForCausalLM", "DeepseekV3ForCausalLM", "DeepseekV3Model"]),
    "gpt_neox": (gpt_neox, ["GPTNeoXForCausalLM", "GPTNeoXForCausalLM", "GPTNeoXModel"]),
    "bert": (
        bert,
        [
            "BertForPreTraining",
            "BertForMaskedLM",
            "BertForSequenceClassification",
            "BertForTokenClassification",
            "BertForQuestionAnswering",
            "BertModel",
        ],
    ),
    "roberta": (
        roberta,
        [
            "RobertaForMaskedLM",
            "RobertaForSequenceClassification",
            "RobertaForTokenClassification",
            "RobertaForQuestionAnswering",
            "RobertaModel",
            "RobertaForMaskedLM",
        ],
    ),
    "t5": (t5, ["T5ForConditionalGeneration", "T5Model", "T5EncoderModel"]),
    "vit": (vit, ["ViTForImageClassification", "ViTForImageClassification", "ViTModel"]),
    "resnet": (resnet, ["ResNetForImageClassification", "ResNetForImageClassification", "ResNetModel"]),
    "convnext": (convnext, ["ConvNextForImageClassification", "ConvNextForImageClassification", "ConvNextModel"]),
    "swin": (swin, ["SwinForImageClassification", "SwinForImageClassification", "SwinModel"]),
    "mamba": (mamba, ["MambaForCausalLM", "MambaForCausalLM", "MambaModel"]),
    "mamba2": (mamba2, ["Mamba2ForCausalLM", "Mamba2ForCausalLM", "Mamba2Model"]),
    "whisper": (whisper, ["WhisperForConditionalGeneration", "WhisperForConditionalGeneration", "WhisperModel"]),
    "clip": (clip, ["CLIPModel"]),
}

# What people change in a saved config.json, and keys that stand for others: the edited keys contradict what is beside them.
EDITED = [
    ("gpt2", {"num_hidden_layers": 13}),
    ("gpt2", {"hidden_size": 16, "max_position_embeddings": 11}),
    ("t5", {"num_hidden_layers": 4, "num_attention_heads": 3, "head_dim": 5}),
    ("t5", {"is_gated_act": True, "feed_forward_proj": "relu"}),
    ("t5", {"is_gated_act": False, "feed_forward_proj": "gated-gelu"}),
    ("whisper", {"num_hidden_layers": 4, "hidden_size": 12}),
    ("whisper", {"initializer_range": 0.5}),
    ("mixtral", {"num_experts": 3, "num_local_experts": 2}),
    ("qwen3_moe", {"num_local_experts": 4, "num_experts": 2}),
    ("deepseek_v3", {"num_local_experts": 16}),
    ("swin", {"num_heads": [1, 2], "depths": [1, 1], "num_attention_heads": [2, 2]}),
    ("mamba", {"hidden_size": 12, "intermediate_size": 20}),
    ("vit", {"head_dim": 8}),
    ("vit", {"num_labels": 10}),
    ("bert", {"num_labels": 3, "id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}}),
    *[(image, {"id2label": {}, "label2id": {}}) for image in ("vit", "swin", "convnext", "resnet")],
    *[(image, {"num_labels": 0}) for image in ("vit", "swin", "convnext", "resnet")],
    ("roberta", {"vocab_size": 12, "max_position_embeddings": 7, "pad_token_id": -1}),
]
