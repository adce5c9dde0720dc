"""The peer of bench/model: builds the model of a config.json with transformers and saves it. Prints seconds as JSON.

Arguments: config.json, output directory, dtype, seed, `durable` or `cached`.
"""

import json
import os
import sys
import time

started = time.perf_counter()
os.environ["HF_HUB_OFFLINE"] = "1"
import torch  # noqa: E402
import transformers  # noqa: E402

transformers.utils.logging.disable_progress_bar()


def main() -> None:
    config_path, out, dtype, seed, keep = sys.argv[1:]
    config = transformers.AutoConfig.from_pretrained(os.path.dirname(config_path))
    architecture = getattr(transformers, config.architectures[0])
    # What the modules import lazily is no part of the work either.
    ready = time.perf_counter()
    torch.manual_seed(int(seed))
    torch.set_default_dtype(getattr(torch, dtype))
    model = architecture(config)
    built = time.perf_counter()
    model.save_pretrained(out)
    if keep == "durable":
        for name in os.listdir(out):
            with open(os.path.join(out, name), "rb") as file:
                os.fsync(file.fileno())
    saved = time.perf_counter()
    print(
        json.dumps(
            {
                "import": ready - started,
                "construct": built - ready,
                "save": saved - built,
                "parameters": sum(p.numel() for p in model.parameters()),
                "version": transformers.__version__,
            }
        )
    )


main()
