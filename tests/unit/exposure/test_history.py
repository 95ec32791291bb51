"""What is new, gone, still open since when; kept sealed, journalled with it, readable after a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.unit.exposure.sights import BAD, GOOD_TLS, HOST, NO, NOW, STRICT, YES, scan, service

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.network import MemoryNetwork
from serment.adapters.memory.packs import MemoryPacks
from serment.adapters.memory.search import MemorySearchTable
from serment.adapters.memory.store import MemoryStore
from serment.adapters.sqlite.store import SqliteStore
from serment.app.find.history import LEDGER, accept_finding, history, made_of, record
from serment.app.find.network import Wish, audit, prepare
from serment.app.house import House
from serment.core.crypto.keys import new_key
from serment.core.exposure.checking import View
from serment.core.exposure.coverage import Coverage, Looked, looked_at
from serment.core.exposure.findings import Finding, NotChecked, Place
from serment.core.exposure.history import (
    KNOWN_KEPT,
    NOT_NAMED,
    SCANS_KEPT,
    SILENT_HOST,
    Acceptance,
    Ledger,
    Made,
    baseline_keys,
    update,
)
from serment.core.exposure.outside import Sight, join
from serment.core.exposure.registry import judge
from serment.core.exposure.seen import (
    NOT_NOW,
    Answer,
    Answered,
    Database,
    Dicom,
    Files,
    Gateway,
    Http,
    Messages,
    Remote,
    Scan,
    Service,
)
from serment.core.exposure.seen import Mapping as Forwarding
from serment.core.exposure.sighting import Sighting, sighting
from serment.core.exposure.written import read_ledger, read_made, write_ledger, write_made
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Setting
from serment.errors import FormatError, IntegrityError, NotFound, UsageError
from serment.ports import Store

DAY = timedelta(days=1)
EVERY = ((1, 65535),)
ALL = Looked(("192.168.1.0/24",), EVERY, settled=(("192.168.1.20", EVERY),))
KEY = ("X01", "192.168.1.20", 11112)


def found(*names: str) -> list[Finding]:
    seen = scan(*(each for name in names for each in BAD[name][0].services))
    return judge(View(seen), names)[0]


def made(day: int, looked: Looked = ALL) -> Made:
    return Made(NOW + day * DAY, "Dr Exemple", 254, 1, looked)


def after(*audits: tuple[int, list[Finding]]) -> Ledger:
    ledger = Ledger()
    for day, findings in audits:
        ledger, _ = update(ledger, findings, made(day))
    return ledger


def test_new_still_and_gone() -> None:
    ledger, first = update(Ledger(), found("X01"), made(1))
    assert [each.finding.key for each in first.new] == [KEY]
    ledger, second = update(ledger, found("X01"), made(2))
    assert (second.new, [each.since for each in second.still]) == ((), [NOW + DAY])
    ledger, third = update(ledger, [], made(3))
    assert [each.finding.key for each in third.gone] == [KEY]
    assert ledger.open == []
    assert ledger.known[KEY].gone == NOW + 3 * DAY


def test_what_comes_back_is_new_and_keeps_its_first_day() -> None:
    known = after((1, found("X01")), (2, []), (5, found("X01"))).known[KEY]
    assert (known.first, known.since, known.gone) == (NOW + DAY, NOW + 5 * DAY, None)


def test_since_when_at_the_earliest() -> None:
    """The last audit that looked there and saw nothing: an incident did not begin before it."""
    assert after((1, []), (2, []), (4, found("X01"))).known[KEY].not_before == NOW + 2 * DAY
    assert after((4, found("X01"))).known[KEY].not_before is None


@pytest.mark.parametrize(
    "looked",
    [
        replace(ALL, networks=("192.168.2.0/24",)),
        replace(ALL, ports=((1, 11111), (11113, 65535))),
        replace(ALL, only=("X02",)),
        replace(ALL, skipped=(("X01", ""),)),
        replace(ALL, networks=("fd00::/120",)),
    ],
)
def test_what_was_not_looked_at_is_not_gone(looked: Looked) -> None:
    ledger, changes = update(after((1, found("X01"))), [], made(2, looked))
    assert (changes.gone, changes.unseen) == ((), ())
    assert len(ledger.open) == 1


def seen_now(there: Scan) -> Made:
    """An audit of the network that met this."""
    hosts = [f"192.168.1.{n}" for n in range(1, 255)]
    return made(2, looked_at(hosts, range(1, 65536), (), (), there))


SHUT = service("tls", 11112, tls=GOOD_TLS)
STALLED = replace(SHUT, tls=replace(GOOD_TLS, client_certificate=YES), cut=True)
ELSEWHERE = Answered("192.168.1.21", EVERY)


@pytest.mark.parametrize(
    ("there", "gone"),
    [
        (Scan(answered=(ELSEWHERE,)), False),  # off
        (Scan(answered=(Answered(HOST, ((1, 11111),)),)), False),  # there; the port is silent
        (Scan(answered=(Answered(HOST, EVERY),)), True),
        (scan(service("dicom", 11112, STRICT)), True),
        (scan(replace(service("dicom", 11112, STRICT), cut=True)), False),
        (scan(service("silent", 11112)), False),
        (scan(service("unknown", 11112)), False),
        (scan(service("tls", 11112)), False),
        (scan(SHUT), True),  # every caller needs a certificate
        (scan(STALLED), False),
    ],
)
def test_gone_is_what_refused_or_was_understood(there: Scan, gone: bool) -> None:
    before = after((1, found("X01")))
    ledger, changes = update(before, [], seen_now(there))
    assert bool(changes.gone) is gone
    assert [each.key for each in changes.unseen] == ([] if gone else [KEY])
    assert (ledger.known[KEY].since, len(ledger.open)) == (NOW + DAY, 0 if gone else 1)


def test_who_was_off_for_a_week_is_as_exposed_as_before() -> None:
    """Neither does it begin anew when it is back, nor does the week bound when it began."""
    off = seen_now(Scan(answered=(ELSEWHERE,)))
    ledger, changes = update(after((1, found("X01"))), [], off, Sighting())
    assert changes.unseen[0].said.reason == SILENT_HOST
    assert [each.check for each in ledger.seen.not_checked] == ["X01"]
    assert update(ledger, found("X01"), made(9))[0].known[KEY].since == NOW + DAY
    new, _ = update(Ledger(), [], off)
    assert update(new, found("X01"), made(9))[0].known[KEY].not_before is None


def test_the_machine_of_what_stays_open_stays_in_the_picture() -> None:
    there = scan(*BAD["X01"][0].services, service("http", 80, host="192.168.1.30"))
    first, _ = update(Ledger(), found("X01"), made(1), sighting(there, (), (), 1.0))
    off = seen_now(Scan(answered=(ELSEWHERE,)))
    ledger, _ = update(first, [], off, Sighting())
    assert [each.place.host for each in ledger.seen.services] == [HOST]


def test_over_udp_nobody_refuses() -> None:
    """Who answered otherwise, and no more at SNMP, has switched it off."""
    before, key = after((1, found("X30"))), found("X30")[0].key
    assert update(before, [], seen_now(Scan(answered=(ELSEWHERE,))))[1].gone == ()
    gone = update(before, [], seen_now(Scan(answered=(Answered(key[1]),))))[1].gone
    assert [each.finding.key for each in gone] == [key]


def test_a_forwarding_is_gone_when_the_box_lists_it_no_more() -> None:
    mapping = Forwarding(40104, HOST, 11112, "TCP")
    box = service("igd", 5000, Gateway((mapping,), ""), host="192.168.1.1")
    both = scan(*BAD["X01"][0].services, box)
    before = after((1, judge(View(both), ["X22"])[0]))
    assert len(before.open) == 2
    off = update(before, judge(View(scan(box)), ["X22"])[0], seen_now(scan(box)))[1]
    assert (off.gone, [each.key[1] for each in off.unseen]) == ((), [HOST])
    empty = scan(replace(box, facts=Gateway((), "", YES)))
    assert len(update(before, [], seen_now(empty))[1].gone) == 2


def test_what_was_reached_at_the_public_address_is_gone_when_it_was_tried_again() -> None:
    public = "203.0.113.7"
    reached = join(scan(), [Sight(public, 8080, True)], "peer")
    before = after((1, judge(View(reached), ["X23"])[0]))
    assert [each.finding.key for each in before.open] == [("X23", public, 8080)]
    for port, gone in ((8081, 0), (8080, 1)):
        closed = join(scan(service("http", port)), [Sight(public, port, False)], "peer")
        assert len(update(before, [], seen_now(closed))[1].gone) == gone


PUT_OFF = {
    "X01": Dicom(refusal=NOT_NOW),
    "X10": Http(status=502),
    "X11": Http(status=429),
    "X13": Files(Answer.NOTHING, encrypted=Answer.NOTHING),
    "X14": Files(NO, encrypted=Answer.NOTHING),
    "X18": Database(Answer.NOTHING),
    "X19": Messages(Answer.NOTHING),
    "X21": Remote(Answer.NOTHING),
}


def test_what_could_not_be_checked_is_unseen() -> None:
    """It was looked for there: it stays open, and that is told."""
    hindered = replace(ALL, skipped=(("X01", "192.168.1.20"),))
    _, changes = update(after((1, found("X01"))), [], made(2, hindered))
    assert (changes.gone, [each.key for each in changes.unseen]) == ((), [KEY])


def test_one_that_is_busy_hides_no_other_port_of_its_host() -> None:
    facts, free = Database(YES), Database(NO)
    both = [service("redis", port, facts) for port in (6379, 6380)]
    before, _ = update(Ledger(), judge(View(scan(*both)), ["X18"])[0], made(1))
    now = scan(service("redis", 6379, Database(Answer.NOTHING)), service("redis", 6380, free))
    stated, skipped = judge(View(now), ["X18"])
    looked = looked_at([HOST], range(1, 65536), (), skipped, now)
    _, changes = update(before, stated, made(2, looked))
    assert [each.finding.key for each in changes.gone] == [("X18", HOST, 6380)]
    assert [each.key for each in changes.unseen] == [("X18", HOST, 6379)]


def test_what_is_asked_over_udp_is_asked_whatever_the_ports() -> None:
    before, key = after((1, found("X30"))), found("X30")[0].key
    host = key[1]
    few = Looked((f"{host}/32",), ((22, 22), (4242, 4242)), settled=((host, ((22, 22),)),))
    assert [each.finding.key for each in update(before, [], made(2, few))[1].gone] == [key]
    off = replace(few, answered=(), settled=())
    assert [each.key for each in update(before, [], made(2, off))[1].unseen] == [key]


@pytest.mark.parametrize("name", PUT_OFF)
def test_who_is_too_busy_to_answer_is_not_mended(name: str) -> None:
    """Found before; now it answers that it cannot: nothing ends, and one line says so."""
    (one,) = found(name)
    busy = scan(service(one.place.proto, one.place.port, PUT_OFF[name], host=one.place.host))
    stated, skipped = judge(View(busy), [name])
    assert (stated, len(skipped)) == ([], 1)
    looked = looked_at([one.place.host], range(1, 65536), (), skipped, busy)
    assert update(after((1, [one])), [], made(2, looked))[1].gone == ()
    fine = scan(service(one.place.proto, one.place.port, BAD[name][0].services[0].facts))
    assert not [each for each in judge(View(fine))[1] if not each.check]


def by_name(there: Scan, *names: str) -> Made:
    names_of = tuple((HOST, name) for name in names)
    looked = looked_at([HOST], range(1, 65536), (), (), there, names_of)
    return made(2 + len(names), looked)


def test_a_web_server_is_mended_under_the_name_by_which_it_was_found() -> None:
    """Under another name it may be another server (RFC 9110 section 7.2)."""
    (one,) = found("X10")
    plain = scan(service("http", one.place.port, Http(status=200)))
    named = by_name(plain, "pacs.lan")
    first, _ = update(Ledger(), [one], replace(named, at=NOW))
    first = read_ledger(json.loads(json.dumps(write_ledger(first))))
    for other in (by_name(plain), by_name(plain, "www.lan")):
        ledger, changes = update(first, [], other, Sighting())
        assert (changes.gone, len(ledger.open)) == ((), 1)
        (said,) = ledger.seen.not_checked
        assert (said.reason, said.values["name"]) == (NOT_NAMED, "pacs.lan")
    assert len(update(first, [], named)[1].gone) == 1
    assert len(update(first, [], by_name(plain, "www.lan", "pacs.lan"))[1].gone) == 1
    nameless, _ = update(first, [one], by_name(plain))  # stated again without the name
    assert len(update(nameless, [], replace(by_name(plain), at=NOW + 9 * DAY))[1].gone) == 1


def test_an_audit_that_did_not_call_it_by_that_name_bounds_nothing() -> None:
    (one,) = found("X10")
    plain = scan(service("http", one.place.port, Http(status=200)))
    for before, bound in ((by_name(plain), None), (by_name(plain, "pacs.lan"), NOW)):
        ledger, _ = update(Ledger(), [], replace(before, at=NOW))
        ledger, _ = update(ledger, [one], by_name(plain, "pacs.lan"))
        assert ledger.known[one.key].not_before == bound


def test_the_names_that_were_given_are_kept_with_an_audit() -> None:
    network = MemoryNetwork([service("http", 8080, Http(status=200))], names={"pacs.lan": (HOST,)})
    prepared = prepare(network, Wish(("pacs.lan",), authorised_by="Dr Exemple"))
    report = audit(network, MemoryClock(NOW), prepared)
    assert made_of(prepared, report).looked.names == ((HOST, "pacs.lan"),)


def test_what_is_no_web_server_answers_the_same_under_every_name() -> None:
    strict = scan(service("dicom", 11112, STRICT))
    first, _ = update(Ledger(), found("X01"), replace(by_name(strict, "pacs.lan"), at=NOW))
    assert len(update(first, [], by_name(strict))[1].gone) == 1


class Counted(tuple[str, ...]):
    """Networks that count how often they are read."""

    times = 0

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return super().__iter__()


def test_the_networks_of_an_audit_are_read_once_however_many_findings() -> None:
    networks = Counted(("192.168.2.0/24",))
    ledger, _ = update(Ledger(), [], made(1, replace(ALL, networks=networks)))
    networks.times = 0
    one = found("X01")[0]
    update(ledger, [replace(one, place=Place(HOST, port)) for port in range(1, 200)], made(2))
    assert networks.times == 1


def test_what_an_audit_covered_is_written_and_read_back() -> None:
    looked = replace(ALL, answered=("192.168.1.20/32",), unclear=((HOST, ((1, 2),)),))
    looked = replace(looked, outside=(("203.0.113.7", ((80, 80),)),))
    again = read_made(json.loads(json.dumps(write_made(made(1, looked)))))
    assert again.looked == looked
    assert update(Ledger(), [], again)[0].scans[0].looked == replace(looked, settled=())


def test_a_scope_is_kept_compactly() -> None:
    addresses = [f"10.0.0.{n}" for n in range(256)] + ["fd00::1"]
    skipped = [NotChecked("X09", "", "why")]
    there = Scan(answered=(Answered("10.0.0.77"), Answered("fd00::1")))
    looked = looked_at(addresses, (1, 2, 3, 80), {"X02"}, skipped, there)
    covers = Coverage(looked).covers
    assert looked.networks == ("10.0.0.0/24", "fd00::1/128")
    assert looked.ports == ((1, 3), (80, 80))
    assert covers(("X02", "10.0.0.77", 80))
    assert covers(("X02", "fd00::1", 0))
    assert not covers(("X02", "10.0.0.77", 81))


def test_the_box_is_gone_only_when_its_question_was_asked() -> None:
    findings = judge(View(scan(dmz=True)), ["X23"])[0]
    assert [each.place for each in findings] == [Place("box")]
    ledger, _ = update(Ledger(), findings, made(1))
    silent = replace(ALL, skipped=(("X23", ""),))
    assert update(ledger, [], made(2, silent))[1].gone == ()
    assert update(ledger, [], made(2))[1].gone == ()
    asked = replace(ALL, outside=(("box", ((0, 0),)),))
    assert len(update(ledger, [], made(2, asked))[1].gone) == 1


@pytest.mark.parametrize("said", [{"dmz": True}, {"manual_rules": True}])
@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("box", [(), (service("igd", 5000, Gateway(), host="192.168.1.1"),)])
def test_what_somebody_said_of_the_box_is_gone_when_somebody_says_otherwise(
    said: dict[str, bool], is_open: bool, box: tuple[Service, ...]
) -> None:
    """A port that a helper tried, or an import reached, says nothing of DMZ mode or of rules by hand."""
    before = after((1, judge(View(scan(*box, **said)), ["X23"])[0]))
    assert [each.finding.place.port for each in before.open] == [0]
    web = scan(service("http", 80, Http()))
    tried = join(web, [Sight("203.0.113.7", 80, is_open, "http")], "peer")
    _, skipped = judge(View(tried), ["X23"])
    assert [(each.host, each.reason) for each in skipped] == [
        ("box", "nobody was asked about the box")
    ]
    assert update(before, [], seen_now(tried))[1].gone == ()
    half = replace(tried, dmz=False)
    assert update(before, [], seen_now(half))[1].gone == ()
    both = replace(web, dmz=False, manual_rules=False)  # nobody looked from outside: they answered
    assert len(update(before, [], seen_now(both))[1].gone) == 1
    assert judge(View(replace(tried, dmz=False, manual_rules=False)), ["X23"])[1] == []


def test_a_baseline_is_an_earlier_answer() -> None:
    document = {"findings": [{"id": "X01", "host": "192.168.1.20", "port": 11112, "more": 1}]}
    assert baseline_keys(document) == {KEY}
    for wrong in ([], {}, {"findings": [{}]}, {"findings": 3}, None):
        with pytest.raises(FormatError):
            baseline_keys(wrong)


@pytest.mark.parametrize("name", BAD)
def test_every_finding_is_written_and_read_back(name: str) -> None:
    ledger, _ = update(Ledger(), judge(View(BAD[name][0]), [name])[0], made(1))
    acceptance = Acceptance(KEY, "Dr Exemple", "isolated", date(2027, 1, 31), NOW)
    ledger = replace(ledger, accepted={KEY: acceptance})
    assert read_ledger(json.loads(json.dumps(write_ledger(ledger)))) == ledger


@pytest.mark.parametrize("value", [None, {}, {"version": 2}, {"version": 1, "known": [{}]}, []])
def test_what_is_no_ledger_is_refused(value: object) -> None:
    with pytest.raises(FormatError):
        read_ledger(value)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    made = SqliteStore(tmp_path / "vault.sqlite3", tmp_path / "keys.copy")
    yield made
    made.close()


@pytest.fixture
def house(store: Store) -> House:
    lock, once = threading.RLock(), threading.BoundedSemaphore(1)
    return House("vault", "", store, MemoryPacks(), MemoryClock(NOW), MemorySearchTable, lock, once)


def test_the_vault_keeps_it_sealed_and_journalled(house: House) -> None:
    key = new_key()
    assert history(house, key) == Ledger()
    changes = record(house, key, "local", found("X01", "X17"), made(1))
    assert len(changes.new) == 2
    kept = history(house, key)
    assert kept.known[KEY].since == NOW + DAY
    sealed = house.store.get(Setting, LEDGER)
    assert sealed is not None
    assert b"192.168" not in sealed.value
    entries = [entry_of(row) for row in house.store.journal()]
    assert [
        (each.kind, each.details["count"], each.details["new"]) for each in entries if each
    ] == [(EventKind.SCAN_MADE, 2, 2)]


def test_nothing_is_journalled_when_nothing_was_kept(house: House) -> None:
    record(house, new_key(), "local", [], made(1))
    with pytest.raises(IntegrityError):
        record(house, new_key(), "local", found("X01"), made(2))
    assert house.store.journal_size() == 1


def test_another_vault_does_not_open_it(house: House) -> None:
    key = new_key()
    record(house, key, "local", found("X01"), made(1))
    with pytest.raises(IntegrityError):
        history(replace(house, vault="other"), key)


def acceptance(**changes: object) -> Acceptance:
    good = Acceptance(KEY, "Dr Exemple", "behind a firewall", date(2026, 12, 31), NOW)
    return replace(good, **changes)  # type: ignore[arg-type]


def test_a_finding_is_accepted_for_a_time(house: House) -> None:
    key = new_key()
    record(house, key, "local", found("X01"), made(1))
    accept_finding(house, key, "local", acceptance())
    kept = history(house, key)
    assert kept.is_accepted(KEY, date(2026, 12, 31))
    assert not kept.is_accepted(KEY, date(2027, 1, 1))
    assert not kept.is_accepted(("X02", *KEY[1:]), date(2026, 12, 1))
    entry = entry_of(list(house.store.journal())[-1])
    assert entry is not None
    assert entry.kind is EventKind.FINDING_ACCEPTED
    assert entry.details["place"] == "192.168.1.20:11112"


@pytest.mark.parametrize(
    "changes",
    [
        {"who": " "},
        {"why": ""},
        {"why": "x" * 401},
        {"until": date(2026, 11, 20)},
        {"until": date(2028, 1, 1)},
    ],
)
def test_an_acceptance_needs_a_name_a_reason_and_an_end(
    house: House, changes: dict[str, object]
) -> None:
    key = new_key()
    record(house, key, "local", found("X01"), made(1))
    with pytest.raises(UsageError):
        accept_finding(house, key, "local", acceptance(**changes))


def test_only_what_is_open_can_be_accepted(house: House) -> None:
    key = new_key()
    record(house, key, "local", found("X01"), made(1))
    record(house, key, "local", [], made(2))
    with pytest.raises(NotFound):
        accept_finding(house, key, "local", acceptance())


def test_the_ledger_stays_bounded() -> None:
    """Years of audits, and a network on which everything is found once and never again."""
    one = found("X01")[0]
    many = [
        replace(one, place=replace(one.place, port=port)) for port in range(1, KNOWN_KEPT + 100)
    ]
    ledger, _ = update(Ledger(), many, made(1))
    assert len(ledger.known) == len(many)  # what is open is never dropped
    few, _ = update(Ledger(), many[:3000], made(1))
    few, _ = update(few, [], made(2))
    assert len(few.known) == 3000
    ledger, _ = update(ledger, [], made(2))
    assert len(ledger.known) == KNOWN_KEPT
    for day in range(3, SCANS_KEPT + 10):
        ledger, _ = update(ledger, [], made(day))
    assert len(ledger.scans) == SCANS_KEPT
    assert ledger.scans[-1].at == NOW + (SCANS_KEPT + 9) * DAY
