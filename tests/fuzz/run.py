"""Runs one fuzz target: `python -m tests.fuzz.run walker --seconds 20`.

A target is a module of this folder with `fuzz_one(data)`, and `seeds()` if random bytes would not
get far. Inputs that once failed or reach far are kept in `corpus/TARGET/`, where the tests find
them again. `--defect NAME` plants one defect of `defects.py` in the code first: it must be found.
Where Atheris is installed, it leads the search by what each input reaches (`guided.py`).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
import sys
import time
import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
TARGETS = sorted(
    path.stem for path in HERE.glob("*.py") if "\ndef fuzz_one(" in path.read_text(encoding="utf-8")
)
MAX_SIZE = 1 << 16
NOTEWORTHY = (
    *(b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\0\0", b"\xfe\xff", b"\xff\xff\xff\xff"),
    *(b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\0", b"\1\0\0\0", b"\xfe\xff\xff\xff"),
    *(b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\xe0\x7f\x10\x00"),
    *(b"SQ", b"UN", b"OB", b"OW", b"UT", b"US", b"PN", b"ZZ", b"\x1b$B", b"\\", b"*", b"^", b"="),
)


def load(target: str) -> ModuleType:
    """The module of a target, found by its file: tests are no package."""
    spec = importlib.util.spec_from_file_location(f"fuzz_{target}", HERE / f"{target}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def kept(target: str) -> list[bytes]:
    """Inputs that once made the target fail, or that reach far."""
    return [path.read_bytes() for path in sorted((CORPUS / target).glob("*")) if path.is_file()]


def starts(module: ModuleType, target: str) -> list[bytes]:
    """What a search begins with: the seeds of the target, then the kept corpus."""
    return [*(module.seeds() if hasattr(module, "seeds") else [b""]), *kept(target)]


def inputs(module: ModuleType, target: str, seed: int) -> Iterator[bytes]:
    """The starts, then mutations of them without end; the same for the same seed."""
    first = starts(module, target)
    yield from first
    rng = random.Random(f"{target} {seed}")
    while True:
        data = bytearray(rng.choice(first))
        for _ in range(1 + int(rng.expovariate(0.6))):
            mutate(data, rng, first)
        yield bytes(data[:MAX_SIZE])


def mutate(data: bytearray, rng: random.Random, starts: list[bytes]) -> None:
    place = rng.randrange(len(data) + 1)
    match rng.randrange(7):
        case 0 if data:
            data[place % len(data)] ^= 1 << rng.randrange(8)
        case 1 if data:
            data[place % len(data)] = rng.randrange(256)
        case 2:
            new = rng.choice(NOTEWORTHY)
            data[place : place + len(new)] = new
        case 3:
            data[place:place] = rng.choice(NOTEWORTHY)
        case 4:
            del data[place : place + 1 + int(rng.expovariate(0.1))]
        case 5:
            end = place + 1 + int(rng.expovariate(0.05))
            data[place:place] = data[place:end]
        case _:
            other = rng.choice(starts)
            cut = rng.randrange(len(other) + 1)
            data[place:place] = other[cut : cut + 1 + int(rng.expovariate(0.02))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--inputs", type=int, default=1 << 62, help="stop after so many")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--defect", help="plant this defect of defects.py first")
    asked = parser.parse_args()
    if asked.defect:
        load("defects").plant(asked.defect)
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    module, count, slowest = load(asked.target), 0, 0.0
    start = shown = time.monotonic()
    for data in islice(inputs(module, asked.target, seed), asked.inputs):
        before, worked = time.monotonic(), time.process_time()
        if before - start >= asked.seconds:
            break
        try:
            module.fuzz_one(data)
        except Exception as found:  # noqa: BLE001 - whatever it is, it is what we look for
            if asked.defect:
                print(f"{asked.target}: found after {count} inputs: {type(found).__name__}")
                return 1
            return failed(asked.target, seed, data)
        slowest = max(slowest, time.process_time() - worked)
        count += 1
        if before - shown > 1 and sys.stderr.isatty():
            shown = before
            print(f"\r{asked.target}: {count} inputs", end="", file=sys.stderr, flush=True)
    print(f"{asked.target}: {count} inputs, slowest {slowest * 1000:.0f} ms, none failed")
    return 0


def failed(target: str, seed: int, data: bytes) -> int:
    path = keep_input(target, data)
    traceback.print_exc()
    print(f"{target}: failed on {path} (seed {seed}, {len(data)} bytes)")
    return 1


def keep_input(target: str, data: bytes) -> Path:
    """Keep an input under the name of its digest; where."""
    path = CORPUS / target / hashlib.sha256(data).hexdigest()[:16]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
