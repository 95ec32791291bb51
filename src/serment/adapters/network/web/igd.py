"""The Internet box over UPnP: which ports it forwards to whom. Nothing is ever added or removed.

A box speaks for itself alone: a description, a base or a control URL that names another host than
the one that answered is not followed, be it in scope; nor is anything asked of one that does not
answer in SOAP.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
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
    is_unknown,
    parse_description,
    parse_mappings,
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
_ABSENT: Final = frozenset({404, 405, 410})


@dataclass(frozen=True, slots=True)
class _List:
    """What one connection forwards. `entries`: how many it told; None where it gave no list.
    `is_whole`: there are no more, and each was understood."""

    entries: int | None
    mappings: tuple[Mapping, ...] = ()
    is_whole: bool = False


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
    told: list[_List] = []
    outside, left = "", _MAPPINGS
    controls = _controls(said, location)
    for service, url in controls[:_CONTROLS]:
        page = _act(call, url, service, "GetExternalIPAddress", {})
        if is_soap(page.body):
            outside = outside or _outside(page)
            told.append(_listed(call, url, service, left))
            left -= told[-1].entries or 0
        else:
            told.append(_List(None, is_whole=page.status in _ABSENT))
    answered = any(each.entries is not None for each in told)
    return Gateway(
        tuple(dict.fromkeys(mapping for each in told for mapping in each.mappings)),
        outside,
        Answer.YES if answered else Answer.NOTHING,
        partial=len(controls) > _CONTROLS or not all(each.is_whole for each in told),
    )


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
    """Service type and URL of its connections."""
    known = [each for each in dict.fromkeys(said.controls) if _TYPE.fullmatch(each[0])]
    base = said.base or location
    found = []
    for service, control in known:
        with contextlib.suppress(ValueError):  # brackets that are no address
            found.append((service, urljoin(base, control)))
    return found


def _listed(call: Call, url: str, service: str, most: int) -> _List:
    """The list of one connection, up to so many entries: whole only where it says that it ends there."""
    mappings: list[Mapping] = []
    understood = True
    for index in range(most):
        asked = {"NewPortMappingIndex": str(index)}
        body = _act(call, url, service, "GetGenericPortMappingEntry", asked).body
        if is_end(body, index):
            return _List(index, tuple(mappings), understood)
        if not is_entry(body):
            return _List(index or None, tuple(mappings), not index and is_unknown(body))
        try:
            mappings += parse_mappings(body)
        except FormatError:
            understood = False
    return _List(most, tuple(mappings))


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
