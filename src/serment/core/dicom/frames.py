"""Finds one frame inside a stored object, so that it can be served without reading the rest.

It decides how the pixel data lies in the file and where a native frame is; the fragments of an
encapsulated one are `fragments`' work, decoding is that of `pixels`. Source: DICOM PS3.5 section 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from serment.core.dicom import uids
from serment.core.dicom.fragments import MAX_FRAME, Read, damaged, frame_spans, read_exactly
from serment.core.dicom.part10 import build_meta, read_meta
from serment.core.dicom.values import little_endian
from serment.core.dicom.walker import Header, inflate, walk
from serment.errors import N_, FormatError, NotFound

MAX_INFLATED: Final = 256 << 20  # bytes of a deflated object

_SUBSAMPLED: Final = {"YBR_FULL_422": 2, "YBR_PARTIAL_422": 2, "YBR_PARTIAL_420": 1.5}
_VIDEO: Final = tuple(f"1.2.840.10008.1.2.4.10{n}" for n in range(9))


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How the pixel data of one object lies in its file."""

    transfer_syntax: str
    rows: int
    columns: int
    samples: int
    bits: int  # allocated for one sample
    frames: int
    photometric: str
    offset: int  # of the pixel data value
    size: int  # of the whole file

    @property
    def native(self) -> bool:
        """Whether frames lie one after the other as they are, not encapsulated."""
        return self.transfer_syntax in uids.NATIVE

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame."""
        per_pixel = _SUBSAMPLED.get(self.photometric, self.samples) if self.native else self.samples
        return int(self.rows * self.columns * per_pixel * self.bits)


def layout_of(clinical: Mapping[str, Any]) -> PixelLayout:
    """Return the layout that the clinical attributes of an object tell.

    Raises:
        FormatError: the object has no picture.
    """
    rows, columns, bits = (_number(clinical, k) for k in ("Rows", "Columns", "BitsAllocated"))
    if not (rows and columns and bits):
        raise no_picture()
    return PixelLayout(
        transfer_syntax=str(clinical.get("AvailableTransferSyntaxUID", "")),
        rows=rows,
        columns=columns,
        samples=_number(clinical, "SamplesPerPixel") or 1,
        bits=bits,
        frames=max(_number(clinical, "NumberOfFrames"), 1),
        photometric=str(clinical.get("PhotometricInterpretation", "")),
        offset=_number(clinical, "header_size"),
        size=_number(clinical, "size"),
    )


def _number(clinical: Mapping[str, Any], keyword: str) -> int:
    value = clinical.get(keyword, 0)
    return value if isinstance(value, int) else 0


def no_picture() -> FormatError:
    """Return the error for an object that holds no image: a report, a document, a plan."""
    return FormatError(
        N_("this object holds no picture"),
        hint=N_("fetch the object itself; reports and documents are not shown as pictures"),
    )


def open_pixels(read: Read, clinical: Mapping[str, Any]) -> tuple[Read, PixelLayout]:
    """Return the layout, and a `read` for it: a deflated object is inflated whole, bounded.

    Raises:
        FormatError: the object has no picture, is a video, or is too large.
    """
    layout = layout_of(clinical)
    deflated = layout.transfer_syntax in uids.DEFLATED
    if layout.offset >= layout.size and not deflated:
        raise no_picture()
    if layout.transfer_syntax.startswith(_VIDEO):
        raise FormatError(
            N_("this object is a video; single frames of it are not served"),
            hint=N_("fetch the object itself and play it with a video player"),
        )
    if not deflated:
        return read, layout
    whole, header = inflated_file(read, layout.size)
    if header.pixel_offset is None:
        raise no_picture()
    return reader_of(whole), replace(
        layout,
        transfer_syntax=uids.EXPLICIT_LITTLE,
        offset=header.pixel_offset,
        size=len(whole),
    )


def inflated_file(read: Read, size: int) -> tuple[bytes, Header]:
    """Return a deflated object as a file in explicit VR little endian, and its header, whose
    offsets and size count from the start of that file.

    Raises:
        FormatError: larger than the limit, or it does not inflate.
    """
    if size > MAX_INFLATED:
        raise too_large(MAX_INFLATED)
    data = read_exactly(read, 0, size)
    meta = read_meta(data)
    plain = inflate(memoryview(data)[meta.dataset_offset :], limit=MAX_INFLATED)
    header = walk(plain, uids.EXPLICIT_LITTLE)
    head = build_meta(uids.ANY_PICTURE, uids.NO_INSTANCE, uids.EXPLICIT_LITTLE)
    offset = None if header.pixel_offset is None else len(head) + header.pixel_offset
    return head + plain, replace(header, pixel_offset=offset, size=len(head) + header.size)


def reader_of(data: bytes) -> Read:
    """Return a `read` of bytes that are at hand."""
    return lambda offset, size: data[offset : offset + size]


def read_frame(read: Read, clinical: Mapping[str, Any], frame: int) -> bytes:
    """Return frame number `frame`, counted from 1, as WADO-RS serves it.

    Args:
        read: gives bytes of the DICOM file from an offset, fewer than asked only at its end.
        clinical: the attributes `headers.split` gave, with `size`.

    Native frames come little endian, encapsulated ones as their bit stream.

    Raises:
        NotFound: there is no such frame. FormatError: no picture, a video, or damaged pixel data.
    """
    read, layout = open_pixels(read, clinical)
    return frame_of(read, layout, frame)


def check_frames(layout: PixelLayout, frames: Iterable[int]) -> None:
    """Raise `NotFound` when one of these frames is not in the object."""
    for frame in frames:
        if not 1 <= frame <= layout.frames:
            raise NotFound(
                N_("there is no frame {frame}; the object has {count}"),
                frame=frame,
                count=layout.frames,
            )


def frame_size(layout: PixelLayout) -> int | None:
    """Return the bytes of one frame; None when each must be looked at."""
    return (layout.frame_bits + 7) // 8 if layout.native else None


def frame_of(read: Read, layout: PixelLayout, frame: int) -> bytes:
    """Return one frame of an object whose layout is known; errors as `read_frame`."""
    check_frames(layout, (frame,))
    if layout.native:
        return _native_frame(read, layout, frame)
    spans = frame_spans(read, layout.offset, layout.size, layout.frames, frame)
    return b"".join(read_exactly(read, offset, length) for offset, length in spans)


def _native_frame(read: Read, layout: PixelLayout, frame: int) -> bytes:
    first = (frame - 1) * layout.frame_bits
    last = first + layout.frame_bits
    if layout.frame_bits > MAX_FRAME * 8:
        raise too_large(MAX_FRAME)
    start, end = first // 8, (last + 7) // 8
    if layout.offset + end > layout.size:
        raise damaged()
    if layout.transfer_syntax == uids.EXPLICIT_BIG:
        return _from_big_endian(read, layout, start, end)
    found = read_exactly(read, layout.offset + start, end - start)
    if first % 8 == layout.frame_bits % 8 == 0:
        return found
    return _bits(found, first % 8, layout.frame_bits)


def _bits(data: bytes, bits: int, wanted: int) -> bytes:
    """Return `wanted` bits from number `bits` on: frames of single bits start inside bytes."""
    value = int.from_bytes(data, "little") >> bits & (1 << wanted) - 1
    return value.to_bytes((wanted + 7) // 8, "little")


def _from_big_endian(read: Read, layout: PixelLayout, start: int, end: int) -> bytes:
    """Return the bytes in little endian order; 8-bit samples sent as words are turned too."""
    vr = read_exactly(read, layout.offset - 8, 2).decode("ascii", errors="replace")
    if vr == "OW" and layout.bits == 32:
        vr = "OL"
    extra_start, extra_end = start % 2, end % 2
    whole = end + extra_end - start + extra_start
    found = read_exactly(read, layout.offset + start - extra_start, whole)
    return little_endian(vr, found)[extra_start : extra_start + end - start]


def too_large(limit: int) -> FormatError:
    """Return the error for a picture that would take too much memory."""
    return FormatError(N_("the picture is larger than {limit} bytes"), limit=limit)
