"""Fuzz target: the header walker, on the first byte's transfer syntax and the data set after it.

Besides "a header or `FormatError`": values lie where the data has them, a view and its bytes give
the same, a header can be walked again from its own beginning, and where pydicom reads the same
bytes without a warning, both read the same.
"""

from __future__ import annotations

import io
import warnings

from pydicom import config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import read_dataset

from serment.core.dicom import uids
from serment.core.dicom.walker import Header, walk
from serment.errors import FormatError

SYNTAXES = (
    uids.EXPLICIT_LITTLE,
    uids.IMPLICIT_LITTLE,
    uids.EXPLICIT_BIG,
    uids.DEFLATED_LITTLE,
    "1.2.840.10008.1.2.4.70",
)
LIMIT = 1 << 20
STOP = {0x7FE00008, 0x7FE00009, 0x7FE00010}


def fuzz_one(data: bytes) -> None:
    if not data:
        return
    syntax, body = SYNTAXES[data[0] % len(SYNTAXES)], data[1:]
    try:
        header = walk(body, syntax, limit=LIMIT)
    except FormatError:
        partial(body, syntax)
        return
    assert 0 <= header.size <= len(body)
    assert walk(memoryview(bytearray(body)), syntax, limit=LIMIT) == header
    again = walk(body[: header.size], syntax, limit=LIMIT, partial=True)
    assert again.elements == header.elements
    if syntax != uids.DEFLATED_LITTLE:
        assert sum(len(value) for _vr, value in header.elements.values()) <= len(body)
        compare(header, body, syntax)


def partial(body: bytes, syntax: str) -> None:
    try:
        header = walk(body, syntax, limit=LIMIT, partial=True)
    except FormatError:
        return
    assert header.size <= len(body)
    if header.cut is not None and syntax != uids.DEFLATED_LITTLE:
        assert header.cut.offset == header.size


def compare(header: Header, body: bytes, syntax: str) -> None:
    """Hold the header against what pydicom reads, unless it has doubts of its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            config.settings.reading_validation_mode = config.RAISE
            dataset = read_dataset(
                io.BytesIO(body),
                syntax == uids.IMPLICIT_LITTLE,
                syntax != uids.EXPLICIT_BIG,
                stop_when=lambda tag, vr, length: tag in STOP,
            )
    except Exception:  # noqa: BLE001 - what pydicom does not read says nothing about us
        return
    finally:
        config.settings.reading_validation_mode = config.WARN
    raw = {int(t): e for t, e in dataset._dict.items() if t >> 16 != 0x7FE0}
    if any(doubtful(element) for element in raw.values()):
        return
    for tag, element in raw.items():
        if isinstance(element, RawDataElement):
            assert header.elements[tag][1] == (element.value or b""), f"{tag:08X}"
        else:
            assert header.elements[tag][0] == "SQ", f"{tag:08X}"
    assert set(header.elements) == set(raw)


def doubtful(element: RawDataElement | DataElement) -> bool:
    """Where pydicom guesses without a warning: a VR of one capital letter, and an undefined length
    where none may be, which it ends at the first delimiter of any depth."""
    if not isinstance(element, RawDataElement):
        return False
    if element.VR is not None and not (element.VR.isalpha() and element.VR.isupper()):
        return True
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
        b"\4" + name + b"\x09\x00\x10\x00OB\0\0\xff\xff\xff\xff" + item[:4] + b"\0\0\0\0" + end,
    ]


def deflate(data: bytes) -> bytes:
    import zlib

    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()
