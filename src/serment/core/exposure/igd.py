"""What an Internet gateway device (UPnP IGD) says: its description, and the ports it forwards.

Its XML comes from a stranger: no document type, no entity, bounded in depth and number; only leaf
elements are looked at. Source: UPnP Device Architecture 1.1 sections 2.3 and 3.1, WANIPConnection:1
sections 2.4.14 (GetGenericPortMappingEntry) and 2.4.18 (GetExternalIPAddress).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from xml.parsers import expat

from serment.core.exposure.seen import Mapping
from serment.core.exposure.text import clean
from serment.errors import N_, FormatError

# What is searched for: every gateway answers to the first (Device Architecture 1.1 section 1.3.2);
# some answer only to their own version, as any device, or to a search for everything.
SEARCHED: Final = (
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "upnp:rootdevice",
    "ssdp:all",
)
_CONNECTIONS: Final = ("WANIPConnection", "WANPPPConnection")
_ELEMENTS: Final = 4000
_DEPTH: Final = 40
_TEXT: Final = 2000  # characters of one element
_DESCRIPTION: Final = 40
# Faults that end a list, or say that it is empty (WANIPConnection:1 table 2-20); and the one that some
# boxes give instead for an index after the last. "Action failed" (501) is also what a busy one says.
_ENDS: Final = frozenset({"713", "714"})
_ENDS_AFTER: Final = "402"
_UNKNOWN: Final = frozenset({"401", "602"})  # no such action (Device Architecture 1.1 table 3-3)
_BOTH: Final = frozenset({"BOTH", "ALL", "ANY", "*"})
_OFF: Final = frozenset({"0", "false", "no"})


@dataclass(frozen=True, slots=True)
class Description:
    """`controls`: service type and control URL of each connection, as the device gives them."""

    product: str
    version: str
    base: str
    controls: tuple[tuple[str, str], ...]


def search_request(target: str, group: str) -> bytes:
    """An SSDP search (UPnP Device Architecture 1.1 section 1.3.2); `group` with its port."""
    lines = (
        "M-SEARCH * HTTP/1.1",
        f"HOST: {group}",
        'MAN: "ssdp:discover"',
        "MX: 1",
        f"ST: {target}",
        "USER-AGENT: SERMENT-AUDIT/1 UPnP/1.1",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def parse_search_answer(untrusted: bytes) -> str:
    """The LOCATION of an SSDP answer; empty when it has none."""
    text = untrusted[:4096].decode("latin-1")
    if not text.upper().startswith(("HTTP/1.1 200", "HTTP/1.0 200", "NOTIFY")):
        return ""
    for line in text.splitlines()[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "location":
            return value.strip()[:500]
    return ""


def parse_description(untrusted: bytes) -> Description | None:
    """A device description; None when the device is no gateway.

    Raises:
        FormatError: it is not XML within bounds.
    """
    leaves = _leaves(untrusted)
    if not any("InternetGatewayDevice" in text for name, text in leaves if name == "deviceType"):
        return None
    controls, kind = [], ""
    for name, text in leaves:
        if name == "serviceType":
            kind = text
        elif name == "controlURL" and any(each in kind for each in _CONNECTIONS):
            controls.append((kind, text))
    known = dict(reversed(leaves))  # of several with one name, the first: the root device's
    product = " ".join((known.get("manufacturer", ""), known.get("modelName", ""))).strip()
    version = known.get("modelNumber", "")
    return Description(product, version, known.get("URLBase", ""), tuple(controls))


def build_action(service: str, action: str, arguments: dict[str, str]) -> bytes:
    """The SOAP body of one action; nothing in it comes from a peer but the service's own type."""
    values = "".join(f"<{name}>{value}</{name}>" for name, value in arguments.items())
    return (
        '<?xml version="1.0"?>'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
        f'<u:{action} xmlns:u="{service}">{values}</u:{action}></s:Body></s:Envelope>'
    ).encode("ascii", "replace")


def is_soap(untrusted: bytes) -> bool:
    """Whether it is a SOAP envelope (SOAP 1.1 section 4): who answers anything else is no box."""
    return _answered(untrusted) is not None


def is_entry(untrusted: bytes) -> bool:
    """Whether a SOAP answer is one of the list of forwardings, whatever it says."""
    return "NewInternalClient" in (_answered(untrusted) or {})


def is_end(untrusted: bytes, entries: int) -> bool:
    """Whether a SOAP answer says that the list has no more than so many entries."""
    said = (_answered(untrusted) or {}).get("errorCode")
    return said in _ENDS or (entries > 0 and said == _ENDS_AFTER)


def is_unknown(untrusted: bytes) -> bool:
    """Whether a SOAP answer says that there is no such question."""
    return (_answered(untrusted) or {}).get("errorCode") in _UNKNOWN


def parse_mappings(untrusted: bytes) -> tuple[Mapping, ...]:
    """What one entry of the list forwards, for each protocol; nothing when it is switched off. A
    machine that is named otherwise than by an address is unknown, and its name is not kept.

    Raises:
        FormatError: it is not XML within bounds, or says of no port where it leads.
    """
    said = dict(_leaves(untrusted))
    if said.get("NewEnabled", "1").lower() in _OFF:
        return ()
    text = said.get("NewProtocol", "").upper()
    protocols = [each for each in ("TCP", "UDP") if each in text or text in _BOTH]
    try:
        outside, inside = int(said["NewExternalPort"]), int(said["NewInternalPort"])
    except (KeyError, ValueError):
        raise _not_understood() from None
    if not (protocols and 0 <= outside < 65536 and 0 < inside < 65536):
        raise _not_understood()
    host = _address(said.get("NewInternalClient", ""))
    description = clean(said.get("NewPortMappingDescription", ""), _DESCRIPTION)
    return tuple(Mapping(outside, host, inside, each, description) for each in protocols)


def parse_outside_address(untrusted: bytes) -> str:
    """The address the box has on the Internet; empty when it does not say."""
    return _address(dict(_leaves(untrusted)).get("NewExternalIPAddress", ""))


def _address(text: str) -> str:
    """Empty for what is none, or stands for none (0.0.0.0)."""
    try:
        found = ip_address(text.replace("%", " "))  # a zone may be any text: none
    except ValueError:
        return ""
    return "" if found.is_unspecified else str(found)


def _answered(untrusted: bytes) -> dict[str, str] | None:
    try:
        return dict(_leaves(untrusted, "Envelope"))
    except FormatError:
        return None


def _leaves(untrusted: bytes, root: str = "") -> list[tuple[str, str]]:
    """Elements without children, in order: local name and text. `root`: what must be around them."""
    reader = _Reader(root)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(untrusted, True)
    except (expat.ExpatError, ValueError, UnicodeError):
        raise _not_understood() from None
    return reader.leaves


def _not_understood() -> FormatError:
    return FormatError(N_("what the box answered is not understood"))


class _Reader:
    def __init__(self, root: str) -> None:
        self.leaves: list[tuple[str, str]] = []
        self._root = root
        self._depth = self._elements = 0
        self._text = ""
        self._is_leaf = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if self._root and not self._elements and name.rpartition(":")[2] != self._root:
            raise ValueError
        self._depth += 1
        self._elements += 1
        self._text, self._is_leaf = "", True
        if self._depth > _DEPTH or self._elements > _ELEMENTS:
            raise ValueError

    def text(self, data: str) -> None:
        if self._is_leaf and len(self._text) < _TEXT:
            self._text += data[:_TEXT]

    def end(self, name: str) -> None:
        self._depth -= 1
        if self._is_leaf:
            self.leaves.append((name.rpartition(":")[2], self._text.strip()))
        self._is_leaf = False

    def refuse(self, *_: object) -> None:
        raise ValueError
