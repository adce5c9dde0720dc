"""The floor: libc's memset of the same bytes, split over the threads."""

import ctypes
import mmap
from concurrent.futures import ThreadPoolExecutor

from peer import THREADS, serve

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2}

libc = ctypes.CDLL(None)  # its calls let go of the interpreter's lock
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
pool = ThreadPoolExecutor(THREADS)


class Memory:
    """Anonymous memory straight from the system, so that fresh means untouched pages."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.map = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            try:
                self.map.madvise(mmap.MADV_HUGEPAGE)
            except OSError:
                pass  # a kernel without huge pages
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))

    def set(self) -> "Memory":
        part = -(-self.size // THREADS)
        parts = [(at, min(part, self.size - at)) for at in range(0, self.size, part)]
        list(pool.map(lambda p: libc.memset(self.address + p[0], 1, p[1]), parts))
        return self


def make(law, dtype, elements, memory):
    size = elements * BYTES[dtype]
    if memory == "fresh":
        return lambda: Memory(size).set()
    return Memory(size).set().set


serve(f"libc, {THREADS} threads", make)
