"""UPnP: asks each address, over SSDP, whether it is an Internet box, and which ports it forwards.

A LOCATION is followed only to the address that was asked (`web.igd`): no device speaks for another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from serment.adapters.network.probing import Call, HostProbe
from serment.adapters.network.web import igd
from serment.core.exposure.findings import Place
from serment.core.exposure.igd import SEARCHED, parse_search_answer, search_request
from serment.core.exposure.seen import Service
from serment.core.exposure.text import clean

SSDP_PORT = 1900
_ANSWERS = 4  # of one address: a device answers to each search
_SECONDS = 1.3  # MX is 1: it may take that long
_TEXT = 120


def ask(call: Call) -> Iterator[Service]:
    """The gateway at this address, if it is one."""
    call.budget.patience = _SECONDS
    host = call.place.host
    first, *more = map(search_request, SEARCHED)
    answers = call.dialer.datagram(host, SSDP_PORT, first, call.budget, _ANSWERS, more)
    for location in dict.fromkeys(map(parse_search_answer, answers)):
        call.understood()
        found = igd.at(call, location) if location else None
        if found is None:
            continue
        said, gateway = found
        yield Service(
            Place(host, _port(location), "igd"),
            "igd",
            clean(said.product, _TEXT),
            clean(said.version, _TEXT),
            facts=gateway,
        )
        return


def _port(location: str) -> int:
    with contextlib.suppress(ValueError):
        return urlsplit(location).port or 80
    return 80


HOST_PROBE = HostProbe("igd", ask)
