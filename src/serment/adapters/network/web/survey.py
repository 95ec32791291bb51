"""What a web server is asked, in which order: what would be serious first, at its likely places.

A slow server has time for some of it only; so every kind of interface is asked for at its usual place
before any is looked for elsewhere, and what its own pages lead to comes before what others have.
Nothing more is asked of a server that refuses everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from serment.adapters.network.web import accounts, folders, igd, images, records
from serment.adapters.network.web.client import Browser, Page
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.seen import Answer
from serment.core.exposure.unclear import puts_off
from serment.core.exposure.webpages import (
    SERVERS,
    Front,
    archive_roots,
    asks_password,
    led_to,
    recognise,
)

_VIEWERS: Final = (
    *("/ohif/", "/viewer/", "/stone-webviewer/index.html", "/weasis-pacs-connector/", "/weasis/"),
    *("/oviyam2/", "/oviyam/", "/MedDream/", "/meddream/", "/webviewer/", "/web-viewer/", "/dwv/"),
    *("/ui/app/", "/dicom-viewer/", "/ohif-viewer/"),
)
_CONSOLES: Final = frozenset({"nas", "printer", "box"})
_ORTHANC: Final = re.compile(r"orthanc", re.IGNORECASE)
_DICOM: Final = re.compile(r"dicom-?web|wado|qido|/rs\b|pacs|dcm4chee-arc", re.IGNORECASE)
_FHIR: Final = re.compile(r"fhir", re.IGNORECASE)
_VIEWER: Final = re.compile(r"ohif|viewer|weasis|visionneu|dwv", re.IGNORECASE)
_EXPLORER: Final = re.compile(r"/(?:app/explorer\.html|ui/app/)", re.IGNORECASE)  # of Orthanc
_ENTRANCE: Final = re.compile(r"pacs|imagerie|orthanc|explorer", re.IGNORECASE)
_PART: Final = re.compile(r"\.(?:js|css|png|jpe?g|gif|svg|ico|woff2?|pdf|zip)$", re.IGNORECASE)
_SETTINGS: Final = re.compile(r"config[\w.-]{0,100}\.js(?:on)?$", re.IGNORECASE)
_LEADS: Final = 3  # places of one kind that its pages lead to
_REFUSED: Final = (401, 403)


def survey(browser: Browser, sight: Sight, first: Page) -> None:
    """Ask everything, beginning with what the first page says; the answers go into `sight`."""
    root = browser.visit("/", first)
    if root is not first:
        look(sight, root)
    records.elasticsearch(browser, sight, root)
    accounts.try_documented(browser, sight, root)
    if sight.protocol == "elasticsearch":
        return
    if igd.is_likely(browser, root) and _box(browser, sight):
        return
    if sight.application in _CONSOLES:
        return
    pages = [root, *_settings(browser, sight, root)]
    pages += _entrances(browser, sight, root)
    _interfaces(browser, sight, pages)
    if not browser.is_refused:
        if not sight.application:
            _viewers(browser, sight, pages)
        folders.webdav(browser, sight)
        folders.listings(browser, sight, root)
        if sight.is_plain and not igd.is_likely(browser, root):
            _box(browser, sight)


def _box(browser: Browser, sight: Sight) -> bool:
    """Whether it is an Internet box that tells over UPnP what it forwards."""
    box = igd.over_http(browser)
    if box is not None:
        device, sight.other = box
        sight.protocol, sight.product, sight.version = "igd", device.product, device.version
    return box is not None


def look(sight: Sight, page: Page) -> None:
    """What a page says of itself, and whether it asks who is there."""
    server = page.headers.get("server", "")
    sight.banner = server
    sight.status = page.status or sight.status
    is_here = page.status not in range(300, 400)  # otherwise it speaks of another place
    front = recognise(page.headers, page.text) if is_here else Front()
    if not sight.application and front.application:
        sight.application = front.application
        sight.product, sight.version = front.product, front.version
    if not sight.product:
        name, _, version = server.partition(" ")[0].partition("/")
        if known := SERVERS.get(name.lower()):
            sight.product, sight.version = known, version
    if page.status == 401 or (not puts_off(page.status) and asks_password(page.text)):
        sight.login = Answer.YES


def _interfaces(browser: Browser, sight: Sight, pages: Sequence[Page]) -> None:
    """Each kind at its usual places; then, unless all was refused, at the others."""
    archives = [
        found
        for page in pages
        for root in archive_roots(page.text)[:_LEADS]
        if (found := browser.here(root, page.path))
    ]
    web = (*images.dcm4chee(browser, sight), *images.WEB_ROOTS)
    kinds = (
        (images.orthanc, [*_explorers(pages), *_roots(pages, _ORTHANC)], images.ORTHANC_ROOTS, 1),
        (images.dicomweb, [*archives, *_roots(pages, _DICOM)], web, 3),
        (records.fhir, _roots(pages, _FHIR), records.FHIR_ROOTS, 3),
    )
    later = []
    for ask, told, usual, likely in kinds:
        roots = list(dict.fromkeys([*(each.rstrip("/") for each in told), *usual]))
        first = len(roots) - len(usual) + likely
        if not ask(browser, sight, roots[:first]):
            later.append((ask, roots[first:]))
    for ask, roots in later:
        if browser.is_refused:
            return
        ask(browser, sight, roots)


def _links(pages: Iterable[Page], words: re.Pattern[str]) -> list[str]:
    """Where pages are, and what they lead to, where that holds such a word."""
    found: list[str] = []
    for page in pages:
        here = page.path.partition("?")[0]
        found += [here] * bool(words.search(here)) + led_to(page.text, words, here)
    return list(dict.fromkeys(found))


def _explorers(pages: Iterable[Page]) -> list[str]:
    """What stands before Orthanc's own pages is the root of its interface."""
    return [_EXPLORER.split(path)[0] for path in _links(pages, _EXPLORER)[:_LEADS]]


def _roots(pages: Iterable[Page], words: re.Pattern[str]) -> list[str]:
    """The folders that pages lead to, down to the one that is named so, and the one below."""
    found: list[str] = []
    for path in _links(pages, words)[:_LEADS]:
        parts = path.rstrip("/").split("/")
        named = next((at for at, part in enumerate(parts) if words.search(f"/{part}")), None)
        if named is not None:
            found += ["/".join(parts[: named + 1]), "/".join(parts[: named + 2])]
    return found


def _settings(browser: Browser, sight: Sight, root: Page) -> list[Page]:
    """The settings that a page loads: a viewer's name its archive."""
    for path in led_to(root.text, _SETTINGS, root.path)[:1]:
        page = browser.get(path)
        if page.status == 200:
            look(sight, page)
            return [page]
    return []


def _entrances(browser: Browser, sight: Sight, root: Page) -> list[Page]:
    """The pages that the first one leads to and that sound like those of images."""
    found = []
    paths = [path for path in led_to(root.text, _ENTRANCE, root.path) if not _PART.search(path)]
    for path in paths[:_LEADS]:
        page = browser.visit(path)
        if page.status == 200:
            found.append(page)
            if recognise(page.headers, page.text).application:
                look(sight, page)
    return found


def _viewers(browser: Browser, sight: Sight, pages: Sequence[Page]) -> None:
    for path in dict.fromkeys([*_links(pages, _VIEWER)[:_LEADS], *_VIEWERS]):
        page = browser.visit(path)
        if page.status == 200 and recognise(page.headers, page.text).application:
            look(sight, page)
            return
