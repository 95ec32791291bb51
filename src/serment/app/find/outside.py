"""The steps of the view from outside: the box's list, the answers about it, an import, a helper.

What a sight means for what was seen inside is `core.exposure.outside`; which ports a helper is asked
for, `core.exposure.peer.rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from serment.core.exposure.findings import NotChecked
from serment.core.exposure.outside import LATELY, Looked, Sight, join, not_told, ours
from serment.core.exposure.peer.rules import boxes, is_shared, ports_to_try
from serment.core.exposure.seen import Gateway, Scan
from serment.errors import N_, SermentError
from serment.ports.peer import Peers

NAMED: Final = 20  # addresses of an imported scan, one a line; ports of one
STRANGE = N_(
    "the imported scan is of {address}, and nothing shows that this is the practice's own address; "
    "if it is, say so: --outside-address {address}"
)
STRANGE_OPEN = N_(
    "the imported scan found open ports at {address} ({ports}), and nothing shows that this is the "
    "practice's own address; if it is, say so: --outside-address {address}"
)
NOT_PUBLIC = N_(
    "the imported scan is of {address}, an address that many networks have: it was not made from the "
    "Internet"
)
BLOCKED = N_(
    "ports {ports} did not answer from outside, and that says nothing: providers block them on the way"
)
OLD = N_(
    "the imported scan is older than {days} days, or does not say when it was made: what it found closed "
    "may be open by now; have one made again"
)
MORE = N_("the imported scan is of {count} more addresses, none known to be the practice's")


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
    if any(isinstance(each.facts, Gateway) and each.facts.is_listed for each in scan.services):
        by.append("upnp")
    if dmz is not None or manual_rules is not None:
        by.append("questions")
    return replace(scan, dmz=dmz, manual_rules=manual_rules, outside_by=tuple(by))


def by_import(scan: Scan, sights: Iterable[Sight], known: Iterable[str] = ()) -> Outside:
    """The scan with an imported one. What that says of addresses that are not known to be the practice's
    is left out, and told."""
    known = (*known,)
    imported = ours(scan, sights, known)
    missed = _left_out(imported.others)
    if not imported.kept and not imported.shared:
        return Outside(scan, missed)
    joined = join(scan, imported.kept, "import", shared=imported.shared, known=known)
    return Outside(
        joined, (*missed, *_old(scan, imported.kept), *_blocked("import", scan, imported.kept))
    )


def _old(scan: Scan, sights: Iterable[Sight]) -> tuple[NotChecked, ...]:
    if all(each.is_open or each.still_closed(scan.at) for each in sights):
        return ()
    return (NotChecked("import", "", OLD, {"days": LATELY.days}),)


def _blocked(by: str, scan: Scan, sights: Iterable[Sight]) -> tuple[NotChecked, ...]:
    if ports := not_told(scan, sights):
        return (NotChecked(by, "", BLOCKED, {"ports": ", ".join(map(str, ports))}),)
    return ()


def _left_out(others: Mapping[str, tuple[int, ...]]) -> tuple[NotChecked, ...]:
    """One line an address; those beyond `NAMED` in one."""
    lines = [_strange(*each) for each in islice(others.items(), NAMED)]
    if more := len(others) - len(lines):
        lines.append(NotChecked("import", "", MORE, {"count": more}))
    return tuple(lines)


def _strange(address: str, ports: tuple[int, ...]) -> NotChecked:
    if is_shared(address):
        return NotChecked("import", address, NOT_PUBLIC, {"address": address})
    if not ports:
        return NotChecked("import", address, STRANGE, {"address": address})
    named = ", ".join(map(str, ports[:NAMED])) + (" ..." if len(ports) > NAMED else "")
    return NotChecked("import", address, STRANGE_OPEN, {"address": address, "ports": named})


def by_peer(peers: Peers, name: str, before: Iterable[int] = (), known: Iterable[str] = ()) -> Look:
    """A look by this helper, also at the ports by which something was reached `before`. One that fails
    is told, and takes nothing from the audit. `known`: the practice's own addresses (`join`)."""
    own = (*known,)

    def look(scan: Scan) -> Outside:
        try:
            looked = peers.look(name, ports_to_try(scan, before), boxes(scan))
        except SermentError as error:
            return Outside(scan, (NotChecked("peer", name, error.message, error.values),))
        joined = join(scan, looked.sights, "peer", shared=looked.shared, known=own)
        return Outside(joined, _blocked("peer", scan, looked.sights), looked)

    return look


def by_nobody(scan: Scan) -> Outside:
    """No look."""
    return Outside(scan)
