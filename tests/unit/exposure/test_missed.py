"""An audit whose process ended too early: what it told counts, what it missed is said, nothing is gone."""

from __future__ import annotations

import pytest
from tests.unit.exposure.sights import BAD, GOOD_TLS, HOST, NOW, service

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.network import MemoryNetwork
from serment.app.find.history import made_of
from serment.app.find.network import NO_ANSWER, Prepared, Wish, audit, prepare
from serment.core.exposure.coverage import Coverage
from serment.core.exposure.findings import Place
from serment.core.exposure.history import NOT_SEEN, Changes, Ledger, Made, update
from serment.core.exposure.report import Report
from serment.core.exposure.seen import Missed, Service
from serment.core.exposure.sighting import Sighting, sighting
from serment.core.exposure.unclear import DROPPED, ENDED, NAMED, UNHEARD
from serment.core.exposure.written import read_made, write_made

OPEN = BAD["X01"][0].services[0]  # at 11112
SHUT = service("tls", 11112, tls=GOOD_TLS)
PAGE = service("http", 8080)


def audited(*services: Service, missed: Missed | None = None) -> tuple[Prepared, Report]:
    network = MemoryNetwork(services, missed=missed)
    wish = Wish((HOST,), authorised_by="Dr Exemple", ports=(161, 8080, 11112))
    prepared = prepare(network, wish)
    return prepared, audit(network, MemoryClock(NOW), prepared)


def said(report: Report) -> list[tuple[str, str]]:
    reasons = {ENDED, UNHEARD, DROPPED, NO_ANSWER}
    return [(each.host, each.reason) for each in report.not_checked if each.reason in reasons]


def lost(*ports: int, ended: bool = True, dropped: int = 0) -> Missed:
    return Missed(tuple(Place(HOST, port) for port in ports), ended, dropped)


def test_what_was_told_is_judged_and_what_was_missed_is_named() -> None:
    _, report = audited(OPEN, missed=lost(0, 8080))
    assert "X01" in {each.id for each in report.findings}
    assert said(report) == [("", ENDED), (f"{HOST}:8080", ENDED)]
    assert not report.is_finished


def test_a_machine_alone_is_named_where_only_udp_is_missed() -> None:
    assert said(audited(OPEN, missed=lost(0))[1]) == [("", ENDED), (HOST, ENDED)]


def test_a_dropped_line_is_counted_and_the_audit_is_finished() -> None:
    _, report = audited(OPEN, missed=lost(8080, ended=False, dropped=3))
    assert said(report) == [("", DROPPED), (f"{HOST}:8080", UNHEARD)]
    assert [each.values for each in report.not_checked if each.reason == DROPPED] == [{"count": 3}]
    assert report.is_finished


def test_many_are_counted() -> None:
    _, report = audited(OPEN, missed=lost(*range(1, NAMED + 2)))
    assert said(report) == [("", ENDED)]
    assert {"count": NAMED + 1} in [each.values for each in report.not_checked]


def after(*audits: tuple[Prepared, Report]) -> tuple[Ledger, Changes]:
    """The history of these audits, written and read between them."""
    ledger, changes = Ledger(), Changes((), (), ())
    for prepared, report in audits:
        seen = sighting(report.scan, report.not_checked, (), 1.0)
        ledger, changes = update(ledger, report.findings, made_of(prepared, report), seen)
    return ledger, changes


@pytest.mark.parametrize(
    ("missed", "gone"),
    [
        (lost(11112), False),
        (lost(0, 11112), False),
        (lost(0), False),  # of a host not all of which was asked nothing is gone
        (lost(11112, ended=False, dropped=1), False),
        (None, True),
    ],
)
def test_nothing_is_gone_where_not_all_was_asked(missed: Missed | None, gone: bool) -> None:
    services = [PAGE] if missed and Place(HOST, 11112) in missed.places else [PAGE, SHUT]
    ledger, changes = after(audited(PAGE, OPEN), audited(*services, missed=missed))
    assert ("X01" in {each.finding.id for each in changes.gone}) is gone
    if not gone:
        assert NOT_SEEN in {each.said.reason for each in changes.unseen}
        assert OPEN.place in {each.place for each in ledger.seen.services} or SHUT in services


def test_over_udp_nothing_is_gone_either() -> None:
    community = BAD["X30"][0].services[0]
    first = audited(PAGE, community)
    assert "X30" in {each.finding.id for each in after(first, audited(PAGE))[1].gone}
    _, changes = after(first, audited(PAGE, missed=lost(0)))
    assert changes.gone == ()


def test_what_was_missed_is_no_look_at_that_place() -> None:
    """So a later finding there does not read "not before" this audit."""
    prepared, report = audited(PAGE, missed=lost(0, 11112))
    made = read_made(write_made(made_of(prepared, report)))
    assert isinstance(made, Made)
    assert not Coverage(made.looked).covers(("X01", HOST, 11112))
    ledger, _ = update(Ledger(), [], made, Sighting())
    _, report = audited(PAGE, OPEN)
    known = update(ledger, report.findings, made_of(prepared, report))[0].known
    assert known["X01", HOST, 11112].not_before is None


def test_an_address_that_was_missed_is_not_told_to_be_silent() -> None:
    network = MemoryNetwork(off=frozenset({HOST}), missed=lost(0))
    prepared = prepare(network, Wish((HOST,), authorised_by="Dr Exemple"))
    report = audit(network, MemoryClock(NOW), prepared)
    assert (HOST, NO_ANSWER) not in said(report)
