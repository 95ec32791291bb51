"""Reads the elements of a data set up to its pixel data, from bytes a stranger sent.

It runs while the practice is locked, so it decides only where elements begin and end: values
stay bytes, pixel data is not touched, and whatever is not laid out as DICOM PS3.5 section 7 says
is refused with `FormatError`. Two liberties that real files take are followed as pydicom follows
them: a declared VR encoding that the first element contradicts, and implicit VR inside sequences.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from serment.core.dicom import syntax as layout
from serment.core.dicom.elements import (
    MAX_ELEMENTS,
    PIXEL_GROUP,
    Budget,
    Element,
    Elements,
    Overrun,
    damaged,
    read_elements,
    read_head,
    starting_order,
)
from serment.core.dicom.syntax import Syntax
from serment.errors import N_, FormatError

__all__ = ["MAX_ELEMENTS", "Bytes", "Cut", "Header", "charset_terms", "inflate", "walk"]

LIMIT: Final = 16 << 20  # bytes of header, after inflating
MAX_RATIO: Final = 200  # inflated bytes per deflated byte, for a header beyond RATIO_FROM
RATIO_FROM: Final = 1 << 20
FIRST_WINDOW: Final = 32 << 10  # nearly every header fits; it is copied out of the pixels' way

Bytes: TypeAlias = bytes | bytearray | memoryview

_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # float, double float, integer
_CHARSET: Final = 0x00080005


@dataclass(frozen=True, slots=True)
class Cut:
    """An element whose value reaches beyond the bytes that were at hand."""

    tag: int
    vr: str
    offset: int  # of its value, in the data set (once inflated)
    length: int  # of its value, 0xFFFFFFFF when undefined


@dataclass(frozen=True, slots=True)
class Header:
    """The top-level elements in front of the pixel data, values as they were sent.

    `elements` maps a tag to its VR and value; the value of a sequence holds its items, without
    the delimiter that ends it. `pixel_offset` is where the pixel data value starts in the data
    that was walked: None when there is none, or when the data set is deflated. `size` is how many
    bytes of the data it takes to walk this header again.
    """

    elements: dict[int, Element]
    pixel_offset: int | None
    charset: tuple[str, ...]
    size: int
    syntax: Syntax
    pixel_tag: int | None  # which of the three kinds of pixel data follows, if any
    cut: Cut | None = None
    pixel_vr: str = ""  # its VR

    @property
    def has_pixels(self) -> bool:
        """Whether pixel data follows the header."""
        return self.pixel_tag is not None


class _More(Exception):
    """The window ends before the header does."""


def walk(data: Bytes, transfer_syntax: str, *, limit: int = LIMIT, partial: bool = False) -> Header:
    """Walk the data set up to its pixel data.

    Args:
        data: the data set, without preamble and file meta information; pixel data is not copied.
        transfer_syntax: the UID it is encoded with; an unknown one counts as explicit VR little
            endian, as PS3.5 asks of every newer one.
        limit: bytes of header that are read at most, counted after inflating.
        partial: `data` is only the beginning; an element that reaches beyond it ends the header.

    Raises:
        FormatError: the bytes are not a data set, or the header exceeds a limit.
    """
    declared = layout.of(transfer_syntax)
    if declared.deflated:
        return _walk_deflated(data, declared, limit, partial)
    size, window = len(data), FIRST_WINDOW
    if isinstance(data, bytes) and size <= limit:
        return _walk_window(data, declared, more=False, partial=partial)
    view = memoryview(data)
    while True:
        taken = min(window, size, limit)
        try:
            return _walk_window(bytes(view[:taken]), declared, taken < size, partial)
        except _More:
            if taken == limit:
                raise _too_large(limit) from None
            window *= 8


def inflate(data: Bytes, *, limit: int = LIMIT) -> bytes:
    """Inflate a deflated data set (DICOM PS3.5 A.5), never making more than `limit` bytes.

    Raises:
        FormatError: not a deflate stream, cut short, or larger than the limit.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    out = _inflate(stream, data, limit + 1)
    if len(out) > limit:
        raise FormatError(
            N_("the deflated data set is larger than {limit} bytes once inflated"), limit=limit
        )
    if not stream.eof:
        raise damaged(N_("the deflated data set is cut short"))
    return out


def _too_large(limit: int) -> FormatError:
    return damaged(N_("the DICOM header is larger than {limit} bytes"), limit=limit)


def _inflate(stream: zlib._Decompress, data: Bytes, room: int) -> bytes:
    try:
        return stream.decompress(data, room)
    except zlib.error:
        raise damaged(N_("the deflated data set does not inflate")) from None


def _walk_deflated(data: Bytes, declared: Syntax, limit: int, partial: bool) -> Header:
    """Inflate only as much as the header needs."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    rest, out, window = data, b"", FIRST_WINDOW
    while True:
        wanted = min(window, limit) - len(out)
        new = _inflate(stream, rest, wanted)
        out, rest = out + new, stream.unconsumed_tail
        used = len(data) - len(rest) - len(stream.unused_data)
        ended = stream.eof or len(new) < wanted
        if len(out) > RATIO_FROM and len(out) > MAX_RATIO * used:
            raise damaged(N_("the deflated data set inflates more than any real one"))
        try:
            found = _walk_window(out, declared, not ended, partial)
        except _More:
            if len(out) >= limit:
                raise _too_large(limit) from None
            window *= 8
            continue
        if ended and not (stream.eof or partial or found.has_pixels):
            raise damaged(N_("the deflated data set is cut short"))
        return replace(found, pixel_offset=None, size=used)


def _walk_window(window: bytes, declared: Syntax, more: bool, partial: bool) -> Header:
    """Walk a header that lies in `window`; `more` says that the data goes on after it."""
    order = starting_order(window, 0, declared)
    elements, budget = Elements(), Budget()
    pixel_tag, pixel_vr, cut, end = None, "", None, 0
    try:
        while end < len(window) and pixel_tag is None:
            end = read_elements(window, end, len(window), order, elements, budget, PIXEL_GROUP)
            pixel_tag, pixel_vr, end = _find_pixels(window, end, order, budget)
    except Overrun as overrun:
        if more:
            raise _More from None
        if not partial:
            raise _cut_short(overrun.position) from None
        end, cut = overrun.position, _cut(overrun)
    if more and pixel_tag is None:
        raise _More
    size = end if cut is None else cut.offset
    charset = charset_terms(elements[_CHARSET]) if _CHARSET in elements else ()
    pixel_offset = None if pixel_tag is None else end
    return Header(elements, pixel_offset, charset, size, order, pixel_tag, cut, pixel_vr)


def _find_pixels(
    window: bytes, position: int, order: Syntax, budget: Budget
) -> tuple[int | None, str, int]:
    """Step through group 7FE0; return tag and VR of the pixel data, and where its value starts."""
    while position < len(window):
        tag, vr, start, length = read_head(window, position, len(window), order)
        if tag in _PIXELS:
            return tag, vr, start
        if tag >> 16 != PIXEL_GROUP:
            break
        if start + length > len(window):
            raise Overrun(position)
        position = start + length
        budget.spend()
    return None, "", position


def _cut_short(position: int) -> FormatError:
    return damaged(
        N_("the element at byte {position} is longer than the data that follows it"),
        position=position,
    )


def _cut(overrun: Overrun) -> Cut | None:
    if overrun.tag is None:
        return None
    return Cut(overrun.tag, overrun.vr, overrun.start, overrun.length)


def charset_terms(element: Element) -> tuple[str, ...]:
    """Return the terms of a Specific Character Set (0008,0005), empty ones included."""
    text = element[1].decode("ascii", errors="replace")
    return tuple(term.strip(" \0") for term in text.split("\\"))
