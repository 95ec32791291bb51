"""Runs every fuzz target of this folder: a few hundred inputs in `make test`, many in `make fuzz`.

A target is a module with `fuzz_one(data: bytes)`, which raises on a fault, and may offer `SEEDS`,
whole inputs to start from. Inputs are random bytes, and seeds cut, spliced and overwritten.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parent
NAMES = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("test_"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with some stretches overwritten, cut out or repeated."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 64)))
        put = draw(st.one_of(st.binary(max_size=8), st.just(bytes(data[start:stop]) * 2)))
        data[start:stop] = put
    return bytes(data)


@pytest.mark.parametrize("name", NAMES)
def test_no_input_breaks_it(name: str) -> None:
    target = load(name)
    seeds = list(getattr(target, "SEEDS", ()))
    inputs = (
        st.one_of(st.binary(max_size=4096), mutated(seeds)) if seeds else st.binary(max_size=4096)
    )

    @given(inputs)
    def run(data: bytes) -> None:
        target.fuzz_one(data)

    for seed in seeds:
        target.fuzz_one(seed)
    run()
