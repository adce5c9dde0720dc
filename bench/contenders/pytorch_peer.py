"""PyTorch on the CPU."""

import torch
from peer import THREADS, Unable, serve

torch.set_num_threads(THREADS)
generator = torch.Generator().manual_seed(1)

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
FILLS = {
    "constant": lambda t: t.fill_(0.5),
    "uniform": lambda t: t.uniform_(-0.5, 0.5, generator=generator),
    "normal": lambda t: t.normal_(0, 0.02, generator=generator),
    "truncatedNormal": lambda t: torch.nn.init.trunc_normal_(t, 0, 0.02, -0.04, 0.04, generator=generator),
}


def orthogonal(dtype, shape, method):
    """`shape` is a matrix or a stack of matrices: orthogonal_ would take the latter for one matrix, so each has its call.

    Method qr is what a stack can be made of by hand, in one call.
    """
    kind = DTYPES[dtype]

    def by_name():
        out = torch.empty(shape, dtype=kind)
        for matrix in out if len(shape) == 3 else [out]:
            torch.nn.init.orthogonal_(matrix, generator=generator)
        return out

    def by_hand():
        q, r = torch.linalg.qr(torch.randn(shape, dtype=kind, generator=generator))
        return q * torch.diagonal(r, dim1=-2, dim2=-1).sgn().unsqueeze(-2)

    try:
        torch.nn.init.orthogonal_(torch.empty(2, 2, dtype=kind))
    except NotImplementedError as error:
        raise Unable(error) from error
    return by_name if method is None else by_hand


def make(law, dtype, elements=None, memory="fresh", shape=None, method=None):
    if law == "orthogonal":
        return orthogonal(dtype, shape, method)
    fill = FILLS[law]
    if memory == "fresh":
        return lambda: fill(torch.empty(elements, dtype=DTYPES[dtype]))
    warm = torch.ones(elements, dtype=DTYPES[dtype])

    def again():
        fill(warm)

    return again


serve(f"{torch.__version__}, {torch.get_num_threads()} threads", make, save=lambda made, path: made.numpy().tofile(path))
