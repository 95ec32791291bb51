"""No change without an entry: what each page and each command writes, and that every kind of entry
is written by something. An act that is not named here makes the tests fail: decide what it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from tests.practices import PASSWORD, patient, report, study
from tests.unit.exposure.sights import BAD, HOST, NOW
from tests.unit.web_practice.pages import HERE, Pages

import serment
from serment.adapters.memory.network import MemoryNetwork
from serment.app.protect import certificate, kit, members
from serment.app.watch.checkpoints import Checkpoints
from serment.core.exposure.coverage import looked_at
from serment.core.exposure.history import Made
from serment.core.exposure.packed import pack
from serment.core.exposure.seen import Scan
from serment.core.exposure.sighting import sighting
from serment.core.exposure.written import write_made
from serment.core.exposure.written_sighting import write_sighting
from serment.core.journal.caller import on_this_machine
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.masked import Masked
from serment.core.records.vault import Envelope, Member, Role
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import REQUESTS, answer
from serment.entrypoints.web.practice import WebPractice
from serment.entrypoints.web.views import (
    AcceptOrder,
    AuditOrder,
    NewDevice,
    NewMember,
    RadiusQuery,
    WeeklyOrder,
)
from serment.errors import Unavailable
from serment.ports.network import Order

K = EventKind
NEW = Masked("Brume-Soleil-19-Cascade")
READS = None  # shows something or looks something up; what it shows of a patient, tests elsewhere


@dataclass
class Stage:
    """A practice with one filed arrival and one that waits."""

    pages: Pages
    filed: str
    waiting: str
    uid: str

    def member(self, login: str) -> Member:
        (row,) = self.pages.world.house.store.find(Member, login=login)
        return row

    def entries(self, start: int = 0) -> list[Entry]:
        rows = self.pages.world.house.store.journal(start)
        return [entry for row in rows if (entry := entry_of(row)) is not None]

    def desk(self, command: str, who: str, options: dict[str, Any]) -> object:
        said = answer(self.pages.desk, Request(command, options, who, PASSWORD, NEW))
        return b"".join(said) if isinstance(said, Iterator) else said


@pytest.fixture
def stage(pages: Pages) -> Stage:
    world = pages.world
    (receipt,) = world.receive([report(study(patient()))])
    with world.signed_in("docteur"):
        pass
    world.receive([report(study(patient(birth_date="19570402"), 2))])
    house = world.house
    Checkpoints(
        house.store, house.clock, world.founded.journal_key, house.vault, 0, founding=True
    ).sign_if_changed()
    (waiting,) = house.store.find(Envelope, patient=None)
    (filed,) = (e for e in house.store.find(Envelope) if e.patient is not None)
    return Stage(pages, filed.id, waiting.id, receipt.sop_instance)


def enrol(stage: Stage, session: str) -> None:
    secret = stage.pages.web.new_second_factor(session, "").secret.reveal()
    code = pyotp.TOTP(secret).at(stage.pages.world.house.clock.now())
    stage.pages.web.confirm_second_factor(session, code)


def add_device(stage: Stage, session: str) -> str:
    stage.pages.web.add_device(session, NewDevice("Scanner", "CT1", "192.0.2.7", "care"))
    return next(d.id for d in stage.pages.web.members(session).devices)


def add_another(stage: Stage, session: str) -> str:
    new = NewMember("nouveau", PASSWORD, (Role.SECRETARY,), "")
    stage.pages.web.add_member(session, new)
    return stage.member("nouveau").id


FOUND = ("X01", HOST, 11112)
WHERE = AuditOrder((HOST,), "Dr Exemple")
WEEKLY = WeeklyOrder(True, 2, 12, (HOST,), "Dr Exemple", False)


def audited(stage: Stage, session: str) -> tuple[str, str, int]:
    """An audit that found an open archive."""
    stage.pages.network.services = BAD["X01"][0].services
    stage.pages.web.begin_audit(session, WHERE)
    stage.pages.auditor.wait()
    return FOUND


def recheck(stage: Stage, session: str) -> None:
    stage.pages.web.recheck(session, audited(stage, session))
    stage.pages.auditor.wait()


def failing(stage: Stage, session: str) -> None:
    """An audit that begins, and then cannot be finished."""
    stage.pages.network = BrokenNetwork()
    stage.pages.auditor._network = stage.pages.network
    stage.pages.web.begin_audit(session, WHERE)
    stage.pages.auditor.wait()


class BrokenNetwork(MemoryNetwork):
    """Its child ends too early."""

    def audit(self, order: Order, progress: Any = None) -> Iterator[Any]:
        raise Unavailable("the process that talks to the network ended too early")
        yield


def acceptance(stage: Stage, session: str) -> AcceptOrder:
    until = stage.pages.world.house.clock.now().date() + timedelta(days=30)
    return AcceptOrder(audited(stage, session), "Dr Exemple", "behind a firewall", until)


def accept_options(stage: Stage) -> dict[str, Any]:
    order = acceptance(stage, stage.pages.sign_in("admin"))
    assert order.until
    until = order.until.isoformat()
    return {"key": list(order.key), "who": order.who, "why": order.why, "until": until}


def kept_options(stage: Stage) -> dict[str, Any]:
    seen = sighting(BAD["X01"][0], (), (), 1.0)
    made = Made(NOW, "Dr Exemple", 1, 0, looked_at([HOST], [11112], (), (), Scan()))
    left = {"findings": [], "made": write_made(made), "seen": write_sighting(seen)}
    return {"audit": pack(left)}


def whole_disk(stage: Stage) -> RadiusQuery:
    return RadiusQuery("disk", stage.pages.world.house.clock.now())


Act = Callable[[Stage, str], object]
# Each method of the pages: who calls it, how, and the kind of its entry.
PAGES: dict[str, tuple[str, Act, EventKind] | None] = {
    "sign_in": ("dpo", lambda s, _: s.pages.sign_in("secretaire"), K.OPENED),
    "lock": ("dpo", lambda s, session: s.pages.web.lock(session), K.LOCKED),
    "lock_all": ("dpo", lambda s, session: s.pages.web.lock_all(session), K.LOCKED),
    "file": ("secretaire", lambda s, x: s.pages.web.file(x, s.waiting, None), K.FILED),
    "unfile": ("secretaire", lambda s, x: s.pages.web.unfile(x, s.filed), K.UNFILED),
    "checkpoint": ("dpo", lambda s, x: s.pages.web.checkpoint(x), K.CHECKPOINT_TAKEN),
    "add_member": ("admin", add_another, K.MEMBER_ADDED),
    "remove_member": (
        "admin",
        lambda s, x: s.pages.web.remove_member(x, s.member("secretaire").id),
        K.MEMBER_REMOVED,
    ),
    "add_device": ("admin", add_device, K.DEVICE_ADDED),
    "remove_device": (
        "admin",
        lambda s, x: s.pages.web.remove_device(x, add_device(s, x)),
        K.DEVICE_REMOVED,
    ),
    "confirm_second_factor": ("dpo", enrol, K.SECOND_FACTOR_CHANGED),
    "declare_kit": ("admin", lambda s, x: s.pages.web.declare_kit(x), K.KIT_DECLARED),
    "admit": (
        "docteur",
        lambda s, x: s.pages.web.admit(
            x, add_another(s, s.pages.sign_in("admin")), members.words(s.member("nouveau"))
        ),
        K.MEMBER_ADMITTED,
    ),
    "radius": ("dpo", lambda s, x: s.pages.web.radius(x, whole_disk(s)), K.RADIUS_COMPUTED),
    "exposure": ("dpo", lambda s, x: s.pages.web.exposure(x), K.SCAN_READ),
    "begin_audit": ("admin", audited, K.SCAN_MADE),
    "recheck": ("admin", recheck, K.SCAN_MADE),
    "accept_finding": (
        "admin",
        lambda s, x: s.pages.web.accept_finding(x, acceptance(s, x)),
        K.FINDING_ACCEPTED,
    ),
    "plan_audits": ("admin", lambda s, x: s.pages.web.plan_audits(x, WEEKLY), K.SCAN_PLANNED),
    "audit_report": (
        "dpo",
        lambda s, x: (
            audited(s, s.pages.sign_in("admin")) and s.pages.web.audit_report(x, "pdf", "fr")
        ),
        K.SCAN_READ,
    ),
    "upload": READS,  # the receiver writes it, another process: tests/e2e/web
    **dict.fromkeys(
        [
            "welcome",
            "authority",
            "session",
            "pulse",
            "home",
            "worklist",
            "study",
            "thumbnail",
            "frame",
            "report",
            "document",
            "patients",
            "patient",
            "to_file",
            "journal",
            "verify",
            "breach",
            "members",
            "audit_progress",
            "host_posture",  # asks the machine, keeps nothing
            "settings",
            "new_second_factor",
            "pending_second_factor",
            "flush",
        ],
        READS,
    ),
}
# Each request of the command line: who, with which options, and the kind of its entry.
DESK: dict[str, tuple[str, Callable[[Stage], dict[str, Any]], EventKind] | None] = {
    "unlock": ("dpo", lambda s: {}, K.OPENED),
    "lock": ("dpo", lambda s: s.pages.sign_in("dpo") and {}, K.LOCKED),
    "fetch": ("docteur", lambda s: {"uid": s.uid}, K.EXPORTED),
    "file": ("secretaire", lambda s: {"envelope": s.waiting}, K.FILED),
    "unfile": ("secretaire", lambda s: {"envelope": s.filed}, K.UNFILED),
    "member add": (
        "docteur",
        lambda s: {"login": "nouveau", "roles": ["secretary"]},
        K.MEMBER_ADDED,
    ),
    "member admit": (
        "docteur",
        lambda s: add_another(s, s.pages.sign_in("admin")) and {"login": "nouveau"},
        K.MEMBER_ADMITTED,
    ),
    "member remove": ("admin", lambda s: {"login": "secretaire"}, K.MEMBER_REMOVED),
    "member password": ("dpo", lambda s: {}, K.MEMBER_PASSWORD),
    "device add": (
        "admin",
        lambda s: {"name": "x", "ae": "X", "address": "192.0.2.7"},
        K.DEVICE_ADDED,
    ),
    "device remove": (
        "admin",
        lambda s: add_device(s, s.pages.sign_in("admin")) and {"name": "Scanner"},
        K.DEVICE_REMOVED,
    ),
    "journal export": ("dpo", lambda s: {}, K.EXPORTED),
    "journal checkpoint": ("dpo", lambda s: {}, K.CHECKPOINT_TAKEN),
    "journal retention": ("dpo", lambda s: {"months": 24}, K.RETENTION_CHANGED),
    "breach radius": (
        "admin",
        lambda s: {"stolen": "disk", "at": s.pages.world.house.clock.now().isoformat()},
        K.RADIUS_COMPUTED,
    ),
    "kit declared": ("admin", lambda s: {}, K.KIT_DECLARED),
    "scan keep": ("admin", kept_options, K.SCAN_MADE),
    "scan accept": ("admin", accept_options, K.FINDING_ACCEPTED),
    "scan schedule": (
        "admin",
        lambda s: {"on": True, "authorised_by": "Dr Exemple"},
        K.SCAN_PLANNED,
    ),
    "circle accept": READS,  # a circle that needs it: tests/unit/protect
    **dict.fromkeys(
        (
            *("status", "search", "show", "waiting", "repeats", "circle list", "device list"),
            *("member words", "member list", "journal list", "journal verify"),
            *("scan history", "scan ledger"),
        ),
        READS,
    ),
}
# Written by other processes and rarer acts, each in the module named.
ELSEWHERE = {
    K.VAULT_FOUNDED: "app/protect/founding.py",
    K.SERVER_STARTED: "bootstrap/worker.py",
    K.SERVER_STOPPED: "bootstrap/worker.py",
    K.RECEPTION_OPENED: "app/protect/reception.py",
    K.RECEPTION_CLOSED: "app/protect/reception.py",
    K.RECEPTION_INTERRUPTED: "app/protect/reception.py",
    K.KEYS_MOVED: "app/protect/moving.py",
    K.KEYS_RENEWED: "app/protect/entitled.py",
    K.REPEATS_FOUND: "app/protect/repeats.py",
    K.READ: "app/watch/reads.py",
    K.SEARCHED: "app/watch/searches.py",
    K.REFUSED: "app/watch/refusals.py",
    K.LOGIN_FAILED: "app/protect/signing_in.py",
    K.KIT_MADE: "bootstrap/init.py",
    K.RECOVERED: "app/keep/recover.py",
    K.EXPIRED: "app/watch/expiry.py",
    K.PACKS_INDEXED: "app/protect/mending.py",
    K.CIRCLE_ACCEPTED: "app/epochs.py",
    K.CIRCLE_STOPPED: "app/protect/believing.py",
    K.CIRCLE_RESUMED: "app/protect/believing.py",
    K.REPAIRED: "app/watch/checkpoints.py",
    K.SCAN_FAILED: "app/find/weekly.py",
}
FURTHER = {K.MEMBER_RESCUED, K.KIT_TRIED, K.CERTIFICATE_ISSUED, K.CIRCLE_MADE, K.KEYS_PINNED}


def test_every_page_and_every_request_has_its_decision() -> None:
    methods = {name for name in vars(WebPractice) if not name.startswith("_")}
    assert set(PAGES) == methods
    assert set(DESK) == set(REQUESTS)


def test_every_kind_is_written_by_something() -> None:
    acts = [row[2] for row in (*PAGES.values(), *DESK.values()) if row is not None]
    assert {*acts, *ELSEWHERE, *FURTHER} == set(EventKind)
    for kind, module in ELSEWHERE.items():
        text = (Path(serment.__file__).parent / module).read_text()
        assert f"EventKind.{kind.name}" in text, kind


@pytest.mark.parametrize("name", [name for name, row in PAGES.items() if row is not None])
def test_a_page_that_changes_something_leaves_its_entry(stage: Stage, name: str) -> None:
    who, act, kind = PAGES[name] or pytest.fail("a row of the table")
    session = stage.pages.sign_in(who)
    start = stage.pages.world.house.store.journal_size()
    act(stage, session)
    (entry, *_) = [e for e in stage.entries(start) if e.kind is kind]
    # where it came from: the session, whose opening has the addresses
    opened = {e.details["session"]: e for e in stage.entries() if e.kind is K.OPENED}
    of = opened[entry.details["session"]]
    assert of.actor == entry.actor
    assert (of.details["peer"], of.details["local"], of.details["tls"]) == (
        HERE.address,
        HERE.local,
        HERE.tls,
    )


@pytest.mark.parametrize("name", [name for name, row in DESK.items() if row is not None])
def test_a_command_that_changes_something_leaves_its_entry(stage: Stage, name: str) -> None:
    who, options, kind = DESK[name] or pytest.fail("a row of the table")
    given = options(stage)
    start = stage.pages.world.house.store.journal_size()
    stage.desk(name, who, given)
    (entry, *_) = [e for e in stage.entries(start) if e.kind is kind]
    opened = {e.details["session"] for e in stage.entries() if e.kind is K.OPENED}
    assert entry.details.get("session") in opened or entry.details["peer"] == "local"


def test_an_audit_that_fails_is_told_where_it_was_begun(stage: Stage) -> None:
    session = stage.pages.sign_in("admin")
    failing(stage, session)
    (entry,) = [e for e in stage.entries() if e.kind is K.SCAN_FAILED]
    opened = [e for e in stage.entries() if e.kind is K.OPENED]
    assert entry.details["session"] == opened[-1].details["session"]
    assert entry.details["reason"] == "the process that talks to the network ended too early"
    failed = stage.pages.web.exposure(session).failed
    assert failed is not None
    assert failed.message == entry.details["reason"]


def test_what_is_done_with_the_kit_and_with_the_server_stopped(stage: Stage) -> None:
    world = stage.pages.world
    start = world.house.store.journal_size()
    with on_this_machine():
        ring = kit.open_with(world.house, world.founded.shares[:2])
        members.rescue(world.house, ring, "dpo", NEW)
    answer(stage.pages.desk, Request("member remove", {"login": "secretaire"}, "admin", PASSWORD))
    with world.signed_in("admin") as session:
        certificate.renew(world.house, session.member, session.ring, [], [])
    with world.signed_in("docteur"):
        pass  # makes the secretariat's next key, and notes it
    found = stage.entries(start)
    assert {entry.kind for entry in found} >= FURTHER
    for entry in found:
        if entry.kind in (K.KIT_TRIED, K.MEMBER_RESCUED):
            assert (entry.details["peer"], entry.details["tls"]) == ("local", False)
        if entry.kind in (K.CIRCLE_MADE, K.KEYS_PINNED):
            assert entry.details["session"]
