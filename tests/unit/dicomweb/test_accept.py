"""Which offer is chosen for an Accept header (RFC 9110 12.5.1, PS3.18 8.7)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from serment.entrypoints.dicomweb.accept import Offer, accepted, accepts_gzip, choose

JPEG, PNG = Offer("image/jpeg"), Offer("image/png")
PARTS = Offer("multipart/related", "application/dicom", ("1.2.1",))
PLAIN = Offer("application/dicom", "", ("1.2.1",))
JSON = Offer("application/dicom+json")


def request(query: str = "", **headers: str) -> Request:
    raw = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return Request({"type": "http", "query_string": query.encode(), "headers": raw})


@pytest.mark.parametrize(
    ("header", "offers", "chosen"),
    [
        ("*/*", (JPEG, PNG), JPEG),
        ("image/*", (JPEG, PNG), JPEG),
        ("IMAGE/PNG", (JPEG, PNG), PNG),
        ("image/png;q=0.4, image/jpeg;q=0.3", (JPEG, PNG), PNG),
        ("image/png;q=0.3, image/jpeg;q=0.4", (JPEG, PNG), JPEG),
        ("image/*;q=0.9, image/jpeg;q=0.1", (JPEG, PNG), PNG),
        ("*/*, image/jpeg;q=0", (JPEG, PNG), PNG),
        ("*/*;q=0", (JPEG, PNG), None),
        ("image/jpeg;q=nonsense", (JPEG,), JPEG),
        ("image/jpeg;q=9", (JPEG,), JPEG),
        ("image/gif", (JPEG, PNG), None),
        ("image/gif, , ;;;, /, image/png", (JPEG, PNG), PNG),
        ("", (JPEG,), JPEG),
        ("multipart/related", (PARTS, PLAIN), PARTS),
        ('multipart/related; type="application/dicom"', (PARTS, PLAIN), PARTS),
        ('multipart/related; type="application/*"', (PARTS,), PARTS),
        ('multipart/related; type="*/*"', (PARTS,), PARTS),
        ('multipart/related; type="image/jpeg"', (PARTS, PLAIN), None),
        ('multipart/related; type="application/dicom"; transfer-syntax=1.2.1', (PARTS,), PARTS),
        ('multipart/related; type="application/dicom"; transfer-syntax=1.2.2', (PARTS,), None),
        ('multipart/related; type="application/dicom"; transfer-syntax="*"', (PARTS,), PARTS),
        ("application/dicom; transfer-syntax=1.2.2, application/dicom;q=0.1", (PLAIN,), PLAIN),
        ("application/dicom+json; transfer-syntax=1.2.2", (JSON,), JSON),
        ('text/x; a="b,c", application/dicom', (PLAIN,), PLAIN),
        ("x" * 10_000 + ", image/png", (PNG,), None),
    ],
)
def test_choices(header: str, offers: tuple[Offer, ...], chosen: Offer | None) -> None:
    found = accepted(request(accept=header)) if header else accepted(request())
    assert choose(found, offers) == chosen


def test_several_headers_count_together() -> None:
    raw = [(b"accept", b"image/gif"), (b"accept", b"image/png")]
    several = Request({"type": "http", "query_string": b"", "headers": raw})
    assert choose(accepted(several), (JPEG, PNG)) == PNG


def test_the_parameter_replaces_the_header() -> None:
    asked = request("accept=application/dicom+json", accept="image/png")
    assert choose(accepted(asked), (PNG, JSON)) == JSON
    assert choose(accepted(request("accept=image%2Fpng")), (JPEG, PNG)) == PNG


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        ("gzip", True),
        ("GZIP;q=1.0", True),
        ("deflate, gzip;q=0.1", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("identity", False),
        ("", False),
        ("x" * 10_000, False),
    ],
)
def test_codings(header: str, packed: bool) -> None:
    assert accepts_gzip(request(accept_encoding=header)) is packed
