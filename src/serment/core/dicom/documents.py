"""Finds the document inside an Encapsulated Document object, so that it can be streamed out of it.

It decides where the document's bytes lie (DICOM PS3.3 C.24.2); whether a document of its kind can
be shown is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from serment.core.dicom import uids
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.walker import inflate, walk
from serment.errors import N_, FormatError

HEAD: Final = 256 * 1024  # bytes read to find it; what comes in front is a header of some kB
MAX_INFLATED: Final = 256 << 20  # bytes of a deflated object

_DOCUMENT: Final = 0x00420011
_UNDEFINED: Final = 0xFFFFFFFF

Read = Callable[[int, int], bytes]
"""Bytes of the file from an offset: fewer than asked only at its end."""


class Place(NamedTuple):
    """Where the document lies in the file: offset and length in bytes. `data` holds it instead
    when it had to be taken out already."""

    offset: int
    length: int
    data: bytes | None = None


def find_document(read: Read, size: int) -> Place:
    """The place of the document in a DICOM file of `size` bytes; padding left out.

    Raises:
        FormatError: there is none, or the file is not laid out as it must be.
    """
    head = read(0, min(size, HEAD))
    meta = read_meta(head)
    if meta.transfer_syntax in uids.DEFLATED:
        return _in_deflated(read(0, size), meta.dataset_offset)
    header = walk(memoryview(head)[meta.dataset_offset :], meta.transfer_syntax, partial=True)
    if _DOCUMENT in header.elements:
        return _taken(header.elements[_DOCUMENT][1])
    cut = header.cut
    if cut is None or cut.tag != _DOCUMENT or cut.length == _UNDEFINED:
        raise _none()
    offset = meta.dataset_offset + cut.offset
    if offset + cut.length > size:
        raise _none()
    return Place(offset, cut.length - (read(offset + cut.length - 1, 1) == b"\0"))


def _in_deflated(whole: bytes, start: int) -> Place:
    plain = inflate(memoryview(whole)[start:], limit=MAX_INFLATED)
    header = walk(plain, uids.EXPLICIT_LITTLE)
    if _DOCUMENT not in header.elements:
        raise _none()
    return _taken(header.elements[_DOCUMENT][1])


def _taken(value: bytes) -> Place:
    """Values have an even length: one zero byte may follow the document (PS3.5 section 7.1.1)."""
    data = value[:-1] if value.endswith(b"\0") else value
    return Place(0, len(data), data)


def _none() -> FormatError:
    return FormatError(
        N_("this object holds no document"),
        hint=N_("fetch the object itself and open it in a viewer"),
    )
