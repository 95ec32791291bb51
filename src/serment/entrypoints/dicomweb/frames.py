"""Frames and bulk data of one instance (PS3.18 10.4.1.1.5 and 10.4.1.1.6), as they are stored.

Only what is asked for is read and opened, not the rest of the object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from serment.core.dicom import uids
from serment.core.dicom.bulk import BulkPlace, find_bulk
from serment.core.dicom.fragments import Read
from serment.core.dicom.frames import (
    PixelLayout,
    check_frames,
    frame_of,
    frame_size,
    inflated_file,
    open_pixels,
    reader_of,
)
from serment.core.dicom.media import OCTETS, FrameMedia, frame_media
from serment.core.dicom.values import little_endian
from serment.entrypoints.dicomweb.accept import Offer, accepted, choose, not_acceptable
from serment.entrypoints.dicomweb.answers import RELATED
from serment.entrypoints.dicomweb.callers import Caller, in_session
from serment.entrypoints.dicomweb.instances import (
    Instance,
    of_one_patient,
    opened,
    opened_in_series,
)
from serment.entrypoints.dicomweb.streams import Part, Streamed, multipart, single
from serment.errors import N_, FormatError, UsageError

FRAMES_AT_ONCE = 1000
_NUMBER = re.compile(r"0{0,9}[1-9][0-9]{0,8}")  # int() refuses digits without end, in its own way
PIECE = 1 << 20


async def frames(request: Request) -> Response:
    """Frames by number, in the order asked for."""
    return await in_session(request, lambda caller: _frames(caller, request))


def _frames(caller: Caller, request: Request) -> Response:
    numbers = frame_list(request.path_params["frames"])
    row = of_one_patient(caller, request)[0]
    media = frame_media(str(row.attributes.get("AvailableTransferSyntaxUID", "")))
    offer = _frame_offer(request, media, len(numbers) == 1)
    instance = opened_in_series(caller, row, "frames")
    read, layout = open_pixels(instance.read, row.attributes)
    check_frames(layout, numbers)
    return _frame_parts(read, layout, numbers, offer, media)


def _frame_offer(request: Request, media: FrameMedia, alone: bool) -> Offer:
    """Native frames are the same bytes in explicit and implicit VR; both names will do."""
    syntaxes: tuple[str, ...] = (media.transfer_syntax,)
    if media.transfer_syntax == uids.EXPLICIT_LITTLE:
        syntaxes = (*syntaxes, uids.IMPLICIT_LITTLE)
    offers = [Offer(RELATED, one, syntaxes) for one in media.media]
    if alone:
        offers += [Offer(one, "", syntaxes) for one in media.media]
    offer = choose(accepted(request), offers)
    if offer is None:
        raise not_acceptable(media.transfer_syntax)
    return offer


def _frame_parts(
    read: Read, layout: PixelLayout, numbers: list[int], offer: Offer, media: FrameMedia
) -> Streamed:
    """The first frame is read before the answer begins, the others while it is sent."""
    kind = offer.inner or offer.media
    named_kind = f"{kind}; transfer-syntax={media.transfer_syntax}"
    first = frame_of(read, layout, numbers[0])
    if not offer.inner:
        return single(Part(named_kind, iter([first]), len(first)))
    size = frame_size(layout)
    parts = [Part(named_kind, iter([first]), len(first))]
    parts += [Part(named_kind, _one_frame(read, layout, n), size) for n in numbers[1:]]
    return multipart(kind, parts)


def _one_frame(read: Read, layout: PixelLayout, number: int) -> Iterator[bytes]:
    yield frame_of(read, layout, number)


def frame_list(text: str) -> list[int]:
    """Frame numbers from 1, comma separated; of at most nine digits."""
    numbers = text.split(",")
    if len(numbers) > FRAMES_AT_ONCE or not all(map(_NUMBER.fullmatch, numbers)):
        raise UsageError(N_("frames are numbers from 1, separated by commas"))
    return list(map(int, numbers))


async def bulk(request: Request) -> Response:
    """One large value that the metadata names; each frame of encapsulated pixel data is a part."""
    return await in_session(request, lambda caller: _bulk(caller, request))


def _bulk(caller: Caller, request: Request) -> Response:
    row = of_one_patient(caller, request)[0]
    (instance,) = opened(caller, [row], "bulkdata")
    read, header_size = _plain(instance)
    place = find_bulk(read, header_size, request.path_params["path"])
    if place is None:
        return _encapsulated(request, instance)
    offer = choose(accepted(request), (Offer(OCTETS), Offer(RELATED, OCTETS)))
    if offer is None:
        raise not_acceptable()
    part = Part(OCTETS, _value(read, place), place.length)
    return multipart(OCTETS, [part]) if offer.inner else single(part)


def _plain(instance: Instance) -> tuple[Read, int]:
    if instance.attributes.get("AvailableTransferSyntaxUID") not in uids.DEFLATED:
        return instance.read, instance.header_size
    whole, header = inflated_file(instance.read, instance.size)
    return reader_of(whole), header.size


def _value(read: Read, place: BulkPlace) -> Iterator[bytes]:
    """Little endian, as an octet stream always is here (PS3.18 8.7.3.3.2)."""
    if place.data is not None:
        yield place.data
        return
    for start in range(0, place.length, PIECE):
        piece = read(place.offset + start, min(PIECE, place.length - start))
        if len(piece) != min(PIECE, place.length - start):
            raise FormatError(N_("the object ends before its value does"))
        yield little_endian(place.vr, piece) if place.vr else piece


def _encapsulated(request: Request, instance: Instance) -> Response:
    read, layout = open_pixels(instance.read, instance.attributes)
    media = frame_media(layout.transfer_syntax)
    offer = _frame_offer(request, media, layout.frames == 1)
    return _frame_parts(read, layout, list(range(1, layout.frames + 1)), offer, media)
