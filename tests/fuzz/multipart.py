"""Fuzz target: a multipart body gives the same parts whatever its chunks, or is refused.

Beside the reader stand the plain rules on the whole body at once and, where it finds no fault,
Python's own `email.parser`. Limits are made small, so that short inputs reach them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP

from serment.core.dicom import multipart
from serment.core.dicom.multipart import (
    MultipartReader,
    PartData,
    PartEnd,
    PartStart,
    boundary_of,
    parse_content_type,
)
from serment.errors import FormatError

BOUNDARY = b"b"
DELIMITER = b"\r\n--" + BOUNDARY
PREAMBLE, HEADERS = 300, 200  # bytes: bounds that short inputs reach

Parts = list[tuple[str, bytes]]


def seeds() -> Iterator[bytes]:
    yield b"--b\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--b \t\r\n\r\n\r\n\r\n--\r\n--b--\r\n"
    yield b'multipart/related; type="application/dicom"; boundary="a\\b"'
    yield b"multipart/related; boundary=a_b; x=y"
    yield b"no part\r\n--b\r\n\r\none\r\n--b\r\nX: y\r\n z\r\n\r\ntwo\r\n--bc\r\n--b--after"
    yield b"--b\r\nX: " + b"x" * (HEADERS - 3) + b"\r\n\r\none\r\n--b--"
    yield b"-" * PREAMBLE + b"\r\n--b\r\n\r\none\r\n--b--"
    yield b"--b\r\n\r\none\r\n--b-- \t\r\nafter --b--\r\n--b\r\n"
    yield b"--b" + b" " * HEADERS + b"\r\n\r\none\r\n--b--"


def parts(body: bytes, step: int) -> Parts | None:
    """(content type, bytes) of each part; None when the body is refused."""
    reader = MultipartReader(BOUNDARY)
    found: Parts = []
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
            assert len(reader._held) <= HEADERS + len(DELIMITER) + step
        reader.finish()
    except FormatError:
        return None
    assert not open_part
    return found


@contextlib.contextmanager
def small_bounds() -> Iterator[None]:
    """The reader's bounds as small as `PREAMBLE` and `HEADERS`, and afterwards as they were."""
    real = multipart.MAX_PREAMBLE, multipart.MAX_PART_HEADERS
    multipart.MAX_PREAMBLE, multipart.MAX_PART_HEADERS = PREAMBLE, HEADERS  # type: ignore[misc]
    try:
        yield
    finally:
        multipart.MAX_PREAMBLE, multipart.MAX_PART_HEADERS = real  # type: ignore[misc]


def fuzz_one(data: bytes) -> None:
    """Anything but `FormatError` is a fault, and so is an answer that depends on the chunks."""
    with small_bounds():
        look(data)


def look(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        found = boundary_of(data[:200].decode("latin-1"))
        assert re.fullmatch(rb"[0-9A-Za-z'()+_,\-./:=? ]{1,70}(?<! )", found)
    whole = parts(data, max(len(data), 1))
    assert parts(data, 1) == whole
    assert parts(data, 7) == whole
    assert plain(data) == whole
    if whole is not None:
        compare(data, whole)


def plain(body: bytes) -> Parts | None:
    """The same by the grammar of RFC 2046 5.1.1, on the whole body at once."""
    rest = b"\r\n" + body
    start = rest.find(DELIMITER)
    if not 0 <= start <= PREAMBLE:
        return None
    rest, found = rest[start + len(DELIMITER) :], []
    while not rest.startswith(b"--"):
        line = re.match(rb"[ \t]*", rest)
        assert line is not None
        rest = rest[line.end() :]
        head = rest.find(b"\r\n\r\n")
        if not rest.startswith(b"\r\n") or line.end() > HEADERS or not 0 <= head <= HEADERS:
            return None
        kind, rest = content_type(rest[:head]), rest[head + 2 :]
        content, delimiter, rest = rest.partition(DELIMITER)
        if kind is None or not delimiter:
            return None
        found.append((kind, content[2:]))  # after the line that ends the headers
    return found if re.fullmatch(rb"--[ \t]*(\r\n.*)?", rest, re.DOTALL) else None


def content_type(block: bytes) -> str | None:
    """Of a part's header lines; None when they are none."""
    unfolded = re.sub(rb"\r\n[ \t]", b" ", block).decode("latin-1")
    kind = ""
    for line in filter(None, unfolded.split("\r\n")):
        name = re.match(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):", line)
        if name is None:
            return None
        if name[1].lower() == "content-type" and not kind:
            kind = line[name.end() :].strip() or " "
    try:
        return parse_content_type(kind or "application/dicom")[0]
    except FormatError:
        return None


def compare(data: bytes, ours: Parts) -> None:
    """Where email.parser sees no defect and no bare line end confuses it, it sees our parts."""
    head = b'Content-Type: multipart/related; boundary="b"\r\n\r\n'
    message = BytesParser(policy=HTTP).parsebytes(head + data)
    if (
        message.defects
        or not message.is_multipart()
        or len(re.findall(rb"\r|\n", data)) != 2 * (data.count(b"\r\n"))
    ):
        return
    theirs = [part.get_payload(decode=True) for part in message.iter_parts()]
    if all(isinstance(part, bytes) for part in theirs) and not any(
        part.defects or part["Content-Transfer-Encoding"] for part in message.iter_parts()
    ):
        assert theirs == [content for _, content in ours]
