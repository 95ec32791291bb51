"""Reads the dimensions a JPEG, JPEG-LS or JPEG 2000 bit stream announces, before it is decoded.

A decoder believes the bit stream, not the DICOM header; comparing the two first keeps a small
file from asking for gigabytes. Sources: ITU-T T.81 B.2.2, T.87 C.2.2, T.800 A.5.1.
"""

from __future__ import annotations

from struct import unpack_from
from typing import Final

_SOI: Final = b"\xff\xd8"
_J2K: Final = b"\xff\x4f\xff\x51"
_JP2: Final = b"\x00\x00\x00\x0cjP  "
# Start of frame markers: SOF0-SOF15 without DHT, JPG and DAC; SOF55 of JPEG-LS.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment
_MAX_SEGMENTS: Final = 4096


def dimensions(stream: bytes) -> tuple[int, int, int] | None:
    """Return rows, columns and components; None when the stream says nothing of the kind."""
    if stream.startswith(_SOI):
        return _of_jpeg(stream)
    if stream.startswith(_JP2):
        start = stream.find(_J2K, 0, 1 << 16)
        return _of_j2k(stream, start) if start > 0 else None
    if stream.startswith(_J2K):
        return _of_j2k(stream, 0)
    return None


def _of_jpeg(stream: bytes) -> tuple[int, int, int] | None:
    position = 2
    for _ in range(_MAX_SEGMENTS):
        if position + 4 > len(stream) or stream[position] != 0xFF:
            return None
        marker = stream[position + 1]
        if marker == 0xFF:
            position += 1  # fill byte
        elif marker in _ALONE:
            position += 2
        elif marker in _FRAMES:
            if position + 10 > len(stream):
                return None
            rows, columns, components = unpack_from(">HHB", stream, position + 5)
            return rows, columns, components
        else:
            position += 2 + unpack_from(">H", stream, position + 2)[0]
    return None


def _of_j2k(stream: bytes, start: int) -> tuple[int, int, int] | None:
    if start + 42 > len(stream):
        return None
    right, bottom, left, top = unpack_from(">IIII", stream, start + 8)
    components = unpack_from(">H", stream, start + 40)[0]
    return bottom - top, right - left, components
