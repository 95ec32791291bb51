"""X23: the Internet box is in DMZ mode, or has ports opened by hand: what UPnP does not tell.

Known from the answers to two questions, or from an outside view that reaches a port which no UPnP
forwarding explains.
"""

from __future__ import annotations

from collections.abc import Iterator

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Unasked, View
from serment.core.exposure.findings import Confidence, Place, Severity
from serment.core.exposure.outside import unexplained
from serment.core.exposure.seen import Gateway, Scan
from serment.errors import N_


def look(view: View) -> Iterator[Statement | Unasked]:
    scan = view.scan
    place = _box(scan)
    if scan.dmz:
        yield Statement(
            place,
            Severity.CRITICAL,
            N_("You said that the box is in DMZ mode"),
            confidence=Confidence.LIKELY,
        )
    elif scan.manual_rules:
        yield Statement(
            place,
            Severity.HIGH,
            N_("You said that somebody opened ports on the box by hand"),
            confidence=Confidence.LIKELY,
        )
    for reached in sorted(unexplained(scan)):
        yield Statement(
            reached,
            Severity.CRITICAL,
            N_("Reached from outside, though the box lists no UPnP forwarding to it"),
        )
    yield from _unasked(scan)


def _unasked(scan: Scan) -> Iterator[Unasked]:
    """What the view from outside, and the answers of a person, would add: neither stands for the other."""
    if scan.tried or scan.reached:
        if None in (scan.dmz, scan.manual_rules):
            yield Unasked(Place("box"), N_("nobody was asked about the box"))
    elif scan.shared:
        yield Unasked(Place(""), N_("shared address, not checked"))
    elif scan.dmz is None:
        yield Unasked(Place(""), N_("not checked from outside, and nobody was asked about the box"))
    else:
        yield Unasked(Place(""), N_("not checked from outside"))


def _box(scan: Scan) -> Place:
    boxes = [each.place for each in scan.services if isinstance(each.facts, Gateway)]
    return Place(boxes[0].host) if boxes else Place("box")


CHECK = Check(
    id="X23",
    name="box-dmz-or-open",
    title=N_("The Internet box lets strangers in"),
    remedy=N_("The box is in DMZ/open-port mode: turn it off and use a VPN."),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=look,
)
