"""Fuzz target: everything a client may say on the intake socket, without a socket."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.dicom.part10 import build_meta
from serment.entrypoints.intake import framing
from serment.entrypoints.intake.requests import Bounds, Cut, Frames, serve
from serment.entrypoints.intake.shared import SLOT, SLOTS
from serment.errors import SermentError
from serment.ports import Source

CT = "1.2.840.10008.5.1.4.1.1.2"
SOURCE = Source("stow", None, "care", "192.0.2.1:4000", "127.0.0.1:8443")
TYPE = "multipart/related; boundary=b"
BODY_END = b"\r\n--b--"


def part10() -> bytes:
    head = bytes(build_meta(CT, "2.25.1", "1.2.840.10008.1.2.1"))
    return head + b"\x08\0\x16\0UI\x1a\0" + CT.encode() + b"\0\x08\0\x18\0UI\x06\x002.25.1"


def slots() -> bytes:
    """The memory that both ends see: an object in the first slot, the end of a body in each."""
    first = b"--b\r\n\r\n" + part10() + BODY_END
    return b"".join(each.ljust(SLOT, b"\0") for each in (first, *[BODY_END] * (SLOTS - 1)))


MEMORY = slots()


def seeds() -> Iterator[bytes]:
    """A STOW body of two parts, two requests through shared memory, two files, a document."""
    end = framing.HEAD.pack(framing.END, 0)
    body = b"--b\r\n\r\n" + part10() + b"\r\n--b\r\n\r\nx\r\n--b--"
    request = framing.encode_request(framing.Request("stow", SOURCE, TYPE))
    yield request + b"".join(framing.frames(framing.DATA, body)) + end
    more = framing.encode_request(framing.Request("stow", SOURCE, TYPE, more=True))
    shared = framing.HEAD.pack(framing.SHARED, MEMORY.index(BODY_END) + len(BODY_END)) + end
    yield more + shared + more + framing.HEAD.pack(framing.SHARED, len(BODY_END)) + end
    request = framing.encode_request(framing.Request("instances", SOURCE))
    file = b"".join(framing.frames(framing.DATA, part10())) + framing.HEAD.pack(framing.NEXT, 0)
    half = b"".join(framing.frames(framing.DATA, part10()[:50]))
    yield request + file + half + framing.HEAD.pack(framing.CANCEL, 0) + file + end
    request = framing.encode_request(framing.Request("document", SOURCE, patient="p", title="t"))
    yield request + b"".join(framing.frames(framing.DATA, b"%PDF-1.7")) + end


def fuzz_one(sent: bytes) -> None:
    """Nothing but our own errors, every reception closed once, no success before its sync."""
    receiver = MemoryReceiver()
    answered: list[dict[str, Any]] = []

    def say(line: bytes) -> None:
        for result in json.loads(line).get("results", []):
            assert result["status"] or receiver.receptions[0].steps[-1] == "sync"
            answered.append(result)

    incoming = Frames(
        io.BufferedReader(io.BytesIO(sent)),  # type: ignore[arg-type]
        lambda: False,
        lambda: memoryview(MEMORY),
    )
    with contextlib.suppress(SermentError, Cut):
        request = framing.parse_request(incoming.request_line())
        serve(receiver, request, incoming, Bounds(1 << 20, 100, 1 << 20), say)
    assert all(reception.closed for reception in receiver.receptions)
    assert sum(not result["status"] for result in answered) <= len(receiver.kept)
