"""One frame of an object, found without reading the others."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, encapsulate_extended, get_frame

from serment.core.dicom import uids
from serment.core.dicom.excerpt import excerpt
from serment.core.dicom.frames import layout_of, read_frame
from serment.core.dicom.headers import split
from serment.core.dicom.part10 import build_meta, read_meta
from serment.core.dicom.walker import walk
from serment.errors import FormatError, NotFound

JPEG = "1.2.840.10008.1.2.4.50"
RLE = "1.2.840.10008.1.2.5"
TEST_FILES = sorted(
    path
    for path in Path(pydicom.data.__file__).parent.rglob("*")
    if path.is_file() and path.read_bytes()[128:132] == b"DICM"
)


def reader(data: bytes) -> Callable[[int, int], bytes]:
    """A `read` that checks it is asked for nothing absurd."""

    def read(offset: int, size: int) -> bytes:
        assert offset >= 0
        assert 0 <= size <= len(data) + 65536
        return data[offset : offset + size]

    return read


def clinical_of(data: bytes) -> dict[str, Any]:
    meta = read_meta(data)
    _identity, clinical = split(walk(data[meta.dataset_offset :], meta.transfer_syntax), meta)
    clinical["size"] = len(data)
    return clinical


def us(tag: int, value: int) -> bytes:
    return struct.pack("<HH2sHH", tag >> 16, tag & 0xFFFF, b"US", 2, value)


def picture(
    pixels: bytes,
    syntax: str = uids.EXPLICIT_LITTLE,
    *,
    rows: int = 2,
    columns: int = 2,
    bits: int = 8,
    frames: int = 1,
    before: bytes = b"",
    samples: int = 1,
    photometric: bytes = b"MONOCHROME2 ",
) -> bytes:
    """A DICOM file around a pixel data value."""
    number = str(frames).encode()
    number += b" " * (len(number) % 2)
    data = us(0x00280002, samples)
    data += struct.pack("<HH2sH", 0x28, 4, b"CS", len(photometric)) + photometric
    data += struct.pack("<HH2sH", 0x28, 8, b"IS", len(number)) + number
    data += us(0x00280010, rows) + us(0x00280011, columns)
    data += us(0x00280100, bits) + us(0x00280101, bits) + us(0x00280103, 0)
    length = len(pixels) if syntax in uids.NATIVE else 0xFFFFFFFF
    head = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, length)
    body = data + before + head + pixels
    if syntax in uids.DEFLATED:
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = stream.compress(body) + stream.flush()
    return build_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3", syntax) + body


def frame_of(data: bytes, number: int) -> bytes:
    return read_frame(reader(data), clinical_of(data), number)


def item(payload: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(payload)) + payload


END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def test_native_frames() -> None:
    data = picture(bytes(range(12)), frames=3)
    assert [frame_of(data, n) for n in (1, 2, 3)] == [b"\0\1\2\3", b"\4\5\6\7", b"\x08\x09\x0a\x0b"]


@pytest.mark.parametrize("number", [0, -1, 4, 2**31])
def test_frames_that_are_not_there(number: int) -> None:
    with pytest.raises(NotFound):
        frame_of(picture(bytes(12), frames=3), number)


def test_frames_of_single_bits_start_inside_bytes() -> None:
    bits = np.arange(27) % 3 == 0
    data = picture(
        np.packbits(bits, bitorder="little").tobytes(), rows=3, columns=3, bits=1, frames=3
    )
    for n in (1, 2, 3):
        found = np.unpackbits(np.frombuffer(frame_of(data, n), np.uint8), bitorder="little")
        assert (found[:9] == bits[9 * (n - 1) : 9 * n]).all()
        assert not found[9:].any()


def test_subsampled_colour_takes_two_bytes_a_pixel() -> None:
    data = picture(bytes(range(16)), frames=2, samples=3, photometric=b"YBR_FULL_422")
    assert frame_of(data, 2) == bytes(range(8, 16))


def test_a_deflated_object_is_inflated() -> None:
    data = picture(bytes(range(12)), uids.DEFLATED_LITTLE, frames=3)
    assert frame_of(data, 2) == b"\4\5\6\7"


@pytest.mark.parametrize("table", [True, False])
def test_encapsulated_frames_with_and_without_a_table(table: bool) -> None:
    frames = [b"\xff\xd8\xffA", b"\xff\xd8\xffBBB", b"\xff\xd8\xffC"]
    data = picture(encapsulate(frames, has_bot=table), JPEG, frames=3)
    assert frame_of(data, 2) == b"\xff\xd8\xffBBB"


@pytest.mark.parametrize("table", [True, False])
def test_frames_of_several_fragments(table: bool) -> None:
    frames = [b"\xff\xd8\xff" + bytes([65 + n]) * 9 for n in range(3)]
    pixels = encapsulate(frames, fragments_per_frame=3, has_bot=table)
    data = picture(pixels, JPEG, frames=3)
    assert frame_of(data, 3) == frames[2]
    assert frame_of(picture(pixels, JPEG, frames=1), 1) == b"".join(frames)


def test_the_extended_offset_table() -> None:
    frames = [b"\xff\xd8\xffA", b"\xff\xd8\xffBB", b"\xff\xd8\xffC"]
    pixels, offsets, lengths = encapsulate_extended(frames)
    tables = b""
    for number, value in ((1, offsets), (2, lengths)):
        tables += struct.pack("<HH2sHI", 0x7FE0, number, b"OV", 0, len(value)) + value
    # Fragments that would be told apart wrongly without the table.
    pixels = pixels.replace(b"\xff\xd8\xff", b"\0\0\0")
    data = picture(pixels + item(b"trailing") + END, JPEG, frames=3, before=tables)
    assert frame_of(data, 2) == b"\0\0\0BB\0"


def test_a_table_of_zeros_is_not_believed() -> None:
    pixels = (
        item(bytes(12)) + item(b"\xff\xd8\xffA") + item(b"\xff\xd8\xffB") + item(b"\xff\xd8\xffC")
    )
    assert frame_of(picture(pixels + END, JPEG, frames=3), 3) == b"\xff\xd8\xffC"


def test_a_missing_delimiter_at_the_end_of_the_file() -> None:
    pixels = item(b"") + item(b"one!") + item(b"two!")
    assert frame_of(picture(pixels, RLE, frames=2), 2) == b"two!"


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\1\2\3\4\5\6\7\x08", id="no items"),
        pytest.param(item(b"") + END, id="no fragments"),
        pytest.param(item(b"") + item(b"only one") + END, id="fewer than frames"),
        pytest.param(item(b"") + item(b"\xff\xd8\xff1")[:-2], id="cut"),
        pytest.param(item(b"\xff\xff\xff\xff\xff\xff\xff\xff") + item(b"one!"), id="wild table"),
        pytest.param(item(b"") + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFF0), id="huge"),
    ],
)
def test_damaged_pixel_data_is_refused(pixels: bytes) -> None:
    with pytest.raises(FormatError):
        frame_of(picture(pixels, JPEG, frames=2), 2)


def test_native_pixel_data_that_is_too_short_is_refused() -> None:
    with pytest.raises(FormatError):
        frame_of(picture(bytes(11), frames=3), 3)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.107"])
def test_a_video_has_no_frames(syntax: str) -> None:
    with pytest.raises(FormatError, match="video"):
        frame_of(picture(item(b"") + item(b"stream") + END, syntax, frames=2), 1)


@pytest.mark.parametrize(
    "clinical",
    [
        {},
        {"Rows": 2, "Columns": 2},
        {"Rows": 2, "Columns": 0, "BitsAllocated": 8},
        {"Rows": "2", "Columns": 2, "BitsAllocated": 8},
        {"Rows": 2, "Columns": 2, "BitsAllocated": 8, "header_size": 10, "size": 10},
    ],
)
def test_objects_without_a_picture(clinical: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="no picture"):
        read_frame(reader(b""), clinical, 1)


def test_the_layout_says_how_large_a_frame_is() -> None:
    layout = layout_of(clinical_of(picture(bytes(8), bits=16)))
    assert (layout.rows, layout.columns, layout.frames, layout.frame_bits) == (2, 2, 1, 64)


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_frames_of_pydicoms_test_files(path: Path) -> None:
    data = path.read_bytes()
    try:
        clinical = clinical_of(data)
        first = read_frame(reader(data), clinical, 1)
    except FormatError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(io.BytesIO(data))
        layout = layout_of(clinical)
        for number in {1, layout.frames, (layout.frames + 1) // 2}:
            found = first if number == 1 else read_frame(reader(data), clinical, number)
            if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
                extended = (
                    (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
                    if "ExtendedOffsetTable" in dataset
                    else None
                )
                assert found == get_frame(
                    dataset.PixelData,
                    number - 1,
                    number_of_frames=layout.frames,
                    extended_offsets=extended,
                )
            elif layout.bits > 1:
                size = layout.frame_bits // 8
                stored = dataset.PixelData[(number - 1) * size : number * size]
                if "OW" in str(dataset["PixelData"].VR) and uids.EXPLICIT_BIG in str(meta_of(data)):
                    width = 4 if layout.bits == 32 else 2
                    whole = dataset.PixelData[: len(dataset.PixelData) // width * width]
                    swapped = np.frombuffer(whole, f">u{width}").astype(f"<u{width}").tobytes()
                    stored = swapped[(number - 1) * size : number * size]
                assert found == stored


def meta_of(data: bytes) -> str:
    return read_meta(data).transfer_syntax


# Excerpts


def test_an_excerpt_holds_the_frame_and_no_identity() -> None:
    name = struct.pack("<HH2sH", 0x10, 0x10, b"PN", 8) + b"LEFEVRE^"
    window = struct.pack("<HH2sH", 0x28, 0x1050, b"DS", 2) + b"40"
    data = picture(bytes(range(12)), frames=3, before=window)
    data = data.replace(us(0x00280002, 1), name + us(0x00280002, 1))
    small = excerpt(reader(data), clinical_of(data), 2)
    assert b"LEFEVRE" in data
    assert b"LEFEVRE" not in small
    dataset = dcmread(io.BytesIO(small))
    assert dataset.PixelData == b"\4\5\6\7"
    assert dataset.WindowCenter == 40
    assert "NumberOfFrames" not in dataset
    assert {element.tag.group for element in dataset} <= {0x28, 0x7FE0}


def test_an_excerpt_takes_the_window_of_its_frame() -> None:
    def sq(tag: int, *contents: bytes) -> bytes:
        value = b"".join(item(content) for content in contents)
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, len(value)) + value

    def window(center: bytes) -> bytes:
        return sq(0x00289132, struct.pack("<HH2sH", 0x28, 0x1050, b"DS", 2) + center)

    slope = sq(0x00289145, struct.pack("<HH2sH", 0x28, 0x1053, b"DS", 2) + b"2 ")
    groups = sq(0x52009229, slope) + sq(0x52009230, window(b"10"), window(b"20"))
    data = picture(bytes(8), frames=2, before=groups)
    dataset = dcmread(io.BytesIO(excerpt(reader(data), clinical_of(data), 2)))
    assert (dataset.WindowCenter, dataset.RescaleSlope) == (20, 2)


def test_a_picture_too_large_to_show_is_refused_before_it_is_read() -> None:
    clinical = clinical_of(picture(b"")) | {"Rows": 65535, "Columns": 65535, "size": 10**12}
    with pytest.raises(FormatError, match="too large"):
        excerpt(reader(b""), clinical, 1)
