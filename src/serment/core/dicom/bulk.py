"""Finds the value behind a BulkDataURI inside a stored object, so that it can be streamed.

It decides where the value lies and how its bytes must be turned to be little endian; what the
address looks like is `json`'s work, the frames of encapsulated pixel data are `frames`'.
Source: DICOM PS3.18 section 10.4.1.1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from serment.core.dicom.fragments import Read, read_exactly
from serment.core.dicom.json import bulk_data
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.syntax import UNDEFINED
from serment.core.dicom.values import BINARY, NUMBERS
from serment.core.dicom.walker import Header, walk
from serment.errors import N_, NotFound

PIXELS: Final = {"7FE00008": 0x7FE00008, "7FE00009": 0x7FE00009, "7FE00010": 0x7FE00010}

_LITTLE, _BIG = Struct("<I"), Struct(">I")


@dataclass(frozen=True, slots=True)
class BulkPlace:
    """Where a value lies in the file, in bytes. `vr` says what its words are when they must be
    turned around, else it is empty. `data` holds a small value itself."""

    offset: int
    length: int
    vr: str = ""
    data: bytes | None = None


def find_bulk(read: Read, header_size: int, path: str) -> BulkPlace | None:
    """Find the value that the address ending in `path` names; None when it is encapsulated pixel
    data, which has frames and no value.

    Args: `read` gives bytes of a file that is not deflated; `header_size` is how many of them
    `headers.split` found in front of the pixel data, or of the value that ends the header.

    Raises:
        NotFound: there is no such value. FormatError: the header cannot be walked.
    """
    head = read_exactly(read, 0, header_size)
    meta = read_meta(head)
    header = walk(memoryview(head)[meta.dataset_offset :], meta.transfer_syntax, partial=True)
    if path in PIXELS:
        return _pixels(head, header, PIXELS[path])
    cut = header.cut
    if cut is not None and path == f"{cut.tag:08X}" and cut.length != UNDEFINED:
        return BulkPlace(meta.dataset_offset + cut.offset, cut.length, _turned(cut.vr, header))
    data = bulk_data(head, path)
    return BulkPlace(0, len(data), data=data)


def _pixels(head: bytes, header: Header, tag: int) -> BulkPlace | None:
    """The length stands right in front of the value."""
    if header.pixel_tag != tag:
        raise NotFound(N_("the object has no such bulk data"))
    length = (_LITTLE if header.syntax.little else _BIG).unpack(head[-4:])[0]
    if length == UNDEFINED:
        return None
    return BulkPlace(len(head), length, _turned(header.pixel_vr, header))


def _turned(vr: str, header: Header) -> str:
    words = BINARY.get(vr) or NUMBERS.get(vr, ("", 1))[1]
    return "" if header.syntax.little or words == 1 else vr
