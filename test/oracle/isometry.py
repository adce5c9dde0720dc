"""This project as the oracle tests see it: a Node process that answers questions (serve.mjs), and its command line."""

import atexit
import json
import os
import subprocess
import tempfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE = os.environ.get("NODE", "node")

# One folder for all files of a run, gone with it.
_directory = tempfile.TemporaryDirectory(prefix="isometry-oracle-")
atexit.register(_directory.cleanup)

_NUMPY = {"float64": np.float64, "float32": np.float32, "float16": np.uint16, "bfloat16": np.uint16}


def temporary(name: str) -> str:
    return os.path.join(_directory.name, name)


class _Server:
    def __init__(self) -> None:
        script = os.path.join(ROOT, "test", "oracle", "serve.mjs")
        self.process = subprocess.Popen(
            [NODE, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        atexit.register(self.process.kill)

    def ask(self, question: dict):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if line == "":
            raise RuntimeError(f"serve.mjs ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]


_server = None


def ask(op: str, /, **arguments):
    """Asks serve.mjs; see there for the operations."""
    global _server
    if _server is None:
        _server = _Server()
    return _server.ask({"op": op, **arguments})


def _ask_for_array(op: str, kind, /, **arguments) -> np.ndarray:
    path = temporary("answer.bin")
    ask(op, path=path, **arguments)
    return np.fromfile(path, kind)


def words(seed: int, stream: int, first_block: int, blocks: int) -> np.ndarray:
    """Philox words of the JavaScript implementation, uint32, four per block."""
    return _ask_for_array("words", np.uint32, seed=str(seed), stream=str(stream), n=first_block, count=blocks)


def draw(device: str, seed: int, stream: int, primitive: dict, dtype: str, first: int, count: int) -> np.ndarray:
    """Elements first … first + count - 1 of a primitive in a stream of any number; 16-bit dtypes as bit patterns."""
    return _ask_for_array(
        "draw",
        _NUMPY[dtype],
        device=device,
        seed=str(seed),
        stream=str(stream),
        primitive=primitive,
        dtype=dtype,
        first=first,
        count=count,
    )


def fill(name: str, shape: list, initializer: dict, seed: int, dtype: str = "float32", **options) -> np.ndarray:
    """A tensor by the public API; 16-bit dtypes as bit patterns."""
    arguments = {"name": name, "shape": shape, "initializer": initializer}
    options = {"dtype": dtype, **options}
    array = _ask_for_array("fill", _NUMPY[dtype], seed=str(seed), options=options, **arguments)
    slices = options.get("slice", [None] * len(shape))
    return array.reshape([axis if part is None else part[1] - part[0] for axis, part in zip(shape, slices)])


def devices() -> list:
    """The backends of this machine. Without the native one half of every comparison would be missing."""
    available = ask("devices")
    if os.environ.get("ISOMETRY_REQUIRE_NATIVE") == "1" and "cpu" not in available:
        raise RuntimeError("the native backend is not available, and ISOMETRY_REQUIRE_NATIVE=1 asks for it")
    return available


def command(*arguments: str) -> str:
    """Runs the command line and returns its standard output."""
    cli = os.path.join(ROOT, "dist", "cli", "main.js")
    done = subprocess.run([NODE, cli, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"isometry {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
