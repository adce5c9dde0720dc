"""NumPy's Generator (PCG64, ziggurat); it has neither threads nor 16-bit draws nor truncation."""

import numpy as np
from peer import serve

generator = np.random.Generator(np.random.PCG64(1))
DTYPES = {"float64": np.float64, "float32": np.float32}


def scaled(draw):
    def fill(out):
        draw(out)
        np.multiply(out, 0.02, out=out)

    return fill


FILLS = {
    "constant": lambda out: out.fill(0.5),
    "uniform": lambda out: np.subtract(generator.random(dtype=out.dtype, out=out), 0.5, out=out),
    "normal": scaled(lambda out: generator.standard_normal(dtype=out.dtype, out=out)),
}


def make(law, dtype, elements, memory):
    fill = FILLS.get(law)
    if fill is None or dtype not in DTYPES:
        return None
    warm = np.ones(elements, DTYPES[dtype]) if memory == "warm" else None

    def once():
        out = warm if warm is not None else np.empty(elements, DTYPES[dtype])
        fill(out)
        return out

    return once


serve(np.__version__, make)
