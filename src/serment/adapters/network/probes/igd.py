"""UPnP: asks each address, over SSDP, whether it is an Internet box, and which ports it forwards.

A LOCATION is followed only to the address that told it (`web.igd`): no device speaks for another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from serment.adapters.network import ssdp
from serment.adapters.network.probing import Call, HostProbe
from serment.adapters.network.web import igd
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Service
from serment.core.exposure.text import clean

_TEXT = 120


def ask(call: Call) -> Iterator[Service]:
    """The gateway at this address, if it is one and says so when it is asked itself."""
    yield from follow(call, ssdp.locations(call))


def follow(call: Call, locations: Iterable[str]) -> Iterator[Service]:
    """The first gateway that this address's own descriptions describe."""
    for location in locations:
        call.understood()
        found = igd.at(call, location)
        if found is None:
            continue
        said, gateway = found
        yield Service(
            Place(call.place.host, _port(location), "igd"),
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
