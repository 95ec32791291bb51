"""Fuzz target: the header walker, on the first byte's transfer syntax and the data set after it.

Besides "a header or `FormatError`": values lie where the data has them, a view and its bytes give
the same, a header can be walked again from its own beginning, and where pydicom reads the same
bytes without a warning, both read the same. What takes no liberty (explicit VR little endian, no
VR that is none) is held against the plain rules, which refuse what we refuse. Bounds hold: of elements, depth, and what a deflated
header may become. Two bounds are made small, so that short inputs reach them.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib

from pydicom import config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import read_dataset

from serment.core.dicom import elements, uids, walker
from serment.core.dicom.walker import Header, inflate, walk
from serment.errors import FormatError

SYNTAXES = (
    uids.EXPLICIT_LITTLE,
    uids.IMPLICIT_LITTLE,
    uids.EXPLICIT_BIG,
    uids.DEFLATED_LITTLE,
    "1.2.840.10008.1.2.4.70",
)
LONG = [
    "OB",
    "OD",
    "OF",
    "OL",
    "OV",
    "OW",
    "SQ",
    "SV",
    "UC",
    "UN",
    "UR",
    "UT",
    "UV",
]  # lengths of 32 bits (PS3.5 7.1.2)
LIMIT = 4 << 20
MOST = 300  # elements
elements.Budget.__init__.__defaults__ = (MOST,)
walker.RATIO_FROM = 1 << 16  # type: ignore[misc]
PLAIN = (SYNTAXES[0], SYNTAXES[4])
STOP = {0x7FE00008, 0x7FE00009, 0x7FE00010}


def fuzz_one(data: bytes) -> None:
    if not data:
        return
    syntax, body = SYNTAXES[data[0] % len(SYNTAXES)], data[1:]
    expected = plain(body) if syntax in PLAIN else "doubt"
    try:
        header = walk(body, syntax, limit=LIMIT)
    except FormatError:
        assert expected in ("doubt", "wrong")
        partial(body, syntax)
        return
    assert expected in ("doubt", header.elements)
    assert 0 <= header.size <= len(body)
    assert len(header.elements) <= MOST
    assert walk(memoryview(bytearray(body)), syntax, limit=LIMIT) == header
    again = walk(body[: header.size], syntax, limit=LIMIT, partial=True)
    assert again.elements == header.elements
    if syntax == uids.DEFLATED_LITTLE:
        deflated(header, body)
    else:
        assert sum(len(value) for _vr, value in header.elements.values()) <= len(body)
        compare(header, body, syntax)


def deflated(header: Header, body: bytes) -> None:
    """The header of what it inflates to, which is no bomb; whole, when nothing follows it."""
    size = sum(len(value) for _vr, value in header.elements.values())
    assert size <= max(walker.RATIO_FROM, walker.MAX_RATIO * len(body)) + walker.FIRST_WINDOW * 8
    if header.has_pixels:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        plain = stream.decompress(body, LIMIT)
    else:
        plain = inflate(body, limit=LIMIT)
    assert walk(plain, uids.EXPLICIT_LITTLE, limit=LIMIT).elements == header.elements


class Wrong(Exception):
    """The plain rules say that this is no header."""


class Doubt(Exception):
    """The plain rules say nothing."""


def plain(body: bytes) -> dict[int, tuple[str, bytes]] | str:
    """The elements, "wrong" or "doubt": PS3.5 7.1 and 7.5 in explicit VR little endian."""
    try:
        return Plain(body).top()
    except Wrong:
        return "wrong"
    except Doubt:
        return "doubt"


class Plain:
    """A walker by recursion, one element after the other."""

    def __init__(self, body: bytes) -> None:
        self.body, self.count = body, 0

    def top(self) -> dict[int, tuple[str, bytes]]:
        found, at = {}, 0
        if len(self.body) > 5:
            self.vr(0)
        while len(self.body) - at >= 8:
            tag, vr, start, length = self.head(at)
            if tag in STOP:
                return found
            if tag >> 16 == 0x7FE0:
                raise Doubt
            if tag >> 16 == 0xFFFE:
                raise Wrong
            self.spend()
            end = after = start + length
            if length == 0xFFFFFFFF:
                if vr not in ("SQ", "UN", "OB", "OW"):
                    raise Wrong
                end, after = self.items(start, 1, fragments=vr[0] == "O")
                vr = "SQ" if vr == "UN" else vr
            elif end > len(self.body):
                raise Wrong
            found[tag] = vr, self.body[start:end]
            at = after
        if any(self.body[at:]):
            raise Wrong
        return found

    def items(self, at: int, depth: int, fragments: bool = False) -> tuple[int, int]:
        """Where the items that start here end, and what follows their delimiter."""
        while True:
            tag, start, length = self.delimiter(at)
            self.spend()
            if tag == 0xFFFEE0DD:
                return at, start
            if tag != 0xFFFEE000 or (fragments and length == 0xFFFFFFFF):
                raise Wrong
            at = self.item(start, depth + 1) if length == 0xFFFFFFFF else start + length
            if at > len(self.body):
                raise Wrong

    def item(self, at: int, depth: int) -> int:
        """Where the item of undefined length ends that starts here."""
        if depth > 2 * elements.MAX_DEPTH:
            raise Wrong
        if self.body[at : at + 2] != b"\xfe\xff":
            self.vr(at)
        while True:
            tag, _vr, start, length = self.head(at)
            self.spend()
            if tag == 0xFFFEE00D:
                return start
            if tag in (0xFFFEE000, 0xFFFEE0DD):
                raise Wrong
            if length == 0xFFFFFFFF and depth >= 2 * elements.MAX_DEPTH:
                raise Wrong
            at = self.items(start, depth + 1)[1] if length == 0xFFFFFFFF else start + length
            if at > len(self.body):
                raise Wrong

    def head(self, at: int) -> tuple[int, str, int, int]:
        if len(self.body) - at < 8:
            raise Wrong
        if self.body[at : at + 2] == b"\xfe\xff":
            tag, start, length = self.delimiter(at)
            return tag, "", start, length
        group, number, vr = *struct.unpack_from("<HH", self.body, at), self.vr(at)
        if vr not in LONG:
            length = int.from_bytes(self.body[at + 6 : at + 8], "little")
            return group << 16 | number, vr, at + 8, length
        if len(self.body) - at < 12:
            raise Wrong
        length = int.from_bytes(self.body[at + 8 : at + 12], "little")
        return group << 16 | number, vr, at + 12, length

    def delimiter(self, at: int) -> tuple[int, int, int]:
        """A tag and its length: without a VR (PS3.5 7.5)."""
        if len(self.body) - at < 8:
            raise Wrong
        group, number, length = struct.unpack_from("<HHI", self.body, at)
        if group != 0xFFFE:
            if not self.body[at + 4 : at + 6].isalpha():
                raise Doubt
            raise Wrong
        return group << 16 | number, at + 8, length

    def vr(self, at: int) -> str:
        found = self.body[at + 4 : at + 6]
        if len(found) < 2 or not (found.isalpha() and found.isupper()):
            raise Doubt
        return found.decode("ascii")

    def spend(self) -> None:
        self.count += 1
        if self.count > MOST:
            raise Wrong


def partial(body: bytes, syntax: str) -> None:
    try:
        header = walk(body, syntax, limit=LIMIT, partial=True)
    except FormatError:
        return
    assert header.size <= len(body)
    if header.cut is not None and syntax != uids.DEFLATED_LITTLE:
        assert header.cut.offset == header.size


def compare(header: Header, body: bytes, syntax: str) -> None:
    """Hold the header against what pydicom reads, unless it has doubts of its own. Every element is
    asked for its VR, also one that a later one of its tag replaces."""
    odd: list[str] = []

    def stop(tag: int, vr: str | None, _length: int) -> bool:
        if vr is not None and not (vr.isalpha() and vr.isupper()):
            odd.append(vr)
        return tag in STOP

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            config.settings.reading_validation_mode = config.RAISE
            dataset = read_dataset(
                io.BytesIO(body),
                syntax == uids.IMPLICIT_LITTLE,
                syntax != uids.EXPLICIT_BIG,
                stop_when=stop,
            )
    except Exception:  # noqa: BLE001 - what pydicom does not read says nothing about us
        return
    finally:
        config.settings.reading_validation_mode = config.WARN
    raw = {int(t): e for t, e in dataset._dict.items() if t >> 16 != 0x7FE0}
    if odd or any(doubtful(element) for element in raw.values()):
        return
    for tag, element in raw.items():
        if isinstance(element, RawDataElement):
            assert header.elements[tag][1] == (element.value or b""), f"{tag:08X}"
        else:
            assert header.elements[tag][0] == "SQ", f"{tag:08X}"
    assert set(header.elements) == set(raw)


def doubtful(element: RawDataElement | DataElement) -> bool:
    """Where pydicom guesses without a warning besides a VR of one capital letter: an undefined length
    where none may be, which it ends at the first delimiter of any depth."""
    if not isinstance(element, RawDataElement):
        return False
    return element.length == 0xFFFFFFFF and element.VR not in ("OB", "OW", "UN")


def seeds() -> list[bytes]:
    """Small data sets with everything the walker has a branch for."""
    explicit = bytes.fromhex("08000500435300000800160055490200312e09001000554e0000ffffffff")
    name = b"\x10\x00\x10\x00PN\x04\x00A^B "
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end_item, end = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
    sequence = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff"
    unknown = b"\x09\x00\x01\x10UN\0\0\xff\xff\xff\xff"
    pixels = b"\xe0\x7f\x10\x00OW\0\0\x04\0\0\0\1\2\3\4"
    nested = sequence + item + sequence + item + name + end_item + end + end_item + end
    implicit = b"\x10\x00\x10\x00\x04\0\0\0A^B " + b"\x08\x00\x40\x11\xff\xff\xff\xff"
    implicit += item + b"\x10\x00\x20\x00\x02\0\0\x0042" + end_item + end
    big = b"\x00\x28\x00\x10US\x00\x02\x02\x00\x7f\xe0\x00\x10OW\0\0\0\0\0\x02\1\2"
    return [
        b"\0" + nested + name + pixels,
        b"\0" + unknown + item + implicit + end_item + end + name,
        b"\0" + explicit,
        b"\1" + implicit + b"\xe0\x7f\x10\x00\4\0\0\0\1\2\3\4",
        b"\2" + big,
        b"\3" + deflate(nested + name + pixels),
        b"\3" + deflate(name),
        b"\3" + deflate(name)[:-2],
        b"\3" + deflate(b"\x09\0\x10\0UN\0\0\0\0\x06\0" + bytes(0x60000)),
        b"\0" + (sequence + item) * 33 + (end_item + end) * 33,
        b"\0"
        + b"".join(b"\x09\0" + bytes([n % 2, n // 2]) + b"UN" + bytes(6) for n in range(2, 402)),
        b"\0" + name + b"\x20\0\x20\0\0\0",
        b"\0" + name[:-1],
        b"\4" + name + b"\x09\x00\x10\x00OB\0\0\xff\xff\xff\xff" + item[:4] + b"\0\0\0\0" + end,
    ]


def deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()
