"""What a web server's own pages lead to is asked first, wherever it lies, and only on that server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.lan.pages import Server
from tests.unit.network.calling import HOST
from tests.unit.network.speaking import ask

from serment.adapters.network.probes import http
from serment.core.exposure.checking import View
from serment.core.exposure.findings import Place
from serment.core.exposure.registry import judge
from serment.core.exposure.seen import Answer, Http, Scan, Service

SYSTEM = {"body": {"Name": "x", "Version": "1.12.11", "ApiVersion": 28, "DicomAet": "ORTHANC"}}
COUNT = {"body": {"CountPatients": 7}}
EXPLORER = {"body": "<title>Orthanc Explorer</title>"}
STUDY = {"0020000D": {"vr": "UI", "Value": ["2.25.7"]}, "00100020": {"Value": ["FICTIF1"]}}
STUDIES = {"body": [STUDY], "headers": {"Content-Type": "application/dicom+json"}}


def shown(body: str) -> dict[str, Any]:
    return {"body": f"<html><title>Cabinet</title><body>{body}</body></html>"}


def moved(where: str) -> dict[str, Any]:
    return {"status": 302, "headers": {"Location": where}}


def orthanc_at(root: str) -> dict[str, Any]:
    return {
        f"{root}/app/explorer.html": EXPLORER,
        f"{root}/system": SYSTEM,
        f"{root}/statistics": COUNT,
    }


@contextmanager
def site(pages: dict[str, Any], **more: object) -> Iterator[int]:
    """A web server of loopback with these pages, as `tests.lan.pages`; its port."""
    server = Server({"host": HOST, "port": 0, "pages": pages, **more})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def seen(pages: dict[str, Any]) -> Http:
    with site(pages) as port:
        said = ask(http.PROBE, port)
    assert said is not None
    assert isinstance(said.facts, Http)
    return said.facts


@pytest.mark.parametrize(
    "pages",
    [
        {"/": moved("/ui/pacs/app/explorer.html"), **orthanc_at("/ui/pacs")},
        {"/": shown("<a href='/imagerie/echo/app/explorer.html'>x</a>"), **orthanc_at("/imagerie/echo")},
        {"/": shown("<a href='/x/y/ui/app/'>x</a>"), **orthanc_at("/x/y")},
        {
            "/": shown("<a href='imagerie/'>Images</a>"),
            "/imagerie/": shown("<a href='echo/app/explorer.html'>x</a>"),
            **orthanc_at("/imagerie/echo"),
        },
        {
            "/": shown("<a href='/pacs/'>Images</a>"),
            "/pacs/": moved("/interne/o/app/explorer.html"),
            **orthanc_at("/interne/o"),
        },
    ],
    ids=["redirect", "link", "second explorer", "page between", "page that redirects"],
)  # fmt: skip
def test_an_orthanc_is_found_where_its_own_pages_are(pages: dict[str, Any]) -> None:
    said = seen(pages)
    assert (said.application, said.interface) == ("orthanc", Answer.YES)
    assert said.readable is not None
    assert said.readable.count == 7


@pytest.mark.parametrize(("form", "reasons"), [("", 1), ("<input type=password>", 0)])
def test_a_page_whose_interface_is_nowhere_is_told_as_not_checked(form: str, reasons: int) -> None:
    facts = seen({"/": {"body": f"<title>Orthanc Explorer</title>{form}"}})
    one = Service(Place("192.168.1.20", 80, "http"), "http", facts=facts)
    found, not_checked = judge(View(Scan((one,))), ["X08"])
    assert not found
    assert [each.check for each in not_checked] == ["X08"] * reasons


@pytest.mark.parametrize("word", ["qidoRoot: '{}'", '"wadoRoot":"{}"', "qidoRoot = '{}/'"])
def test_the_archive_that_a_viewers_settings_name_is_asked(word: str) -> None:
    script = f"<script>window.config={{ {word.format('/images/v2/dw')} }}</script>"
    said = seen({"/": shown(script), "/images/v2/dw/studies": STUDIES})
    assert "dicomweb" in {said.application, *said.also}
    assert said.readable is not None


def test_the_archive_of_another_server_is_left_alone() -> None:
    script = "<script>window.config={qidoRoot:'http://192.0.2.7/images/v2/dw'}</script>"
    said = seen({"/": shown(script), "/images/v2/dw/studies": STUDIES})
    assert "dicomweb" not in {said.application, *said.also}
