"""The walker, on data sets written by hand: what it reads, where it stops, what it refuses."""

from __future__ import annotations

import struct
import zlib

import pytest

from serment.core.dicom import uids, walker
from serment.core.dicom.walker import Header, walk
from serment.errors import FormatError

END_ITEM = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
END_SEQUENCE = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
UNDEFINED = 0xFFFFFFFF
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}


def explicit(tag: int, vr: str, value: bytes = b"", length: int | None = None, order="<") -> bytes:
    size = len(value) if length is None else length
    head = struct.pack(f"{order}HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in LONG:
        return head + struct.pack(f"{order}HI", 0, size) + value
    return head + struct.pack(f"{order}H", size) + value


def implicit(tag: int, value: bytes = b"", length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, size) + value


def item(content: bytes, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return struct.pack("<HHI", 0xFFFE, 0xE000, size) + content


CLASS = explicit(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")
NAME = explicit(0x00100010, "PN", b"LEFEVRE^ANNE")
PIXELS = explicit(0x7FE00010, "OW", bytes(range(64)))


def tags(header: Header) -> list[int]:
    return list(header.elements)


def test_stops_at_the_pixel_value_and_says_where_it_starts() -> None:
    data = CLASS + NAME + PIXELS
    header = walk(data, uids.EXPLICIT_LITTLE)
    assert header.elements == {
        0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
        0x00100010: ("PN", b"LEFEVRE^ANNE"),
    }
    assert header.pixel_offset == header.size == len(CLASS + NAME) + 12
    assert data[header.pixel_offset :] == bytes(range(64))


@pytest.mark.parametrize("number", [0x0008, 0x0009, 0x0010])
def test_float_pixel_data_counts_as_pixel_data(number: int) -> None:
    vr = {0x0008: "OF", 0x0009: "OD", 0x0010: "OB"}[number]
    header = walk(NAME + explicit(0x7FE00000 | number, vr, bytes(8)), uids.EXPLICIT_LITTLE)
    assert header.has_pixels
    assert tags(header) == [0x00100010]


def test_steps_over_the_extended_offset_table() -> None:
    tables = explicit(0x7FE00001, "OV", bytes(16)) + explicit(0x7FE00002, "OV", bytes(16))
    header = walk(NAME + tables + PIXELS, uids.EXPLICIT_LITTLE)
    assert tags(header) == [0x00100010]
    assert header.pixel_offset == len(NAME + tables) + 12


def test_group_7fe0_without_pixel_data_is_stepped_over() -> None:
    data = CLASS + explicit(0x7FE00003, "UV", bytes(8)) + explicit(0xFFFCFFFC, "OB", b"\0\0")
    header = walk(data, uids.EXPLICIT_LITTLE)
    assert tags(header) == [0x00080016, 0xFFFCFFFC]
    assert not header.has_pixels


def test_an_object_without_pixels_is_read_to_its_end() -> None:
    data = NAME + explicit(0xFFFCFFFC, "OB", bytes(10))
    header = walk(data, uids.EXPLICIT_LITTLE)
    assert tags(header) == [0x00100010, 0xFFFCFFFC]
    assert (header.pixel_offset, header.size) == (None, len(data))


def test_implicit_vr_takes_vrs_from_the_dictionary() -> None:
    data = (
        implicit(0x00080000, b"\4\0\0\0")
        + implicit(0x00100010, b"A^B ")
        + implicit(0x00290010, b"MAKER ")
        + implicit(0x00291001, b"\1\2")
        + implicit(0x60020010, b"\0\2")
        + implicit(0x7FE00010, bytes(4))
    )
    header = walk(data, uids.IMPLICIT_LITTLE)
    assert [vr for vr, _ in header.elements.values()] == ["UL", "PN", "LO", "UN", "US"]
    assert header.pixel_offset == len(data) - 4


def test_big_endian() -> None:
    data = explicit(0x00280010, "US", b"\2\0", order=">") + explicit(
        0x7FE00010, "OW", bytes(4), order=">"
    )
    header = walk(data, uids.EXPLICIT_BIG)
    assert header.elements == {0x00280010: ("US", b"\2\0")}
    assert not header.syntax.little
    assert header.pixel_offset == len(data) - 4


@pytest.mark.parametrize("declared", [uids.IMPLICIT_LITTLE, uids.EXPLICIT_LITTLE])
def test_follows_the_first_element_when_the_syntax_is_declared_wrong(declared: str) -> None:
    right = CLASS + NAME if declared == uids.IMPLICIT_LITTLE else implicit(0x00100010, b"A^B ")
    header = walk(right, declared)
    assert 0x00100010 in header.elements
    assert header.syntax.explicit == (declared == uids.IMPLICIT_LITTLE)


def test_nested_sequences_of_undefined_length() -> None:
    inner = explicit(0x00081150, "UI", b"1.2\0")
    nested = explicit(0x00081199, "SQ", item(inner + END_ITEM, UNDEFINED) + END_SEQUENCE, UNDEFINED)
    content = item(nested + END_ITEM, UNDEFINED) + item(inner)
    data = explicit(0x00081140, "SQ", content + END_SEQUENCE, UNDEFINED) + NAME
    header = walk(data, uids.EXPLICIT_LITTLE)
    assert header.elements[0x00081140] == ("SQ", content)
    assert header.elements[0x00100010] == ("PN", b"LEFEVRE^ANNE")


def test_un_of_undefined_length_is_a_sequence_in_implicit_vr() -> None:
    content = item(implicit(0x00100010, b"SQ^X") + END_ITEM, UNDEFINED)
    data = explicit(0x00091001, "UN", content + END_SEQUENCE, UNDEFINED) + NAME
    header = walk(data, uids.EXPLICIT_LITTLE)
    assert header.elements[0x00091001] == ("SQ", content)
    assert 0x00100010 in header.elements


def test_un_inside_big_endian_is_little_endian() -> None:
    content = item(implicit(0x00100010, b"SQ^X") + END_ITEM, UNDEFINED) + END_SEQUENCE
    data = explicit(0x00091001, "UN", content, UNDEFINED, ">") + explicit(
        0x00280010, "US", b"\0\1", order=">"
    )
    assert tags(walk(data, uids.EXPLICIT_BIG)) == [0x00091001, 0x00280010]


def test_a_fragmented_private_value_is_kept_with_its_fragments() -> None:
    content = item(b"") + item(b"\xff\xd8\xff\xd9")
    data = explicit(0x00091001, "OB", content + END_SEQUENCE, UNDEFINED) + NAME
    header = walk(data, uids.EXPLICIT_LITTLE)
    assert header.elements[0x00091001] == ("OB", content)


def test_one_element_in_implicit_vr_among_explicit_ones() -> None:
    data = CLASS + implicit(0x00100010, b"A^B ") + explicit(0x00100020, "LO", b"42")
    assert walk(data, uids.EXPLICIT_LITTLE).elements[0x00100010] == ("PN", b"A^B ")


def test_an_unknown_vr_is_kept_under_its_name() -> None:
    data = CLASS + explicit(0x00091001, "ZZ", b"abcd") + NAME
    assert walk(data, uids.EXPLICIT_LITTLE).elements[0x00091001] == ("ZZ", b"abcd")


def test_trailing_zeros_shorter_than_an_element_are_padding() -> None:
    assert tags(walk(NAME + b"\0\0\0", uids.EXPLICIT_LITTLE)) == [0x00100010]
    with pytest.raises(FormatError):
        walk(NAME + b"\0\1\0", uids.EXPLICIT_LITTLE)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(NAME[:-1], id="value cut"),
        pytest.param(CLASS + NAME[:6], id="head cut"),
        pytest.param(explicit(0x00091001, "OB", b"", 0x7FFFFFFF), id="huge length"),
        pytest.param(explicit(0x00081140, "SQ", item(NAME), UNDEFINED), id="no delimiter"),
        pytest.param(explicit(0x00081140, "SQ", NAME, UNDEFINED), id="no item"),
        pytest.param(explicit(0x00081140, "SQ", item(b"", 0x7FFFFFFF), UNDEFINED), id="huge item"),
        pytest.param(item(NAME), id="item at top level"),
        pytest.param(CLASS + END_SEQUENCE, id="delimiter at top level"),
        pytest.param(CLASS + END_ITEM + NAME, id="item delimiter at top level"),
        pytest.param(
            explicit(0x00081140, "SQ", item(END_SEQUENCE, UNDEFINED), UNDEFINED), id="crossed"
        ),
        pytest.param(explicit(0x00100010, "PN", b"", UNDEFINED & 0xFFFF), id="longest short"),
        pytest.param(b"\x10\x00", id="two bytes"),
    ],
)
def test_refuses_what_is_not_laid_out_as_dicom(data: bytes) -> None:
    with pytest.raises(FormatError) as refused:
        walk(data, uids.EXPLICIT_LITTLE)
    assert refused.value.advice


def test_refuses_nesting_without_end() -> None:
    opened = explicit(0x00081140, "SQ", b"", UNDEFINED) + item(b"", UNDEFINED)
    with pytest.raises(FormatError, match="nested"):
        walk(opened * 10_000, uids.EXPLICIT_LITTLE)


def test_refuses_too_many_elements() -> None:
    many = struct.pack("<HH2sH", 0x0009, 0x1001, b"LO", 0) * (walker.MAX_ELEMENTS + 1)
    with pytest.raises(FormatError, match="elements"):
        walk(many, uids.EXPLICIT_LITTLE)
    inside = explicit(0x00081140, "SQ", item(many + END_ITEM, UNDEFINED) + END_SEQUENCE, UNDEFINED)
    with pytest.raises(FormatError, match="elements"):
        walk(inside, uids.EXPLICIT_LITTLE)


def test_refuses_a_header_larger_than_the_limit() -> None:
    large = explicit(0x00091001, "OB", bytes(5000))
    assert walk(large + PIXELS, uids.EXPLICIT_LITTLE, limit=6000).has_pixels
    with pytest.raises(FormatError, match="larger than 4000"):
        walk(memoryview(large + PIXELS), uids.EXPLICIT_LITTLE, limit=4000)


def test_a_memoryview_gives_what_bytes_give_even_for_long_headers() -> None:
    data = CLASS + explicit(0x00091001, "OB", bytes(300_000)) + NAME + PIXELS + bytes(2_000_000)
    assert walk(memoryview(bytearray(data)), uids.EXPLICIT_LITTLE) == walk(
        data, uids.EXPLICIT_LITTLE
    )


def test_the_beginning_of_an_object_can_be_walked_again() -> None:
    header = walk(CLASS + NAME + PIXELS, uids.EXPLICIT_LITTLE)
    again = walk((CLASS + NAME + PIXELS)[: header.size], uids.EXPLICIT_LITTLE, partial=True)
    assert again == header


def test_a_value_beyond_a_partial_head_ends_the_header() -> None:
    document = explicit(0x00420011, "OB", bytes(1000))
    data = CLASS + NAME + document
    with pytest.raises(FormatError):
        walk(data[:500], uids.EXPLICIT_LITTLE)
    header = walk(data[:500], uids.EXPLICIT_LITTLE, partial=True)
    assert tags(header) == [0x00080016, 0x00100010]
    assert header.cut is not None
    assert (header.cut.tag, header.cut.vr, header.cut.length) == (0x00420011, "OB", 1000)
    assert header.size == header.cut.offset == len(data) - 1000


def test_the_character_set_comes_with_the_header() -> None:
    data = explicit(0x00080005, "CS", b"\\ISO 2022 IR 87 ") + NAME
    assert walk(data, uids.EXPLICIT_LITTLE).charset == ("", "ISO 2022 IR 87")
    assert walk(NAME, uids.EXPLICIT_LITTLE).charset == ()


# Deflated data sets (PS3.5 A.5)


def deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def test_a_deflated_header_is_inflated_only_as_far_as_needed() -> None:
    noise = b"".join(struct.pack("<I", n * 2654435761 % 2**32) for n in range(250_000))
    whole = CLASS + NAME + explicit(0x7FE00010, "OW", noise)
    packed = deflate(whole)
    header = walk(memoryview(packed), uids.DEFLATED_LITTLE)
    assert header.elements == walk(whole, uids.EXPLICIT_LITTLE).elements
    assert header.has_pixels
    assert header.pixel_offset is None
    assert header.size < len(packed) / 2
    again = walk(packed[: header.size], uids.DEFLATED_LITTLE, partial=True)
    assert again.elements == header.elements


def test_a_deflated_header_longer_than_a_window() -> None:
    noise = b"".join(struct.pack("<I", n * 2654435761 % 2**32) for n in range(250_000))
    whole = CLASS + explicit(0x00091001, "OB", noise) + NAME
    header = walk(deflate(whole), uids.DEFLATED_LITTLE)
    assert header.elements == walk(whole, uids.EXPLICIT_LITTLE).elements
    assert walker.inflate(deflate(whole)) == whole


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xff\xff\xff", id="no deflate stream"),
        pytest.param(deflate(CLASS + NAME)[:-3], id="cut"),
        pytest.param(b"", id="empty"),
        pytest.param(
            deflate(explicit(0x00091001, "OB", bytes(8 << 20)) + NAME), id="inflates too much"
        ),
    ],
)
def test_refuses_deflated_data_that_is_damaged_or_a_bomb(data: bytes) -> None:
    with pytest.raises(FormatError):
        walk(data, uids.DEFLATED_LITTLE)


def test_inflating_is_bounded() -> None:
    with pytest.raises(FormatError, match="larger than 1000"):
        walker.inflate(deflate(bytes(5000)), limit=1000)
    with pytest.raises(FormatError, match="cut short"):
        walker.inflate(deflate(bytes(range(256)) * 20)[:-10])
