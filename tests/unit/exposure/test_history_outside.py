"""What was reached from outside, and what boxes forward, over several audits: nothing of it ends by another
port, by half a list, or by a box that was not heard."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.exposure.sights import HOST, NOW, OPEN_FIND, YES, scan, service

from serment.core.exposure.checking import View
from serment.core.exposure.coverage import looked_at
from serment.core.exposure.findings import Finding, Outside, Place, Severity
from serment.core.exposure.history import Changes, Ledger, Made, update
from serment.core.exposure.outside import Sight, join
from serment.core.exposure.registry import judge
from serment.core.exposure.seen import Answered, Gateway, Scan, Service
from serment.core.exposure.seen import Mapping as Forwarding
from serment.core.exposure.written import read_ledger, read_made, write_ledger, write_made

PUBLIC, BOX, SECOND = "203.0.113.7", "192.168.1.1", "192.168.1.2"
ARCHIVE = service("dicom", 104, OPEN_FIND)
WEB = service("http", 80)
LED = Forwarding(40104, HOST, 104, "TCP")
TO_WEB = Forwarding(8080, HOST, 80, "TCP")
EVERYBODY = [f"192.168.1.{last}" for last in range(1, 255)]


def box(*mappings: Forwarding, host: str = BOX, partial: bool = False) -> Service:
    return service("igd", 5000, Gateway(mappings, PUBLIC, YES, partial), host=host)


def audited(ledger: Ledger, seen: Scan, *ids: str) -> tuple[Ledger, Changes]:
    """One more audit of the whole network, as the desk hears and keeps it."""
    findings, skipped = judge(View(seen), ids)
    looked = looked_at(EVERYBODY, range(1, 65536), (), skipped, seen)
    made = Made(NOW + timedelta(days=len(ledger.scans)), "Dr Exemple", 254, len(findings), looked)
    after, changes = update(ledger, findings, read_made(json.loads(json.dumps(write_made(made)))))
    return read_ledger(json.loads(json.dumps(write_ledger(after)))), changes


def the(ledger: Ledger, name: str) -> Finding:
    (one,) = [each.finding for each in ledger.open if each.finding.id == name]
    return one


REACHED = join(scan(ARCHIVE, box(LED)), [Sight(PUBLIC, 40104, True, "dicom")], "peer")
NO_UPNP = scan(ARCHIVE, swept=True, dmz=False, manual_rules=False)  # the rule may be left


@pytest.mark.parametrize(
    ("closed", "outside", "severity"),
    [
        ((), Outside.CONFIRMED, Severity.HIGH),
        ((104,), Outside.CONFIRMED, Severity.HIGH),  # another port than it was reached by
        ((40104,), Outside.NOT_CHECKED, Severity.MEDIUM),
        ((104, 40104), Outside.CLOSED, Severity.MEDIUM),
    ],
)
def test_what_was_reached_is_closed_by_its_own_port(
    closed: tuple[int, ...], outside: Outside, severity: Severity
) -> None:
    first, _ = audited(Ledger(), REACHED, "X06")
    assert first.reached_by == (40104,)  # to be tried again
    weekly, _ = audited(first, scan(ARCHIVE), "X06")
    assert (the(weekly, "X06").outside, weekly.reached_by) == (Outside.CONFIRMED, (40104,))
    tried = join(NO_UPNP, [Sight(PUBLIC, port, False) for port in closed], "peer")
    after, _ = audited(weekly, tried, "X06")
    found = the(after, "X06")
    assert (found.outside, found.severity) == (outside, severity)
    again, _ = audited(after, scan(ARCHIVE), "X06")
    kept = Outside.CONFIRMED if outside is Outside.CONFIRMED else Outside.NOT_CHECKED
    assert the(again, "X06").outside is kept


def test_all_the_ports_it_was_reached_by_are_to_be_tried() -> None:
    first, _ = audited(Ledger(), REACHED, "X06")
    more = join(scan(ARCHIVE, swept=True), [Sight(PUBLIC, 104, True, "dicom")], "peer")
    both, _ = audited(first, more, "X06")
    assert both.reached_by == (104, 40104)
    one = join(NO_UPNP, [Sight(PUBLIC, 104, False)], "peer")
    left, _ = audited(both, one, "X06")
    assert (the(left, "X06").outside, left.reached_by) == (Outside.CONFIRMED, (40104,))


def test_a_port_that_is_open_and_leads_nobody_knows_where_may_lead_there_still() -> None:
    first, _ = audited(Ledger(), REACHED, "X06", "X23")
    unknown = join(scan(ARCHIVE), [Sight(PUBLIC, 40104, True, "dicom")], "peer")
    after, _ = audited(first, unknown, "X06", "X23")
    assert (the(after, "X06").outside, the(after, "X06").reached_by) == (
        Outside.CONFIRMED,
        (40104,),
    )
    assert the(after, "X23").place.host == PUBLIC


def test_a_port_that_leads_to_another_machine_now_leads_there_no_more() -> None:
    first, _ = audited(Ledger(), REACHED, "X06")
    moved = box(Forwarding(40104, "192.168.1.21", 104, "TCP"))
    other = replace(ARCHIVE, place=Place("192.168.1.21", 104, "dicom"))
    there = join(scan(ARCHIVE, other, moved), [Sight(PUBLIC, 40104, True, "dicom")], "peer")
    after, _ = audited(first, there, "X06")
    assert {each.finding.place.host: each.finding.outside for each in after.open} == {
        HOST: Outside.NOT_CHECKED,
        "192.168.1.21": Outside.CONFIRMED,
    }


def test_what_a_list_explains_since_is_no_wonder_any_more() -> None:
    unknown = join(scan(ARCHIVE), [Sight(PUBLIC, 40104, True, "dicom")], "peer")
    first, _ = audited(Ledger(), unknown, "X23")
    assert [each.finding.key for each in first.open] == [("X23", PUBLIC, 40104)]
    gone = audited(first, REACHED, "X23")[1].gone
    assert [each.finding.key for each in gone] == [("X23", PUBLIC, 40104)]


def test_where_it_is_not_known_by_which_port_it_was_reached_it_stays() -> None:
    first, _ = audited(Ledger(), REACHED, "X06")
    (key,) = [key for key in first.known if key[0] == "X06"]
    known = first.known[key]
    old = replace(known, finding=replace(known.finding, reached_by=()))
    before = replace(first, known={**first.known, key: old})
    tried = join(NO_UPNP, [Sight(PUBLIC, port, False) for port in (104, 40104)], "peer")
    assert the(audited(before, tried, "X06")[0], "X06").outside is Outside.CONFIRMED


def test_a_list_that_breaks_off_ends_no_forwarding() -> None:
    first, _ = audited(Ledger(), scan(ARCHIVE, WEB, box(TO_WEB, LED)), "X22")
    cut, changes = audited(first, scan(ARCHIVE, WEB, box(TO_WEB, partial=True)), "X22")
    assert changes.gone == ()
    assert ("X22", HOST, 104) in [each.finding.key for each in cut.open]
    assert ("X22", HOST, 104) in [each.key for each in changes.unseen]
    named = scan(ARCHIVE, WEB, box(TO_WEB, Forwarding(40104, "", 104, "TCP")))
    assert audited(first, named, "X22")[1].gone == ()
    whole = scan(ARCHIVE, WEB, box(TO_WEB))
    gone = audited(first, whole, "X22")[1].gone
    assert [each.finding.key for each in gone] == [("X22", HOST, 104)]


def test_a_box_that_was_not_heard_takes_nothing_back() -> None:
    """Of two, one answer to a search is lost; the machine of the other is there, and answers."""
    other = box(host=SECOND)
    first, _ = audited(Ledger(), scan(ARCHIVE, other, box(LED)), "X22")
    lost = scan(
        ARCHIVE, other, service("http", 80, host=BOX), answered=(Answered(BOX), Answered(HOST))
    )
    _, changes = audited(first, lost, "X22")
    assert changes.gone == ()
    assert {each.key for each in changes.unseen} == {("X22", BOX, 5000), ("X22", HOST, 104)}
    _, changes = audited(first, scan(ARCHIVE, other, box()), "X22")
    assert [each.finding.key for each in changes.gone] == [("X22", HOST, 104)]


def test_a_box_that_answers_at_another_port_is_the_same() -> None:
    first, _ = audited(Ledger(), scan(ARCHIVE, box(LED)), "X22")
    moved = service("igd", 5001, Gateway((LED,), PUBLIC, YES), host=BOX)
    _, changes = audited(first, scan(ARCHIVE, moved), "X22")
    assert [each.finding.key for each in changes.gone] == [("X22", BOX, 5000)]


def test_a_box_whose_port_refuses_has_upnp_switched_off() -> None:
    """What it forwards nobody can read any more: that stays open."""
    first, _ = audited(Ledger(), scan(ARCHIVE, box(LED)), "X22")
    silent = scan(ARCHIVE, answered=(Answered(BOX), Answered(HOST)))
    assert audited(first, silent, "X22")[1].gone == ()
    refusing = scan(ARCHIVE, answered=(Answered(BOX, ((1, 65535),)), Answered(HOST)))
    _, changes = audited(first, refusing, "X22")
    assert [each.finding.key for each in changes.gone] == [("X22", BOX, 5000)]
    instead = scan(ARCHIVE, service("http", 5000, host=BOX))
    assert audited(first, instead, "X22")[1].gone == ()
