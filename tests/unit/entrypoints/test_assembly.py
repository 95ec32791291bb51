"""Pieces become objects: whole up to 4 MiB, streamed beyond, read over once refused."""

from __future__ import annotations

import pytest

from serment.adapters.memory.receiver import MemoryReceiver, MemoryReception
from serment.core.dicom.part10 import build_meta
from serment.entrypoints.assembly import PIECE, WHOLE, Assembly, Buffer
from serment.errors import FormatError, NoSpace, SermentError
from serment.ports import Source

UID = b"1.2.840.10008.5.1.4.1.1.2\0"


def part10(size: int) -> bytes:
    head = bytes(build_meta("1.2.840.10008.5.1.4.1.1.2", "2.25.1", "1.2.840.10008.1.2.1"))
    head += b"\x08\0\x16\0UI\x1a\0" + UID + b"\x08\0\x18\0UI\x06\0" + b"2.25.1"
    pixels = size - len(head) - 12
    return head + b"\xe0\x7f\x10\0OW\0\0" + pixels.to_bytes(4, "little") + bytes(pixels)


def reception(**wanted: object) -> MemoryReception:
    return MemoryReceiver(**wanted).open(Source("import", None, None, "", ""))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [WHOLE - 1, WHOLE, WHOLE + 1, WHOLE + 3 * PIECE + 5])
@pytest.mark.parametrize("step", [100_003, 5 * PIECE])
def test_an_object_is_stored_whole_or_streamed(size: int, step: int) -> None:
    into = reception()
    assembly = Assembly(into, 1 << 30)
    data = part10(size)
    for _ in range(2):
        for start in range(0, size, step):
            assembly.write(data[start : start + step])
            assert len(assembly.buffer) <= WHOLE
        assembly.finish()
    assert [kept.data == data for kept in into.kept] == [True, True]
    assert [kept.streamed for kept in into.kept] == [size > WHOLE] * 2


def test_a_refused_object_is_read_over_in_little_memory() -> None:
    into = reception(refusal=NoSpace("full"))
    assembly = Assembly(into, 1 << 30)
    data = part10(WHOLE + 5 * PIECE)
    for start in range(0, len(data), 1000):
        assembly.write(data[start : start + 1000])
        assert not assembly.refused or len(assembly.buffer) <= 1000
    with pytest.raises(NoSpace):
        assembly.finish()
    into.receiver.refusal = None
    assembly.write(part10(2000))
    assert assembly.finish().sop_instance == "2.25.1"


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
    assert into.steps == []


def test_an_abandoned_stream_is_aborted() -> None:
    into = reception()
    assembly = Assembly(into, 1 << 30)
    assembly.write(part10(WHOLE + 2 * PIECE))
    assembly.abandon()
    assert into.steps[-1] == "abort"
    assert into.kept == []


def test_a_buffer_gives_its_last_bytes_back_as_overlap() -> None:
    buffer = Buffer()
    buffer.append(b"abcd")
    view = buffer.room(2, 2)
    assert bytes(view[:2]) == b"cd"
    view[2:] = b"ef"
    buffer.advance(2)
    assert bytes(buffer.content()) == b"abcdef"
    assert len(buffer) == 6
