"""The view from the Internet, joined to what was seen inside: reached, tried, explained or not.

Sights come from a helper outside (`peer`) or from an imported scan (`imported`). Which machine a port
leads to is told by `ways`; what is not known stays at the address outside, and speaks for DMZ mode or
rules by hand (X23). Closed is said of a machine where every way to it was tried, and nothing was reached
that no list tells. An imported scan counts for addresses that are known to be the practice's, no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from serment.core.exposure.findings import Outside, Place, Way
from serment.core.exposure.peer.rules import DATAGRAMS, boxes, canonical, is_shared
from serment.core.exposure.seen import Scan
from serment.core.exposure.ways import Ways, is_public
from serment.errors import N_, UsageError

LATELY: Final = timedelta(days=8)  # a week, with a day to spare
# Ports that providers close towards the Internet, at the helper's end too: nothing answers there either way.
OFTEN_BLOCKED: Final = frozenset({25, 135, 137, 138, 139, 445, 593})


@dataclass(frozen=True, slots=True)
class Sight:
    """One port tried from outside. `at`: when, where it was not just now."""

    address: str
    port: int
    is_open: bool
    protocol: str = ""
    at: datetime | None = None

    def still_closed(self, now: datetime | None) -> bool:
        """Whether it was closed so lately that it may be called so."""
        return not self.is_open and (not self.at or not now or abs(now - self.at) < LATELY)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a helper saw from outside. `shared`: the address is not the practice's alone; nothing was
    tried."""

    by: str  # the helper's name
    address: str  # of the practice, as the helper sees it
    shared: bool = False
    sights: tuple[Sight, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """A scan that others made. `kept`: of the practice's own addresses; `others`: the open ports of
    each other address; `shared`: the practice's is shared with strangers, so that nothing is kept."""

    kept: tuple[Sight, ...] = ()
    others: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    shared: bool = False


def join(
    scan: Scan,
    sights: Collection[Sight],
    by: str,
    *,
    shared: bool = False,
    known: Iterable[str] = (),
) -> Scan:
    """The scan with what was tried from outside; `by` is how ("peer", "import").

    `shared`: the public address is shared with strangers, so that nothing tried there says
    anything about this practice; then nobody looked. `known`: the practice's addresses, as in `ours`.
    """
    if shared:
        return replace(scan, shared=True)
    ways = Ways(scan, believed=by == "peer")
    led, closed = set(scan.led), {each for each in scan.tried if is_public(each.host)}
    for sight in sights:
        out = Place(sight.address, sight.port)
        if sight.is_open:
            led.add((out, ways.leads(out, sight.protocol)))
        elif sight.port not in OFTEN_BLOCKED and sight.still_closed(scan.at):
            closed.add(out)
    reached = scan.reached | {inside for _, inside in led}
    done = (*(each for each in scan.outside_by if each != by), by)
    seen = replace(scan, reached=reached, led=frozenset(led), outside_by=done)
    own = {*known, *(each.address for each in sights)}
    own |= {each.host for each in (*closed, *(out for out, _ in led))}
    behind = set() if unexplained(seen) else {*ways.shut(closed, own)}
    return replace(seen, tried=frozenset((closed | behind) - reached))


def not_told(scan: Scan, sights: Iterable[Sight]) -> tuple[int, ...]:
    """The ports of services inside that did not answer, of which that says nothing (`OFTEN_BLOCKED`)."""
    closed = {each.port for each in sights if not each.is_open}
    return tuple(sorted(OFTEN_BLOCKED & closed & {each.place.port for each in scan.services}))


def ours(scan: Scan, sights: Iterable[Sight], known: Iterable[str] = ()) -> Imported:
    """Tells an imported scan apart: anybody's address can be scanned, and only what is known to be the
    practice's says something of it.

    Args:
        known: addresses that were proved, that a helper saw, or that somebody named (`own_address`);
            those that a box states and the public ones that were audited are known as well. A box
            that states a shared one takes nothing from these: any machine may say that it is a box.
            Where the helper saw a shared one, what was open at them counts, what was closed does not.
    """
    stated = set(boxes(scan)) - {""}
    behind = any(is_shared(each) for each in stated)
    audited = {each.place.host for each in scan.services if is_public(each.place.host)}
    mine = {canonical(each) for each in (*(() if behind else stated), *audited, *known)}
    kept: list[Sight] = []
    others: dict[str, list[int]] = {}
    for sight in sights:
        if canonical(sight.address) in mine:
            kept += [sight] if sight.is_open or not scan.shared else []
        else:
            others.setdefault(sight.address, []).extend([sight.port] if sight.is_open else ())
    left = {each: tuple(sorted(ports)) for each, ports in others.items()}
    return Imported(tuple(kept), left, shared=not kept and (scan.shared or behind))


def own_address(text: str) -> str:
    """An address that somebody names as the practice's own on the Internet.

    Raises:
        UsageError: it is no address, or one that many networks have.
    """
    try:
        address = canonical(text.strip())
        if not is_shared(address):
            return address
    except ValueError:
        pass
    raise UsageError(
        N_("{text} is no address of the Internet"),
        hint=N_("name the one that the box's own page shows as its public address, as 203.0.113.7"),
        text=text[:80],
    )


def outside_of(scan: Scan, place: Place) -> Outside:
    """What is known of the outside view of a place; never "closed" unless somebody tried, and never for
    what answers over UDP: it is tried over TCP."""
    if place.proto not in DATAGRAMS:
        if _among(scan.reached, place):
            return Outside.CONFIRMED
        if _among(scan.tried, place):
            return Outside.CLOSED
    if scan.shared and not is_public(place.host):
        return Outside.SHARED_ADDRESS
    return Outside.NOT_CHECKED


def reached_by(scan: Scan, place: Place) -> tuple[Way, ...]:
    """The ways outside by which a place was reached."""
    ways = {(out.host, out.port) for out, inside in scan.led if _among((inside,), place)}
    return tuple(sorted(ways))


def unexplained(scan: Scan) -> frozenset[Place]:
    """Places reached from outside that no UPnP forwarding leads to, and that have no address of
    their own there."""
    ways = Ways(scan)
    untold = {inside for out, inside in scan.led if not ways.explains(out)}
    return frozenset(untold | (scan.reached - {inside for _, inside in scan.led}))


def _among(places: Iterable[Place], place: Place) -> bool:
    return any((each.host, each.port) == (place.host, place.port) for each in places)
