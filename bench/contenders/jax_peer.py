"""JAX on the CPU, compiled; it always makes a new array."""

import os

from peer import THREADS, serve

if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

jax.config.update("jax_enable_x64", True)

DTYPES = {"float64": jnp.float64, "float32": jnp.float32, "bfloat16": jnp.bfloat16}
DRAWS = {
    "constant": lambda key, shape, dtype: jnp.full(shape, 0.5, dtype),
    "uniform": lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, -0.5, 0.5),
    "normal": lambda key, shape, dtype: 0.02 * jax.random.normal(key, shape, dtype),
    "truncatedNormal": lambda key, shape, dtype: 0.02 * jax.random.truncated_normal(key, -2, 2, shape, dtype),
}


def make(law, dtype, elements, memory):
    if memory == "warm":
        return None
    compiled = jax.jit(lambda key: DRAWS[law](key, (elements,), DTYPES[dtype]))
    key = jax.random.key(1)
    compiled(key).block_until_ready()
    return lambda: compiled(key).block_until_ready()


serve(jax.__version__, make)
