"""Finds which fragments of encapsulated pixel data make up one frame.

By the extended offset table, else the basic one, else by stepping from fragment to fragment. It
reads item heads, not pictures. Source: DICOM PS3.5 Annex A.4 and PS3.3 C.7.6.3.1.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct, unpack
from typing import Final, TypeAlias

from serment.core.dicom.syntax import ITEM, SEQUENCE_END
from serment.errors import N_, FormatError

Read: TypeAlias = Callable[[int, int], bytes]
"""Bytes of the file from an offset: fewer than asked only at its end."""
Span: TypeAlias = tuple[int, int]  # offset in the file and length, in bytes

MAX_FRAME: Final = 256 << 20  # bytes of one frame
MAX_FRAGMENTS: Final = 200_000  # stepped over to find a frame that no table points to

_HEAD: Final = Struct("<HHI")
_WINDOW: Final = 64 << 10  # bytes read at once while stepping
_OV_HEAD: Final = 12  # bytes in front of an OV value, and of the pixel data, in explicit VR
_OFFSETS: Final = b"\xe0\x7f\x01\x00OV\x00\x00"  # Extended Offset Table (7FE0,0001)
_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0c")  # JPEG, J2K, JP2


def frame_spans(read: Read, offset: int, size: int, frames: int, frame: int) -> list[Span]:
    """Return where the bit stream of one frame lies: the payload of its fragments, in order.

    Args: offset of the pixel data value, size of the file, number of frames, frame from 1.

    Raises:
        FormatError: the fragments are not laid out as they must be, or too large.
    """
    table_size = _item(read, offset, size)
    if table_size is None:
        raise damaged()
    base = offset + 8 + table_size
    found = _from_extended_table(read, offset, base, frames, frame)
    if found is None:
        found = _from_basic_table(read, offset + 8, table_size, base, size, frames, frame)
    if found is None:
        found = _by_stepping(read, base, size, frames, frame)
    if not found or any(start + length > size for start, length in found):
        raise damaged()
    if sum(length for _start, length in found) > MAX_FRAME:
        raise FormatError(N_("the picture is larger than {limit} bytes"), limit=MAX_FRAME)
    return found


def read_exactly(read: Read, offset: int, size: int) -> bytes:
    """Return exactly that many bytes; `FormatError` when the file ends before."""
    found = read(offset, size)
    if len(found) != size:
        raise damaged()
    return found


def damaged() -> FormatError:
    """Return the error for pixel data that does not lie as its header says."""
    return FormatError(
        N_("the pixel data is not laid out as the header says"),
        hint=N_("fetch the object itself; the device that made it may have cut it short"),
    )


def _item(read: Read, offset: int, size: int) -> int | None:
    """Return the length of the item at an offset; None for what ends the sequence."""
    if offset + 8 > size:
        return None  # the delimiter is missing: the end of the file stands for it
    group, number, length = _HEAD.unpack(read_exactly(read, offset, 8))
    tag = group << 16 | number
    if tag == SEQUENCE_END:
        return None
    if tag != ITEM or offset + 8 + length > size:
        raise damaged()
    return int(length)


def _from_extended_table(
    read: Read, offset: int, base: int, frames: int, frame: int
) -> list[Span] | None:
    """Each frame is one fragment; both tables stand right in front of the pixel data."""
    entry = _OV_HEAD + 8 * frames
    start = offset - _OV_HEAD - 2 * entry
    if start <= 0 or read(start, 8) != _OFFSETS:
        return None
    at = start + _OV_HEAD + 8 * (frame - 1)
    place = unpack("<Q", read_exactly(read, at, 8))[0]
    length = unpack("<Q", read_exactly(read, at + entry, 8))[0]
    return [(base + place + 8, length)]


def _from_basic_table(
    read: Read, table: int, table_size: int, base: int, size: int, frames: int, frame: int
) -> list[Span] | None:
    if table_size != 4 * frames:
        return None
    at = table + 4 * (frame - 1)
    start, end = unpack("<I", read_exactly(read, at, 4))[0], size - base
    if frame < frames:
        end = unpack("<I", read_exactly(read, at + 4, 4))[0]
    if end <= start or (start == 0) != (frame == 1):
        return None  # a table of zeros, as some devices write: step instead
    return list(_fragments(read, base + start, size, base + end))


def _fragments(read: Read, offset: int, size: int, end: int) -> Iterator[Span]:
    """Yield the payload of each fragment from an offset up to the delimiter, or to `end`."""
    windowed = _windowed(read)
    for _ in range(MAX_FRAGMENTS):
        if offset >= end:
            return
        length = _item(windowed, offset, size)
        if length is None:
            return
        yield offset + 8, length
        offset += 8 + length
    raise damaged()


def _windowed(read: Read) -> Read:
    """Return a `read` that keeps the last piece: small fragments lie close together."""
    start, piece = 0, b""

    def from_window(offset: int, size: int) -> bytes:
        nonlocal start, piece
        if not start <= offset <= offset + size <= start + len(piece):
            start, piece = offset, read(offset, max(size, _WINDOW))
        return piece[offset - start : offset - start + size]

    return from_window


def _by_stepping(read: Read, base: int, size: int, frames: int, frame: int) -> list[Span]:
    """Without a table: one frame takes all fragments, as many take one each, others are told
    apart by the first bytes of a bit stream."""
    found = list(_fragments(read, base, size, size))
    if frames == 1:
        return found
    if len(found) == frames:
        return [found[frame - 1]]
    starts = [n for n, (offset, _length) in enumerate(found) if _starts_stream(read, offset)]
    if len(starts) != frames:
        raise damaged()
    return found[starts[frame - 1] : [*starts, len(found)][frame]]


def _starts_stream(read: Read, offset: int) -> bool:
    return read(offset, 4).startswith(_STARTS)
