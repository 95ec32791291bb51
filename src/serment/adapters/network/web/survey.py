"""What a web server is asked, in which order: what would be serious first, at its likely places.

A slow server has time for some of it only; so every kind of interface is asked for at its usual place
before any is looked for elsewhere, and what its own pages lead to comes before what others have.
Nothing more is asked of a server that refuses everything.
"""

from __future__ import annotations

import re
from typing import Final

from serment.adapters.network.web import accounts, folders, igd, images, records
from serment.adapters.network.web.client import Browser, Page
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.seen import Answer
from serment.core.exposure.webpages import Front, asks_password, led_to, recognise

_VIEWERS: Final = (
    *("/ohif/", "/viewer/", "/stone-webviewer/index.html", "/weasis-pacs-connector/", "/weasis/"),
    *("/oviyam2/", "/oviyam/", "/MedDream/", "/meddream/", "/webviewer/", "/web-viewer/", "/dwv/"),
    *("/ui/app/", "/dicom-viewer/", "/ohif-viewer/"),
)
_CONSOLES: Final = frozenset({"nas", "printer", "box"})
_SERVER: Final = {
    "nginx": "nginx",
    "apache": "Apache",
    "microsoft-iis": "IIS",
    "lighttpd": "lighttpd",
    "jetty": "Jetty",
}
_ORTHANC: Final = re.compile(r"orthanc", re.IGNORECASE)
_DICOM: Final = re.compile(r"dicom-?web|wado|qido|/rs\b|pacs|dcm4chee-arc", re.IGNORECASE)
_FHIR: Final = re.compile(r"fhir", re.IGNORECASE)
_VIEWER: Final = re.compile(r"ohif|viewer|weasis|visionneu|dwv", re.IGNORECASE)
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
    said = f"{root.text}\n{_settings(browser, sight, root)}"
    _interfaces(browser, sight, said)
    if not browser.is_refused:
        if not sight.application:
            _viewers(browser, sight, said)
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
        if known := _SERVER.get(name.lower()):
            sight.product, sight.version = known, version
    if page.status == 401 or asks_password(page.text):
        sight.login = Answer.YES


def _interfaces(browser: Browser, sight: Sight, said: str) -> None:
    """Each kind at its usual places; then, unless all was refused, at the others."""
    kinds = (
        (images.orthanc, images.ORTHANC_ROOTS, _ORTHANC, 1),
        (images.dicomweb, (*images.dcm4chee(browser, sight), *images.WEB_ROOTS), _DICOM, 3),
        (records.fhir, records.FHIR_ROOTS, _FHIR, 3),
    )
    later = []
    for ask, usual, words, likely in kinds:
        roots = list(dict.fromkeys([*_roots(said, words), *usual]))
        first = len(roots) - len(usual) + likely
        if not ask(browser, sight, roots[:first]):
            later.append((ask, roots[first:]))
    for ask, roots in later:
        if browser.is_refused:
            return
        ask(browser, sight, roots)


def _roots(said: str, words: re.Pattern[str]) -> list[str]:
    """The folders that pages lead to, down to the one that is named so, and the one below."""
    found: list[str] = []
    for path in led_to(said, words)[:_LEADS]:
        parts = path.rstrip("/").split("/")
        named = next((at for at, part in enumerate(parts) if words.search(f"/{part}")), None)
        if named is not None:
            found += ["/".join(parts[: named + 1]), "/".join(parts[: named + 2])]
    return found


def _settings(browser: Browser, sight: Sight, root: Page) -> str:
    """The settings that a page loads: a viewer's name its archive."""
    for path in led_to(root.text, _SETTINGS)[:1]:
        page = browser.get(path)
        if page.status == 200:
            look(sight, page)
            return page.text
    return ""


def _viewers(browser: Browser, sight: Sight, said: str) -> None:
    for path in dict.fromkeys([*led_to(said, _VIEWER)[:_LEADS], *_VIEWERS]):
        page = browser.visit(path)
        if page.status == 200 and recognise(page.headers, page.text).application:
            look(sight, page)
            return
