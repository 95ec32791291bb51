"""Which media type the bit stream of a frame has, by the transfer syntax it is stored in.

Frames are served as they are stored: native ones little endian whatever the file is, encapsulated
ones as their bit stream. Source: DICOM PS3.18 section 8.7.3 (Tables 8.7.3-2 to 8.7.3-5).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from serment.core.dicom import uids

OCTETS: Final = "application/octet-stream"

_FAMILIES: Final = {
    "image/jpeg": ("4.50", "4.51", "4.57", "4.70"),
    "image/jls": ("4.80", "4.81"),
    "image/jp2": ("4.90", "4.91"),
    "image/jpx": ("4.92", "4.93"),
    "image/jphc": ("4.201", "4.202", "4.203"),
    "image/jxl": ("4.110", "4.111", "4.112"),
    "image/dicom-rle": ("5",),
    "video/mpeg": ("4.100", "4.100.1", "4.101", "4.101.1"),
    "video/mp4": (
        *("4.102", "4.102.1", "4.103", "4.103.1", "4.104", "4.104.1"),
        *("4.105", "4.105.1", "4.106", "4.106.1", "4.107", "4.108"),
    ),
}
_MEDIA: Final = {
    f"1.2.840.10008.1.2.{end}": media for media, ends in _FAMILIES.items() for end in ends
}


class FrameMedia(NamedTuple):
    """The media types under which a frame can be asked for, the one of its own first, and the
    transfer syntax to name in the answer."""

    media: tuple[str, ...]
    transfer_syntax: str


def frame_media(transfer_syntax: str) -> FrameMedia:
    """The media types of the frames of an object stored in that transfer syntax."""
    if transfer_syntax in uids.NATIVE or not transfer_syntax:
        return FrameMedia((OCTETS,), uids.EXPLICIT_LITTLE)
    own = _MEDIA.get(transfer_syntax)
    return FrameMedia((OCTETS,) if own is None else (own, OCTETS), transfer_syntax)
