"""HTTP, and what is behind it: asked for by name, without any account, and counted.

What is asked is `web.survey`; this file decides when a server is not a web server after all (a TLS
port that answers in clear, a database), and by which name it is called: by its address first, then,
where that is not answered or shows nothing, by the names it was given by or that its certificate has.
"""

from __future__ import annotations

import contextlib
from typing import Final

from serment.adapters.network import tls
from serment.adapters.network.line import Cut, Ended, Gone
from serment.adapters.network.probing import Call, Heard, Probe
from serment.adapters.network.web.client import (
    NOTHING,
    PAGE_SECONDS,
    Browser,
    Page,
    host_header,
    read_page,
    request,
)
from serment.adapters.network.web.sight import Sight
from serment.adapters.network.web.survey import look, survey

_NOT_THE_WEB: Final = (b"MongoDB over HTTP on the native driver port",)


def talk(call: Call) -> Heard | None:
    """Ask for the first page; then, if it is HTTP, for each interface that would be serious."""
    first = _answered(call)
    if first is None:
        return None
    call.understood()
    called = call.name
    sight = _surveyed(call, first)
    for name in tls.names(call):
        if call.was_cut or not sight.is_plain:
            break
        sight = (_called(call, name, first) if name != called else None) or sight
    call.heard = sight.heard()
    call.was_cut = call.was_cut or call.put_off
    return call.heard


def _answered(call: Call) -> Page | None:
    """The first page of a server; one that hangs up on whoever calls it by its address, or in its TLS
    refuses him, is called by its names."""
    before = call.name
    for name in (before, *tls.names(call)):
        call.name = name
        with contextlib.suppress(Gone):
            return _first(call)
        if tls.wants_certificate(call.budget.refusal, asks=False):
            break  # whoever calls
    call.name = before
    raise Gone


def _first(call: Call) -> Page | None:
    """The first page; None when this is not HTTP, or only says in HTTP that it wants TLS."""
    with call.line() as line:
        host = host_header(call.name or call.place.host, call.place.port)
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


def _surveyed(call: Call, first: Page) -> Sight:
    """All that one name of the server answers; what is known so far is kept when it is cut."""
    sight = Sight(status=first.status)
    look(sight, first)
    if call.heard is None:
        call.heard = sight.heard()
    if not call.was_cut:  # otherwise its first page has no end: nor would the others
        browser = Browser(call)
        try:
            survey(browser, sight, first)
        except Ended as end:
            call.was_cut = call.was_cut or isinstance(end, Cut)
        call.put_off = call.put_off or browser.put_off
    return sight


def _called(call: Call, name: str, first: Page) -> Sight | None:
    """What it answers under a name; None when that is the same, or nothing."""
    call.name = name
    page = Browser(call).get("/")
    if page is NOTHING or (page.status == 200 and page.body == first.body):
        return None
    sight = _surveyed(call, page)
    return None if sight.is_plain else sight


PROBE = Probe(
    "http",
    talk,
    usual=frozenset(
        {80, 81, 82, 88, 591, 631, 3000, 5000, 5555, 7080, 8000, 8001, 8008, 8010, 8042, 8080, 8081}
        | {8082, 8083, 8085, 8088, 8090, 8181, 8800, 8880, 8888, 9080, 9090, 9200, 49152}
    ),
    rank=20,
    window=0.35,
    wakes=b"\r\n\r\n",
    begins=(b"HTTP/", b"<!DOCTYPE", b"<html", b"<HTML"),
)
