#!/usr/bin/env python3
"""What PyTorch, CuPy and JAX take for the work of the GPU suite, on the same card. One JSON object per line.

    peers.py [--device cuda|cpu] [--quick] [--json FILE] [--only torch,cupy,jax] [--seconds N]

Times are the device's own, between two events (PyTorch, CuPy); JAX, which has none, is timed by the clock around
work long enough that the clock does not matter, and says so. A memset of the same bytes is timed in the same turns.
A library that is missing, or cannot do a thing, is a line of kind "skip" with the reason.
"""

import argparse
import json
import statistics
import sys
import time

from libraries import LIBRARIES

GIB = 1 << 30


class Output:
    def __init__(self, path):
        self.file = open(path, "w") if path else None

    def line(self, **fields):
        print(describe(fields), flush=True)
        if self.file:
            self.file.write(json.dumps(fields) + "\n")
            self.file.flush()


def describe(fields):
    if fields["kind"] == "skip":
        return f"skipped {fields['library']} {fields['name']}: {fields['why']}"
    if fields["kind"] == "library":
        return f"{fields['library']} {fields['version']} on {fields['device']}"
    what = f"{fields['library']:8} {fields['name']:26} {fields['dtype']:9} {fields['ms']:10.4f} ms"
    if fields["kind"] == "orthogonal":
        return what if fields["error"] is None else f"{what}  max |QtQ - I| {fields['error']:.1e}"
    return f"{what} {fields['gbps']:8.1f} GB/s  {fields['memset_ratio']:.3f} of memset"


def measure(library, work, memset, turns):
    """Medians of `work`, of the memset, and of the memset ÷ work of each turn. The first two turns warm up."""
    ours, floor = [], []
    for turn in range(turns + 2):
        a, b = library.timed(memset), library.timed(work)
        if turn >= 2:
            floor.append(a)
            ours.append(b)
    ratio = statistics.median(f / o for f, o in zip(floor, ours))
    return statistics.median(ours), statistics.median(floor), ratio


def run_fills(name, library, out, bytes_, turns, deadline):
    memset = library.memset(bytes_)
    for law, dtype, count, work in library.fills(bytes_):
        if time.monotonic() > deadline:
            out.line(kind="skip", library=name, name=f"{law} {dtype}", why="no time left")
            continue
        try:
            ms, memset_ms, ratio = measure(library, work, memset, turns)
        except Exception as error:  # what one law cannot do is no reason to lose the others
            out.line(kind="skip", library=name, name=f"{law} {dtype}", why=one_line(error))
            continue
        out.line(
            kind="peer",
            library=name,
            name=law,
            dtype=dtype,
            bytes=bytes_,
            samples=count,
            ms=ms,
            gbps=bytes_ / ms / 1e6,
            gsps=count / ms / 1e6,
            memset_ms=memset_ms,
            memset_ratio=ratio,
        )
    del memset
    library.release()


def run_orthogonal(name, library, out, sizes, turns, deadline):
    for n in sizes:
        if time.monotonic() > deadline:
            out.line(kind="skip", library=name, name=f"orthogonal {n}", why="no time left")
            continue
        try:
            work = library.orthogonal(n)
            result = work()
            error = library.error(result) if n <= 4096 else None
            del result
            times = [library.timed(work) for _ in range(1 + (turns if n <= 4096 else 2))][1:]
        except Exception as failure:
            out.line(kind="skip", library=name, name=f"orthogonal {n}", why=one_line(failure))
            continue
        out.line(
            kind="orthogonal",
            library=name,
            name=f"orthogonal {n} x {n}",
            dtype="float32",
            n=n,
            ms=statistics.median(times),
            error=error,
        )
        del work
        library.release()


def one_line(error):
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", default="")
    parser.add_argument("--only", default="torch,cupy,jax")
    parser.add_argument("--seconds", type=float, default=150)
    options = parser.parse_args()
    out = Output(options.json)
    bytes_ = 1 << 20 if options.quick else GIB
    sizes = (64,) if options.quick else (1024, 2048, 4096, 8192, 16384)
    turns = 3 if options.quick else 10
    names = options.only.split(",")
    measured = 0
    began = time.monotonic()
    for index, name in enumerate(names):
        # Each library has its share, and what those before it left.
        deadline = began + options.seconds * (index + 1) / len(names)
        try:
            library = LIBRARIES[name](options.device)
        except Exception as error:
            out.line(kind="skip", library=name, name="everything", why=one_line(error))
            continue
        out.line(kind="library", library=name, version=library.version, device=library.name)
        run_fills(name, library, out, bytes_, turns, deadline)
        run_orthogonal(name, library, out, sizes, turns, deadline)
        measured += 1
    return 0 if measured else 1


if __name__ == "__main__":
    sys.exit(main())
