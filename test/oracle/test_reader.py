"""The reader against the safetensors library, on files that are broken in every way that a generator can think of.

What the library refuses we refuse; what we accept it accepts, with the same tensors. What it accepts and we do not is for a
reason on a list. ISOMETRY_FUZZ_ROUNDS and ISOMETRY_FUZZ_SEED make it longer and other: npm run test:fuzz.
"""

import hashlib
import json
import os
import random
import re
import struct
import subprocess
import unittest

import numpy as np
import safetensors
import safetensors.numpy

import isometry

ROUNDS = int(os.environ.get("ISOMETRY_FUZZ_ROUNDS", "3000"))
SEED = int(os.environ.get("ISOMETRY_FUZZ_SEED", "1"))

BITS = {
    **{"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8},
    **{"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32},
    **{"C64": 64, "F64": 64, "I64": 64, "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6},
}

# Why we refuse what the library takes.
STRICTER = re.compile(
    "duplicate key|does not start with|has an unknown field|__metadata__ is not an object but null|2\\^53"
    "|padded with something other|nesting deeper|half a surrogate pair"
)

NAMES = ["w", "a.b", "", " ", "../w", "/w", "a\0b", "__proto__", "constructor", "\u00e9", "e\u0301", "\ufeff", "\u2028"]
NAMES += ["\U0001f600", 'q"\\', "\t\n\x7f", "0", "4294967295", "-1", "n" * 300, "dtype", "shape"]
NUMBERS = ["2.0", "1e3", "1e0", "-0", "-1", "0.0", "00", "01", "+1", "0x1", "1e999", "-1e999", "9007199254740991"]
NUMBERS += ["9007199254740992", "18446744073709551615", "18446744073709551616", "4294967296", "1" * 400, "null"]
NUMBERS += ['"1"', "true", "[1]", "[]", "{}", "NaN", "1.", ".5", "1e", "0", "1", "2", "8"]
SNIPPETS = ["\ufeff", " ", "\n", "\t", "\0", "\u00a0", ",", "{", "}", "[", "]", '"', "\\", "\\ud800", "\\udc00\\ud800"]
SNIPPETS += ["\\u0000", "\\x", "\\/", "//", "/**/", '"x":1,', '"__metadata__":{},', '"__metadata__":null,', '"stride":[1],']
SNIPPETS += ['"__metadata__":{"a":1},', '"__metadata__":{"a":"b","a":"c"},', "[" * 200, '{"a":' * 5, "1e5", "\U0001f600"]


def text(generator: random.Random, value: str) -> str:
    """A JSON string of one of several spellings."""
    if generator.random() < 0.2:
        return '"' + "".join(f"\\u{ord(unit):04x}" if ord(unit) < 0x10000 else unit for unit in value) + '"'
    return json.dumps(value, ensure_ascii=generator.random() < 0.5)


def valid(generator: random.Random) -> tuple:
    """The entries of a header, each a list of a key and fields, and the data."""
    entries, position = [], 0
    for name in generator.sample(NAMES, generator.randrange(5)):
        dtype = generator.choice(list(BITS))
        shape = [generator.choice([0, 1, 2, 3, 8]) for _ in range(generator.randrange(4))]
        if BITS[dtype] < 8:
            shape = [*shape, 4]
        size = BITS[dtype]
        for axis in shape:
            size *= axis
        end = position + size // 8
        numbers = ", ".join(map(str, shape))
        fields = [["dtype", f'"{dtype}"'], ["shape", f"[{numbers}]"], ["data_offsets", f"[{position},{end}]"]]
        generator.shuffle(fields)
        entries.append([text(generator, name), fields])
        position = end
    generator.shuffle(entries)
    if generator.random() < 0.4:
        pairs = [f"{text(generator, name)}:{text(generator, name)}" for name in generator.sample(NAMES, generator.randrange(3))]
        entries.insert(generator.randrange(len(entries) + 1), ['"__metadata__"', "{" + ",".join(pairs) + "}"])
    return entries, generator.randbytes(position)


def mutate_entries(generator: random.Random, entries: list) -> int:
    """Breaks something. Returns how many bytes more the data must have for the end to be right again."""
    if not entries:
        return 0
    entry = generator.choice(entries)
    kind = generator.randrange(9)
    if kind == 8:
        return shift(generator, entries)
    if kind == 0:
        entries.append([generator.choice(entries)[0], entry[1]])
    elif kind == 1:
        entry[0] = text(generator, generator.choice([*NAMES, "__metadata__"]))
    elif kind == 2:
        entry[1] = generator.choice(["null", "[]", "{}", "1", '"x"', '{"format":"pt"}', '{"a":null}'])
    elif isinstance(entry[1], list) and entry[1]:
        field = generator.choice(entry[1])
        if kind == 3:
            entry[1].remove(field)
        elif kind == 4:
            entry[1].append(list(generator.choice(entry[1])))
        elif kind == 5:
            field[0] = generator.choice(["dtype", "shape", "data_offsets", "extra", "__proto__"])
        elif kind == 6 and field[0] == "dtype":
            field[1] = generator.choice(['"F33"', '"f32"', "null", '"constructor"', f'"{generator.choice(list(BITS))}"'])
        elif re.search(r"\d", field[1]):
            spans = list(re.finditer(r"\d+", field[1]))
            span = generator.choice(spans)
            number = generator.choice(NUMBERS)
            if generator.random() < 0.4:
                number = str(max(0, int(span.group()) + generator.choice([-8, -1, 1, 8])))
            field[1] = field[1][: span.start()] + number + field[1][span.end() :]
    return 0


def shift(generator: random.Random, entries: list) -> int:
    """Moves all tensors behind some place: sizes stay right, and a hole or an overlap is made."""
    offsets = [field for _, value in entries if isinstance(value, list) for field in value if field[0] == "data_offsets"]
    place, by = generator.randrange(40), generator.choice([-16, -8, -4, -1, 1, 4, 8])
    for field in offsets:
        begin, end = json.loads(field[1]) if re.fullmatch(r"\[\d+,\d+\]", field[1]) else (0, 0)
        if begin >= place and begin + by >= 0:
            field[1] = f"[{begin + by},{end + by}]"
    return by


def render(entries: list) -> str:
    shown = []
    for key, value in entries:
        if isinstance(value, list):
            value = "{" + ",".join(f'"{name}":{content}' for name, content in value) + "}"
        shown.append(f"{key}:{value}")
    return "{" + ",".join(shown) + "}"


def mutate_bytes(generator: random.Random, header: bytes) -> bytes:
    at = generator.randrange(len(header) + 1)
    kind = generator.randrange(4)
    if kind == 0:
        return header[:at] + generator.choice(SNIPPETS).encode("utf-8") + header[at:]
    if kind == 1:
        return header[:at] + header[at + generator.randrange(1, 4) :]
    if kind == 2:
        return header[:at] + bytes([generator.randrange(256)]) + header[at + 1 :]
    return header[:at] + header[max(0, at - generator.randrange(20)) :]


def case(generator: random.Random) -> bytes:
    entries, data = valid(generator)
    for _ in range(generator.choice([0, 0, 1, 1, 1, 2])):
        more = mutate_entries(generator, entries)
        if generator.random() < 0.7:
            data = data + bytes(more) if more >= 0 else data[:more]
    header = render(entries).encode("utf-8", "surrogatepass")
    if generator.random() < 0.3:
        header = mutate_bytes(generator, header)
    if generator.random() < 0.5:
        header += generator.choice([b" " * (-len(header) % 8), b"   ", b"\n", b"\0", b"\t ", b"x", b" \n "])
    if generator.random() < 0.05:
        header = generator.choice([b" ", b"\n", b"\xef\xbb\xbf", b"\0"]) + header
    if generator.random() < 0.1:
        data = generator.choice([data + b"\0", data[:-1], data[:-4], data + bytes(8), b""])
    length = len(header)
    if generator.random() < 0.05:
        length = generator.choice([0, length - 1, length + 1, 2**63, 2**64 - 1, 100_000_001, length + len(data)])
    file = struct.pack("<Q", max(0, length)) + header + data
    return file[: generator.randrange(len(file) + 1)] if generator.random() < 0.02 else file


def theirs(file: bytes):
    """What the library finds; None where it refuses."""
    try:
        found = safetensors.deserialize(file)
    except Exception:
        return None
    shown = ([name, info["dtype"], list(info["shape"]), hashlib.sha256(bytes(info["data"])).hexdigest()] for name, info in found)
    return sorted(shown)


class Reader(unittest.TestCase):
    def setUp(self):
        script = os.path.join(isometry.ROOT, "test", "oracle", "reader.mjs")
        self.process = subprocess.Popen([isometry.NODE, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.process.communicate)
        self.path = isometry.temporary("case.safetensors")

    def ours(self, file: bytes) -> dict:
        with open(self.path, "wb") as stream:
            stream.write(file)
        self.process.stdin.write(f"{self.path}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def compare(self, file: bytes) -> str:
        found, expected = self.ours(file), theirs(file)
        if "tensors" in found:
            self.assertIsNotNone(expected, f"accepted, refused by the library: {file!r}")
            self.assertEqual(sorted(found["tensors"]), expected, f"{file!r}")
            return "accepted"
        self.assertEqual(found["code"], "FORMAT_ERROR", f"{found} {file!r}")
        if expected is None:
            return "refused"
        self.assertRegex(found["message"], STRICTER, f"refused, accepted by the library: {file!r}")
        return "stricter"

    def test_random_files(self):
        generator = random.Random(SEED)
        counts = {"accepted": 0, "refused": 0, "stricter": 0}
        for number in range(ROUNDS):
            file = case(generator)
            with self.subTest(seed=SEED, number=number):
                counts[self.compare(file)] += 1
        print(f"{counts} ", end="", flush=True)
        # A generator of rubbish only would prove nothing.
        for count in counts.values():
            self.assertGreater(count, ROUNDS // 50)

    def test_files_of_the_library(self):
        """Whatever it writes we read."""
        generator = random.Random(SEED)
        for number in range(200):
            tensors = {}
            for name in generator.sample(NAMES, generator.randrange(1, 6)):
                shape = [generator.choice([0, 1, 5]) for _ in range(generator.randrange(3))]
                tensors[name] = np.full(shape, number, generator.choice([np.float64, np.float16, np.int32, np.bool_]))
            metadata = {name: name[::-1] for name in generator.sample(NAMES, 2)} if number % 2 else None
            with self.subTest(number=number):
                file = safetensors.numpy.save(tensors, metadata)
                self.assertEqual(self.compare(file), "accepted")
                self.assertEqual(dict(self.ours(file)["metadata"]), metadata or {})


if __name__ == "__main__":
    unittest.main()
