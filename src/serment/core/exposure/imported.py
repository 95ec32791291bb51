"""Scans that others made from outside, read: nmap's XML, Shodan's and Censys's JSON.

Only addresses, ports, whether they were open, and the name of a protocol are taken; the rest is not
looked at. Bounded in bytes, depth and ports; XML with a document type is refused, so that no entity
is ever expanded. Source: nmap.dtd; Shodan host API (`ip_str`, `data[].port`); Censys search v2
(`ip`, `services[].port`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final
from xml.parsers import expat

from serment.core.exposure.outside import Sight
from serment.core.exposure.text import clean
from serment.errors import N_, FormatError

MOST_BYTES: Final = 32 * 1024 * 1024
MOST_SIGHTS: Final = 200_000
_DEEPEST: Final = 64
_NAME: Final = 40


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
    """`nmap -oX`: the ports with a state "open" or "closed"; "filtered" says no more than silence,
    and counts as closed.

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
        self._depth = 0
        self._address = ""
        self._port = 0
        self._state = ""
        self._service = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST or len(self.sights) > MOST_SIGHTS:
            raise _unreadable()
        match name:
            case "nmaprun":
                self.is_nmap = True
            case "host":
                self._address = ""
            case "address" if attributes.get("addrtype") in ("ipv4", "ipv6"):
                self._address = self._address or _address(attributes.get("addr"))
            case "port":
                is_tcp = attributes.get("protocol", "tcp") == "tcp"
                self._port = _port(attributes.get("portid")) if is_tcp else 0
                self._state = self._service = ""
            case "state":
                self._state = attributes.get("state", "")
            case "service":
                self._service = attributes.get("name", "")

    def end(self, name: str) -> None:
        self._depth -= 1
        if name == "port" and self._address and self._port and self._state:
            name = clean(self._service, _NAME)
            self.sights.append(Sight(self._address, self._port, self._state == "open", name))


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
    if not isinstance(host, dict):
        return
    host = host.get("result", host)
    address = _address(host.get("ip_str") or host.get("ip"))
    services = host.get("data") or host.get("services") or ([host] if "port" in host else [])
    if not address or not isinstance(services, list):
        return
    for each in services:
        if isinstance(each, dict) and (port := _port(each.get("port"))):
            name = each.get("service_name") or each.get("product") or ""
            yield Sight(address, port, True, clean(str(name).lower(), _NAME))


def _address(value: object) -> str:
    try:
        return str(ip_address(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def _port(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) <= 5 else 0


def _unreadable() -> FormatError:
    return FormatError(
        N_("this is no scan that can be read"),
        hint=N_("nmap -oX FILE, or the JSON of Shodan or Censys for your address"),
    )
