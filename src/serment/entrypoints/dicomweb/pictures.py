"""Pictures of instances, frames, series and studies, and documents as PDF (PS3.18 10.4.1.1.3, .4).

The frame is cut out without identity and decoded in the child process. A series or study is
represented by one picture, its middle image; a multi-frame object by one frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from serment.core.dicom.documents import find_document
from serment.core.dicom.excerpt import excerpt
from serment.core.dicom.frames import check_frames, layout_of
from serment.core.dicom.uids import kind_of
from serment.entrypoints.dicomweb.accept import (
    Offer,
    accepted,
    choose,
    not_acceptable,
)
from serment.entrypoints.dicomweb.answers import RELATED
from serment.entrypoints.dicomweb.callers import Caller, in_session
from serment.entrypoints.dicomweb.frames import frame_list
from serment.entrypoints.dicomweb.instances import Instance, of_one_patient, opened
from serment.entrypoints.dicomweb.refused import Refused
from serment.entrypoints.dicomweb.streams import Part, multipart, single
from serment.errors import N_, UsageError
from serment.ports import InstanceRow

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
THUMBNAIL_PIXELS = 256  # of the longer side
MAX_SIDE = 8192
PICTURES_AT_ONCE = 64
PIECE = 1 << 20


async def rendered(request: Request) -> Response:
    """A picture to be looked at, or a document as PDF."""
    return await in_session(request, lambda caller: _rendered(caller, request, None))


async def thumbnail(request: Request) -> Response:
    """A small picture."""
    return await in_session(
        request, lambda caller: _rendered(caller, request, THUMBNAIL_PIXELS), active=False
    )


def _rendered(caller: Caller, request: Request, smaller: int | None) -> Response:
    size, window = _viewport(request) or smaller, _window(request)
    row = representative(of_one_patient(caller, request))
    if kind_of(str(row.attributes.get("SOPClassUID", ""))) == "document" and smaller is None:
        return _document(caller, request, row)
    if not row.attributes.get("Rows"):
        raise Refused(
            406,
            N_("this object holds no picture"),
            hint=N_("fetch the object itself; reports are not shown as pictures"),
        )
    numbers = _numbers(request, row)
    offer = _picture_offer(request, len(numbers) == 1)
    media = offer.inner or offer.media
    (instance,) = opened(caller, [row], "thumbnail" if smaller else "rendered")
    check_frames(layout_of(row.attributes), numbers)

    def picture(number: int) -> bytes:
        return caller.decoder.render(
            excerpt(instance.read, row.attributes, number),
            1,
            size=size,
            window=window,
            image_type=media.partition("/")[2],
        )

    first = picture(numbers[0])
    parts = [Part(media, iter([first]), len(first))]
    parts += [Part(media, map(picture, [number]), None) for number in numbers[1:]]
    return multipart(media, parts) if offer.inner else single(parts[0])


def _numbers(request: Request, row: InstanceRow) -> list[int]:
    """The frames asked for; the middle one when none is named."""
    if "frames" not in request.path_params:
        frames = row.attributes.get("NumberOfFrames")
        return [frames // 2 + 1 if isinstance(frames, int) and frames > 1 else 1]
    numbers = frame_list(request.path_params["frames"])
    if len(numbers) > PICTURES_AT_ONCE:
        raise UsageError(N_("at most {limit} pictures at once"), limit=PICTURES_AT_ONCE)
    return numbers


def _picture_offer(request: Request, alone: bool) -> Offer:
    offers = [Offer(media) for media in (JPEG, PNG)] if alone else []
    offers += [Offer(RELATED, media) for media in (JPEG, PNG)]
    offer = choose(accepted(request), offers)
    if offer is None:
        raise not_acceptable()
    return offer


def representative(rows: Sequence[InstanceRow]) -> InstanceRow:
    """The middle image of the first series that has any."""
    pictures = [row for row in rows if row.attributes.get("Rows")] or rows
    series = [row for row in pictures if row.series_uid == pictures[0].series_uid]
    return series[len(series) // 2]


def _document(caller: Caller, request: Request, row: InstanceRow) -> Response:
    """The PDF inside an Encapsulated Document, streamed out of it."""
    if choose(accepted(request), (Offer(PDF),)) is None:
        raise not_acceptable()
    (instance,) = opened(caller, [row], "document")
    place = find_document(instance.read, instance.size)
    data = place.data
    if (data or instance.read(place.offset, 5))[:5] != b"%PDF-":
        raise Refused(
            406,
            N_("this document is not a PDF and cannot be shown"),
            hint=N_("fetch the object itself and open it in a viewer"),
        )
    pieces = iter([data]) if data is not None else _range(instance, place.offset, place.length)
    return single(Part(PDF, pieces, place.length))


def _range(instance: Instance, offset: int, length: int) -> Iterator[bytes]:
    yield from instance.stream(offset, offset + length)


def _viewport(request: Request) -> int | None:
    """`viewport=width,height` (8.3.5.1.3): the longer side in pixels."""
    text = request.query_params.get("viewport")
    if not text:
        return None
    sides = [int(part[:8]) for part in text.split(",")[:2] if part.isascii() and part.isdigit()]
    if len(sides) != 2 or not all(0 < side <= MAX_SIDE for side in sides):
        raise UsageError(N_("viewport is width,height in pixels"))
    return max(sides)


def _window(request: Request) -> tuple[float, float] | None:
    """`window=center,width,function` (8.3.5.1.4); LINEAR only."""
    text = request.query_params.get("window")
    if not text:
        return None
    found = _LINEAR.fullmatch(text)
    if found is None:
        raise UsageError(N_("window is center,width,LINEAR"))
    return float(found[1]), max(float(found[2]), 1.0)


_NUMBER = r"([+-]?[0-9]{1,9}(?:\.[0-9]{0,9})?)"
_LINEAR = re.compile(rf"{_NUMBER},{_NUMBER}(?:,linear)?", re.IGNORECASE)
