"""JAX on the CPU, compiled; it always makes a new array."""

import os

from peer import THREADS, Unable, serve

if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

jax.config.update("jax_enable_x64", True)

DTYPES = {"float64": jnp.float64, "float32": jnp.float32, "bfloat16": jnp.bfloat16}
DRAWS = {
    "constant": lambda key, shape, dtype: jnp.full(shape, 0.5, dtype),
    "uniform": lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, -0.5, 0.5),
    "normal": lambda key, shape, dtype: 0.02 * jax.random.normal(key, shape, dtype),
    "truncatedNormal": lambda key, shape, dtype: 0.02 * jax.random.truncated_normal(key, -2, 2, shape, dtype),
}


def orthogonal(dtype, shape):
    """The initializer takes a stack for one matrix, so it is mapped over keys."""
    init = jax.nn.initializers.orthogonal()
    one = lambda key: init(key, tuple(shape[-2:]), DTYPES[dtype])  # noqa: E731
    stacked = lambda key: jax.vmap(one)(jax.random.split(key, shape[0]))  # noqa: E731
    compiled = jax.jit(stacked if len(shape) == 3 else one)
    key = jax.random.key(1)
    try:
        compiled(key).block_until_ready()
    except NotImplementedError as error:
        raise Unable(error) from error
    return lambda: compiled(key).block_until_ready()


def make(law, dtype, elements=None, memory="fresh", shape=None):
    if law == "orthogonal":
        return orthogonal(dtype, shape)
    if memory == "warm":
        return None
    compiled = jax.jit(lambda key: DRAWS[law](key, (elements,), DTYPES[dtype]))
    key = jax.random.key(1)
    compiled(key).block_until_ready()
    return lambda: compiled(key).block_until_ready()


serve(jax.__version__, make, save=lambda made, path: np.asarray(made).tofile(path))
