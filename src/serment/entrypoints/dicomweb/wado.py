"""WADO-RS (PS3.18 10.4): studies, series and instances as files, and their metadata.

Nothing leaves before the journal has named it. Whole objects stream as they open; metadata is
written out once and kept while the circle is open. Frames and pictures are in the files beside.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.entrypoints.dicomweb import answers
from serment.entrypoints.dicomweb.accept import Offer, accepted, choose, not_acceptable
from serment.entrypoints.dicomweb.answers import RELATED
from serment.entrypoints.dicomweb.callers import Caller, base_url, in_session
from serment.entrypoints.dicomweb.instances import named, opened, stored_syntax, warnings_of
from serment.entrypoints.dicomweb.streams import Part, multipart, single
from serment.ports import InstanceRow

DICOM = "application/dicom"


async def objects(request: Request) -> Response:
    """Study, series or instance as DICOM files (10.4.1.1.1)."""
    return await in_session(request, lambda caller: _objects(caller, request))


def _objects(caller: Caller, request: Request) -> Response:
    rows = named(caller, request)
    one_asked = "instance" in request.path_params
    offer = _object_offer(request, rows, one_asked)
    found = opened(caller, rows, "object")
    found[0].check()  # what is not what was sealed is refused before an answer begins
    headers = warnings_of(caller, request, rows)
    parts = [Part(_part_type(one.row), one.stream(), one.size) for one in found]
    if offer.inner:
        return multipart(DICOM, parts, headers)
    return single(parts[0], headers)


def _object_offer(request: Request, rows: list[InstanceRow], one_asked: bool) -> Offer:
    """Every object must be acceptable as it is stored; one alone may come without multipart."""
    ranges = accepted(request)
    found = Offer(RELATED, DICOM)
    for row in rows:
        syntax = stored_syntax(row)
        offers = [Offer(RELATED, DICOM, (syntax,))]
        if one_asked:
            offers.append(Offer(DICOM, "", (syntax,)))
        offer = choose(ranges, offers)
        if offer is None:
            known = choose(ranges, (Offer(RELATED, DICOM), Offer(DICOM)))
            raise not_acceptable(syntax if known else "")
        found = offer
    return found


def _part_type(row: InstanceRow) -> str:
    return f"{DICOM}; transfer-syntax={stored_syntax(row)}"


async def metadata_of(request: Request) -> Response:
    """All attributes of every instance, bulk data by address (10.4.1.1.2)."""
    return await in_session(request, lambda caller: _metadata(caller, request), False)


def _metadata(caller: Caller, request: Request) -> Response:
    offer = answers.list_offer(request)
    rows = named(caller, request)
    base = base_url(request)
    caller.reading.allow(rows, "metadata")
    headers = warnings_of(caller, request, rows)
    if offer.inner:
        memo: dict[Any, Any] = {}
        found = opened(caller, rows, "metadata")
        items = [one.metadata(bulk_address(base, one.row), memo) for one in found]
        return answers.xml_parts(items, headers)
    body = b"[" + b",".join(_written(caller, rows, base)) + b"]"
    return answers.packed(request, body, offer.media, headers=headers)


def _written(caller: Caller, rows: list[InstanceRow], base: str) -> list[bytes]:
    """The metadata of each, as JSON: kept from before, or written now and kept."""
    kept, turn = caller.kept, caller.kept.turn()
    written = {row.object: kept.get(row.circle, (row.object, base)) for row in rows}
    missing = [row for row in rows if written[row.object] is None]
    memo: dict[Any, Any] = {}
    for one in opened(caller, missing, "metadata") if missing else ():
        text = answers.encode(one.metadata(bulk_address(base, one.row), memo))
        written[one.row.object] = text
        kept.put(one.row.circle, (one.row.object, base), text, turn)
    return [found for row in rows if (found := written[row.object]) is not None]


def instance_address(base: str, row: InstanceRow) -> str:
    return f"{base}/studies/{row.study_uid}/series/{row.series_uid}/instances/{row.instance_uid}"


def bulk_address(base: str, row: InstanceRow) -> str:
    """Where the large values of an instance are; the tag follows."""
    return f"{instance_address(base, row)}/bulkdata"
