"""HTTP, and what is behind it: asked for by name, without any account, and counted.

Each kind of interface is one function of `web`; this file decides in which order they are asked
and when a server is not a web server after all (a TLS port that answers in clear, a database).
"""

from __future__ import annotations

from typing import Final

from serment.adapters.network import tls
from serment.adapters.network.line import Cut, Ended
from serment.adapters.network.probing import Call, Heard, Probe
from serment.adapters.network.web import folders, igd, images, records
from serment.adapters.network.web.client import (
    PAGE_SECONDS,
    Browser,
    Page,
    host_header,
    read_page,
    request,
)
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.seen import Answer
from serment.core.exposure.webpages import asks_password, recognise

_NOT_THE_WEB: Final = (b"MongoDB over HTTP on the native driver port",)
_VIEWERS: Final = ("/ohif/", "/viewer/", "/stone-webviewer/index.html", "/weasis-pacs-connector/")
_CONSOLES: Final = frozenset({"nas", "printer", "box"})
_SERVER: Final = {
    "nginx": "nginx",
    "apache": "Apache",
    "microsoft-iis": "IIS",
    "lighttpd": "lighttpd",
    "jetty": "Jetty",
}


def talk(call: Call) -> Heard | None:
    """Ask for the first page; then, if it is HTTP, for each interface that would be serious."""
    first = _first(call)
    if first is None:
        return None
    call.understood()
    browser, sight = Browser(call), Sight(status=first.status)
    _look(sight, first)
    call.heard = sight.heard()
    if call.was_cut:
        return call.heard  # its first page has no end: nor would the others
    try:
        _ask(browser, sight, first)
    except Ended as end:
        call.was_cut = call.was_cut or isinstance(end, Cut)
    return sight.heard()


def _first(call: Call) -> Page | None:
    """The first page; None when this is not HTTP, or only says in HTTP that it wants TLS."""
    with call.line() as line:
        host = host_header(call.place.host, call.place.port)
        line.send(request("GET", "/", host, {"Accept": "*/*", "Connection": "close"}, b""))
        if not line.peek(5).startswith(b"HTTP/"):
            return None
        with call.budget.within(PAGE_SECONDS) as end:
            page, _ = read_page(line, "/")
            call.was_cut = end.left <= 0
    if any(mark in page.body for mark in _NOT_THE_WEB):
        return None
    if page.status == 400 and not call.tls and tls.answers(call):
        return None
    return page


def _ask(browser: Browser, sight: Sight, first: Page) -> None:
    root = browser.visit("/") if 300 <= first.status < 400 else first
    if root is not first:
        _look(sight, root)
    records.elasticsearch(browser, sight, root)
    if sight.protocol == "elasticsearch":
        return
    if box := igd.over_http(browser, root):
        said, sight.other = box
        sight.protocol, sight.product, sight.version = "igd", said.product, said.version
        return
    if sight.application in _CONSOLES:
        return
    images.orthanc(browser, sight)
    images.dicomweb(browser, sight, images.dcm4chee(browser, sight))
    records.fhir(browser, sight)
    if not sight.application:
        _viewers(browser, sight)
    folders.webdav(browser, sight)
    folders.listings(browser, sight, root)


def _look(sight: Sight, page: Page) -> None:
    """What a page says of itself, and whether it asks who is there."""
    front = recognise(page.headers, page.text)
    server = page.headers.get("server", "")
    if not sight.application and front.application:
        sight.application = front.application
        sight.product, sight.version = front.product, front.version
    if not sight.product:
        name, _, version = server.partition(" ")[0].partition("/")
        if known := _SERVER.get(name.lower()):
            sight.product, sight.version = known, version
    sight.banner = server
    sight.status = page.status or sight.status
    if page.status == 401 or asks_password(page.text):
        sight.login = Answer.YES


def _viewers(browser: Browser, sight: Sight) -> None:
    for path in _VIEWERS:
        page = browser.visit(path)
        if page.status == 200 and recognise(page.headers, page.text).application:
            _look(sight, page)
            return


PROBE = Probe(
    "http", talk, usual=frozenset({80, 8000, 8042, 8080, 8888, 9200}), rank=20, window=0.6
)
