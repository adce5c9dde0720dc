"""docs/adr/0008-orthogonal.md once more, written from that page alone: every operation in its order, so every bit.

Loops run over what the page puts in an order; NumPy does at once only what has none (columns, pairs of columns).
"""

import numpy as np

BLOCK, CHUNK = 64, 256


def fused32(a, b, c):
    """a·b + c of float32, rounded once. The product is exact in float64; the sum is rounded to odd there, of which
    float32 has enough bits fewer for a second rounding to be as good as the only one (Boldo, Melquiond 2008)."""
    product = np.multiply(a, b, dtype=np.float64)
    addend = np.asarray(c, np.float64)
    total = product + addend
    part = total - product
    lost = (product - (total - part)) + (addend - part)  # Knuth's exact error of a sum
    even = (total.view(np.int64) & 1) == 0
    toward = np.where(lost > 0, np.inf, -np.inf)
    return np.where((lost != 0) & even, np.nextafter(total, toward), total).astype(np.float32)


def twice64(a, b, c):
    """a·b + c of float64, rounded twice."""
    return a * b + c


ARITHMETIC = {"float32": (np.float32, fused32), "float64": (np.float64, twice64)}


def chunks(first: int, rows: int):
    """The rows from `first` on, by chunk."""
    for start in range(first - first % CHUNK, rows, CHUNK):
        yield range(max(first, start), min(start + CHUNK, rows))


def squares(column: np.ndarray, first: int) -> np.float64:
    """Chunked sum of squares in float64."""
    values = column.astype(np.float64)
    total = None
    for chunk in chunks(first, len(column)):
        # cumsum adds one after the other, which sum does not.
        part = np.cumsum(values[chunk.start : chunk.stop] * values[chunk.start : chunk.stop])[-1]
        total = part if total is None else total + part
    return total


def products(left: np.ndarray, right: np.ndarray, first: int, kind, fused) -> np.ndarray:
    """Chunked sums from row `first` on of each column of `left` times each column of `right`."""
    total = None
    for chunk in chunks(first, len(left)):
        part = np.zeros((left.shape[1], right.shape[1]), kind)
        for r in chunk:
            part = fused(left[r, :, np.newaxis], right[r], part)
        total = part if total is None else total + part
    return total


def reflections(g: np.ndarray, kind):
    """v (M × N), ρ and d of all columns."""
    m, n = g.shape
    v, rho, d = np.zeros((m, n), kind), np.zeros(n, kind), np.zeros(n, kind)
    for c in range(n):
        x = np.float64(g[c, c])
        sign = np.float64(-1 if x < 0 else 1)
        if c == m - 1:
            d[c] = sign
            continue
        s = squares(g[:, c], c)
        v[c + 1 :, c] = g[c + 1 :, c]
        v[c, c] = kind(x + sign * np.sqrt(s))
        head = np.float64(v[c, c])
        tau = (s - x * x) + head * head
        rho[c] = kind(2 / tau) if tau != 0 else 0
        d[c] = -sign
    return v, rho, d


def orthogonal(g: np.ndarray, gain: float = 1.0) -> np.ndarray:
    """Q of the normals, float32 or float64, M × N with M >= N."""
    kind, fused = ARITHMETIC[str(g.dtype)]
    m, n = g.shape
    v, rho, d = reflections(g, kind)
    y = np.eye(m, n, dtype=kind)
    for k in reversed(range(0, n, BLOCK)):
        block = v[:, k : k + BLOCK]
        width = block.shape[1]
        u = products(block, block, k, kind, fused)
        a = products(block, y[:, k:], k, kind, fused)
        z = np.zeros_like(a)
        for i in reversed(range(width)):
            for j in reversed(range(i + 1, width)):
                a[i] = fused(-u[i, j], z[j], a[i])
            z[i] = a[i] * rho[k + i]
        for i in range(width):
            y[k:, k:] = fused(-block[k:, i, np.newaxis], z[i], y[k:, k:])
    return np.minimum(kind(1), np.maximum(kind(-1), y)) * (d * kind(gain))


def to_bfloat16(values: np.ndarray) -> np.ndarray:
    """Bit patterns of float32 rounded to nearest, ties to even."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
