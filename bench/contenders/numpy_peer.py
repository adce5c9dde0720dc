"""NumPy's Generator (PCG64, ziggurat); it has neither threads nor 16-bit draws nor truncation."""

import numpy as np
from peer import Unable, serve

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


def orthogonal(dtype, shape):
    if dtype not in DTYPES:
        raise Unable(f"it has no {dtype}")
    wide = shape[-2] < shape[-1]
    tall = [*shape[:-2], max(shape[-2:]), min(shape[-2:])]

    def once():
        q, r = np.linalg.qr(generator.standard_normal(tall, DTYPES[dtype]))
        # In place: NumPy's own product would make another array of the size.
        q *= np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., np.newaxis, :]
        return np.ascontiguousarray(q.swapaxes(-2, -1)) if wide else q

    return once


def make(law, dtype, elements=None, memory="fresh", shape=None):
    if law == "orthogonal":
        return orthogonal(dtype, shape)
    fill = FILLS.get(law)
    if fill is None or dtype not in DTYPES:
        return None
    warm = np.ones(elements, DTYPES[dtype]) if memory == "warm" else None

    def once():
        out = warm if warm is not None else np.empty(elements, DTYPES[dtype])
        fill(out)
        return out

    return once


serve(np.__version__, make, save=lambda made, path: made.tofile(path))
