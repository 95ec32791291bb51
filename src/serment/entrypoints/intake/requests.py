"""Upload requests: their parts or files go one by one into one reception.

A part that is refused gets its result and the next one goes on; a body whose framing is wrong
ends the request. Leaves to others: sockets and threads (`server`), multipart parsing
(`core.dicom.multipart`), storing (`Reception`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Any, Final, assert_never

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
from serment.entrypoints.intake.shared import SLOT, SLOTS
from serment.errors import N_, FormatError, SermentError, Unavailable, UsageError
from serment.ports import Receiver, Reception

_HEAD: Final = 4096  # bytes kept of each object to name it when it is refused
_PART_TYPES: Final = ("application/dicom", "application/octet-stream")


class Cut(Exception):
    """The sender went away in the middle."""


class Frames:
    """The frames of one connection."""

    def __init__(
        self,
        stream: BufferedReader[Any],
        is_stopping: Callable[[], bool],
        memory: Callable[[], memoryview | None] = lambda: None,
        free: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            memory: the slots that both ends see, once the first line has come.
            free: says that the slot used longest ago may be filled again.
        """
        self._stream, self._is_stopping = stream, is_stopping
        self._memory, self._free = memory, free
        self._slot, self._in_use = 0, False
        self._payload = memoryview(b"")  # made when data comes through the socket

    def request_line(self) -> bytes:
        """The line a request begins with; empty when nobody begins one."""
        line = self._stream.readline(framing.MAX_REQUEST)
        if not line:
            return line
        if not line.endswith(b"\n"):
            if len(line) < framing.MAX_REQUEST:
                raise Cut
            raise FormatError(N_("the intake request is too long"))
        return line

    def next(self) -> tuple[bytes, memoryview]:
        """Kind and payload, the latter valid until the next call. `Cut`, `FormatError`."""
        if self._in_use:
            self._in_use = False
            self._free()
        head = self._stream.read(framing.HEAD.size)
        if len(head) != framing.HEAD.size:
            raise Cut
        kind, length = framing.check_head(head)
        if kind == framing.SHARED:
            return framing.DATA, self._shared(length)
        return kind, self._copied(length)

    def _shared(self, length: int) -> memoryview:
        memory = self._memory()
        if memory is None:
            raise FormatError(N_("this is not a request or an answer of the intake"))
        start = self._slot * SLOT
        self._slot, self._in_use = (self._slot + 1) % SLOTS, True
        return memory[start : start + length]

    def _copied(self, length: int) -> memoryview:
        if length and not len(self._payload):
            self._payload = memoryview(bytearray(framing.MAX_PAYLOAD))
        payload = self._payload[:length]
        got = 0
        while got < length:
            count = self._stream.readinto(payload[got:])
            if not count:
                raise Cut
            got += count
        return payload

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


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of an object, objects of a request, bytes that may wait for being made durable."""

    object_bytes: int
    parts: int
    flush_bytes: int


def serve(
    receiver: Receiver,
    request: Request,
    incoming: Frames,
    bounds: Bounds,
    say: Callable[[bytes], None],
) -> None:
    """Serve a request, and those that follow it from the same source: one reception for all.

    Args:
        request: the first one.
        say: sends answers.

    Raises:
        SermentError: a request as a whole failed.
        Cut, OSError: the sender is gone, or too slow (`TimeoutError`).
    """
    reception = receiver.open(request.source)
    interrupted = True
    try:
        following: Request | None = request
        while following is not None:
            request = following
            upload = Upload(reception, request, bounds, say)
            upload.run(incoming)
            following = _following(upload, incoming, say) if request.more else None
        interrupted = False
    finally:
        reception.close(interrupted)
    if not request.more:
        say(framing.encode_done())


def _following(last: Upload, incoming: Frames, say: Callable[[bytes], None]) -> Request | None:
    """The next request, if there is one; made ready for as many objects as the last one brought."""
    last.reception.settle()
    say(framing.encode_done())
    last.reception.prepare(last.count)
    line = b"" if incoming.stopping else incoming.request_line()
    if not line:
        return None
    following = framing.parse_request(line)
    if following.source != last.request.source:
        raise FormatError(N_("this is not a request or an answer of the intake"))
    return following


class Upload:
    """Runs one request."""

    def __init__(
        self,
        reception: Reception,
        request: Request,
        bounds: Bounds,
        say: Callable[[bytes], None],
    ) -> None:
        """
        Args:
            say: sends results that are durable, or failures.
        """
        self.reception, self.request = reception, request
        self._bounds, self._say = bounds, say
        self._pending: list[Result] = []
        self._pending_bytes = 0
        self.count = 0  # objects so far
        self._head = bytearray()

    def run(self, incoming: Frames) -> None:
        """Store everything that comes, answering as it becomes durable.

        Raises:
            SermentError: the request as a whole failed.
            Cut, OSError: the sender is gone, or too slow (`TimeoutError`).
        """
        match self.request.op:
            case "stow":
                self._stow(incoming)
            case "instances":
                self._instances(incoming)
            case _:
                self._document(incoming)
        self._flush()

    def _stow(self, incoming: Frames) -> None:
        reader = MultipartReader(boundary_of(self.request.content_type))
        assembly = Assembly(self.reception, self._bounds.object_bytes)
        try:
            for chunk in incoming.body():
                for event in reader.feed(chunk):
                    match event:
                        case PartStart():
                            self._check_stopping(incoming)
                            self._begin(assembly, event.content_type)
                        case PartData():
                            self._add(assembly, event.data)
                        case PartEnd():
                            self._end(assembly)
                        case _:
                            assert_never(event)
            reader.finish()
        finally:
            assembly.abandon()

    def _instances(self, incoming: Frames) -> None:
        assembly = Assembly(self.reception, self._bounds.object_bytes)
        between = True
        try:
            while True:
                if between:
                    self._check_stopping(incoming)
                kind, payload = incoming.next()
                if kind == framing.END:
                    break
                if between:
                    self._begin(assembly)
                if kind == framing.DATA:
                    self._add(assembly, payload)
                elif kind == framing.CANCEL:
                    assembly.refuse(UsageError(N_("the sender could not read this file")))
                    self._end(assembly)
                else:
                    self._end(assembly)
                between = kind != framing.DATA
            if not between:
                raise FormatError(N_("the upload ends in the middle of a file"))
        finally:
            assembly.abandon()

    def _document(self, incoming: Frames) -> None:
        receipt = self.reception.document(
            self._bounded(incoming.body()),
            self.request.patient,
            self.request.title,
        )
        self._pending.append(framing.kept(receipt))

    def _bounded(self, body: Iterator[memoryview]) -> Iterator[bytes]:
        """The chunks of a document, which may be as large as any object."""
        size = 0
        for payload in body:
            size += len(payload)
            if size > self._bounds.object_bytes:
                raise too_large(self._bounds.object_bytes)
            yield bytes(payload)

    def _check_stopping(self, incoming: Frames) -> None:
        if incoming.stopping:
            self._flush()
            raise Unavailable(
                N_("the receiver is stopping"), hint=N_("send what has no answer again later")
            )

    def _begin(self, assembly: Assembly, content_type: str = _PART_TYPES[0]) -> None:
        self._head.clear()
        self.count += 1
        if self.count > self._bounds.parts:
            raise FormatError(
                N_("more than {limit} objects in one upload"),
                hint=N_("send them in several uploads"),
                limit=self._bounds.parts,
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

    def _end(self, assembly: Assembly) -> None:
        try:
            self._pending.append(framing.kept(assembly.finish()))
        except SermentError as error:
            self._pending.append(framing.failed(error, *self._name()))
        if (
            self._pending_bytes >= self._bounds.flush_bytes
            or len(self._pending) >= framing.RESULTS_AT_ONCE
        ):
            self._flush()

    def _name(self) -> tuple[str, str]:
        """The UIDs that the object gives itself, for the answer about its refusal."""
        try:
            meta = read_meta(self._head)
        except FormatError:
            return "", ""
        return meta.sop_class, meta.sop_instance

    def _flush(self) -> None:
        """Make durable what came, then say so; what cannot be made durable is refused."""
        results, self._pending, self._pending_bytes = self._pending, [], 0
        if any(result.ok for result in results):
            try:
                self.reception.sync()
            except SermentError as error:
                results = [
                    framing.failed(error, r.sop_class, r.sop_instance) if r.ok else r
                    for r in results
                ]
        if results:
            self._say(framing.encode_results(results))
