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
from serment.core.exposure.seen import Answered, Gateway, Http, Scan, Service
from serment.core.exposure.seen import Mapping as Forwarding
from serment.core.exposure.written import read_ledger, read_made, write_ledger, write_made

PUBLIC, LINE, BOX, SECOND = "203.0.113.7", "203.0.113.99", "192.168.1.1", "192.168.1.2"
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
    assert the(left, "X06").reached_by == ((PUBLIC, 40104),)


def test_a_port_that_is_open_and_leads_nobody_knows_where_may_lead_there_still() -> None:
    first, _ = audited(Ledger(), REACHED, "X06", "X23")
    unknown = join(scan(ARCHIVE), [Sight(PUBLIC, 40104, True, "dicom")], "peer")
    after, _ = audited(first, unknown, "X06", "X23")
    assert (the(after, "X06").outside, the(after, "X06").reached_by) == (
        Outside.CONFIRMED,
        ((PUBLIC, 40104),),
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


@pytest.mark.parametrize("earlier", [[], [40104]])
def test_histories_of_before_say_less_of_the_way(earlier: list[int]) -> None:
    """Nothing, or the port alone: then it counts at any address of the practice's."""
    first, _ = audited(Ledger(), REACHED, "X06")
    written = json.loads(json.dumps(write_ledger(first)))
    (only,) = [each["finding"] for each in written["known"] if each["finding"]["id"] == "X06"]
    only["reached_by"] = earlier
    before = read_ledger(written)
    assert the(before, "X06").reached_by == tuple(("", port) for port in earlier)
    other = join(NO_UPNP, [Sight(PUBLIC, 80, False)], "peer")
    assert the(audited(before, other, "X06")[0], "X06").outside is Outside.CONFIRMED
    unsure = join(scan(ARCHIVE), [Sight(LINE, 104, False)], "peer")
    assert the(audited(before, unsure, "X06")[0], "X06").outside is Outside.CONFIRMED
    closed = join(NO_UPNP, [Sight(LINE, port, False) for port in (104, 40104)], "peer")
    assert the(audited(before, closed, "X06")[0], "X06").outside is Outside.CLOSED


def test_what_was_reached_at_one_address_is_not_closed_at_another() -> None:
    """Of two lines of the practice's, an import tries the other one."""
    reached = join(NO_UPNP, [Sight(PUBLIC, 104, True, "dicom")], "peer")
    first, _ = audited(Ledger(), reached, "X06", "X23")
    assert the(first, "X06").reached_by == ((PUBLIC, 104),)
    other, changes = audited(
        first, join(NO_UPNP, [Sight(LINE, 104, False)], "import"), "X06", "X23"
    )
    assert changes.gone == ()
    assert (the(other, "X06").outside, the(other, "X06").severity) == (
        Outside.CONFIRMED,
        Severity.HIGH,
    )
    assert the(other, "X23").place.host == HOST
    same, changes = audited(
        other, join(NO_UPNP, [Sight(PUBLIC, 104, False)], "import"), "X06", "X23"
    )
    assert [each.finding.id for each in changes.gone] == ["X23"]
    assert the(same, "X06").outside is Outside.CLOSED


def test_two_lines_may_be_tried_one_after_the_other() -> None:
    reached = join(NO_UPNP, [Sight(each, 104, True, "dicom") for each in (PUBLIC, LINE)], "import")
    after, _ = audited(Ledger(), reached, "X06", "X23")
    for address, gone in ((PUBLIC, []), (LINE, ["X23"])):
        tried = join(NO_UPNP, [Sight(address, 104, False)], "import")
        after, changes = audited(after, tried, "X06", "X23")
        assert [each.finding.id for each in changes.gone] == gone
    assert the(after, "X06").outside is Outside.CLOSED


def test_a_machine_that_states_a_shared_address_forgets_nothing() -> None:
    """Any machine may say that it is a box; what was tried from outside was tried."""
    reached = join(NO_UPNP, [Sight(PUBLIC, 104, True, "dicom")], "peer")
    first, _ = audited(Ledger(), reached, "X06")
    shared = join(scan(ARCHIVE), [], "import", shared=True)
    after, _ = audited(first, shared, "X06")
    assert (the(after, "X06").outside, the(after, "X06").severity) == (
        Outside.CONFIRMED,
        Severity.HIGH,
    )


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


ALL_REFUSED = ((1, 65535),)


def test_what_is_no_box_any_more_keeps_nothing_open() -> None:
    """Any machine may say that it is a box: once it offers nothing, the list of the box itself counts."""
    real, odd = box(), box(LED, host=SECOND)
    first, _ = audited(Ledger(), scan(ARCHIVE, real, odd), "X22")
    silent, changes = audited(first, scan(ARCHIVE, real), "X22")
    assert changes.gone == ()
    serving = scan(ARCHIVE, real, service("http", 80, host=SECOND),
                   answered=(Answered(SECOND, ((1, 79), (81, 65535))),))  # fmt: skip
    off, changes = audited(silent, serving, "X22")
    assert [each.finding.key for each in changes.gone] == [("X22", SECOND, 5000)]  # UPnP is off
    assert audited(off, scan(ARCHIVE, real), "X22")[1].gone == ()
    shut = scan(ARCHIVE, real, answered=(Answered(SECOND, ALL_REFUSED),))
    _, changes = audited(silent, shut, "X22")
    assert {each.finding.key for each in changes.gone} == {
        ("X22", SECOND, 5000),
        ("X22", HOST, 104),
    }
    _, changes = audited(off, shut, "X22")
    assert [each.finding.key for each in changes.gone] == [("X22", HOST, 104)]


def test_without_any_box_the_ports_it_named_are_tried_from_outside() -> None:
    first, _ = audited(Ledger(), scan(ARCHIVE, box(LED)), "X22")
    assert first.reached_by == (40104,)
    off = replace(NO_UPNP, answered=(Answered(BOX, ALL_REFUSED), Answered(HOST)))
    for closed in ((), (104,), (40104,)):
        tried = join(off, [Sight(PUBLIC, port, False) for port in closed], "peer")
        gone = audited(first, tried, "X22")[1].gone
        assert [each.finding.key for each in gone] == [("X22", BOX, 5000)]
    opened = join(off, [Sight(PUBLIC, 104, False), Sight(PUBLIC, 40104, True, "dicom")], "peer")
    assert ("X22", HOST, 104) in [each.finding.key for each in audited(first, opened)[0].open]
    tried = join(off, [Sight(PUBLIC, port, False) for port in (104, 40104)], "peer")
    gone = audited(first, tried, "X22")[1].gone
    assert ("X22", HOST, 104) in [each.finding.key for each in gone]


def test_what_is_understood_at_a_port_says_nothing_of_another_there() -> None:
    """A box's page is busy, its UPnP answers at the same port."""
    upnp = service("igd", 80, Gateway((), PUBLIC, YES), host=BOX)
    page = service("http", 80, Http(application="orthanc", interface=YES), host=BOX)
    first, _ = audited(Ledger(), scan(page, upnp), "X08")
    busy = replace(service("http", 80, Http(status=503), host=BOX), cut=True)
    _, changes = audited(first, scan(busy, upnp), "X08")
    assert changes.gone == ()
    assert [each.key for each in changes.unseen] == [("X08", BOX, 80)]
    _, changes = audited(first, scan(service("http", 80, Http(), host=BOX), upnp), "X08")
    assert [each.finding.key for each in changes.gone] == [("X08", BOX, 80)]
