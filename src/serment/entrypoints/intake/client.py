"""The command line's side of the intake socket: files go in, results come out as they are durable.

Leaves to others: finding the files, reading archives, showing the results.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from serment.entrypoints.intake import framing, local
from serment.entrypoints.intake.framing import Request, Result
from serment.errors import SermentError
from serment.ports import Source

_READ: Final = 64 * 1024

Chunk = bytes | bytearray | memoryview


class IntakeClient:
    """Talks to the receiver that listens at `path`; one connection a call."""

    def __init__(self, path: Path, answer_seconds: float = 600) -> None:
        """
        Args:
            answer_seconds: how long the receiver may be silent.
        """
        self._path = path
        self._seconds = answer_seconds

    def instances(self, source: Source, files: Iterable[Iterable[Chunk]]) -> Iterator[Result]:
        """Store DICOM files, one reception for all; one result a file, in order.

        A file whose iteration raises a `SermentError` is given up, and its result says why.

        Raises:
            SermentError: the whole upload failed; files without a result were not acknowledged.
        """
        own: dict[int, SermentError] = {}
        count = 0
        with self._open(Request("instances", source)) as talk:
            for index, file in enumerate(files):
                error = _send_file(talk, file)
                if error is not None:
                    own[index] = error
                for result in talk.results(wait=False):
                    yield _own_reason(result, own.pop(count, None))
                    count += 1
                if talk.ended:
                    break
            talk.send(framing.END)
            for result in talk.results(wait=True):
                yield _own_reason(result, own.pop(count, None))
                count += 1

    def document(self, source: Source, patient: str, title: str, pdf: Iterable[Chunk]) -> Result:
        """Attach one PDF to the patient with that id.

        Raises:
            SermentError: it was not kept.
        """
        with self._open(Request("document", source, patient=patient, title=title)) as talk:
            for chunk in pdf:
                talk.send(framing.DATA, chunk)
                if talk.ended:
                    break
            talk.send(framing.END)
            for result in talk.results(wait=True):
                return result
        raise framing.cut_off()

    @contextlib.contextmanager
    def _open(self, request: Request) -> Iterator[_Talk]:
        try:
            connection = local.connect(self._path)
        except OSError as error:
            raise framing.not_running() from error
        with connection:
            connection.settimeout(self._seconds)
            talk = _Talk(connection, self._seconds)
            talk.send_raw(framing.encode_request(request))
            yield talk


class _Talk:
    """One connection. Once the receiver has ended it, sending does nothing, and `results` says
    why."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._seconds = connection, seconds
        self._received = b""
        self.ended = False

    def send(self, kind: bytes, payload: Chunk = b"") -> None:
        for frame in framing.frames(kind, payload):
            self.send_raw(frame)

    def send_raw(self, data: bytes) -> None:
        if self.ended:
            return
        try:
            self._connection.sendall(data)
        except TimeoutError as error:
            raise framing.cut_off() from error
        except OSError:
            self.ended = True  # its reason is waiting to be read

    def results(self, wait: bool) -> Iterator[Result]:
        """The results that came: all up to the end, or those that are there already."""
        while True:
            line, newline, rest = self._received.partition(b"\n")
            if newline:
                self._received = rest
                results = framing.parse_answer(line)
                if results is None:
                    return
                yield from results
            elif not self._receive(wait or self.ended):
                return

    def _receive(self, wait: bool) -> bool:
        """Read some more; False when nothing is there yet."""
        try:
            if not wait:
                self._connection.setblocking(False)
            data = self._connection.recv(_READ)
        except BlockingIOError:
            return False
        except OSError as error:
            raise framing.cut_off() from error
        finally:
            if not wait:
                self._connection.settimeout(self._seconds)
        if not data:
            raise framing.cut_off()
        self._received += data
        return True


def _send_file(talk: _Talk, file: Iterable[Chunk]) -> SermentError | None:
    """Send one file; when it cannot be read, say so and return why."""
    chunks = iter(file)
    while True:
        try:
            chunk = next(chunks, None)
        except SermentError as error:
            talk.send(framing.CANCEL)
            return error
        if chunk is None:
            talk.send(framing.NEXT)
            return None
        talk.send(framing.DATA, chunk)


def _own_reason(result: Result, error: SermentError | None) -> Result:
    return result if error is None else framing.failed(error)
