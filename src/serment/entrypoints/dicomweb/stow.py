"""STOW-RS (PS3.18 10.5): the body goes on to the receiver as it comes; this process seals nothing.

A request is refused before its body is read where its headers suffice: who sends, which media
type it is, which one the answer may have. What became of each instance is in the answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sized
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.core.dicom.json import to_json
from serment.core.dicom.multipart import parse_content_type
from serment.core.dicom.xml import native_model
from serment.core.records.vault import Device
from serment.entrypoints.bodies import in_time, straight
from serment.entrypoints.dicomweb import answers
from serment.entrypoints.dicomweb.accept import Offer, accepted, choose, not_acceptable
from serment.entrypoints.dicomweb.callers import base_url, device, peer
from serment.entrypoints.dicomweb.instances import uids_of
from serment.entrypoints.dicomweb.refused import Refused
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.intake.framing import Result
from serment.errors import N_, FormatError, SermentError
from serment.ports import Source

REASONS = 3  # of refusals told in words
KINDS = (
    Offer(answers.DICOM_JSON),
    Offer("application/json"),
    Offer(answers.DICOM_XML),
    Offer("application/xml"),
    Offer("text/xml"),
)
REFERENCED, FAILED, RETRIEVE = "00081199", "00081198", "00081190"


async def store(request: Request) -> Response:
    """200 when all was kept, 202 when some, 409 when none (Table 10.5.3-1)."""
    sender = await device(request)
    offer = choose(accepted(request), KINDS)
    if offer is None:
        raise not_acceptable()
    content_type = request.headers.get("content-type", "")
    _check_media(content_type)
    intake: AsyncIntakeClient = request.app.state.intake
    source = _source(request, sender)
    more = _may_go_on(request)
    results = await intake.stow(
        source, content_type, lambda lane: _patiently(straight(request, lane)), more=more
    )
    return _answer(request, results, offer.media)


def _check_media(content_type: str) -> None:
    try:
        media, parameters = parse_content_type(content_type)
    except FormatError:
        media, parameters = "", {}
    inner = parameters.get("type", "application/dicom").lower()
    if media != "multipart/related" or inner != "application/dicom":
        raise Refused(
            415,
            N_("expected multipart/related of application/dicom"),
            hint=N_('send Content-Type: multipart/related; type="application/dicom"; boundary=...'),
        )


def _source(request: Request, sender: Device) -> Source:
    where, study = peer(request), uids_of(request).get("study")
    return Source(
        "stow", sender.id, sender.circle, where.address, where.local, where.tls, study=study
    )


def _may_go_on(request: Request) -> bool:
    """Whether the caller may send the next request over the same connection (RFC 9112 9.3)."""
    return request.scope["http_version"] == "1.1" and (
        request.headers.get("connection", "").lower() != "close"
    )


async def _patiently(body: AsyncIterator[Sized]) -> AsyncIterator[Sized]:
    """The body; `Refused` (408) when it comes too slowly."""
    try:
        async for chunk in in_time(body):
            yield chunk
    except TimeoutError:
        raise Refused(408, N_("the sender was too slow")) from None


def _answer(request: Request, results: list[Result], media: str) -> Response:
    kept = sum(result.ok for result in results)
    status = 200 if kept == len(results) and kept else 202 if kept else 409
    body = _outcome(base_url(request), results)
    reasons = list(dict.fromkeys(_reason(result) for result in results if not result.ok))
    headers = {"Warning": ", ".join(map(answers.warning, reasons[:REASONS]))} if reasons else {}
    if media.endswith("xml"):
        return Response(native_model(body), status, headers=headers, media_type=media)
    return answers.packed(request, answers.encode(body), media, status, headers)


def _outcome(base: str, results: list[Result]) -> dict[str, Any]:
    """The Store Instances Response Module (Table 10.5.3-2)."""
    studies = {result.study for result in results if result.ok}
    body: dict[str, Any] = {}
    for tag, items in (
        (FAILED, [_failed(r) for r in results if not r.ok]),
        (REFERENCED, [_referenced(base, r) for r in results if r.ok]),
    ):
        if items:
            body[tag] = {"vr": "SQ", "Value": [to_json(item) for item in items]}
    if len(studies) == 1:
        body |= to_json({"RetrieveURL": f"{base}/studies/{studies.pop()}"})
    return dict(sorted(body.items()))


def _sop(result: Result) -> Iterable[tuple[str, str]]:
    yield "ReferencedSOPClassUID", result.sop_class
    yield "ReferencedSOPInstanceUID", result.sop_instance


def _referenced(base: str, result: Result) -> dict[str, Any]:
    where = f"{base}/studies/{result.study}/series/{result.series}/instances/{result.sop_instance}"
    return {**dict(_sop(result)), "RetrieveURL": where}


def _failed(result: Result) -> dict[str, Any]:
    """The UIDs as far as the object named them, and why (Table I.2-2)."""
    return {**dict(_sop(result)), "FailureReason": result.status}


def _reason(result: Result) -> str:
    return str(SermentError(result.reason, **result.values))
