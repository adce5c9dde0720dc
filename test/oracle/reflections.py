"""Stewart's product of random reflections, in textbook form and in float64: one reflection at a time, each applied to
whole matrices. What docs/adr/0008-orthogonal.md defines as blocks is only an order in which to compute this."""

import numpy as np


def orthogonal(g: np.ndarray) -> np.ndarray:
    """The M × N matrix Q with orthonormal columns that the M × N normals make, M >= N.

    Q is the first N columns of H_0 ⋯ H_{N-1}, times D. H_c reflects column c of the normals, from row c on, to a multiple
    of e_c; D has the signs that make that multiple positive. A reflection of one dimension is a sign.
    """
    g = np.asarray(g, np.float64)
    m, n = g.shape
    q = np.eye(m, n)
    d = np.empty(n)
    for c in reversed(range(n)):
        x = g[c:, c]
        sign = -1.0 if x[0] < 0 else 1.0
        if c == m - 1:
            d[c] = sign
            continue
        v = x.copy()
        v[0] += sign * np.linalg.norm(x)
        # Columns before c are still those of the identity, with nothing from row c on.
        q[c:, c:] -= np.outer(v * (2 / (v @ v)), v @ q[c:, c:])
        d[c] = -sign
    return q * d


def matrices(normals: np.ndarray, count: int, outputs: int, others: int) -> np.ndarray:
    """count × outputs × others: a stack of matrices from its stream's normals in order. Each takes M·N of them, as
    the columns of G, and is Q if it has more outputs than others, else the transpose of Q."""
    tall = outputs > others
    m, n = max(outputs, others), min(outputs, others)
    stacked = [orthogonal(g.reshape((m, n), order="F")) for g in normals.reshape(count, m * n)]
    return np.stack([q if tall else q.T for q in stacked])
