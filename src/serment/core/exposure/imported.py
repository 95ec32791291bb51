"""Scans that others made from outside, read: nmap's XML, Shodan's and Censys's JSON.

Only addresses, TCP ports, whether they were open, and the name of a protocol that answered are taken;
the rest is not looked at. Bounded in bytes, depth and ports; XML that declares an entity is refused
before one is expanded. nmap names the ports it tried, so that those it does not list are closed; what
Shodan and Censys do not list says nothing. Source: nmap.dtd (nmap -oX); Shodan API, host information
and search (`ip_str`, `data[]` or `matches[]`), banners as JSON Lines; Censys, host and search
(`result.ip`, `result.hits[]`, `result.resource`; `services[]`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final
from xml.parsers import expat

from serment.core.exposure.outside import Sight
from serment.core.exposure.text import clean
from serment.errors import N_, FormatError

MOST_BYTES: Final = 32 * 1024 * 1024
MOST_SIGHTS: Final = 200_000
_DEEPEST: Final = 64
_RANGES: Final = 20_000  # of a list of ports
_PORTS_READ: Final = 2 * 65536  # of one list, counted as often as it names them
_NAME: Final = 40
_UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)  # of a scan that does not say when it was made
_OPEN: Final = "open"
_CLOSED: Final = frozenset({"closed", "filtered", "closed|filtered"})  # others say neither


def parse_outside(untrusted: bytes) -> tuple[Sight, ...]:
    """The ports somebody tried from outside.

    Raises:
        FormatError: none of the three forms, or too large.
    """
    if len(untrusted) > MOST_BYTES:
        raise _unreadable()
    start = untrusted[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    sights = parse_nmap(untrusted) if start.startswith(b"<") else parse_json(untrusted)
    if not sights:
        raise _unreadable()
    return sights


def parse_nmap(untrusted: bytes) -> tuple[Sight, ...]:
    """`nmap -oX`: the ports with a state "open" or "closed", and those it tried and does not list;
    "filtered" says no more than silence, and counts as closed.

    Raises:
        FormatError: no XML, XML with entities, or far too much.
    """
    reader = _Nmap()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(untrusted, True)
    except expat.ExpatError as error:
        raise _unreadable() from error
    if not reader.is_nmap:
        raise _unreadable()
    return tuple(reader.sights)


def parse_json(untrusted: bytes) -> tuple[Sight, ...]:
    """One host, a list of them, or JSON Lines; of Shodan or Censys.

    Raises:
        FormatError: none of that.
    """
    found: list[Sight] = []
    for host in _documents(untrusted):
        for sight in _of_host(host):
            found.append(sight)
            if len(found) > MOST_SIGHTS:
                raise _unreadable()
    return tuple(found)


class _Nmap:
    """Takes addresses and ports out of nmap's elements."""

    def __init__(self) -> None:
        self.sights: list[Sight] = []
        self.is_nmap = False
        self._began = _UNDATED
        self._depth = 0
        self._scanned: frozenset[int] = frozenset()
        self._address = ""
        self._listed: set[int] = set()
        self._others_closed = False  # the ports of this host that are not listed
        self._port = 0
        self._state = ""
        self._service = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _unreadable()
        match name:
            case "nmaprun":
                self.is_nmap, self._began = True, _moment(attributes.get("start"))
            case "scaninfo" if attributes.get("protocol") == "tcp":
                self._scanned |= _ports(attributes.get("services", ""))
            case "host":
                self._address, self._listed, self._others_closed = "", set(), False
            case "address" if attributes.get("addrtype") in ("ipv4", "ipv6"):
                self._address = self._address or _address(attributes.get("addr"))
            case "extraports":
                self._others_closed = attributes.get("state") in _CLOSED
            case "port":
                is_tcp = attributes.get("protocol", "tcp") == "tcp"
                self._port = _port(attributes.get("portid")) if is_tcp else 0
                self._state = self._service = ""
            case "state":
                self._state = attributes.get("state", "")
            case "service" if attributes.get("method") == "probed":  # not what the number suggests
                self._service = attributes.get("name", "")

    def end(self, name: str) -> None:
        self._depth -= 1
        if name == "port" and self._address and self._port:
            self._listed.add(self._port)
            if self._state == _OPEN or self._state in _CLOSED:
                self._saw(self._port, self._state == _OPEN, clean(self._service, _NAME))
        if name == "host" and self._address and self._others_closed:
            for port in sorted(self._scanned - self._listed):
                self._saw(port, False, "")

    def _saw(self, port: int, is_open: bool, name: str) -> None:
        if len(self.sights) >= MOST_SIGHTS:
            raise _unreadable()
        self.sights.append(Sight(self._address, port, is_open, name, self._began))


def _refuse(*_: Any) -> int:
    raise _unreadable()


def _documents(untrusted: bytes) -> Iterator[Any]:
    try:
        text = untrusted.decode("utf-8-sig")
        try:
            value = json.loads(text)
        except ValueError:
            yield from (json.loads(line) for line in text.splitlines() if line.strip())
            return
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    yield from value if isinstance(value, list) else [value]


def _of_host(host: Any) -> Iterator[Sight]:
    """Of a host with its services, or of one of Shodan's banners, which is a host and a port."""
    for each in _hosts(host):
        address = _address(each.get("ip_str") or each.get("ip"))
        listed = [one for one in (each.get("data"), each.get("services")) if isinstance(one, list)]
        services = listed[0] if listed else [each] if "port" in each else []
        if address:
            yield from (sight for one in services for sight in _of_service(address, one))


def _hosts(value: Any) -> Iterator[dict[str, Any]]:
    """The hosts of an answer: itself, what it wraps, or what a search found."""
    if not isinstance(value, dict):
        return
    inner = value.get("result", value)
    if not isinstance(inner, dict):
        return
    found = inner.get("hits") or inner.get("matches") or [inner.get("resource", inner)]
    yield from (each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()


def _of_service(address: str, service: Any) -> Iterator[Sight]:
    if not isinstance(service, dict):
        return
    transport = service.get("transport") or service.get("transport_protocol") or "tcp"
    if str(transport).lower() == "tcp" and (port := _port(service.get("port"))):
        yield Sight(address, port, True, clean(_name(service), _NAME))


def _name(service: dict[str, Any]) -> str:
    module = service.get("_shodan")
    said = module.get("module") if isinstance(module, dict) else ""
    named = said or service.get("service_name") or service.get("protocol") or service.get("product")
    return named.lower() if isinstance(named, str) else ""


def _address(value: object) -> str:
    """An address as written; "" for what is none, and for one with a zone, which may be any text."""
    try:
        return str(ip_address(value)) if isinstance(value, str) and "%" not in value else ""
    except ValueError:
        return ""


def _moment(value: str | None) -> datetime:
    """Seconds since 1970, as nmap writes them."""
    is_number = value is not None and value.isascii() and value.isdigit() and len(value) <= 10
    return datetime.fromtimestamp(int(value or 0), UTC) if is_number else _UNDATED


def _port(value: object) -> int:
    text = str(value)
    is_number = text.isascii() and text.isdigit() and len(text) <= 5
    return int(text) if is_number and int(text) < 65536 else 0


def _ports(text: str) -> frozenset[int]:
    """The ports of nmap's list, as 1-1000,8080."""
    found, left = set[int](), _PORTS_READ
    for part in text.split(",", _RANGES):
        first, _, last = part.partition("-")
        named = range(_port(first) or 65536, _port(last or first) + 1)
        left -= len(named)
        if left < 0:
            break  # it names ports over and over
        found.update(named)
    return frozenset(found)


def _unreadable() -> FormatError:
    return FormatError(
        N_("the scan from outside is none that is understood, or saw no port"),
        hint=N_("nmap -Pn -oX FILE ADDRESS, or the JSON of Shodan or Censys for your address"),
    )
