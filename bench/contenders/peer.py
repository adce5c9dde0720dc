"""What the Python contenders share: one JSON question per line in, one answer per line out."""

import json
import sys
import time

THREADS = int(sys.argv[1])


class Unable(Exception):
    """What a library cannot do, and why."""


def serve(version: str, make, save=None, release=lambda: None) -> None:
    """Answers until the input ends.

    `make(law, dtype, …)` gets what the case asks for and returns a function that does the work once; for what the
    library cannot do it returns None or raises `Unable`. On fresh memory the function returns what it has made, so that
    freeing it is not part of the time. `save(made, path)` writes that to a file.
    """
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints must not get among the answers
    work = None
    for line in sys.stdin:
        question = json.loads(line)
        op = question.pop("op")
        answer = {}
        if op == "hello":
            answer["version"] = version
        elif op == "prepare":
            try:
                work = make(**question)
                answer["unable"] = work is None
            except Unable as reason:
                answer.update(unable=True, reason=" ".join(str(reason).split()))
        elif op == "repeat":
            answer["milliseconds"], made = timed(work, question.get("atLeast", 0))
            if "path" in question:
                save(made, question["path"])
            del made
        elif op == "release":
            work = None
            release()
        print(json.dumps(answer), file=answers, flush=True)


def timed(work, at_least: float):
    """Milliseconds of one call, the mean of as many as fill `at_least` milliseconds, and what the last one made."""
    start = time.perf_counter()
    calls = 0
    while True:
        made = work()
        calls += 1
        elapsed = (time.perf_counter() - start) * 1e3
        if elapsed >= at_least:
            return elapsed / calls, made
