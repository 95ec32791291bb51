"""What client and receiver say to each other on the intake socket.

Request: one line of JSON, then frames, each one byte of kind, four bytes of length (big endian,
at most 1 MiB), the payload. Kinds: `D` data; `S` data, whose bytes are not in the frame but in the
next slot of the memory that came with the first line (`shared`); `N` the current file is complete;
`C` the current file is given up; `E` the request is complete. Operations:

- `stow`: the data frames are the body of the HTTP request, `content_type` its header.
- `instances`: files, each its data frames and `N` or `C`; results count them from the first.
- `document`: the data frames are one PDF for `patient`, with a `title`.

Answer: lines of JSON. `{"results": [...]}`, in the order of the parts or files, each time what
came so far is durable; then one `{"done": true}`, or one `{"error": {...}}` when the request as a
whole failed, and the connection ends. What has no result was not acknowledged. An empty line says
that the slot used longest ago may be filled again. A request that says `more` may be followed by
another one from the same source, which goes into the same reception.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from serment import errors
from serment.core.dicom.dimse import Status, status_of
from serment.entrypoints.intake.shared import SLOT
from serment.errors import N_, FormatError, SermentError, Unavailable
from serment.ports import Receipt, Source

HEAD: Final = struct.Struct(">cI")
MAX_PAYLOAD: Final = 1024 * 1024
MAX_REQUEST: Final = 64 * 1024  # bytes of the first line
MAX_ANSWER: Final = 4 * 1024 * 1024  # bytes of one answer line
RESULTS_AT_ONCE: Final = 128  # so that a line fits into the socket while the client still sends
_MAX_TEXT: Final = 300

DATA: Final = b"D"
SHARED: Final = b"S"
NEXT: Final = b"N"
CANCEL: Final = b"C"
END: Final = b"E"
FREE: Final = b"\n"  # a slot, said by the receiver
OPERATIONS: Final = ("stow", "instances", "document")
_LONGEST: Final = {DATA: MAX_PAYLOAD, SHARED: SLOT, NEXT: 0, CANCEL: 0, END: 0}
_TRUTHS: Final = ("tls", "more")


@dataclass(frozen=True, slots=True)
class Request:
    """The first line."""

    op: str
    source: Source
    content_type: str = ""
    patient: str = ""
    title: str = ""
    more: bool = False  # another one may follow on this connection


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one part, file or document. `status` 0: kept and durable; otherwise the
    DICOM failure reason (PS3.18 Table I.2-2), with `reason` and `hint` as message ids."""

    sop_class: str = ""
    sop_instance: str = ""
    object_id: str = ""
    status: int = 0
    reason: str = ""
    hint: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    study: str = ""  # UIDs of what was kept
    series: str = ""

    @property
    def ok(self) -> bool:
        return self.status == Status.SUCCESS


_NAMES: Final = tuple(known.name for known in fields(Result))


def kept(receipt: Receipt) -> Result:
    return Result(
        receipt.sop_class,
        receipt.sop_instance,
        receipt.object_id,
        study=receipt.study,
        series=receipt.series,
    )


def failed(error: SermentError, sop_class: str = "", sop_instance: str = "") -> Result:
    """The result that says why; UIDs as far as they are known."""
    return Result(
        sop_class,
        sop_instance,
        status=int(status_of(error)),
        reason=error.message[:_MAX_TEXT],
        hint=error.hint[:_MAX_TEXT],
        values=_plain(error),
    )


def encode_request(request: Request) -> bytes:
    return _line(asdict(request))


def parse_request(line: bytes) -> Request:
    """`FormatError` for anything but a request of this format."""
    raw = _object(line)
    try:
        source = Source(**_checked(raw.pop("source"), Source))
        request = Request(source=source, **_checked(raw, Request, leaving="source"))
    except (KeyError, TypeError, AttributeError) as error:
        raise _not_ours() from error
    if request.op not in OPERATIONS:
        raise _not_ours()
    return request


def encode_results(results: list[Result]) -> bytes:
    return _line({"results": [{name: getattr(r, name) for name in _NAMES} for r in results]})


def encode_done() -> bytes:
    return _line({"done": True})


def encode_error(error: SermentError) -> bytes:
    body = {
        "class": type(error).__name__,
        "message": error.message[:_MAX_TEXT],
        "hint": error.hint[:_MAX_TEXT],
        "values": _plain(error),
    }
    return _line({"error": body})


def parse_answer(line: bytes) -> list[Result] | None:
    """The results of one answer line, or None when the request is done.

    Raises:
        SermentError: the one that the receiver answered, or `FormatError`.
    """
    raw = _object(line)
    if "error" in raw:
        raise _error(raw["error"])
    if raw.get("done") is True:
        return None
    try:
        return [Result(**result) for result in raw["results"]]
    except (KeyError, TypeError) as error:
        raise _not_ours() from error


def frames(kind: bytes, payload: bytes | bytearray | memoryview = b"") -> Iterator[bytes]:
    """The frames that carry a payload of any size; one empty frame for kinds without payload."""
    view = memoryview(payload)
    if not len(view):
        if kind != DATA:
            yield HEAD.pack(kind, 0)
        return
    for start in range(0, len(view), MAX_PAYLOAD):
        piece = view[start : start + MAX_PAYLOAD]
        yield HEAD.pack(kind, len(piece)) + piece


def check_head(head: bytes) -> tuple[bytes, int]:
    """Kind and length of a frame; `FormatError` when they cannot be."""
    kind, length = HEAD.unpack(head)
    if length > _LONGEST.get(kind, -1):
        raise _not_ours()
    return kind, length


def not_running() -> Unavailable:
    return Unavailable(N_("the receiver is not running"), hint=N_("start it with `serment serve`"))


def cut_off() -> Unavailable:
    return Unavailable(
        N_("the receiver ended before it answered"),
        hint=N_("nothing without an answer is acknowledged: send it again"),
    )


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _object(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        raise _not_ours() from None
    if not isinstance(raw, dict):
        raise _not_ours()
    return raw


def _checked(raw: dict[str, Any], kind: type[Any], leaving: str = "") -> dict[str, Any]:
    """The same fields, each of the type that the default or the name of the field tells."""
    for known in fields(kind):
        if known.name in raw and known.name != leaving:
            wanted = bool if known.name in _TRUTHS else str
            value = raw[known.name]
            if not isinstance(value, wanted) and not (value is None and "None" in str(known.type)):
                raise TypeError(known.name)
    return raw


def _plain(error: SermentError) -> dict[str, Any]:
    return {
        key: value if isinstance(value, int) else str(value)[:_MAX_TEXT]
        for key, value in error.values.items()
    }


def _error(raw: object) -> SermentError:
    if not isinstance(raw, dict):
        return _not_ours()
    kind = getattr(errors, str(raw.get("class")), SermentError)
    if not (isinstance(kind, type) and issubclass(kind, SermentError)):
        kind = SermentError
    values = raw.get("values")
    return kind(
        str(raw.get("message", "")),
        hint=str(raw.get("hint", "")),
        **(values if isinstance(values, dict) else {}),
    )


def _not_ours() -> FormatError:
    return FormatError(N_("this is not a request or an answer of the intake"))
