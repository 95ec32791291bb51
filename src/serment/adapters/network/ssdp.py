"""SSDP: who tells where its UPnP description is, asked of one address, or of a network at hand.

Some boxes answer only to what is sent to their network's group. That search goes once, and no
further than the wire, to each network that has addresses of the scope; every machine there hears it,
and only those of the scope are listened to. What a description says is `web.igd`'s business.
Source: UPnP Device Architecture 1.1 section 1.3; for IPv6 its annex A.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget, Ended
from serment.adapters.network.neighbours import Link
from serment.adapters.network.probing import Call
from serment.core.exposure.igd import SEARCHED, parse_search_answer, search_request
from serment.core.exposure.scope import is_loopback

PORT: Final = 1900
GROUPS: Final = {4: "239.255.255.250", 6: "ff02::c"}
SECONDS: Final = 1.3  # MX is 1: an answer may take that long
ANSWERS: Final = 12  # of one address: a device answers to each search, for each thing that it is
ANSWERS_OF_ALL: Final = 600  # of one network


def locations(call: Call) -> tuple[str, ...]:
    """What one address tells when it is asked itself."""
    with call.budget.within(SECONDS):
        call.budget.patience = SECONDS
        said = call.dialer.answers(call.place.host, PORT, _searches(4), call.budget, ANSWERS)
    return tuple(filter(None, dict.fromkeys(map(parse_search_answer, said))))


class Search:
    """What machines at hand tell when all of them are asked; it begins at once, in the background."""

    def __init__(self, dialer: Dialer, links: Sequence[Link]) -> None:
        self._dialer = dialer
        self._told: dict[str, dict[str, None]] = {}
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._ask, args=(link,), daemon=True) for link in links
        ]
        for each in self._threads:
            each.start()

    def locations(self) -> dict[str, tuple[str, ...]]:
        """By address of the scope; waits until the time for answers is over."""
        for each in self._threads:
            each.join()
        return {host: tuple(told) for host, told in self._told.items()}

    def _ask(self, link: Link) -> None:
        version = 6 if ":" in link.own else 4
        budget = Budget(SECONDS, SECONDS)
        with contextlib.suppress(Ended):
            found = self._dialer.search(
                link, GROUPS[version], PORT, _searches(version), budget, ANSWERS_OF_ALL
            )
            with self._lock:
                for sender, said in found:
                    self._note(sender, parse_search_answer(said))

    def _note(self, sender: str, location: str) -> None:
        """An answer speaks for its sender; at loopback, where all addresses are one machine's, for the
        one that its description is at."""
        find = self._dialer.scope.find
        own = _host(location)
        host = find(own) if is_loopback(sender) and is_loopback(own) else find(sender)
        told = self._told.setdefault(host, {}) if host and location else {}
        if len(told) < ANSWERS:
            told[location] = None


def _searches(version: int) -> list[bytes]:
    group = f"[{GROUPS[6]}]" if version == 6 else GROUPS[4]
    return [search_request(target, f"{group}:{PORT}") for target in SEARCHED]


def _host(location: str) -> str:
    with contextlib.suppress(ValueError):
        return urlsplit(location).hostname or ""
    return ""
