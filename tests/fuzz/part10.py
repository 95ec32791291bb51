"""Fuzz target: a whole DICOM file through everything that reads one without decoding pixels.

Meta information, header, split, JSON model, first and last frame, excerpt: each gives a value or
one of Serment's errors, whatever the file.
"""

from __future__ import annotations

import contextlib
import json as plain_json
from pathlib import Path
from typing import Any

import pydicom.data

from serment.core.dicom import dicomdir, headers, json
from serment.core.dicom.excerpt import excerpt
from serment.core.dicom.fragments import Read
from serment.core.dicom.frames import read_frame
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.walker import walk
from serment.errors import FormatError, NotFound

FILES = (
    "SC_rgb_rle_2frame.dcm",
    "test-SR.dcm",
    "SC_rgb_small_odd.dcm",
    "image_dfl.dcm",
    "DICOMDIR",
)
LONGEST = 12_000  # bytes of a seed


def fuzz_one(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        dicomdir.read(data)
    with contextlib.suppress(FormatError):
        plain_json.dumps(json.metadata(data, "bulk"), allow_nan=False)
    try:
        meta = read_meta(data)
        header = walk(memoryview(data)[meta.dataset_offset :], meta.transfer_syntax)
    except FormatError:
        return
    identity, clinical = headers.split(header, meta)
    assert headers.decode(headers.encode(identity)) == identity
    assert headers.decode(headers.encode(clinical)) == clinical
    clinical["size"] = len(data)
    frames(data, clinical)


def frames(data: bytes, clinical: dict[str, Any]) -> None:
    def read(offset: int, size: int) -> bytes:
        assert offset >= 0 <= size
        return data[offset : offset + size]

    last = clinical.get("NumberOfFrames", 1)
    for frame in {1, 2, last if isinstance(last, int) else 1}:
        with contextlib.suppress(FormatError, NotFound):
            assert len(read_frame(read, clinical, frame)) <= 2 * len(data) + 1_000_000
        one_excerpt(read, clinical, frame)


def one_excerpt(read: Read, clinical: dict[str, Any], frame: int) -> None:
    with contextlib.suppress(FormatError, NotFound):
        small = excerpt(read, clinical, frame)
        meta = read_meta(small)
        assert walk(small[meta.dataset_offset :], meta.transfer_syntax).has_pixels


def seeds() -> list[bytes]:
    folder = Path(pydicom.data.__file__).parent
    return [next(folder.rglob(name)).read_bytes()[:LONGEST] for name in FILES]
