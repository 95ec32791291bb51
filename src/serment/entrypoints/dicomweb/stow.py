"""STOW-RS (PS3.18 10.5): the body goes on to the receiver as it comes; this process seals nothing."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from serment.core.dicom.json import to_json
from serment.core.dicom.uids import is_uid
from serment.entrypoints.dicomweb import accept
from serment.entrypoints.dicomweb.callers import base_url, device, peer
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.intake.framing import Result
from serment.errors import N_, FormatError
from serment.ports import Source

JSON = "application/dicom+json"
XML = "application/dicom+xml"
REFERENCED = ("ReferencedSOPSequence", "00081199")
FAILED = ("FailedSOPSequence", "00081198")


async def store(request: Request) -> Response:
    """200 when all was kept, 202 when some, 409 when none (Table 10.5.3-1)."""
    sender = await device(request)
    study = request.path_params.get("study")
    if study is not None and not is_uid(study):
        raise FormatError(N_("a UID of the address is not valid"))
    where = peer(request)
    source = Source("stow", sender.id, sender.circle, where.address, where.local, where.tls)
    intake: AsyncIntakeClient = request.app.state.intake
    results = await intake.stow(source, request.headers.get("content-type", ""), request.stream())
    kept = sum(result.ok for result in results)
    status = 200 if kept == len(results) and kept else 202 if kept else 409
    return _answer(request, results, status)


def _answer(request: Request, results: list[Result], status: int) -> Response:
    base = base_url(request)
    done = [_sop(r) for r in results if r.ok]
    failed = [{**_sop(r), "FailureReason": r.status} for r in results if not r.ok]
    ranges = accept.accepted(request)
    if accept.wants(ranges, JSON, "") or not accept.wants(ranges, XML, ""):
        return JSONResponse(_json(base, done, failed), status, media_type=JSON)
    return Response(_xml(base, done, failed), status, media_type=XML)


def _sop(result: Result) -> dict[str, Any]:
    """Reference to one instance (Table 10.5.3-2), as far as its UIDs are known."""
    return {
        "ReferencedSOPClassUID": result.sop_class,
        "ReferencedSOPInstanceUID": result.sop_instance,
    }


def _json(base: str, done: list[dict[str, Any]], failed: list[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = to_json({"RetrieveURL": f"{base}/studies"})
    for (_, tag), items in ((REFERENCED, done), (FAILED, failed)):
        if items:
            body[tag] = {"vr": "SQ", "Value": [to_json(item) for item in items]}
    return body


def _xml(base: str, done: list[dict[str, Any]], failed: list[dict[str, Any]]) -> bytes:
    """The Native DICOM Model (PS3.19 A.1)."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<NativeDicomModel>"]
    lines.append(_element("00081190", "UR", "RetrieveURL", f"{base}/studies"))
    for (keyword, tag), items in ((REFERENCED, done), (FAILED, failed)):
        if not items:
            continue
        lines.append(f'<DicomAttribute tag="{tag}" vr="SQ" keyword="{keyword}">')
        for number, item in enumerate(items, 1):
            lines.append(f'<Item number="{number}">')
            lines += [_element(*_named(key), str(value)) for key, value in item.items()]
            lines.append("</Item>")
        lines.append("</DicomAttribute>")
    lines.append("</NativeDicomModel>")
    return "\n".join(lines).encode()


def _named(keyword: str) -> tuple[str, str, str]:
    tags = {
        "ReferencedSOPClassUID": ("00081150", "UI"),
        "ReferencedSOPInstanceUID": ("00081155", "UI"),
        "FailureReason": ("00081197", "US"),
    }
    tag, vr = tags[keyword]
    return tag, vr, keyword


def _element(tag: str, vr: str, keyword: str, value: str) -> str:
    return (
        f'<DicomAttribute tag="{tag}" vr="{vr}" keyword="{keyword}">'
        f'<Value number="1">{escape(value)}</Value></DicomAttribute>'
    )
