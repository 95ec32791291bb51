"""The multipart reader: parts as RFC 2046 delimits them, refused when they are not."""

from __future__ import annotations

import pytest

from serment.core.dicom.multipart import (
    MultipartReader,
    PartData,
    PartEnd,
    PartStart,
    boundary_of,
    parse_content_type,
)
from serment.errors import FormatError


def read(body: bytes, boundary: bytes = b"b", step: int = 1 << 20) -> list[tuple[str, bytes]]:
    """(content type, bytes) of each part."""
    reader = MultipartReader(boundary)
    parts: list[tuple[str, bytes]] = []
    ended = 0
    for start in range(0, len(body), step):
        for event in reader.feed(body[start : start + step]):
            if isinstance(event, PartStart):
                parts.append((event.content_type, b""))
            elif isinstance(event, PartData):
                parts[-1] = (parts[-1][0], parts[-1][1] + bytes(event.data))
            else:
                assert isinstance(event, PartEnd)
                ended += 1
    reader.finish()
    assert ended == len(parts)
    return parts


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b"--b--", []),
        (b"--b--\r\nepilogue --b\r\n", []),
        (b"--b-- \t", []),  # RFC 2046 5.1.1: blanks, then a line end or that of the body
        (b"--b--\t \r\n--b\r\n", []),
        (b"--b\r\n\r\nx\r\n--b--", [b"x"]),
        (b"--b\r\n\r\n\r\n--b--", [b""]),
        (b"--b\r\n\r\n--b--", [b""]),  # RFC 2046 5.1.1: the line end before the body is optional
        (b"--b\r\nA: 1\r\n\r\n--b\r\n\r\nx\r\n--b--", [b"", b"x"]),
        (b"--b \t\r\n\r\nx\r\n--b--\r\n", [b"x"]),
        (b"preamble\r\n--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--", [b"x", b"y"]),
        (b"--b\r\nA: 1\r\n\r\n\r\n\r\n--\r\nb\r\n-\r\n--b--", [b"\r\n\r\n--\r\nb\r\n-"]),
    ],
)
def test_parts(body: bytes, parts: list[bytes], step: int) -> None:
    assert read(body, step=step) == [("application/dicom", part) for part in parts]


def test_part_types() -> None:
    head = b"--b\r\ncontent-TYPE: Text/Plain;\r\n charset=utf-8\r\nX: y\r\n\r\n"
    assert read(head + b"x\r\n--b--") == [("text/plain", b"x")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b-",
        b"--b--x",
        b"--b-- x",
        b"--b---",
        b"--b--\r",
        b"--b--\n",
        b"--b--\rx",
        b"--b\r\n\r\nx\r\n--b--glued\r\n--b--",
        b"--b\r\n\r\nx",
        b"--b\r\n\r\nx\r\n--b",
        b"--b\r\n\r\nx\r\n--c--",
        b"--bx\r\n\r\nx\r\n--b--",
        b"--b --\r\n",
        b"--b\r\nno colon\r\n\r\nx\r\n--b--",
        b"--b\r\nbad name: x\r\n\r\nx\r\n--b--",
        b"--b\r\nContent-Type: nonsense\r\n\r\nx\r\n--b--",
        b"--b" + b" " * 20_000 + b"\r\n\r\nx\r\n--b--",
        b"--b\r\nA: " + b"x" * 20_000 + b"\r\n\r\nx\r\n--b--",
        b"x" * 100_000 + b"\r\n--b--",
        b"--c\r\n\r\nx\r\n--c--",
    ],
)
@pytest.mark.parametrize("step", [1, 4096, 1 << 20])
def test_bad_framing_is_a_format_error(body: bytes, step: int) -> None:
    if step == 1 and len(body) > 1000:
        body = body[:1000]
    with pytest.raises(FormatError):
        read(body, step=step)


def test_a_reader_keeps_no_more_than_a_boundary() -> None:
    reader = MultipartReader(b"boundary")
    list(reader.feed(b"--boundary\r\n\r\n"))
    for _ in range(100):
        given = sum(
            len(e.data) for e in reader.feed(b"\r\n--bound" * 1000) if isinstance(e, PartData)
        )
        assert given > 8000
        assert len(reader._held) <= len(b"\r\n--boundary")


@pytest.mark.parametrize(
    ("value", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary=abc', b"abc"),
        ('Multipart/Related;boundary="a b\'c"', b"a b'c"),
        ("multipart/related; type=application/dicom; boundary=x; start=1", b"x"),
        ('multipart/related ; Boundary="\\x" ; type="Application/DICOM"', b"x"),
    ],
)
def test_boundaries(value: str, boundary: bytes) -> None:
    assert boundary_of(value) == boundary


@pytest.mark.parametrize(
    "value",
    [
        "",
        "multipart/related",
        "multipart/form-data; boundary=x",
        'multipart/related; type="application/dicom+json"; boundary=x',
        "multipart/related; boundary=",
        'multipart/related; boundary=""',
        'multipart/related; boundary="a "',
        'multipart/related; boundary="é"',
        'multipart/related; boundary="' + "x" * 71 + '"',
        "multipart/related; boundary=a b",
        'multipart/related; boundary="a',
        "multipart/related boundary=a",
    ],
)
def test_content_types_that_are_refused(value: str) -> None:
    with pytest.raises(FormatError):
        boundary_of(value)


def test_content_type_parameters() -> None:
    assert parse_content_type('a/B; x=1; Y="2;\\"3"; x=9;') == ("a/b", {"x": "1", "y": '2;"3'})
