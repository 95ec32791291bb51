"""Whatever the frames and however they are cut into fragments, each is found whole."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, encapsulate_extended

from serment.core.dicom.frames import read_frame
from serment.errors import FormatError

START = b"\xff\xd8\xff"
frame_lists = st.lists(
    st.binary(min_size=16, max_size=60).map(lambda b: START + b), min_size=1, max_size=6
)


def facts(header_size: int, size: int, frames: int, syntax: str) -> dict[str, object]:
    return {
        "Rows": 4,
        "Columns": 4,
        "BitsAllocated": 8,
        "NumberOfFrames": frames,
        "AvailableTransferSyntaxUID": syntax,
        "header_size": header_size,
        "size": size,
    }


@given(frame_lists, st.integers(1, 4), st.booleans(), st.binary(max_size=30), st.booleans())
def test_encapsulated_frames(
    frames: list[bytes], fragments: int, table: bool, before: bytes, cut_end: bool
) -> None:
    fragments = min(fragments, *(max(len(frame) // 2, 1) for frame in frames))
    pixels = encapsulate(frames, fragments_per_frame=fragments, has_bot=table)
    data = before + pixels + (b"" if cut_end else struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    known = facts(len(before), len(data), len(frames), "1.2.840.10008.1.2.4.50")
    for number, frame in enumerate(frames, 1):
        found = read_frame(lambda offset, size: data[offset : offset + size], known, number)
        assert found.startswith(frame)
        assert len(found) - len(frame) <= 1  # made even


@given(frame_lists, st.binary(max_size=30))
def test_frames_by_the_extended_offset_table(frames: list[bytes], before: bytes) -> None:
    pixels, offsets, lengths = encapsulate_extended(frames)
    head = before + b"x"
    for number, value in ((1, offsets), (2, lengths)):
        head += struct.pack("<HH2sHI", 0x7FE0, number, b"OV", 0, len(value)) + value
    head += struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
    data = head + pixels
    known = facts(len(head), len(data), len(frames), "1.2.840.10008.1.2.4.90")
    for number, frame in enumerate(frames, 1):
        found = read_frame(lambda offset, size: data[offset : offset + size], known, number)
        assert found.startswith(frame)


@given(st.binary(min_size=16, max_size=200), st.integers(1, 9), st.integers(1, 5))
def test_native_frames_of_any_depth(pixels: bytes, bits: int, frames: int) -> None:
    known = facts(3, 3 + len(pixels), frames, "1.2.840.10008.1.2.1") | {"BitsAllocated": bits}
    data = b"abc" + pixels
    whole = int.from_bytes(pixels, "little")
    for number in range(1, frames + 1):
        try:
            found = read_frame(lambda offset, size: data[offset : offset + size], known, number)
        except FormatError:
            assert 16 * bits * number > 8 * len(pixels)
            continue
        wanted = whole >> 16 * bits * (number - 1) & (1 << 16 * bits) - 1
        assert int.from_bytes(found, "little") == wanted


@given(st.binary(max_size=200), st.integers(1, 2**31), st.integers(0, 250), st.integers(0, 250))
def test_any_pixel_data_is_served_or_refused(
    data: bytes, frames: int, header_size: int, size: int
) -> None:
    known = facts(header_size, size, frames, "1.2.840.10008.1.2.4.70")
    for number in {1, min(2, frames), frames}:
        try:
            found = read_frame(lambda offset, size: data[offset : offset + size], known, number)
        except FormatError:
            continue
        assert len(found) <= len(data)
