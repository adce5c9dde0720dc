"""PyTorch on the CPU."""

import torch
from peer import THREADS, serve

torch.set_num_threads(THREADS)
generator = torch.Generator().manual_seed(1)

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
FILLS = {
    "constant": lambda t: t.fill_(0.5),
    "uniform": lambda t: t.uniform_(-0.5, 0.5, generator=generator),
    "normal": lambda t: t.normal_(0, 0.02, generator=generator),
    "truncatedNormal": lambda t: torch.nn.init.trunc_normal_(t, 0, 0.02, -0.04, 0.04, generator=generator),
}


def make(law, dtype, elements, memory):
    fill = FILLS[law]
    if memory == "fresh":
        return lambda: fill(torch.empty(elements, dtype=DTYPES[dtype]))
    warm = torch.ones(elements, dtype=DTYPES[dtype])

    def again():
        fill(warm)

    return again


serve(f"{torch.__version__}, {torch.get_num_threads()} threads", make)
