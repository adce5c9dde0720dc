"""The libraries beside which the GPU suite is measured, each behind the same few functions.

A library's class says what it is (`version`, `name` of the device), times one call in milliseconds (`timed`), and
makes the work: `memset(bytes)` and `fills(bytes)` as (law, dtype, elements, work); orthogonal matrices are in
orthogonal.py. `numpy` is its module of arrays. Constructors raise when the library cannot be used here.
"""

import time

SIZES = {"float32": 4, "float64": 8, "bfloat16": 2, "float16": 2}


class Torch:
    """Fills in place, so that the allocator is not timed; trunc_normal_ allocates whatever it wants."""

    def __init__(self, device):
        import torch

        self.torch = self.numpy = torch
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("it sees no CUDA device")
        self.device = device
        self.version = torch.__version__
        self.name = torch.cuda.get_device_name(0) if device == "cuda" else "CPU"

    def timed(self, work):
        """Milliseconds of one call."""
        if self.device == "cpu":
            began = time.perf_counter()
            work()
            return (time.perf_counter() - began) * 1e3
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)

    def memset(self, bytes_):
        memory = self.torch.empty(bytes_, dtype=self.torch.uint8, device=self.device)
        return lambda: memory.zero_()

    def fills(self, bytes_):
        torch = self.torch
        for dtype in ("float32", "bfloat16", "float16", "float64"):
            count = bytes_ // SIZES[dtype]
            tensor = torch.empty(count, dtype=getattr(torch, dtype), device=self.device)
            yield "constant", dtype, count, lambda t=tensor: t.fill_(0.1)
            yield "uniform", dtype, count, lambda t=tensor: t.uniform_(-1, 1)
            yield "normal", dtype, count, lambda t=tensor: t.normal_(0.3, 0.02)
            if dtype in ("float32", "bfloat16"):
                init = torch.nn.init.trunc_normal_
                yield "truncated normal", dtype, count, lambda t=tensor: init(t, 0.0, 0.05, -0.1, 0.1)

    def release(self):
        if self.device == "cuda":
            self.torch.cuda.empty_cache()


class CuPy:
    def __init__(self, device):
        if device == "cpu":
            raise RuntimeError("it has no CPU backend")
        import cupy

        self.cupy = self.numpy = cupy
        self.version = cupy.__version__
        self.name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()

    def timed(self, work):
        begin, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        begin.record()
        work()
        end.record()
        end.synchronize()
        return self.cupy.cuda.get_elapsed_time(begin, end)

    def memset(self, bytes_):
        memory = self.cupy.empty(bytes_, dtype=self.cupy.uint8)
        return lambda: memory.data.memset_async(0, bytes_)

    def fills(self, bytes_):
        # The generators allocate what they return; its pool gives the same memory again.
        default = self.cupy.random.default_rng(1)
        legacy = self.cupy.random.RandomState(1)
        for dtype in ("float32", "float64"):
            count = bytes_ // SIZES[dtype]
            kind = getattr(self.cupy, dtype)
            yield "uniform", dtype, count, lambda c=count, k=kind: default.random(c, dtype=k)
            yield "normal", dtype, count, lambda c=count, k=kind: default.standard_normal(c, dtype=k)
            yield "normal, RandomState", dtype, count, lambda c=count, k=kind: legacy.standard_normal(c, dtype=k)

    def release(self):
        self.cupy.get_default_memory_pool().free_all_blocks()


class Jax:
    def __init__(self, device):
        import os

        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # others use the card too
        import jax

        jax.config.update("jax_enable_x64", True)
        platform = "gpu" if device == "cuda" else "cpu"
        self.place = jax.devices(platform)[0]
        jax.config.update("jax_default_device", self.place)
        self.jax, self.numpy = jax, jax.numpy
        self.version = jax.__version__
        self.name = str(self.place.device_kind)

    def timed(self, work):
        self.jax.block_until_ready(work())  # whatever is under way is over
        began = time.perf_counter()
        self.jax.block_until_ready(work())
        return (time.perf_counter() - began) * 1e3

    def memset(self, bytes_):
        numpy = self.jax.numpy
        return self.jax.jit(lambda: numpy.zeros(bytes_, numpy.uint8))

    def fills(self, bytes_):
        random, numpy, jit = self.jax.random, self.jax.numpy, self.jax.jit
        key = random.key(1)
        for dtype in ("float32", "bfloat16", "float64"):
            count = bytes_ // SIZES[dtype]
            kind = getattr(numpy, dtype)
            laws = {
                "uniform": lambda k, c=count, d=kind: random.uniform(k, (c,), d, -1, 1),
                "normal": lambda k, c=count, d=kind: random.normal(k, (c,), d),
                "truncated normal": lambda k, c=count, d=kind: random.truncated_normal(k, -2, 2, (c,), d),
            }
            for law, draw in laws.items():
                if law == "truncated normal" and dtype == "float64":
                    continue
                compiled = jit(draw)
                yield law, dtype, count, lambda f=compiled: f(key)

    def release(self):
        self.jax.clear_caches()


LIBRARIES = {"torch": Torch, "cupy": CuPy, "jax": Jax}
