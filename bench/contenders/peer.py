"""What the Python contenders share: one JSON question per line in, one answer per line out."""

import json
import sys
import time

THREADS = int(sys.argv[1])


def serve(version: str, make, release=lambda: None) -> None:
    """Answers until the input ends.

    `make(law, dtype, elements, memory)` returns a function that fills once, or None for what the library cannot do;
    on fresh memory the function returns what it has made, so that freeing it is not part of the time.
    """
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints must not get among the answers
    fill = None
    for line in sys.stdin:
        question = json.loads(line)
        op = question.pop("op")
        answer = {}
        if op == "hello":
            answer["version"] = version
        elif op == "prepare":
            fill = make(**question)
            answer["unable"] = fill is None
        elif op == "repeat":
            start = time.perf_counter()
            made = fill()
            answer["milliseconds"] = (time.perf_counter() - start) * 1e3
            del made
        elif op == "release":
            fill = None
            release()
        print(json.dumps(answer), file=answers, flush=True)
