"""What a web page is the front of: products told by their marks, and names in a listing.

Pure and tolerant: pages come from strangers; every repetition in a pattern has a bound, as the time
an expression takes would otherwise be theirs to choose, with every other conversation waiting. Marks
are what the products themselves send (their title, realm, cookie or server name, what their pages
load); a page that has none is just a page, and so is one that only speaks of products, or links to
them.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

_MARKS: Final = (
    # application, product, mark in headers, title or body; a group is the version
    ("orthanc", "Orthanc", r"orthanc explorer|orthanc secure area|x-orthanc"),
    ("dcm4chee", "dcm4chee", r"dcm4chee(?:-arc)?"),
    ("ohif", "OHIF Viewer", r"ohif[ _-]?viewer|<title>\s{0,100}ohif|ohif-viewer|@ohif/"),
    ("stone", "Stone Web Viewer", r"stone web viewer|stonewebviewer"),
    ("meddream", "MedDream", r"meddream"),
    ("weasis", "Weasis", r"weasis"),
    ("oviyam", "Oviyam", r"oviyam"),
    ("dwv", "DWV", r"dicom web viewer|\bdwv(?:-[a-z]{1,30})?\.(?:min\.)?js|<title>\s{0,100}dwv"),
    ("dicoogle", "Dicoogle", r"dicoogle"),
    ("pacsone", "PacsOne", r"pacsone"),
    ("conquest", "Conquest", r"conquest (?:pacs|dicom)|dgate\.exe"),
    ("clearcanvas", "ClearCanvas", r"clearcanvas"),
    ("pacs", "Sante PACS Server", r"sante pacs server(?: (\d+(?:\.\d+)+))?"),
    ("openemr", "OpenEMR", r"openemr"),
    ("mirth", "Mirth Connect", r"mirth connect|nextgen connect"),
    ("viewer", "", r"<title>[^<]{0,200}(?:dicom|pacs|radiolog)[^<]{0,200}viewer|cornerstone(?:-core|3d)?\.(?:min\.)?js|<title>[^<]{0,200}visionneu(?:r|se)|<title>[^<]{0,200}(?:pacs|dicom)[^<]{0,200}(?:portal|portail|web ?client|explorer)|xero viewer|vue motion|synapse mobility|osirix web portal|(?:qido|wado)Root|@?ohif/extension"),
    ("nas", "Synology DSM", r"synology|diskstation|webman/index\.cgi|<title>[^<]{0,200}dsm \d"),
    ("nas", "QNAP QTS", r"\bqnap\b|<title>[^<]{0,200}qts|quts hero"),
    ("nas", "TrueNAS", r"truenas|freenas"),
    ("nas", "OpenMediaVault", r"openmediavault"),
    ("nas", "ASUSTOR ADM", r"asustor"),
    ("nas", "Western Digital My Cloud", r"my ?cloud (?:ex|home|os|mirror|dashboard)|wdmycloud|<title>[^<]{0,200}wd my ?cloud"),
    ("nas", "ReadyNAS", r"readynas"),
    ("nas", "Buffalo", r"linkstation|terastation"),
    ("nas", "TerraMaster", r"terramaster"),
    ("nas", "NAS", r"<title>[^<]{0,200}\bnas\b"),
    ("printer", "HP", r"hp (?:color )?(?:laserjet|officejet|deskjet|envy|pagewide|designjet)|virata-emweb|hp http server|hp-chaisoe"),
    ("printer", "Brother", r"brother (?:hl|mfc|dcp|ads)|<title>[^<]{0,200}brother\b|debut/\d"),
    ("printer", "Canon", r"canon (?:imagerunner|mf|lbp|i-sensys|pixma|http server)|remote ui[^<]{0,200}(?:canon|imagerunner|lbp|mf)"),
    ("printer", "Epson", r"epson[-_ ]|epson_linux|seiko epson"),
    ("printer", "Kyocera", r"kyocera|km-mfp-http"),
    ("printer", "Ricoh", r"ricoh|web image monitor"),
    ("printer", "Xerox", r"xerox|phaser \d|centreware"),
    ("printer", "Lexmark", r"lexmark"),
    ("printer", "Samsung", r"syncthru"),
    ("printer", "Konica Minolta", r"konica|bizhub|pagescope"),
    ("printer", "OKI", r"oki (?:data|b\d|c\d|mc\d)"),
    ("printer", "", r"<title>[^<]{0,200}(?:printer|imprimante)[^<]{0,200}</title>"),
    ("box", "Livebox", r"livebox|softathome|sah?ahome"),
    ("box", "Freebox", r"freebox"),
    ("box", "SFR Box", r"sfr box|\bnb6\b|neufbox|box de sfr|box\.sfr"),
    ("box", "Bbox", r"\bbbox\b|mabbox"),
    ("box", "FRITZ!Box", r"fritz!?box"),
    ("box", "OpenWrt", r"openwrt|cgi-bin/luci"),
    ("box", "TP-Link", r"tp-link|tplinkwifi"),
    ("box", "NETGEAR", r"netgear"),
    ("box", "ZyXEL", r"zyxel"),
    ("box", "D-Link", r"d-link|dlink"),
    ("box", "DD-WRT", r"dd-wrt"),
    ("box", "pfSense", r"pfsense|opnsense"),
    ("box", "", r"<title>[^<]{0,200}(?:router|routeur|gateway|modem|passerelle)[^<]{0,200}</title>"),
)  # fmt: skip
SERVERS: Final = {  # what they say of themselves, without a version, in lower case
    "nginx": "nginx",
    "apache": "Apache",
    "microsoft-iis": "IIS",
    "lighttpd": "lighttpd",
    "jetty": "Jetty",
}
_INTERFACES: Final = {
    "dicomweb": "DICOMweb",
    "elasticsearch": "Elasticsearch",
    "fhir": "FHIR",
    "igd": "UPnP",
    "nas": "NAS",
    "webdav": "WebDAV",
}
_NAMES: Final = {  # of applications that are one product
    application: product
    for application, product, _ in _MARKS
    if product and [each[0] for each in _MARKS].count(application) == 1
}
_COMPILED: Final = tuple((app, name, re.compile(mark, re.I)) for app, name, mark in _MARKS)
_SPEAKING_HEADERS: Final = ("server", "www-authenticate", "set-cookie", "x-powered-by")
_LOOKED_AT: Final = 65536  # characters of a page
_TELLING: Final = frozenset({"title", "script"})  # elements whose text is the product's own
_SHORT_TEXT: Final = 600  # characters; a page with more tells a story
_SHORT_PAGE: Final = 8192
_META_REFRESH: Final = re.compile(
    r"""http-equiv\s{0,20}=\s{0,20}["']?refresh[^>]{0,100}?url\s{0,20}=\s{0,20}["']?([^"'>\s]{1,500})""",
    re.IGNORECASE,
)
_SCRIPT_REFRESH: Final = re.compile(
    r"""\blocation(?:\.href)?\s{0,20}(?:=|\.(?:replace|assign)\s{0,20}\()\s{0,20}["']([^"']{1,500})["']"""
)
_PATH: Final = re.compile(
    r"""["'](?:https?://[\w.:\[\]-]{1,100}(?=/))?(/(?!/)[\w./-]{1,200})["'?#]|(?:href|src)=["']?(?:\./)?([\w-][\w./-]{0,200})["'?#>\s]""",
    re.IGNORECASE,
)
_ARCHIVE_ROOT: Final = re.compile(
    r"""\b(?:qido|wado)Root["']?\s{0,20}[:=]\s{0,20}["']([^"'\s]{1,300})["']""", re.IGNORECASE
)
_TITLE: Final = re.compile(r"<title[^>]{0,200}>([^<]{0,300})", re.IGNORECASE)
_LISTING: Final = re.compile(
    r"<title[^>]{0,100}>\s{0,100}(?:index of|directory listing|directory of|directory:|listing of|index de|files within|hfs /)|"
    r"<h1>\s{0,100}(?:index of|directory listing)|\[to parent directory\]",
    re.IGNORECASE,
)
_LISTED: Final = re.compile(  # nginx's in JSON and XML: folders, then files
    r"""\A\s{0,20}(?:\[\s{0,20}\{ ?"name":"(?:[^"\\]|\\.){1,500}", ?"type":"(?:file|directory)"|<\?xml[^>]{0,100}\?>\s{0,20}<list>\s{0,20}<(?:file|directory) mtime=)"""
)
_LISTED_NAME: Final = re.compile(
    r"""\{ ?"name":("(?:[^"\\]|\\.){1,500}"), ?"type":"(file|directory)"|<(?:(file)|directory) mtime="[^"]{0,40}"[^>]{0,60}>([^<]{1,500})<"""
)
_LINK: Final = re.compile(
    r"""<a\s[^>]{0,500}?href\s{0,20}=\s{0,20}["']?([^"'>\s]{1,1000})""", re.IGNORECASE
)
_PASSWORD: Final = re.compile(
    r"""<input[^>]{0,500}type\s{0,20}=\s{0,20}["']?password""", re.IGNORECASE
)
_LINKS: Final = 5000
_ESCAPED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Front:
    """What a page says it belongs to; `application` as in `seen.Http`, "" when it says nothing."""

    application: str = ""
    product: str = ""
    version: str = ""


def recognise(headers: Mapping[str, str], page: str) -> Front:
    """The first product whose mark stands in some headers (lower-case names) or a page."""
    said = "\n".join(f"{name}: {headers[name]}" for name in _SPEAKING_HEADERS if name in headers)
    whole = f"{said}\n{_marked(page)}"
    for application, product, mark in _COMPILED:
        if found := mark.search(whole):
            version = found.group(1) if mark.groups else None
            return Front(application, product, version or "")
    return Front()


def called(application: str, product: str = "") -> str:
    """What to call an application in a sentence; "" when nobody knows. `product` is what its service is
    known as: it may be no more than the server in front of it."""
    if name := _NAMES.get(application):
        return name
    known = "" if product in SERVERS.values() else product
    return known or _INTERFACES.get(application, "")


def moves_on(page: str) -> str:
    """Where a short page sends the browser by itself (a meta element or a script), "" nowhere."""
    if len(page) > _SHORT_PAGE:
        return ""
    found = _META_REFRESH.search(page) or _SCRIPT_REFRESH.search(page)
    return html.unescape(found[1]) if found else ""


def led_to(page: str, words: re.Pattern[str], at: str = "/") -> list[str]:
    """Paths of the same server that a page at some path links to or loads and that hold such a word."""
    folder = at.partition("?")[0].rpartition("/")[0]
    found = (whole or f"{folder}/{short}" for whole, short in _PATH.findall(page[:_LOOKED_AT]))
    return [path for path in dict.fromkeys(found) if words.search(path)]


def archive_roots(page: str) -> list[str]:
    """Where the settings of a viewer say that its archive's DICOMweb is, as they say it: paths or whole
    addresses, of whatever server."""
    found = (html.unescape(root) for root in _ARCHIVE_ROOT.findall(page[:_LOOKED_AT]))
    return list(dict.fromkeys(found))


def _marked(page: str) -> str:
    """What a page says of itself: its tags, title and scripts; its text only when there is little;
    never its links to others."""
    kept: list[str] = []
    text: list[str] = []
    for piece in page[:_LOOKED_AT].split("<"):
        tag, _, after = piece.partition(">")
        name = tag[:8].partition(" ")[0].lower()
        if name == "a":
            continue
        kept.append(f"<{tag}>{after}" if name in _TELLING else f"<{tag}>")
        if name not in _TELLING:
            text.append(after if kept[1:] else piece)
    shown = " ".join(" ".join(text).split())
    return "".join(kept) + (f"\n{shown}" if len(shown) <= _SHORT_TEXT else "")


def title(page: str) -> str:
    """The page's title; empty when it has none."""
    found = _TITLE.search(page[:_LOOKED_AT])
    return html.unescape(found[1]).strip() if found else ""


def is_listing(page: str) -> bool:
    """Whether a page is a web server's own index of a folder."""
    return (_LISTING.search(page[:_LOOKED_AT]) or _LISTED.match(page)) is not None


def asks_password(page: str) -> bool:
    """Whether a page has a field for a password."""
    return _PASSWORD.search(page) is not None


def listed_names(page: str) -> list[str]:
    """Names in a folder's index, folders with a closing slash, its own links for sorting left out."""
    if _LISTED.match(page):
        return _listed(page)
    found: dict[str, None] = {}
    for link in _LINK.findall(page)[:_LINKS]:
        plain = _unquoted(html.unescape(link)).partition("#")[0]
        if plain.startswith(("?", "..", "javascript:", "mailto:", "data:")) or plain in (
            "",
            "/",
            "./",
        ):
            continue
        found[plain.partition("?")[0].removeprefix("./")] = None
    return [name for name in found if name]


def _listed(page: str) -> list[str]:
    """The same of an index in JSON or XML, in which names stand as they are."""
    names = []
    for quoted, kind, is_file, plain in islice(_LISTED_NAME.findall(page), _LINKS):
        name = _spelled(quoted) if quoted else html.unescape(plain)
        names.append(name if is_file or kind == "file" else f"{name}/")
    return [name for name in names if name.strip("/")]


def _spelled(quoted: str) -> str:
    """A JSON string's text; "" when it is none."""
    try:
        return str(json.loads(quoted))
    except ValueError:
        return ""


def _unquoted(link: str) -> str:
    """Percent-encoded bytes as text (RFC 3986 section 2.1)."""
    raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), link.encode("utf-8", "replace"))
    return raw.decode("utf-8", "replace")
