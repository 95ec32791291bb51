"""WebDAV beside another interface keeps what it showed, and who refuses is told from who asks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.network.speaking import ask
from tests.unit.network.test_web_leads import orthanc_at, site

from serment.adapters.network.probes import http
from serment.core.exposure.checking import View
from serment.core.exposure.findings import Finding, Place, Severity
from serment.core.exposure.registry import judge
from serment.core.exposure.seen import Answer, Http, Scan, Service

NAMES = ("IM000001", "IM000002", "patients.csv", "export_2019.zip", "base.sql")
ALLOWED = {"status": 200, "headers": {"Allow": "GET, PUT, PROPFIND", "DAV": "1"}}
ENTRIES = "".join(f"<D:response><D:href>/{name}</D:href></D:response>" for name in ("", *NAMES))
SHARE = {
    "OPTIONS /": ALLOWED,
    "PROPFIND /": {"status": 207, "body": f"<D:multistatus>{ENTRIES}</D:multistatus>"},
}
LISTING = "<title>Index of /</title>" + "".join(f"<a href='{name}'>x</a>" for name in NAMES)


def stated(pages: dict[str, Any]) -> dict[str, Finding]:
    with site(pages) as port:
        said = ask(http.PROBE, port)
    assert said is not None
    place = Place("192.168.1.20", 80, said.protocol)
    one = Service(place, said.protocol, said.product, facts=said.facts)
    found = judge(View(Scan((one,))), ["X08", "X11", "X15", "X17", "X25", "X29"])[0]
    return {each.id: each for each in found}


@pytest.mark.parametrize(
    ("pages", "beside"),
    [({"GET /": {"body": LISTING}}, "X17"), (orthanc_at(""), "X08")],
    ids=["listing", "orthanc"],
)
def test_webdav_beside_another_finding_is_stated_whole(pages: dict[str, Any], beside: str) -> None:
    found = stated({**pages, **SHARE})
    assert {"X15", "X29", beside} <= found.keys()
    share = found["X15"]
    assert share.severity is Severity.CRITICAL
    assert share.readable is not None
    assert share.readable.count == len(NAMES)
    assert "may be changed" in share.evidence
    assert "dicom: 2" in str(share.values)


@pytest.mark.parametrize(
    ("methods", "told"), [("GET, DELETE, PROPFIND, MOVE", True), ("OPTIONS, GET, PROPFIND", False)]
)
def test_a_folder_says_by_its_methods_whether_it_may_be_changed(methods: str, told: bool) -> None:
    """As wsgidav: PUT is for files, and its first folder announces what else there is."""
    options = {"status": 200, "headers": {"Allow": methods, "DAV": "1,2"}}
    found = stated({"GET /": {"body": LISTING}, **SHARE, "OPTIONS /": options})
    assert ("may be changed" in found["X15"].evidence) is told


@pytest.mark.parametrize(("status", "asks"), [(401, True), (403, False), (502, False)])
def test_who_refuses_everything_or_fails_showed_no_page(status: int, asks: bool) -> None:
    page = "<title>Orthanc Explorer</title>"
    pages = {"*": {"status": status, "body": page}}
    assert ("X25" in stated(pages)) == asks


def test_a_proxy_without_its_backend_asks_for_nothing() -> None:
    """A page of failure, whatever stands in it."""
    form = "<title>Synology DSM</title><input type=password>"
    with site({"*": {"status": 502, "body": form}}) as port:
        said = ask(http.PROBE, port)
    assert said is not None
    assert isinstance(said.facts, Http)
    assert said.facts.login is Answer.NOT_ASKED
