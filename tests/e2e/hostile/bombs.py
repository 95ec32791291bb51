"""Inputs that are small to send and would be large, deep or elsewhere if they were believed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from serment.core.dicom.part10 import build_meta

CT = "1.2.840.10008.5.1.4.1.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NAME = b"ATTAQUANT^FICTIF"
UIDS = (  # each where a UID belongs
    "../../../../tmp/escaped",
    "/tmp/escaped",
    "..",
    "C:\\escaped",
    "1.2\0/../escaped",
    "1.2 3",
    "%2e%2e%2fescaped",
    "1." * 32 + "1",  # 65 characters
    "2.25.é",
    "1.2;rm -rf 3",
)


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def described(instance: str, study: str = "2.25.10", series: str = "2.25.11") -> bytes:
    """The header of a small CT data set with these UIDs, a name, and some pixels."""

    def uid(group: int, number: int, value: str) -> bytes:
        return element(group, number, b"UI", value.encode("latin-1"))

    head = uid(8, 0x16, CT) + uid(8, 0x18, instance) + element(0x10, 0x10, b"PN", NAME)
    head += uid(0x20, 0x0D, study) + uid(0x20, 0x0E, series)
    return head + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 4) + bytes(4)


def part10(data_set: bytes, instance: str = "2.25.1", syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    return bytes(build_meta(CT, instance, syntax)) + data_set


def deflated(mebibytes: int = 500) -> bytes:
    """About 500 kB that inflate to half a gibibyte in front of everything that is looked for."""
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    size = mebibytes << 20
    out = [stream.compress(struct.pack("<HH2sHI", 0x0007, 0x10, b"UN", 0, size))]
    out += [stream.compress(bytes(1 << 20)) for _ in range(mebibytes)]
    return b"".join([*out, stream.compress(described("2.25.1")), stream.flush()])


def gzipped(mebibytes: int = 300) -> bytes:
    """A body for `Content-Encoding: gzip`."""
    stream = zlib.compressobj(9, wbits=31)
    return b"".join([*(stream.compress(bytes(1 << 20)) for _ in range(mebibytes)), stream.flush()])


def nested(depth: int = 20_000) -> bytes:
    """Sequences inside one another, without lengths."""
    open_one = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    return (open_one + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * depth


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY file SYSTEM "file:///etc/passwd">'
    + "".join(f'<!ENTITY {n} "{f"&{chr(ord(n) - 1)};" * 10}">' for n in "bcdefghij")
    + "]><NativeDicomModel>&j;&file;</NativeDicomModel>"
).encode()


def odd_meta() -> Iterator[bytes]:
    """Part 10 files whose meta information is cut short, lies about its length or is none."""
    whole = part10(described("2.25.1"))
    for cut in (0, 100, 132, 138, 140, 150, 200):
        yield whole[:cut]
    for length in (0, 1, 0xFFFFFFFF, 100_000):
        yield whole[:140] + struct.pack("<I", length) + whole[144:]
    yield whole[:132] + b"\2\0\x10\0UI\xff\xff" + whole[140:]
    yield whole[:132] + b"\xff" * 200
    yield b"MZ" + whole[2:128] + b"DICN" + whole[132:]
