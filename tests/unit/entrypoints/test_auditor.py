"""The server's audits: one at a time, weekly while nobody is there, kept, and told when they fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from tests.unit.exposure.sights import BAD, HOST, NOW

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.network import MemoryNetwork
from serment.adapters.memory.packs import MemoryPacks
from serment.adapters.memory.search import MemorySearchTable
from serment.adapters.memory.store import MemoryStore
from serment.app.find.history import accept_finding, history
from serment.app.find.network import Wish
from serment.app.find.weekly import ACTOR, SCHEDULE, plan_weekly, schedule
from serment.app.house import House
from serment.core.crypto.keys import new_key
from serment.core.exposure.history import Acceptance
from serment.core.exposure.present import as_report
from serment.core.exposure.schedule import WEEK, Plan
from serment.core.exposure.seen import Answered, Service
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Setting
from serment.entrypoints.desk.auditor import LOOK_SECONDS, Auditor
from serment.entrypoints.web.practice.exposure import exposed
from serment.errors import AccessDenied, Conflict, IntegrityError, Unavailable, UsageError
from serment.ports.network import Order, Progress

KEY = new_key()
WISH = Wish(targets=(HOST,), authorised_by="Dr Exemple")
PLAN = Plan(True, NOW.weekday(), 0, (HOST,), "Dr Exemple")


@dataclass
class HeldNetwork(MemoryNetwork):
    """Waits in the middle until it is let go; `broken`: then it fails."""

    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    broken: bool = False

    def audit(
        self, order: Order, progress: Callable[[Progress], None] = lambda _: None
    ) -> Iterator[Service | Answered]:
        progress(Progress("ports", 30, 254))
        self.begun.set()
        assert self.go.wait(20)
        if self.broken:
            raise Unavailable("the child ended", hint="again")
        progress(Progress("services", 1, 2))
        yield from super().audit(order, progress)


@dataclass
class Stage:
    network: HeldNetwork
    clock: MemoryClock
    house: House
    auditor: Auditor

    def kinds(self) -> list[EventKind]:
        return [entry.kind for row in self.house.store.journal() if (entry := entry_of(row))]

    def tick(self, later: timedelta = timedelta(0)) -> None:
        self.clock.advance(later.total_seconds() + LOOK_SECONDS + 1)
        self.auditor.tick()
        self.auditor.wait()


@pytest.fixture
def stage() -> Stage:
    network, clock = HeldNetwork(BAD["X01"][0].services), MemoryClock(NOW)
    network.go.set()
    lock, once = threading.RLock(), threading.BoundedSemaphore(1)
    house = House("vault", "", MemoryStore(), MemoryPacks(), clock, MemorySearchTable, lock, once)
    return Stage(network, clock, house, Auditor(house, lambda: KEY, network))


def test_one_at_a_time_and_how_far_it_is(stage: Stage) -> None:
    stage.network.go.clear()
    stage.auditor.begin(WISH, "somebody")
    assert stage.network.begun.wait(20)
    at = stage.auditor.under_way()
    assert at is not None
    assert (at.phase, at.done, at.total, at.weekly) == ("ports", 30, 254, False)
    with pytest.raises(Conflict):
        stage.auditor.begin(WISH, "somebody else")
    plan_weekly(stage.house, KEY, "admin", PLAN)
    stage.clock.advance(WEEK.total_seconds())
    stage.auditor.tick()  # due, and not begun: one runs
    stage.network.go.set()
    stage.auditor.wait()
    assert stage.auditor.under_way() is None
    assert stage.kinds() == [EventKind.SCAN_PLANNED, EventKind.SCAN_MADE]
    assert [each.finding.id for each in history(stage.house, KEY).open] == ["X01", "X06"]


def test_weekly_kept_and_not_again_before_a_week(stage: Stage) -> None:
    plan_weekly(stage.house, KEY, "admin", PLAN)
    stage.tick()
    assert stage.kinds() == [EventKind.SCAN_PLANNED], "not due yet"
    stage.tick(WEEK)
    stage.tick()
    assert stage.kinds() == [EventKind.SCAN_PLANNED, EventKind.SCAN_MADE]
    made = [entry for row in stage.house.store.journal() if (entry := entry_of(row))][-1]
    assert made.actor == ACTOR
    kept = schedule(stage.house, KEY)
    assert kept.done is not None
    assert kept.failed is None
    stage.tick(WEEK)
    assert stage.kinds().count(EventKind.SCAN_MADE) == 2


def test_a_weekly_one_that_fails_is_told_and_tried_again(stage: Stage) -> None:
    plan_weekly(stage.house, KEY, "admin", PLAN)
    stage.network.broken = True
    stage.tick(WEEK)
    failed = schedule(stage.house, KEY).failed
    assert failed is not None
    assert (failed.message, failed.hint) == ("the child ended", "again")
    numbers = exposed(history(stage.house, KEY), schedule(stage.house, KEY), NOW.date())
    assert numbers.weekly_failed
    stage.tick()
    assert stage.kinds().count(EventKind.SCAN_FAILED) == 1, "not again at once"
    stage.network.broken = False
    stage.tick(timedelta(hours=1))
    assert schedule(stage.house, KEY).failed is None
    assert stage.kinds()[-1] is EventKind.SCAN_MADE
    assert stage.auditor.failed() is None, "that is of what somebody began"


def test_a_weekly_one_that_may_not_begin_is_told_too(stage: Stage) -> None:
    plan_weekly(
        stage.house, KEY, "admin", Plan(True, NOW.weekday(), 0, ("2001:db8::7",), "Dr Exemple")
    )
    stage.tick(WEEK)
    assert stage.auditor.under_way() is None
    assert schedule(stage.house, KEY).failed is not None
    assert stage.network.orders == []


def test_what_is_refused_before_the_first_packet_is_raised(stage: Stage) -> None:
    for wish, error in (
        (Wish(targets=(HOST,)), AccessDenied),
        (Wish(targets=("300.1.1.1",)), UsageError),
        (Wish(targets=("10.0.0.0/16",), authorised_by="x"), AccessDenied),
    ):
        with pytest.raises(error):
            stage.auditor.begin(wish, "somebody")
        assert stage.auditor.under_way() is None
    assert stage.kinds() == []


def test_the_end_of_the_server_ends_it_and_the_weekly_one_is_caught_up(stage: Stage) -> None:
    plan_weekly(stage.house, KEY, "admin", PLAN)
    stage.network.go.clear()
    stage.clock.advance(WEEK.total_seconds())
    stage.auditor.tick()
    assert stage.network.begun.wait(20)
    closing = threading.Thread(target=stage.auditor.close)
    closing.start()
    while not stage.auditor._stopping:
        pass
    stage.network.go.set()
    closing.join(20)
    assert stage.kinds() == [EventKind.SCAN_PLANNED]
    again = Auditor(stage.house, lambda: KEY, stage.network)
    stage.clock.advance(LOOK_SECONDS + 1)
    again.tick()
    again.wait()
    assert stage.kinds()[-1] is EventKind.SCAN_MADE


def test_what_was_seen_is_kept_for_the_picture_and_a_recheck_leaves_the_rest(stage: Stage) -> None:
    stage.network.services = (*BAD["X01"][0].services, *BAD["X18"][0].services)
    stage.auditor.begin(Wish(("192.168.1.0/24", "127.0.0.9"), authorised_by="Dr Exemple"), "a")
    stage.auditor.wait()
    first = as_report(history(stage.house, KEY))
    assert first is not None
    services = {each.place for each in first.scan.services}
    assert len(services) == 2
    stage.network.services = ()  # the archive is closed, and asked alone
    stage.auditor.begin(
        Wish((HOST,), ports=(11112,), only=frozenset({"X01"}), authorised_by="Dr Exemple"), "a"
    )
    stage.auditor.wait()
    ledger = history(stage.house, KEY)
    report = as_report(ledger)
    assert report is not None
    assert ledger.known["X01", HOST, 11112].gone is not None
    assert ledger.known["X06", HOST, 11112].gone is None, "nobody asked about it"
    assert {each.place.port for each in report.scan.services} == {5432}
    assert report.addresses == first.addresses, "of the last whole audit"
    assert report.not_checked == first.not_checked != ()


def test_an_acceptance_takes_it_out_of_the_numbers_until_it_ends(stage: Stage) -> None:
    stage.auditor.begin(WISH, "somebody")
    stage.auditor.wait()
    until = NOW.date() + timedelta(days=10)

    def services(days: int) -> int:
        today = NOW.date() + timedelta(days=days)
        return exposed(history(stage.house, KEY), schedule(stage.house, KEY), today).services

    assert services(0) == 1
    for check in ("X01", "X06"):
        key = (check, HOST, 11112)
        accept_finding(stage.house, KEY, "a", Acceptance(key, "Dr Exemple", "wall", until, NOW))
    assert [services(day) for day in (0, 10, 11)] == [0, 0, 1]


@pytest.mark.parametrize(
    "plan", [Plan(True, 1, 1, ("300.1.1.1",), "x"), Plan(True, 1, 1, (), "x" * 401)]
)
def test_a_plan_that_cannot_be_kept_is_refused(stage: Stage, plan: Plan) -> None:
    with pytest.raises(UsageError):
        plan_weekly(stage.house, KEY, "admin", plan)
    assert stage.kinds() == []


def test_the_plan_is_sealed_under_the_held_key(stage: Stage) -> None:
    plan_weekly(stage.house, KEY, "admin", PLAN)
    kept = stage.house.store.get(Setting, SCHEDULE)
    assert kept is not None
    assert b"Exemple" not in kept.value
    with pytest.raises(IntegrityError):
        schedule(stage.house, new_key())
