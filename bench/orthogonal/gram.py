"""How far from orthogonal a matrix is, the same way for all contenders: max|QᵀQ − I| in float64, of QQᵀ for a wide one.

gram.py FILE DTYPE AXIS…    values in row-major order, the last two axes are the matrix's. Prints one number.
"""

import sys

import numpy as np

path, dtype, *axes = sys.argv[1:]
shape = [int(axis) for axis in axes]
values = np.fromfile(path, dtype)
if values.size != np.prod(shape):
    sys.exit(f"gram.py: expected {shape} values but received {values.size}")
q = values.astype(np.float64).reshape(shape)
if shape[-2] < shape[-1]:
    q = q.swapaxes(-2, -1)
worst = 0.0
for matrix in q.reshape(-1, *q.shape[-2:]):
    gram = matrix.T @ matrix
    gram -= np.eye(len(gram))
    worst = np.maximum(worst, np.abs(gram).max())  # stays NaN once it is
print(repr(float(worst)))
