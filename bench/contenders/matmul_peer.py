"""The floor of orthogonal matrices: PyTorch's product of two matrices (MKL's) with as many operations as the reflections take."""

import torch
from peer import THREADS, Unable, serve

torch.set_num_threads(THREADS)


def make(law, dtype, shape):
    """M × K times K × N, K such that 2·M·N·K = 2·M·N² − 2/3·N³; a stack is as many products."""
    if dtype == "bfloat16":
        raise Unable("what is stored as bfloat16 is computed in float32")
    rows, cols = max(shape[-2:]), min(shape[-2:])
    inner = max(1, round(cols - cols * cols / (3 * rows)))
    kind = getattr(torch, dtype)
    left = torch.randn(*shape[:-2], rows, inner, dtype=kind)
    right = torch.randn(*shape[:-2], inner, cols, dtype=kind)
    return lambda: left @ right


serve(f"{torch.__version__}, {torch.get_num_threads()} threads", make)
