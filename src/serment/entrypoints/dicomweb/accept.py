"""What the client accepts (PS3.18 8.7): media types with their `type` and `transfer-syntax`.

Objects are served in the transfer syntax they are stored in; a client that insists on another
gets 406 and is told which one there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request

from serment.core.dicom.multipart import parse_content_type
from serment.errors import N_, FormatError, SermentError

ANY = frozenset({"", "*"})


class NotAcceptable(SermentError):
    """Nothing the client accepts can be served."""

    exit_code = 3
    http_status = 406


@dataclass(frozen=True, slots=True)
class Accepted:
    """One media range: outer type, inner type of a multipart, transfer syntax ("" = any)."""

    media: str
    inner: str
    transfer_syntax: str


def accepted(request: Request) -> list[Accepted]:
    """The Accept header, or the `accept` query parameter (8.3.3.1); everything when absent."""
    text = request.query_params.get("accept") or request.headers.get("accept") or "*/*"
    found = []
    for part in _split(text[:4096]):
        try:
            media, parameters = parse_content_type(part)
        except FormatError:
            continue
        found.append(
            Accepted(media, parameters.get("type", ""), parameters.get("transfer-syntax", ""))
        )
    return found


def _split(text: str) -> Iterable[str]:
    """Commas outside quotes."""
    quoted, start = False, 0
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            yield text[start:position].strip()
            start = position + 1
    yield text[start:].strip()


def wants(ranges: Iterable[Accepted], media: str, inner: str, transfer_syntax: str = "") -> bool:
    """Whether one range admits `media` (multipart of `inner`) in this transfer syntax."""
    for one in ranges:
        if one.transfer_syntax not in ANY and transfer_syntax not in ("", one.transfer_syntax):
            continue
        kind = media.partition("/")[0]
        if one.media in ("*/*", f"{kind}/*"):
            return True
        if one.media == media and (not inner or one.inner in ("", inner, "*/*")):
            return True
    return False


def not_acceptable(transfer_syntax: str = "") -> NotAcceptable:
    if transfer_syntax:
        return NotAcceptable(
            N_("it is stored in the transfer syntax {uid} and not transcoded"),
            hint=N_("ask with transfer-syntax=*"),
            uid=transfer_syntax,
        )
    return NotAcceptable(N_("none of the media types you accept can be served here"))
