"""The ways in which the libraries make orthogonal matrices, and how far from orthogonal what they make is.

WAYS[library](library, shape, dtype) yields (way, work): `shape` is a stack of matrices, (count, rows, cols) with
rows >= cols, and `work` makes it once. A way with `matrix` False makes something else, for comparison:

* matmul: a product of two matrices (cuBLAS) with as many operations as ours takes, in full precision (no TF32).
* householder_product: cuSOLVER's orgqr alone, on reflectors that are there already; PyTorch hands it to MAGMA where it
  was built with that.
"""

# count, rows, cols, dtype; those with goals come first, for when time is up.
SHAPES = [
    ((1, 1024, 1024), "float32"),
    ((1, 4096, 4096), "float32"),
    ((1024, 64, 64), "float32"),
    ((1, 16384, 16384), "float32"),
    ((1, 256, 256), "float32"),
    ((1, 2048, 2048), "float32"),
    ((1, 8192, 8192), "float32"),
    ((1, 4096, 1024), "float32"),
    ((1, 1024, 1024), "float64"),
    ((1, 4096, 4096), "float64"),
]
QUICK = [((1, 64, 64), "float32"), ((8, 16, 16), "float32"), ((1, 48, 32), "float64")]


def operations(count, rows, cols):
    """Multiplications and additions of ours: 2·M·N² − 2/3·N³ for each matrix, 4/3·N³ for a square one."""
    return count * (2 * rows * cols**2 - 2 / 3 * cols**3)


def inner(count, rows, cols):
    """The inner dimension with which a rows × inner times inner × cols product has that many."""
    return max(1, round(operations(1, rows, cols) / (2 * rows * cols)))


def of_torch(library, shape, dtype):
    torch = library.torch
    torch.backends.cuda.matmul.allow_tf32 = False
    kind = {"dtype": getattr(torch, dtype), "device": library.device}
    count, rows, cols = shape
    out = torch.empty(shape, **kind)
    init = torch.nn.init.orthogonal_

    def by_name():
        # It takes a stack for one matrix.
        for matrix in out.unbind():
            init(matrix)
        return out

    def by_qr():
        q, r = torch.linalg.qr(torch.randn(shape, **kind))
        return q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)

    yield "orthogonal_", by_name
    yield "linalg.qr", by_qr
    reflectors, tau = torch_reflectors(torch, torch.randn(shape, **kind))
    yield "householder_product", lambda: torch.linalg.householder_product(reflectors, tau)
    del reflectors, tau
    left = torch.randn(count, rows, inner(*shape), **kind)
    right = torch.randn(count, inner(*shape), cols, **kind)
    yield "matmul", lambda: left @ right


def torch_reflectors(torch, g):
    """Reflections made of the columns of `g` from the diagonal on, as geqrf returns them: v scaled so that its first
    element is 1, and τ = 2/vᵀv."""
    v = g.tril()
    head = v.diagonal(dim1=-2, dim2=-1)
    head = head + torch.where(head < 0, -1.0, 1.0) * v.norm(dim=-2)
    v = v / head.unsqueeze(-2)
    v.diagonal(dim1=-2, dim2=-1).fill_(1)
    tau = 2 / v.square().sum(-2)
    if g.shape[-1] == g.shape[-2]:
        tau[..., -1] = 0  # one dimension cannot be reflected but by its sign
    return v, tau


def of_cupy(library, shape, dtype):
    cupy = library.cupy
    state = cupy.random.RandomState(1)

    def by_qr():
        q, r = cupy.linalg.qr(state.standard_normal(shape, dtype=getattr(cupy, dtype)))
        return q * cupy.sign(cupy.diagonal(r, axis1=-2, axis2=-1))[..., cupy.newaxis, :]

    yield "linalg.qr", by_qr


def of_jax(library, shape, dtype):
    jax = library.jax
    count, *matrix = shape
    init = jax.nn.initializers.orthogonal()
    # It takes a stack for one matrix, so it is mapped over keys.
    one = lambda key: init(key, tuple(matrix), getattr(jax.numpy, dtype))  # noqa: E731
    make = jax.jit(lambda key: jax.vmap(one)(jax.random.split(key, count)) if count > 1 else one(key)[None])
    key = jax.random.key(1)
    yield "initializers.orthogonal", lambda: make(key)


WAYS = {"torch": of_torch, "cupy": of_cupy, "jax": of_jax}
NO_MATRIX = ("matmul",)


def error(numpy, q):
    """The largest |QᵀQ − I| of a stack, in float64. `numpy` is the library's module of arrays."""
    wide = q.double() if hasattr(q, "double") else q.astype(numpy.float64)
    gram = wide.swapaxes(-2, -1) @ wide
    place = {"device": gram.device} if hasattr(gram, "is_cuda") else {}  # PyTorch's arrays stay where they are made
    return float(abs(gram - numpy.eye(gram.shape[-1], dtype=gram.dtype, **place)).max())
