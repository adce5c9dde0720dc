"""cuRAND's Philox4x32-10 on the CPU: the host generator of NVIDIA's own library, which needs no GPU and no driver."""

import ctypes
import glob
import os
import sysconfig

import numpy as np

CURAND_RNG_PSEUDO_PHILOX4_32_10 = 161

# Its default ordering deals words to 65,536 subsequences, four at a time.
SUBSEQUENCES = 65536
ROUND = 4 * SUBSEQUENCES


def _load() -> ctypes.CDLL:
    site = sysconfig.get_paths()["purelib"]
    found = glob.glob(os.path.join(site, "nvidia", "*", "lib", "libcurand.so.10"))
    if not found:
        raise RuntimeError(f"libcurand.so.10 is not in {site}/nvidia: is the nvidia-curand package installed?")
    return ctypes.CDLL(found[0])


_library = _load()


def _call(name: str, *arguments) -> None:
    status = getattr(_library, name)(*arguments)
    if status != 0:
        raise RuntimeError(f"{name} failed with curandStatus_t {status}")


def generate(seed: int, offset: int, count: int) -> np.ndarray:
    """Words offset … offset + count - 1 of the host generator's output, uint32."""
    generator = ctypes.c_void_p()
    _call("curandCreateGeneratorHost", ctypes.byref(generator), CURAND_RNG_PSEUDO_PHILOX4_32_10)
    try:
        _call("curandSetPseudoRandomGeneratorSeed", generator, ctypes.c_ulonglong(seed))
        _call("curandSetGeneratorOffset", generator, ctypes.c_ulonglong(offset))
        out = np.empty(count, np.uint32)
        pointer = out.ctypes.data_as(ctypes.POINTER(ctypes.c_uint))
        _call("curandGenerate", generator, pointer, ctypes.c_size_t(count))
        return out
    finally:
        _call("curandDestroyGenerator", generator)


def rounds(seed: int, first_block: int, blocks: int) -> np.ndarray:
    """Blocks first_block … first_block + blocks - 1 of all subsequences: words[block][subsequence][0 … 3].

    One call, since a call costs milliseconds however little it draws. 1 MiB per block.
    """
    return generate(seed, first_block * ROUND, blocks * ROUND).reshape(blocks, SUBSEQUENCES, 4)


def stream_words(seed: int, stream: int, first_block: int, blocks: int) -> np.ndarray:
    """What curand_init(seed, stream, 4·first_block) and its successors return: four words of every block, in order.

    Streams 0 … 65,535 only: the host generator has no others.
    """
    chunk = 16
    parts = [
        rounds(seed, n, min(chunk, first_block + blocks - n))[:, stream].ravel()
        for n in range(first_block, first_block + blocks, chunk)
    ]
    return np.concatenate(parts)
