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
from orthogonal import NO_MATRIX, QUICK, SHAPES, WAYS
from orthogonal import error as orthogonal_error

GIB = 1 << 30
# For the turns of one way to make a matrix: 1024 small ones by name take PyTorch seconds.
ORTHOGONAL_SECONDS = 2


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
        what += f"  {fields['count']} x {fields['rows']} x {fields['cols']}"
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


def run_orthogonal(name, library, out, shapes, turns, deadline):
    for shape, dtype in shapes:
        count, rows, cols = shape
        what = {"dtype": dtype, "count": count, "rows": rows, "cols": cols, "n": cols if rows == cols else None}
        title = f"orthogonal {count} x {rows} x {cols} {dtype}"
        ways = WAYS[name](library, shape, dtype)
        while True:
            if time.monotonic() > deadline:
                out.line(kind="skip", library=name, name=title, why="no time left")
                break
            way = title
            try:
                found = next(ways, None)
                if found is None:
                    break
                way, work = found
                result = work()
                measured = way not in NO_MATRIX and rows <= 4096
                error = orthogonal_error(library.numpy, result) if measured else None
                del result
                first = library.timed(work)
                most = min(turns, max(2, int(ORTHOGONAL_SECONDS * 1e3 / max(first, 1e-3))))
                times = [library.timed(work) for _ in range(most)]
            except Exception as failure:  # a generator that raised has ended: the next turn of the loop sees that
                out.line(kind="skip", library=name, name=f"{title} {way}", why=one_line(failure))
                continue
            out.line(kind="orthogonal", library=name, name=way, ms=statistics.median(times), error=error, **what)
            del work, found
        del ways
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
    shapes = QUICK if options.quick else SHAPES
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
        run_orthogonal(name, library, out, shapes, turns, deadline)
        measured += 1
    return 0 if measured else 1


if __name__ == "__main__":
    sys.exit(main())
