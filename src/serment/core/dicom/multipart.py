"""Reads a multipart/related body piece by piece (RFC 2046 5.1, RFC 2387, DICOM PS3.18 8.6.1.2).

Whatever the chunking, the same parts come out, and no more than one chunk and the length of a
boundary is kept. Leaves to others: what a part is, how much of it may come, storing it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from serment.errors import N_, FormatError

MAX_PREAMBLE: Final = 64 * 1024  # bytes before the first boundary
MAX_PART_HEADERS: Final = 16 * 1024  # bytes

_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TYPE: Final = re.compile(rf"\s*({_TOKEN}/{_TOKEN})\s*")
_PARAMETER: Final = re.compile(
    rf';\s*(?:({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}(?:/{_TOKEN})?))\s*)?'
)


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part begins: its media type in lower case and its headers, names in lower case."""

    content_type: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the current part, valid until the next step of the iteration."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The current part is complete."""


Event = PartStart | PartData | PartEnd


def parse_content_type(value: str) -> tuple[str, dict[str, str]]:
    """A Content-Type as (media type in lower case, parameters with names in lower case).

    >>> parse_content_type('multipart/related; type="application/dicom"; boundary=x')
    ('multipart/related', {'type': 'application/dicom', 'boundary': 'x'})

    Raises:
        FormatError: it is not one.
    """
    match = _TYPE.match(value)
    if match is None:
        raise FormatError(N_("the Content-Type cannot be understood"))
    parameters: dict[str, str] = {}
    position = match.end()
    while position < len(value):
        found = _PARAMETER.match(value, position)
        if found is None:
            raise FormatError(N_("the Content-Type cannot be understood"))
        name, quoted, token = found.groups()
        if name is not None:
            text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token
            parameters.setdefault(name.lower(), text)
        position = found.end()
    return match.group(1).lower(), parameters


def boundary_of(content_type: str) -> bytes:
    """The boundary of a `multipart/related; type="application/dicom"` request.

    Raises:
        FormatError: another type, or a boundary that RFC 2046 does not allow.
    """
    media_type, parameters = parse_content_type(content_type)
    if media_type != "multipart/related" or (
        parameters.get("type", "application/dicom").lower() != "application/dicom"
    ):
        raise FormatError(
            N_("expected multipart/related of application/dicom"),
            hint=N_('send Content-Type: multipart/related; type="application/dicom"; boundary=...'),
        )
    boundary = parameters.get("boundary", "")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise FormatError(N_("the multipart boundary is missing or not allowed"))
    return boundary.encode("ascii")


class MultipartReader:
    """Turns chunks of a body into events; feed every chunk, then call `finish`.

    The events of one chunk must be consumed before the next is fed.
    """

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        # The first boundary needs no line before it (RFC 2046 5.1.1): pretend there was one.
        self._held = b"\r\n"
        self._state = self._preamble
        self._skipped = 0
        self._open = False

    def feed(self, chunk: bytes | bytearray | memoryview) -> Iterator[Event]:
        """Yield what this chunk completes.

        Raises:
            FormatError: the framing is not that of a multipart body.
        """
        data = self._held + chunk
        position = 0
        while True:
            event, position, more = self._state(data, position)
            if event is not None:
                yield event
            if not more:
                break
        self._held = data[position:]

    def finish(self) -> None:
        """The body is over. `FormatError` when its closing boundary has not come."""
        if self._state != self._epilogue and (self._state != self._closed or self._held):
            raise FormatError(
                N_("the multipart body ends before its closing boundary"),
                hint=N_("send the request again; the connection may have been cut"),
            )

    # Each state takes (data, position) and returns (event, new position, whether to go on).

    def _preamble(self, data: bytes, position: int) -> tuple[Event | None, int, bool]:
        found = data.find(self._delimiter, position)
        keep = max(position, len(data) - len(self._delimiter) + 1) if found < 0 else found
        self._skipped += keep - position
        if self._skipped > MAX_PREAMBLE:
            raise FormatError(N_("the multipart body does not begin with its boundary"))
        if found < 0:
            return None, keep, False
        self._state = self._after_delimiter
        return None, found + len(self._delimiter), True

    def _after_delimiter(self, data: bytes, position: int) -> tuple[Event | None, int, bool]:
        end = position
        while end < len(data) and data[end] in b" \t":
            end += 1
        if end - position > MAX_PART_HEADERS:
            raise _bad_boundary()
        tail = data[end : end + 2]
        if tail == b"--" and end == position:
            self._state = self._closed
            return None, position + 2, True
        if tail == b"\r\n":
            self._state = self._part_headers
            # The line end stays: it is also the one that ends an empty header block.
            return None, end, True
        if len(tail) == 2 or (tail and tail not in b"\r-"):
            raise _bad_boundary()
        return None, position, False

    def _part_headers(self, data: bytes, position: int) -> tuple[Event | None, int, bool]:
        end = data.find(b"\r\n\r\n", position, position + MAX_PART_HEADERS + 4)
        if end < 0:
            if len(data) - position >= MAX_PART_HEADERS + 4:
                raise FormatError(N_("a part of the multipart body has too many headers"))
            return None, position, False
        self._state = self._part_begin
        self._open = True
        return _part_start(data[position:end]), end + 2, True

    def _part_begin(self, data: bytes, position: int) -> tuple[Event | None, int, bool]:
        """The line end after the headers may already be that of the next boundary: an empty part."""
        start = data[position : position + len(self._delimiter)]
        if len(start) < len(self._delimiter) and self._delimiter.startswith(start):
            return None, position, False
        self._state = self._part_data
        return None, position if start == self._delimiter else position + 2, True

    def _part_data(self, data: bytes, position: int) -> tuple[Event | None, int, bool]:
        if not self._open:
            self._state = self._after_delimiter
            return PartEnd(), position, True
        found = data.find(self._delimiter, position)
        if found == position:
            self._open = False
            return None, position + len(self._delimiter), True
        if found >= 0:
            return PartData(memoryview(data)[position:found]), found, True
        keep = max(position, len(data) - len(self._delimiter) + 1)
        event = PartData(memoryview(data)[position:keep]) if keep > position else None
        return event, keep, False

    def _closed(self, data: bytes, position: int) -> tuple[Event | None, int, bool]:
        """Blanks, then a line end or that of the body: anything else was no closing boundary."""
        while position < len(data) and data[position] in b" \t":
            position += 1
        tail = data[position : position + 2]
        if tail == b"\r\n":
            self._state = self._epilogue
            return None, position + 2, True
        if tail not in (b"", b"\r"):
            raise _bad_boundary()
        return None, position, False

    def _epilogue(self, data: bytes, position: int) -> tuple[Event | None, int, bool]:
        return None, len(data), False


def _part_start(block: bytes) -> PartStart:
    headers: dict[str, str] = {}
    text = block.decode("latin-1")
    for line in text.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon or re.fullmatch(_TOKEN, name) is None:
            raise FormatError(N_("a part of the multipart body has a malformed header"))
        headers.setdefault(name.lower(), value.strip())
    # Without a type of its own, a part has the one the whole body names (PS3.18 8.6.1.2.1).
    content_type = headers.get("content-type", "application/dicom")
    return PartStart(parse_content_type(content_type)[0], headers)


def _bad_boundary() -> FormatError:
    return FormatError(N_("a boundary of the multipart body is followed by something else"))
