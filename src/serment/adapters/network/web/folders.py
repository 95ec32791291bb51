"""Folders over the web: a server's own index of files, and WebDAV. Files counted by class only."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from serment.adapters.network.web.client import Browser, Page
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.filenames import count_classes, sounds_medical
from serment.core.exposure.findings import Unit, counted
from serment.core.exposure.seen import Answer, Files
from serment.core.exposure.webpages import dav_names, is_listing, listed_names

_USUAL: Final = (
    *("/backup/", "/exports/", "/export/", "/dicom/", "/data/", "/files/", "/patients/"),
    *("/share/", "/download/", "/uploads/", "/archive/", "/images/"),
)
_FOLDERS: Final = 6  # looked into, below a listing
_PROPFIND: Final = (
    b'<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/></d:prop>'
    b"</d:propfind>"
)


def listings(browser: Browser, sight: Sight, root: Page) -> None:
    """Indexes of the first folder and, where there is none, of those that practices use."""
    pages = [root]
    if not _is_index(root):
        pages = [browser.get(path) for path in _USUAL]
    found: dict[str, int] = {}
    for page in filter(_is_index, pages):
        sight.application = sight.application or "listing"
        _add(found, _names_below(browser, page))
    if found:
        sight.listed = found
        if sight.readable is None:
            sight.readable = counted(sum(found.values()), Unit.FILES)


def webdav(browser: Browser, sight: Sight) -> None:
    """WebDAV (RFC 4918): announced by OPTIONS, listed by PROPFIND; nothing is ever written."""
    options = browser.ask("OPTIONS", "/", {})
    if "dav" not in options.headers and "PROPFIND" not in options.headers.get("allow", ""):
        return
    headers = {"Depth": "1", "Content-Type": "application/xml"}
    page = browser.ask("PROPFIND", "/", headers, _PROPFIND)
    if page.status == 207:
        names = dav_names(page.text)
        listed = count_classes(each for each in names if not each.endswith("/"))
        readable = counted(sum(listed.values()), Unit.FILES) if listed else None
        sight.protocol = "webdav"
        sight.other = Files(Answer.YES, listed, 1, readable)
    elif page.status in (401, 403):
        sight.refused("webdav")
        sight.protocol = "webdav"
        sight.other = Files(Answer.REFUSED)
    if "PUT" in options.headers.get("allow", ""):
        sight.writable = Answer.YES


def _is_index(page: Page) -> bool:
    return page.status == 200 and is_listing(page.text)


def _names_below(browser: Browser, page: Page) -> dict[str, int]:
    """Classes of a folder's files and of those one level below, medical names first."""
    names = listed_names(page.text)
    found = count_classes(names)
    here = page.path.partition("?")[0]
    folders = (each if each.startswith("/") else here + each for each in names if each[-1] == "/")
    below = [each for each in folders if each.startswith(here) and each != here]
    for path in sorted(below, key=lambda each: not sounds_medical(each))[:_FOLDERS]:
        inner = browser.get(quote(path))
        if _is_index(inner):
            _add(found, count_classes(listed_names(inner.text)))
    return found


def _add(found: dict[str, int], more: dict[str, int]) -> None:
    for kind, number in more.items():
        found[kind] = found.get(kind, 0) + number
