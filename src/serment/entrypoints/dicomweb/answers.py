"""How answers are written: DICOM JSON, compressed when wanted, or XML; errors without any value.

Source: DICOM PS3.18 sections 8.6 and 8.7, Annex F.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.core.crypto.entropy import new_id
from serment.core.dicom.xml import native_model
from serment.entrypoints.dicomweb.accept import (
    Offer,
    accepted,
    accepts_gzip,
    choose,
    not_acceptable,
)
from serment.errors import SermentError

RELATED = "multipart/related"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
JSON = Offer(DICOM_JSON)
LISTS = (JSON, Offer("application/json"), Offer(RELATED, DICOM_XML))
WORTH_PACKING = 1024  # bytes
GZIP = 16 + zlib.MAX_WBITS
QUICK = 1  # compression level: three quarters of the gain for a fifth of the time


def list_offer(request: Request) -> Offer:
    """How a list of attributes is answered (Table 8.7.3-6). `Refused` when in no way."""
    offer = choose(accepted(request), LISTS)
    if offer is None:
        raise not_acceptable()
    return offer


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def packed(
    request: Request,
    body: bytes,
    media: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """JSON, compressed if that is accepted and worth it. Never used for anything else: the bytes
    of objects hardly shrink, and nothing here mixes a secret with what a caller chose."""
    more = {**(headers or {}), "Vary": "Accept, Accept-Encoding"}
    if len(body) >= WORTH_PACKING and accepts_gzip(request):
        packer = zlib.compressobj(QUICK, zlib.DEFLATED, GZIP)
        body = packer.compress(body) + packer.flush()
        more["Content-Encoding"] = "gzip"
    return Response(body, status, headers=more, media_type=media)


def xml_parts(
    items: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
) -> Response:
    """One Native DICOM Model document a part."""
    boundary = new_id()
    head = f"--{boundary}\r\nContent-Type: {DICOM_XML}\r\n\r\n".encode()
    parts = [head + native_model(item) + b"\r\n" for item in items]
    body = b"".join((*parts, f"--{boundary}--\r\n".encode()))
    media = related(DICOM_XML, boundary)
    return Response(body, headers={**(headers or {}), "Vary": "Accept"}, media_type=media)


def related(inner: str, boundary: str) -> str:
    """The Content-Type of a multipart of that type (RFC 2387)."""
    return f'{RELATED}; type="{inner}"; boundary={boundary}'


def problem(error: SermentError, status: int) -> Response:
    """An error as PS3.18 8.6 allows: a status and a short JSON report without any value of the
    query."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = "30"
    body = encode({"error": str(error), "hint": error.advice})
    return Response(body, status, headers=headers, media_type="application/json")


def warning(text: str) -> str:
    """The value of a Warning header (PS3.18 8.5.1.2): code, service, text."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "?" for c in text)
    return f'299 serment "{plain}"'
