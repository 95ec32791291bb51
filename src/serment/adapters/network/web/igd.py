"""The Internet box over UPnP: which ports it forwards to whom. Nothing is ever added or removed.

A box speaks for itself alone: a description, a base or a control URL that names another host than
the one that answered is not followed, be it in scope; nor is anything asked of one that does not
answer in SOAP.
"""

from __future__ import annotations

import contextlib
import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from serment.adapters.network.line import Ended
from serment.adapters.network.probing import Call
from serment.adapters.network.scope import Scope
from serment.adapters.network.web.client import (
    NOTHING,
    PAGE_SECONDS,
    Browser,
    Page,
    host_header,
    read_page,
    request,
)
from serment.core.exposure.igd import (
    Description,
    build_action,
    is_end,
    is_entry,
    is_soap,
    parse_description,
    parse_mapping,
    parse_outside_address,
)
from serment.core.exposure.seen import Answer, Gateway, Mapping
from serment.errors import FormatError

_PATHS: Final = (
    *("/rootDesc.xml", "/igd.xml", "/gatedesc.xml", "/igddesc.xml", "/tr64desc.xml"),
    *("/description.xml", "/DeviceDescription.xml", "/desc.xml", "/upnp/IGD.xml", "/gateway.xml"),
    *("/upnp/rootDesc.xml", "/device.xml", "/root.xml", "/InternetGatewayDevice.xml"),
)
_UPNP_PORTS: Final = frozenset({1900, 2869, 5431, 49000, 49152, 52869})
_CONTROLS: Final = 4  # connections of one box
_MAPPINGS: Final = 200  # of all of them together
_TYPE: Final = re.compile(r"urn:[\w.-]+:service:WAN(?:IP|PPP)Connection:\d", re.ASCII)


def is_likely(browser: Browser, root: Page) -> bool:
    """Whether a web server is a UPnP device's, by its own word or its port."""
    is_upnp = "upnp" in root.headers.get("server", "").lower()
    return is_upnp or browser.call.place.port in _UPNP_PORTS


def over_http(browser: Browser) -> tuple[Description, Gateway] | None:
    """The gateway behind a web server that is one; None when it is not."""
    place = browser.call.place
    for path in _PATHS:
        page = browser.get(path)
        if page.status == 200 and (said := _description(page)):
            return said, gateway(browser.call, said, origin(place.host, place.port, path))
    return None


def at(call: Call, location: str) -> tuple[Description, Gateway] | None:
    """The gateway that an SSDP answer's LOCATION describes."""
    said = _description(fetch(call, "GET", location))
    return (said, gateway(call, said, location)) if said else None


def gateway(call: Call, said: Description, location: str) -> Gateway:
    """The forwardings of every connection it has, up to a bound."""
    mappings: list[Mapping] = []
    outside, answered, left = "", False, _MAPPINGS
    for service, url in _controls(said, location):
        page = _act(call, url, service, "GetExternalIPAddress", {})
        if not is_soap(page.body):
            continue
        outside = outside or _outside(page)
        entries = _listed(call, url, service, left)
        if entries is not None:
            answered, left = True, left - len(entries)
            mappings += filter(None, entries)
    kept = tuple(dict.fromkeys(mappings))
    return Gateway(kept, outside, Answer.YES if answered else Answer.NOTHING)


def fetch(
    call: Call, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Page:
    """One answer from an absolute http URL of the host that is talked to; `NOTHING` otherwise."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return NOTHING
    if parts.scheme != "http" or not _is_here(call, host):
        return NOTHING
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    given = {"Connection": "close", **(headers or {})}
    try:
        with call.budget.within(PAGE_SECONDS), call.beside(port) as line:
            line.send(request(method, path, host_header(host, port), given, body))
            return read_page(line, path)[0]
    except Ended:
        return NOTHING


def origin(host: str, port: int, path: str) -> str:
    """The URL of a path of one service."""
    return f"http://{host_header(host, port)}{path}"


def _is_here(call: Call, host: str) -> bool:
    """Whether it is the address of the host that is talked to; its zone is ours to know."""
    return Scope((call.place.host.partition("%")[0],)).find(host) is not None


def _controls(said: Description, location: str) -> list[tuple[str, str]]:
    """Service type and URL of the connections that are asked."""
    known = [each for each in dict.fromkeys(said.controls) if _TYPE.fullmatch(each[0])]
    base = said.base or location
    found = []
    for service, control in known[:_CONTROLS]:
        with contextlib.suppress(ValueError):  # brackets that are no address
            found.append((service, urljoin(base, control)))
    return found


def _listed(call: Call, url: str, service: str, most: int) -> list[Mapping | None] | None:
    """What each entry of one connection's list says, up to so many; None where it gave no list."""
    entries: list[Mapping | None] = []
    while len(entries) < most:
        asked = {"NewPortMappingIndex": str(len(entries))}
        page = _act(call, url, service, "GetGenericPortMappingEntry", asked)
        if not is_entry(page.body):
            return entries if entries or is_end(page.body) else None
        entries.append(parse_mapping(page.body))
    return entries


def _act(call: Call, url: str, service: str, action: str, arguments: dict[str, str]) -> Page:
    headers = {
        "Content-Type": 'text/xml; charset="utf-8"',
        "SOAPAction": f'"{service}#{action}"',
    }
    return fetch(call, "POST", url, headers, build_action(service, action, arguments))


def _description(page: Page) -> Description | None:
    with contextlib.suppress(FormatError):
        return parse_description(page.body)
    return None


def _outside(page: Page) -> str:
    with contextlib.suppress(FormatError):
        return parse_outside_address(page.body) if page.status == 200 else ""
    return ""
