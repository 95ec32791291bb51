"""Pieces become objects, whatever the pieces; an object once refused is read over."""

from __future__ import annotations

import pytest

from serment.adapters.memory.receiver import MemoryReceiver, MemoryReception
from serment.core.dicom.part10 import build_meta
from serment.entrypoints.assembly import Assembly
from serment.errors import FormatError, NoSpace, SermentError, Unavailable
from serment.ports import Source

UID = b"1.2.840.10008.5.1.4.1.1.2\0"
MIB = 1 << 20


def part10(size: int) -> bytes:
    head = bytes(build_meta("1.2.840.10008.5.1.4.1.1.2", "2.25.1", "1.2.840.10008.1.2.1"))
    head += b"\x08\0\x16\0UI\x1a\0" + UID + b"\x08\0\x18\0UI\x06\0" + b"2.25.1"
    pixels = size - len(head) - 12
    return head + b"\xe0\x7f\x10\0OW\0\0" + pixels.to_bytes(4, "little") + bytes(pixels)


def reception(**wanted: object) -> MemoryReception:
    return MemoryReceiver(**wanted).open(Source("import", None, None, "", ""))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [10_000, 4 * MIB, 7 * MIB + 5])
@pytest.mark.parametrize("step", [100_003, 5 * MIB])
def test_an_object_is_stored_as_its_pieces_came(size: int, step: int) -> None:
    into = reception()
    assembly = Assembly(into, 1 << 30)
    data = part10(size)
    for _ in range(2):
        for start in range(0, size, step):
            assembly.write(data[start : start + step])
        assembly.finish()
    assert [kept.data == data for kept in into.kept] == [True, True]


def test_a_refused_object_is_read_over() -> None:
    into = reception(refusal=NoSpace("full"))
    assembly = Assembly(into, 1 << 30)
    data = part10(9 * MIB)
    for start in range(0, len(data), 1000):
        assembly.write(data[start : start + 1000])
    assert into.steps == ["abort"]
    with pytest.raises(NoSpace):
        assembly.finish()
    into.receiver.refusal = None
    assembly.write(part10(2000))
    assert assembly.finish().sop_instance == "2.25.1"


def test_an_object_over_the_limit_is_refused_as_soon_as_it_is() -> None:
    into = reception()
    assembly = Assembly(into, 10_000)
    assembly.write(part10(10_000))
    assembly.finish()
    assembly.write(part10(10_000))
    assembly.write(b"x")
    assert into.steps == ["store", "abort"]
    with pytest.raises(Unavailable, match="larger than 10000 bytes"):
        assembly.finish()


def test_the_first_reason_counts_and_nothing_stays() -> None:
    into = reception()
    assembly = Assembly(into, 10_000)
    first = FormatError("first")
    assembly.write(b"x")
    assembly.refuse(first)
    assembly.write(bytes(20_000))
    with pytest.raises(SermentError) as error:
        assembly.finish()
    assert error.value is first
    assert into.steps == ["abort"]
    assert into.kept == []


def test_an_object_of_no_bytes_is_refused() -> None:
    into = reception()
    with pytest.raises(FormatError):
        Assembly(into, 10_000).finish()
    assert into.kept == []


def test_an_abandoned_object_is_aborted() -> None:
    into = reception()
    assembly = Assembly(into, 1 << 30)
    assembly.write(part10(6 * MIB))
    assembly.abandon()
    assert into.steps == ["abort"]
    assert into.kept == []
