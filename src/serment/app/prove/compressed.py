"""Recognises where compressed data begins in a block: zlib, gzip, zip entries, deflated DICOM.

A bare deflate stream has no mark of its own; it is recognised by what stands before it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

REACH = 1024  # bytes after a mark that are looked at to know where the data begins
_RAW, _ZLIB, _GZIP = -15, 15, 31  # `wbits` of zlib.decompressobj
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_MARKS = np.zeros(256, dtype=np.bool_)
_MARKS[[*range(0x08, 0x80, 0x10), 0x1F, 0x44, 0x50]] = True


@dataclass(frozen=True, slots=True)
class Beginning:
    """Compressed data from `offset` of the block on; `wbits` as zlib wants them."""

    name: str
    offset: int
    wbits: int


def beginnings(block: bytes, start: int, stop: int) -> Iterator[Beginning]:
    """Every place in `block[start:stop]` where compressed data may begin, by its mark."""
    octets = np.frombuffer(block, dtype=np.uint8)
    stop = min(stop, len(block) - 1)
    if stop <= start:
        return
    places = np.flatnonzero(_MARKS[octets[start:stop]]) + start
    first, second = octets[places], octets[places + 1]
    both = first.astype(np.uint16) << 8 | second
    zlib_like = (first & 0x0F == 8) & (both % 31 == 0) & (second & 0x20 == 0)  # RFC 1950 2.2
    other = (both == 0x1F8B) | (both == 0x504B) | (both == 0x4449)
    for place in places[zlib_like | other].tolist():
        found = _beginning(block, place)
        if found:
            yield found


def _beginning(block: bytes, at: int) -> Beginning | None:
    match block[at : at + 4]:
        case b"PK\x03\x04":
            return _zip_entry(block, at)
        case b"DICM":
            return _deflated_dicom(block, at)
        case mark if mark[:3] == b"\x1f\x8b\x08":
            return Beginning("gzip", at, _GZIP)
        case mark if mark and mark[0] & 0x8F == 8:
            return Beginning("zlib", at, _ZLIB)
    return None


def _zip_entry(block: bytes, at: int) -> Beginning | None:
    """A local file header with method 8 (PKWARE APPNOTE 4.3.7)."""
    if len(block) < at + 30:
        return None
    method, name, extra = struct.unpack_from("<8xH16xHH", block, at)
    offset = at + 30 + name + extra
    return Beginning("zip", offset, _RAW) if method == 8 and offset < len(block) else None


def _deflated_dicom(block: bytes, at: int) -> Beginning | None:
    """A file meta group that names the deflated transfer syntax (DICOM PS3.5 A.5)."""
    if len(block) < at + 16:
        return None
    tag, length = struct.unpack_from("<4x4s4xI", block, at)
    offset = at + 16 + length
    if tag != b"\x02\x00\x00\x00" or offset > len(block) or length > REACH:
        return None
    named = _DEFLATED in block[at:offset]
    return Beginning("deflated DICOM", offset, _RAW) if named else None
