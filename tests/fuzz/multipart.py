"""Fuzz target: a multipart body gives the same parts whatever its chunks, or is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from serment.core.dicom.multipart import (
    MultipartReader,
    PartData,
    PartEnd,
    PartStart,
    boundary_of,
)
from serment.errors import FormatError

BOUNDARY = b"b"


def seeds() -> Iterator[bytes]:
    yield b"--b\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--b \t\r\n\r\n\r\n\r\n--\r\n--b--\r\n"
    yield b'multipart/related; type="application/dicom"; boundary="a\\b"'


def parts(body: bytes, step: int) -> list[tuple[str, bytes]] | None:
    """(content type, bytes) of each part; None when the body is refused."""
    reader = MultipartReader(BOUNDARY)
    found: list[tuple[str, bytes]] = []
    open_part = False
    try:
        for start in range(0, len(body), step):
            for event in reader.feed(body[start : start + step]):
                if isinstance(event, PartStart):
                    assert not open_part
                    open_part = True
                    found.append((event.content_type, b""))
                elif isinstance(event, PartData):
                    assert open_part
                    found[-1] = (found[-1][0], found[-1][1] + bytes(event.data))
                else:
                    assert isinstance(event, PartEnd)
                    open_part = False
        reader.finish()
    except FormatError:
        return None
    assert not open_part
    return found


def fuzz_one(data: bytes) -> None:
    """Anything but `FormatError` is a fault, and so is an answer that depends on the chunks."""
    with contextlib.suppress(FormatError):
        boundary_of(data[:200].decode("latin-1"))
    whole = parts(data, max(len(data), 1))
    assert parts(data, 1) == whole
    assert parts(data, 7) == whole
