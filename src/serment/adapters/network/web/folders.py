"""Folders over the web: a server's own index of files, and WebDAV. Files counted by class only."""

from __future__ import annotations

import html
import re
from functools import partial
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from serment.adapters.network.shares.walk import ENTRIES, Entry, Refused, Tally, walk
from serment.adapters.network.web.client import BODY_LIMIT, Browser, Page
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.filenames import count_classes
from serment.core.exposure.seen import Answer, Files
from serment.core.exposure.webpages import is_listing, led_to, listed_names
from serment.core.masked import Masked

_USUAL: Final = (
    *("/backup/", "/exports/", "/export/", "/dicom/", "/data/", "/files/", "/patients/"),
    *("/share/", "/download/", "/uploads/", "/archive/", "/images/", "/sauvegarde/", "/partage/"),
    *("/public/", "/pacs/", "/scans/", "/old/", "/documents/", "/sql/", "/db/", "/tmp/"),
)
_TELLING: Final = frozenset({"dicom", "table", "database"})  # extracts, whatever the page is called
_FEW: Final = 2  # of them, or one and a document, on one page make it a list of files
_LEADS: Final = 6
_SOUNDS: Final = re.compile(
    r"(?:backup|sauvegarde|export|dicom|pacs|patient|partage|share|files|archive|upload)[\w.-]{0,100}/$",
    re.IGNORECASE,
)
_DAV_ROOTS: Final = ("/", "/webdav/", "/dav/", "/remote.php/webdav/")
_REFUSED: Final = (401, 403)
_PART: Final = 8192  # characters looked at of what is said of one entry
_RESPONSE: Final = re.compile(r"<(?:[\w-]{1,20}:)?response\b", re.IGNORECASE)
_HREF: Final = re.compile(r"<(?:[\w-]{1,20}:)?href>\s{0,100}([^<\s]{1,2000})", re.IGNORECASE)
_COLLECTION: Final = re.compile(r"<(?:[\w-]{1,20}:)?collection\b", re.IGNORECASE)
_CHANGES: Final = frozenset({"PUT", "DELETE", "MKCOL", "MOVE"})  # a folder itself takes no PUT
_PROPFIND: Final = (
    b'<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/></d:prop>'
    b"</d:propfind>"
)


def listings(browser: Browser, sight: Sight, root: Page) -> None:
    """Indexes of the first folder and, where there is none, of those it leads to and that practices
    use."""
    pages = [root]
    if not _is_index(root):
        paths = [*led_to(root.text, _SOUNDS, root.path)[:_LEADS], *_USUAL]
        pages = [browser.get(path) for path in dict.fromkeys(paths)]
    tally, before = Tally(), sight.readable
    for page in filter(_is_index, pages):
        sight.application = sight.application or "listing"
        for _ in walk(page.path.partition("?")[0], partial(_show, browser, tally, page), tally):
            sight.listed = dict(tally.listed)
            sight.readable = before or tally.readable


def webdav(browser: Browser, sight: Sight) -> None:
    """WebDAV (RFC 4918): announced by OPTIONS or at its usual places; nothing is ever written."""
    options = browser.ask("OPTIONS", "/", {})
    if "PUT" in _allowed(options):
        sight.writable = Answer.YES
    announced = "dav" in options.headers or "PROPFIND" in _allowed(options)
    for root in _DAV_ROOTS:
        page = _find(browser, root)
        if _is_found(page):
            said = options if root == "/" else browser.ask("OPTIONS", root, {})
            if _CHANGES & _allowed(said):
                sight.writable = Answer.YES
            sight.files = Files(Answer.YES, shares=1, writable=sight.writable)
            return _count(browser, sight, root, page)
        if page.status in _REFUSED and (announced or "dav" in page.headers):
            sight.files = Files(Answer.REFUSED)
            if not sight.application:
                sight.refused("webdav", page.status)
        if page.status in _REFUSED and root == "/":
            return None  # all of it asks who is there
    return None


def dav_entries(multistatus: str, folder: str) -> list[Entry[str]]:
    """What a folder's answer lists (RFC 4918 section 9.1), by its path; the folder itself is not."""
    found = {}
    for part in _RESPONSE.split(multistatus)[1 : ENTRIES + 2]:
        link = _HREF.search(part[:_PART])
        path = _path(html.unescape(link[1])) if link else ""
        inner = path.removeprefix(folder)
        if inner == path or not inner.strip("/"):
            continue
        name = inner.strip("/").rpartition("/")[2]
        is_folder = path.endswith("/") or _COLLECTION.search(part[:_PART]) is not None
        found[path] = Entry(Masked(name), f"{path.rstrip('/')}/" if is_folder else None)
    return list(found.values())


def _count(browser: Browser, sight: Sight, root: str, first: Page) -> None:
    """Files below a folder whose answer is there already."""
    tally = Tally()

    def show(path: str) -> list[Entry[str]]:
        page = first if path == root else _find(browser, path)
        if not _is_found(page):
            raise Refused
        tally.more = tally.more or len(page.body) >= BODY_LIMIT
        return dav_entries(page.text, path)

    for _ in walk(root, show, tally):
        sight.files = Files(
            *(Answer.YES, dict(tally.listed), 1, tally.readable), writable=sight.writable
        )


def _find(browser: Browser, path: str) -> Page:
    headers = {"Depth": "1", "Content-Type": "application/xml"}
    return browser.ask("PROPFIND", quote(path), headers, _PROPFIND)


def _allowed(options: Page) -> frozenset[str]:
    """The methods that a server announces (RFC 9110 section 10.2.1)."""
    return frozenset(each.strip() for each in options.headers.get("allow", "").split(","))


def _is_found(page: Page) -> bool:
    return page.status == 207 and "multistatus" in page.text[:_PART]


def _path(link: str) -> str:
    """The path of a link to this server, as text; "" when it is none."""
    try:
        return unquote(urlsplit(link).path)
    except ValueError:
        return ""


def _is_index(page: Page) -> bool:
    if page.status != 200:
        return False
    if is_listing(page.text):
        return True
    found = count_classes(listed_names(page.text))
    telling = sum(found.get(kind, 0) for kind in _TELLING)
    return telling > 0 and telling + found.get("document", 0) >= _FEW


def _show(browser: Browser, tally: Tally, first: Page, path: str) -> list[Entry[str]]:
    """What an index lists, and what is below it; the first one has been answered already."""
    page = first if path == first.path.partition("?")[0] else browser.get(quote(path))
    if not _is_index(page):
        raise Refused
    tally.more = tally.more or len(page.body) >= BODY_LIMIT
    found = []
    for name in listed_names(page.text):
        whole = name if name.startswith("/") else path + name
        if whole.startswith(path) and whole != path:
            found.append(Entry(Masked(name), whole if name.endswith("/") else None))
    return found
