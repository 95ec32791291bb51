"""One upload request: its parts or files go one by one into one reception.

A part that is refused gets its result and the next one goes on; a body whose framing is wrong
ends the request. Leaves to others: sockets and threads (`server`), multipart parsing
(`core.dicom.multipart`), storing (`Reception`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import Final, assert_never

from serment.core.dicom.multipart import (
    MultipartReader,
    PartData,
    PartEnd,
    PartStart,
    boundary_of,
)
from serment.core.dicom.part10 import read_meta
from serment.entrypoints.assembly import Assembly, too_large
from serment.entrypoints.intake import framing
from serment.entrypoints.intake.framing import Request, Result
from serment.errors import N_, FormatError, SermentError, Unavailable, UsageError
from serment.ports import Receiver, Reception

_HEAD: Final = 4096  # bytes kept of each object to name it when it is refused
_PART_TYPES: Final = ("application/dicom", "application/octet-stream")


class Cut(Exception):
    """The sender went away in the middle."""


class Frames:
    """The frames of one connection."""

    def __init__(self, stream: BufferedReader, is_stopping: Callable[[], bool]) -> None:
        self._stream, self._is_stopping = stream, is_stopping
        self._payload = memoryview(bytearray(framing.MAX_PAYLOAD))

    def request_line(self) -> bytes:
        line = self._stream.readline(framing.MAX_REQUEST)
        if not line.endswith(b"\n"):
            if len(line) < framing.MAX_REQUEST:
                raise Cut
            raise FormatError(N_("the intake request is too long"))
        return line

    def next(self) -> tuple[bytes, memoryview]:
        """Kind and payload, the latter valid until the next call. `Cut`, `FormatError`."""
        head = self._stream.read(framing.HEAD.size)
        if len(head) != framing.HEAD.size:
            raise Cut
        kind, length = framing.check_head(head)
        payload = self._payload[:length]
        got = 0
        while got < length:
            count = self._stream.readinto(payload[got:])
            if not count:
                raise Cut
            got += count
        return kind, payload

    def body(self) -> Iterator[memoryview]:
        """The payloads of the data frames up to the end of the request."""
        while True:
            kind, payload = self.next()
            if kind == framing.END:
                return
            if kind != framing.DATA:
                raise FormatError(N_("this kind of upload is one body, not files"))
            yield payload

    @property
    def stopping(self) -> bool:
        """Whether the server stops: no further object is begun."""
        return self._is_stopping()


class Upload:
    """Runs one request."""

    def __init__(
        self,
        receiver: Receiver,
        request: Request,
        object_bytes: int,
        parts: int,
        flush_bytes: int,
        answer: Callable[[list[Result]], None],
    ) -> None:
        """
        Args:
            answer: sends results that are durable, or failures.
        """
        self._receiver, self._request = receiver, request
        self._object_bytes, self._parts, self._flush_bytes = object_bytes, parts, flush_bytes
        self._answer = answer
        self._pending: list[Result] = []
        self._pending_bytes = 0
        self._count = 0
        self._head = bytearray()

    def run(self, incoming: Frames) -> None:
        """Store everything that comes, answering as it becomes durable.

        Raises:
            SermentError: the request as a whole failed.
            Cut, OSError: the sender is gone, or too slow (`TimeoutError`).
        """
        reception = self._receiver.open(self._request.source)
        interrupted = True
        try:
            match self._request.op:
                case "stow":
                    self._stow(reception, incoming)
                case "instances":
                    self._instances(reception, incoming)
                case _:
                    self._document(reception, incoming)
            self._flush(reception)
            interrupted = False
        finally:
            reception.close(interrupted)

    def _stow(self, reception: Reception, incoming: Frames) -> None:
        reader = MultipartReader(boundary_of(self._request.content_type))
        assembly = Assembly(reception, self._object_bytes)
        try:
            for chunk in incoming.body():
                for event in reader.feed(chunk):
                    match event:
                        case PartStart():
                            self._check_stopping(incoming, reception)
                            self._begin(assembly, event.content_type)
                        case PartData():
                            self._add(assembly, event.data)
                        case PartEnd():
                            self._end(assembly, reception)
                        case _:
                            assert_never(event)
            reader.finish()
        finally:
            assembly.abandon()

    def _instances(self, reception: Reception, incoming: Frames) -> None:
        assembly = Assembly(reception, self._object_bytes)
        between = True
        try:
            while True:
                if between:
                    self._check_stopping(incoming, reception)
                kind, payload = incoming.next()
                if kind == framing.END:
                    break
                if between:
                    self._begin(assembly)
                if kind == framing.DATA:
                    self._add(assembly, payload)
                elif kind == framing.CANCEL:
                    assembly.refuse(UsageError(N_("the sender could not read this file")))
                    self._end(assembly, reception)
                else:
                    self._end(assembly, reception)
                between = kind != framing.DATA
            if not between:
                raise FormatError(N_("the upload ends in the middle of a file"))
        finally:
            assembly.abandon()

    def _document(self, reception: Reception, incoming: Frames) -> None:
        receipt = reception.document(
            self._bounded(incoming.body()),
            self._request.patient,
            self._request.title,
        )
        self._pending.append(framing.kept(receipt))

    def _bounded(self, body: Iterator[memoryview]) -> Iterator[bytes]:
        """The chunks of a document, which may be as large as any object."""
        size = 0
        for payload in body:
            size += len(payload)
            if size > self._object_bytes:
                raise too_large(self._object_bytes)
            yield bytes(payload)

    def _check_stopping(self, incoming: Frames, reception: Reception) -> None:
        if incoming.stopping:
            self._flush(reception)
            raise Unavailable(
                N_("the receiver is stopping"), hint=N_("send what has no answer again later")
            )

    def _begin(self, assembly: Assembly, content_type: str = _PART_TYPES[0]) -> None:
        self._head.clear()
        self._count += 1
        if self._count > self._parts:
            raise FormatError(
                N_("more than {limit} objects in one upload"),
                hint=N_("send them in several uploads"),
                limit=self._parts,
            )
        if content_type not in _PART_TYPES:
            assembly.refuse(
                FormatError(
                    N_("this part is not application/dicom"),
                    hint=N_("only DICOM files (Part 10) are taken here"),
                )
            )

    def _add(self, assembly: Assembly, data: memoryview) -> None:
        missing = _HEAD - len(self._head)
        if missing > 0:
            self._head += data[:missing]
        self._pending_bytes += len(data)
        assembly.write(data)

    def _end(self, assembly: Assembly, reception: Reception) -> None:
        try:
            self._pending.append(framing.kept(assembly.finish()))
        except SermentError as error:
            self._pending.append(framing.failed(error, *self._name()))
        if (
            self._pending_bytes >= self._flush_bytes
            or len(self._pending) >= framing.RESULTS_AT_ONCE
        ):
            self._flush(reception)

    def _name(self) -> tuple[str, str]:
        """The UIDs that the object gives itself, for the answer about its refusal."""
        try:
            meta = read_meta(self._head)
        except FormatError:
            return "", ""
        return meta.sop_class, meta.sop_instance

    def _flush(self, reception: Reception) -> None:
        """Make durable what came, then say so; what cannot be made durable is refused."""
        results, self._pending, self._pending_bytes = self._pending, [], 0
        if any(result.ok for result in results):
            try:
                reception.sync()
            except SermentError as error:
                results = [
                    framing.failed(error, r.sop_class, r.sop_instance) if r.ok else r
                    for r in results
                ]
        if results:
            self._answer(results)
