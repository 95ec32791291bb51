"""What the client accepts: media ranges with their quality, `type` and `transfer-syntax`.

Objects are served in the transfer syntax they are stored in; a client that insists on another
gets 406 and is told which one there is. Source: RFC 9110 section 12.5, DICOM PS3.18 section 8.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.requests import Request

from serment.core.dicom.multipart import parse_content_type
from serment.entrypoints.dicomweb.refused import Refused
from serment.errors import N_, FormatError

MAX_HEADER = 4096  # characters
ANY = frozenset({"", "*"})


@dataclass(frozen=True, slots=True)
class Range:
    """One media range: outer type, inner type of a multipart, transfer syntax ("" = any), and how
    much it is wanted, from 0 (not at all) to 1."""

    media: str
    inner: str = ""
    transfer_syntax: str = ""
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to answer: a media type, what is in it when it is a multipart, and the transfer
    syntaxes it may be asked for in (none where that means nothing)."""

    media: str
    inner: str = ""
    syntaxes: tuple[str, ...] = ()


def accepted(request: Request) -> list[Range]:
    """The `accept` query parameter (PS3.18 8.3.3.1), else the Accept header, else everything."""
    text = request.query_params.get("accept", "").replace("dicom json", "dicom+json")
    text = text or ", ".join(request.headers.getlist("accept")) or "*/*"
    return [found for part in _split(text[:MAX_HEADER]) if (found := _range(part)) is not None]


def _range(text: str) -> Range | None:
    try:
        media, parameters = parse_content_type(text)
    except FormatError:
        return None
    inner, syntax = parameters.get("type", "").lower(), parameters.get("transfer-syntax", "")
    return Range(media, inner, "" if syntax in ANY else syntax, _quality(parameters.get("q", "1")))


def _quality(text: str) -> float:
    try:
        return min(max(float(text[:8]), 0.0), 1.0)
    except ValueError:
        return 1.0


def _split(text: str) -> Iterator[str]:
    """Commas outside quotes."""
    quoted, start = False, 0
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            yield text[start:position].strip()
            start = position + 1
    yield text[start:].strip()


def choose(ranges: Iterable[Range], offers: Iterable[Offer]) -> Offer | None:
    """The offer wanted most; of several the first; None when none is acceptable."""
    known = list(ranges)
    best, most = None, 0.0
    for offer in offers:
        quality = quality_of(known, offer)
        if quality > most:
            best, most = offer, quality
    return best


def quality_of(ranges: Iterable[Range], offer: Offer) -> float:
    """How much an offer is wanted: the most specific range that admits it decides."""
    found = [(_closeness(one, offer), one.quality) for one in ranges]
    return max((pair for pair in found if pair[0] > 0), default=(0, 0.0))[1]


def _closeness(one: Range, offer: Offer) -> int:
    """How closely a range describes an offer; 0 when it does not admit it."""
    if one.transfer_syntax and offer.syntaxes and one.transfer_syntax not in offer.syntaxes:
        return 0
    outer = _match(one.media, offer.media)
    inner = _match(one.inner or "*/*", offer.inner) if offer.inner else 1
    return outer * 100 + inner * 10 + bool(one.transfer_syntax) if outer and inner else 0


def _match(wanted: str, offered: str) -> int:
    """3 the same type, 2 any of its kind, 1 anything, 0 another one."""
    if wanted == offered:
        return 3
    if wanted == "*/*":
        return 1
    return 2 if wanted == f"{offered.partition('/')[0]}/*" else 0


def accepts_gzip(request: Request) -> bool:
    """Whether the answer may be compressed (RFC 9110 12.5.3)."""
    codings = {}
    for part in request.headers.get("accept-encoding", "")[:MAX_HEADER].lower().split(","):
        name, _, quality = part.partition(";")
        codings[name.strip()] = _quality(quality.strip().removeprefix("q=") or "1")
    return codings.get("gzip", codings.get("*", 0.0)) > 0


def not_acceptable(transfer_syntax: str = "") -> Refused:
    """Nothing the client accepts can be served: 406, and what there is."""
    if transfer_syntax:
        return Refused(
            406,
            N_("it is stored in the transfer syntax {uid} and not transcoded"),
            hint=N_("ask with transfer-syntax=*"),
            uid=transfer_syntax,
        )
    return Refused(406, N_("none of the media types you accept can be served here"))
