"""The steps of the view from outside: the box's list, the answers about it, an import, a helper.

What a sight means for what was seen inside is `core.exposure.outside`; which ports a helper is asked
for, `core.exposure.peer.rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from serment.core.exposure.checks.x22_forwarding import listed
from serment.core.exposure.findings import NotChecked
from serment.core.exposure.outside import Looked, Sight, join, ours
from serment.core.exposure.peer.rules import boxes, ports_to_try
from serment.core.exposure.seen import Gateway, Scan
from serment.errors import N_, SermentError
from serment.ports.peer import Peers


@dataclass(frozen=True, slots=True)
class Outside:
    """A scan with the view from outside, and what of that could not be seen."""

    scan: Scan
    not_checked: tuple[NotChecked, ...] = ()
    looked: Looked | None = None


Look = Callable[[Scan], Outside]


def by_the_box(scan: Scan, dmz: bool | None, manual_rules: bool | None) -> Scan:
    """The scan with the box's own list, where it gave one, and what somebody said of it."""
    by: list[str] = []
    if any(isinstance(each.facts, Gateway) and listed(each.facts) for each in scan.services):
        by.append("upnp")
    if dmz is not None or manual_rules is not None:
        by.append("questions")
    return replace(scan, dmz=dmz, manual_rules=manual_rules, outside_by=tuple(by))


def by_import(scan: Scan, sights: Iterable[Sight]) -> Outside:
    """The scan with an imported one. What it says of other addresses than the box's is left out."""
    kept, others, shared = ours(scan, sights)
    missed = tuple(
        NotChecked("import", address, N_("the imported scan is of {address}, which is not the box's"),
                   {"address": address})
        for address in others
    )  # fmt: skip
    if not kept and not shared:
        return Outside(scan, missed)
    return Outside(join(scan, kept, "import", shared=shared), missed)


def by_peer(peers: Peers, name: str) -> Look:
    """A look by this helper. One that fails is told, and takes nothing from the audit."""

    def look(scan: Scan) -> Outside:
        try:
            looked = peers.look(name, ports_to_try(scan), boxes(scan))
        except SermentError as error:
            return Outside(scan, (NotChecked("peer", name, error.message, error.values),))
        joined = join(scan, looked.sights, "peer", shared=looked.shared)
        return Outside(joined, looked=looked)

    return look


def by_nobody(scan: Scan) -> Outside:
    """No look."""
    return Outside(scan)
