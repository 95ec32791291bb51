"""Cuts one frame out of a stored object as a small DICOM file of its own, without any identity.

What decodes pictures then needs neither the whole object nor a patient's name: the excerpt holds
the frame and what it takes to show it (DICOM PS3.3 C.7.6.3, C.11.1, C.11.2), nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Any, Final

from serment.core.dicom import uids
from serment.core.dicom.elements import Budget, Elements, items
from serment.core.dicom.fragments import Read, damaged, read_exactly
from serment.core.dicom.frames import PixelLayout, frame_of, no_picture, open_pixels
from serment.core.dicom.part10 import build_meta, read_meta
from serment.core.dicom.syntax import LONG, US_OR_SS, Syntax
from serment.core.dicom.values import little_endian
from serment.core.dicom.walker import Header, walk
from serment.errors import N_, FormatError

MAX_PIXELS: Final = 64 << 20  # in one frame
MAX_DECODED: Final = 256 << 20  # bytes of one frame once decoded

_SHOWING: Final[tuple[int, ...]] = (
    *(0x00280002, 0x00280004, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101),
    *(0x00280102, 0x00280103, 0x00280120, 0x00280121, 0x00281050, 0x00281051, 0x00281052),
    *(0x00281053, 0x00281054, 0x00281056, 0x00281101, 0x00281102, 0x00281103, 0x00281201),
    *(0x00281202, 0x00281203, 0x00281221, 0x00281222, 0x00281223, 0x00283000, 0x00283010),
)
_SHARED, _PER_FRAME = 0x52009229, 0x52009230  # functional groups of enhanced objects
_MACROS: Final = (0x00289145, 0x00289132)  # pixel value transformation, frame VOI LUT
_FRAGMENT_HEAD: Final = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0"  # no table, one item
STREAM_AT: Final = 16  # where the bit stream starts in the pixel data of an excerpt
_END: Final = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
_SHORT_HEAD: Final = Struct("<HH2sH")
_LONG_HEAD: Final = Struct("<HH2sHI")
_LENGTH: Final = Struct("<I")


def excerpt(read: Read, clinical: Mapping[str, Any], frame: int) -> bytes:
    """Return a DICOM file that holds frame number `frame`, counted from 1, and how to show it.

    Args: as `frames.read_frame`.

    Raises:
        NotFound: there is no such frame.
        FormatError: no picture, a video, damaged, or larger than the limits of this module.
    """
    read, layout = open_pixels(read, clinical)
    _check_size(layout)
    data = frame_of(read, layout, frame)
    head = read_exactly(read, 0, layout.offset)
    meta = read_meta(head)
    header = walk(head[meta.dataset_offset :], meta.transfer_syntax, partial=True)
    if header.pixel_tag is None:
        raise no_picture()
    shown: Elements = {tag: header.elements[tag] for tag in _SHOWING if tag in header.elements}
    parts = {tag: _write(tag, *shown[tag], header.syntax, shown) for tag in shown}
    parts |= _functional_groups(header, frame)
    syntax = uids.EXPLICIT_LITTLE if layout.native else layout.transfer_syntax
    pixels = _native(header.pixel_tag, layout, data) if layout.native else _encapsulated(data)
    body = b"".join(parts[tag] for tag in sorted(parts))
    return build_meta(uids.ANY_PICTURE, uids.NO_INSTANCE, syntax) + body + pixels


def _check_size(layout: PixelLayout) -> None:
    pixels = layout.rows * layout.columns
    if pixels > MAX_PIXELS or layout.frame_bits > MAX_DECODED * 8:
        raise FormatError(
            N_("the picture is too large to be shown: {columns} by {rows}"),
            columns=layout.columns,
            rows=layout.rows,
            hint=N_("fetch the object itself and open it in a viewer"),
        )


def _functional_groups(header: Header, frame: int) -> dict[int, bytes]:
    """Return rescale and window of an enhanced object's frame as plain elements."""
    budget = Budget()
    found: Elements = {}
    order = header.syntax
    for sequence, index in ((_SHARED, 0), (_PER_FRAME, frame - 1)):
        group = _item(header.elements, sequence, index, header.syntax, budget)
        for macro in _MACROS if group else ():
            inner = _item(group[1], macro, 0, group[0], budget) if group else None
            if inner is not None:
                order, elements = inner
                found |= {tag: elements[tag] for tag in _SHOWING if tag in elements}
    return {tag: _write(tag, *element, order, found) for tag, element in found.items()}


def _item(
    elements: Elements, tag: int, index: int, order: Syntax, budget: Budget
) -> tuple[Syntax, Elements] | None:
    if tag not in elements:
        return None
    found = items(elements[tag][1], order, budget)
    return found[index] if index < len(found) else None


def _write(tag: int, vr: str, value: bytes, order: Syntax, others: Elements) -> bytes:
    """Return the element in explicit VR little endian; empty when it cannot be written so."""
    if vr == "SQ":
        if not order.little:
            return b""
        vr = vr if order.explicit else "UN"  # its items stay implicit (PS3.5 section 6.2.2)
    elif not order.little:
        value = little_endian(vr, value)
    if tag in US_OR_SS and others.get(0x00280103, ("", b""))[1].strip(b"\0"):
        vr = "SS" if vr == "US" else vr
    return _element(tag, vr, value)


def _element(tag: int, vr: str, value: bytes) -> bytes:
    code = vr.encode("ascii", errors="replace")
    if code in LONG:
        return _LONG_HEAD.pack(tag >> 16, tag & 0xFFFF, code, 0, len(value)) + value
    if len(code) != 2 or len(value) > 0xFFFF:
        return b""
    return _SHORT_HEAD.pack(tag >> 16, tag & 0xFFFF, code, len(value)) + value


def _native(tag: int, layout: PixelLayout, data: bytes) -> bytes:
    """Return the pixel element: integer, float or double float, as the original one is."""
    vr = {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(tag, "OB" if layout.bits <= 8 else "OW")
    if len(data) & 1:
        data += b"\0"
    return _element(tag, vr, data)


def _encapsulated(data: bytes) -> bytes:
    if not data:
        raise damaged()
    if len(data) & 1:
        data += b"\0"
    head = _LONG_HEAD.pack(0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    return head + _FRAGMENT_HEAD + _LENGTH.pack(len(data)) + data + _END
