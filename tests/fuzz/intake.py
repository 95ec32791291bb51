"""Fuzz target: everything a client may say on the intake socket, without a socket."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.dicom.part10 import build_meta
from serment.entrypoints.intake import framing
from serment.entrypoints.intake.framing import Result
from serment.entrypoints.intake.requests import Cut, Frames, Upload
from serment.errors import SermentError
from serment.ports import Source

CT = "1.2.840.10008.5.1.4.1.1.2"
SOURCE = Source("stow", None, "care", "192.0.2.1:4000", "127.0.0.1:8443")
TYPE = "multipart/related; boundary=b"


def part10() -> bytes:
    head = bytes(build_meta(CT, "2.25.1", "1.2.840.10008.1.2.1"))
    return head + b"\x08\0\x16\0UI\x1a\0" + CT.encode() + b"\0\x08\0\x18\0UI\x06\x002.25.1"


def seeds() -> Iterator[bytes]:
    """A STOW body of two parts, two files, a document."""
    end = framing.HEAD.pack(framing.END, 0)
    body = b"--b\r\n\r\n" + part10() + b"\r\n--b\r\n\r\nx\r\n--b--"
    request = framing.encode_request(framing.Request("stow", SOURCE, TYPE))
    yield request + b"".join(framing.frames(framing.DATA, body)) + end
    request = framing.encode_request(framing.Request("instances", SOURCE))
    file = b"".join(framing.frames(framing.DATA, part10())) + framing.HEAD.pack(framing.NEXT, 0)
    half = b"".join(framing.frames(framing.DATA, part10()[:50]))
    yield request + file + half + framing.HEAD.pack(framing.CANCEL, 0) + file + end
    request = framing.encode_request(framing.Request("document", SOURCE, patient="p", title="t"))
    yield request + b"".join(framing.frames(framing.DATA, b"%PDF-1.7")) + end


def fuzz_one(sent: bytes) -> None:
    """Nothing but our own errors, every reception closed once, no success before its sync."""
    receiver = MemoryReceiver()
    answered: list[Result] = []

    def answer(results: list[Result]) -> None:
        for result in results:
            assert not result.ok or receiver.receptions[0].steps[-1] == "sync"
        answered.extend(results)
        json.loads(framing.encode_results(results))

    incoming = Frames(io.BufferedReader(io.BytesIO(sent)), lambda: False)  # type: ignore[arg-type]
    with contextlib.suppress(SermentError, Cut):
        request = framing.parse_request(incoming.request_line())
        Upload(receiver, request, 1 << 20, 100, 1 << 20, answer).run(incoming)
    assert all(reception.closed for reception in receiver.receptions)
    assert sum(result.ok for result in answered) <= len(receiver.kept)
