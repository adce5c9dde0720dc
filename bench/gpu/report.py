#!/usr/bin/env python3
"""One report of what the GPU suite and the peers measured in one run on one card.

    report.py --suite suite.jsonl --peers peers.jsonl --out FOLDER [--date YYYY-MM-DD] [--strict]

Writes FOLDER/gpu.md and FOLDER/gpu.json and prints the goals. The project keeps them as
bench/results/DATE-gpu-NAME.md and .json. Only Python's own library: the machine with the GPU need not have Node.
With --strict the exit status is 1 when a goal is missed.
"""

import argparse
import datetime
import json
import os
import re
import sys

from orthogonal import operations

GIB = 1 << 30

# work, dtype, must, aim: share of the speed of a memset of the same bytes (DType as the suite names it).
OF_MEMSET = [
    ("constant", "float32", 0.95, 1.0),
    ("uniform", "float32", 0.95, 1.0),
    ("uniform", "float64", 0.95, 1.0),
    ("normal", "float32", 0.80, 0.95),
    ("truncated normal", "float32", 0.75, 0.90),
    ("uniform", "bfloat16", 0.75, 0.85),
    ("normal", "bfloat16", 0.42, 0.60),
    ("normal", "float64", 0.40, 0.60),
]

# work, dtype, must, aim: their time over ours, at the bytes that both were measured at.
OF_PEERS = [
    ("torch", "uniform", "float32", 2.0, 2.5),
    ("torch", "normal", "float32", 2.8, 3.5),
    ("torch", "normal", "bfloat16", 2.5, 3.5),
    ("torch", "truncated normal", "float32", 40, 70),
    ("cuRAND host API", "uniform", "float32", 1.0, 1.5),
    ("cuRAND host API", "normal", "float32", 1.0, 1.5),
]

# side, matrices, must, aim: PyTorch's time for orthogonal_ over ours.
OF_ORTHOGONAL = [(1024, 1, 4, 8), (4096, 1, 6, 10), (16384, 1, 3, 5), (64, 1024, 100, 200)]
OF_SGEMM = (0.5, 0.7)  # rate of 16384², counted as 4/3·n³, as a share of cuBLAS' SGEMM's: must, aim

GROUPED = (1.10, 1.03)  # time of 300 tensors in one launch over one flat fill's: must, aim
LINK = (0.85, 0.95)  # fills into host memory, share of the bare copy's speed


def read(path):
    if not path or not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def verdict(value, must, aim, smaller=False):
    if value is None:
        return "not measured"
    good = (lambda goal: value <= goal) if smaller else (lambda goal: value >= goal)
    return "aim met" if good(aim) else "must met" if good(must) else "MISSED"


def goals_of(suite, peers):
    """Rows of the goals table: work, against, value, must, aim, verdict."""
    rows = []

    def add(work, against, value, must, aim, smaller=False):
        rows.append({"work": work, "against": against, "value": value, "must": must, "aim": aim})
        rows[-1]["verdict"] = verdict(value, must, aim, smaller)

    benches = [line for line in suite if line["kind"] == "bench"]
    for name, dtype, must, aim in OF_MEMSET:
        found = [b for b in benches if (b["name"], b["dtype"]) == (name, dtype) and b["bytes"] >= GIB]
        for bench in found or [None]:
            size = f", {bench['bytes'] / GIB:g} GiB" if bench else ""
            add(f"{name} {dtype}{size}", "memset", bench and bench["memset_ratio"], must, aim)
    theirs = {(p["library"], p["name"], p["dtype"], p["bytes"]): p["ms"] for p in peers if p["kind"] == "peer"}
    for bench in benches:
        match = re.fullmatch(r"(cuRAND host API) (.*)", bench["name"])
        if match:
            theirs[match[1], match[2], bench["dtype"], bench["bytes"]] = bench["ms"]
    for library, name, dtype, must, aim in OF_PEERS:
        values = [
            ms / bench["ms"]
            for (peer, law, kind, size), ms in theirs.items()
            for bench in benches
            if (peer, law, kind) == (library, name, dtype) and (bench["name"], bench["dtype"], bench["bytes"]) == (name, dtype, size)
        ]
        add(f"{name} {dtype}", library, values[0] if values else None, must, aim)
    grouped = [line for line in suite if line["kind"] == "grouped"]
    add("300 tensors in one launch", "one flat fill (time)", grouped[0]["time_ratio"] if grouped else None, *GROUPED, smaller=True)
    matrices = {(line["name"], line["n"], line["count"]): line for line in suite if line["kind"] == "matrices"}
    by_name = [p for p in peers if p["kind"] == "orthogonal" and (p["library"], p["name"]) == ("torch", "orthogonal_")]
    torch = {(p["n"], p["count"]): p["ms"] for p in by_name if p["dtype"] == "float32"}
    for n, count, must, aim in OF_ORTHOGONAL:
        ours, ms = matrices.get(("reflections", n, count)), torch.get((n, count))
        what = f"orthogonal {n}²" if count == 1 else f"orthogonal {count} × {n}²"
        add(what, "torch", ms / ours["ms"] if ours and ms else None, must, aim)
    ours = matrices.get(("reflections", 16384, 1))
    sgemm = [line["tflops"] for (name, _, _), line in matrices.items() if name == "cuBLAS, SGEMM"]
    add("orthogonal 16384², rate", "cuBLAS, SGEMM", ours["tflops"] / sgemm[0] if ours and sgemm else None, *OF_SGEMM)
    for line in [line for line in suite if line["kind"] == "host"] or [None]:
        add(f"to host memory, {line['name']}" if line else "to host memory", "the link", line and line["link_ratio"], *LINK)
    return rows


def table(headings, rows):
    cells = [headings, *rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(headings))]
    text = [k == 0 or all(not re.match(r"[\d.]", row[k]) for row in rows) for k in range(len(headings))]

    def line(row):
        return "| " + " | ".join(c.ljust(w) if t else c.rjust(w) for c, w, t in zip(row, widths, text)) + " |"

    rule = "|" + "|".join("-" * (w + 2) if t else "-" * (w + 1) + ":" for w, t in zip(widths, text)) + "|"
    return "\n".join([line(headings), rule, *map(line, rows)])


def number(value, digits=3):
    return "" if value is None else f"{value:.{digits}f}"


def size(bytes_):
    return f"{bytes_ / GIB:g} GiB" if bytes_ >= GIB else f"{bytes_ / (1 << 20):g} MiB"


def goals_table(rows):
    return table(
        ["work", "against", "ours is", "must", "aim", "verdict"],
        [[r["work"], r["against"], number(r["value"]), f"{r['must']:g}", f"{r['aim']:g}", r["verdict"]] for r in rows],
    )


def markdown(date, suite, peers, goals):
    device = next((line for line in suite if line["kind"] == "device"), None)
    parts = [f"# GPU run, {date}"]
    facts = []
    if device:
        facts.append(
            f"{device['name']}, compute capability {device['major']}.{device['minor']}, {device['multiprocessors']} "
            f"multiprocessors, {device['memory'] / GIB:.1f} GiB; driver for CUDA {device['driver'] / 1000:g}, "
            f"GPU code by nvcc {device['toolkit'] / 1000:g}"
        )
    facts += [f"{line['library']}: {line['version']}" for line in peers if line["kind"] == "library"]
    facts.append("device times between events, medians; a ratio is the median of the turns' own ratios")
    parts.append("\n".join(f"- {fact}" for fact in facts))
    parts += ["## Goals", goals_table(goals)]
    stages = [line for line in suite if line["kind"] == "stage"]
    checked = [[s["stage"], str(s["checks"]), str(s["failures"]), str(s["skips"]), number(s["seconds"], 1)] for s in stages]
    parts += ["## Checks", table(["stage", "checks", "failed", "skipped", "seconds"], checked)]
    measured = [line for line in suite if line["kind"] == "bench"]
    rows = [
        [b["name"], b["dtype"], size(b["bytes"]), number(b["ms"], 4), number(b["gbps"], 0), number(b["gsps"], 0), number(b["memset_ratio"])]
        for b in measured
    ]
    parts += ["## Fills", table(["law", "dtype", "bytes", "ms", "GB/s", "GS/s", "of memset"], rows)]
    rows = [
        [p["library"], p["name"], p["dtype"], size(p["bytes"]), number(p["ms"], 4), number(p["gbps"], 0), number(p["memset_ratio"])]
        for p in peers
        if p["kind"] == "peer"
    ]
    parts += ["## Peers", table(["library", "law", "dtype", "bytes", "ms", "GB/s", "of memset"], rows)]
    rows = [
        [f"isometry, {m['name']}" if m["name"] == "reflections" else m["name"], sides(m), number(m["ms"]), number(m["tflops"], 1), ""]
        for m in suite
        if m["kind"] == "matrices"
    ] + [
        [
            f"{p['library']}, {p['name']}" + ("" if p["dtype"] == "float32" else f", {p['dtype']}"),
            sides(p),
            number(p["ms"]),
            number(operations(p["count"], p["rows"], p["cols"]) / p["ms"] / 1e9, 1),
            "" if p["error"] is None else f"{p['error']:.1e}",
        ]
        for p in peers
        if p["kind"] == "orthogonal"
    ]
    parts += ["## Orthogonal", "TFLOP/s as if all did the work of the reflections, 4/3·n³ operations."]
    parts += [table(["library", "size", "ms", "TFLOP/s", "max abs(QᵀQ − I)"], rows)]
    rows = [[m["name"], number(m["per_clock_per_sm"], 2)] for m in suite if m["kind"] == "micro"]
    parts += ["## Rates of instructions", table(["what", "per clock and multiprocessor"], rows)]
    rows = [
        [s["name"], str(s["threads"]), str(s["packets"]), "yes" if s["streaming"] else "no", str(s["blocks_per_sm"]), number(s["ms"], 4), number(s["memset_ratio"])]
        for s in best_shapes(suite)
    ]
    parts += [
        "## Shapes of a flat fill, the three best of each",
        table(["work", "threads", "packets", "streaming", "blocks per SM", "ms", "of memset"], rows),
    ]
    notes = [f"- {n}" for n in other_lines(suite)]
    skips = [f"- skipped {s.get('library', s.get('stage'))} {s.get('name', s.get('what'))}: {s['why']}" for s in suite + peers if s["kind"] == "skip"]
    failures = [f"- FAILED {f['stage']}: {f['what']}" for f in suite if f["kind"] == "failure"]
    parts += ["## Other", "\n".join(failures + notes + skips) or "-"]
    return "\n\n".join(parts) + "\n"


def sides(line):
    rows, cols = line.get("rows", line["n"]), line.get("cols", line["n"])
    each = f"{rows}²" if rows == cols else f"{rows} × {cols}"
    return each if line.get("count", 1) == 1 else f"{line['count']} × {each}"


def best_shapes(suite):
    lines = [line for line in suite if line["kind"] == "sweep"]
    for name in dict.fromkeys(line["name"] for line in lines):
        yield from sorted((s for s in lines if s["name"] == name), key=lambda s: -(s["memset_ratio"] or 0))[:3]


def other_lines(suite):
    for line in suite:
        if line["kind"] == "grouped":
            yield f"{line['tensors']} tensors, {size(line['bytes'])}: {line['ms']:.4f} ms in {line['launches']} launch(es), one flat fill {line['flat_ms']:.4f} ms"
        if line["kind"] == "call":
            yield f"one call, {line['name']}: {line['ms']:.4f} ms by the clock"
        if line["kind"] == "host":
            yield f"to host memory, {line['name']}, {size(line['bytes'])}: {line['bytes'] / line['ms'] / 1e6:.1f} GB/s, the bare copy {line['bytes'] / line['link_ms'] / 1e6:.1f} GB/s"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", default="")
    parser.add_argument("--peers", default="")
    parser.add_argument("--out", required=True)
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    suite, peers = read(options.suite), read(options.peers)
    goals = goals_of(suite, peers)
    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, "gpu.md"), "w") as file:
        file.write(markdown(options.date, suite, peers, goals))
    with open(os.path.join(options.out, "gpu.json"), "w") as file:
        json.dump({"date": options.date, "goals": goals, "suite": suite, "peers": peers}, file, indent=1)
    print(goals_table(goals))
    return 1 if options.strict and any(row["verdict"] == "MISSED" for row in goals) else 0


if __name__ == "__main__":
    sys.exit(main())
