"""What strangers can reach: how it stands, a new audit, what is accepted, the weekly one.

Administrators run, administrators and the DPO read (`core.access.rights`). Nothing here opens a
patient, so it works with the server's own key; that somebody looked is journalled once a session for
each audit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from ipaddress import ip_address

from serment.app.find.history import accept_finding, history
from serment.app.find.network import Wish
from serment.app.find.weekly import LONGEST, is_kept, plan_weekly, schedule
from serment.core.access.rights import Act
from serment.core.exposure.findings import RANKS, Finding, Outside, Severity
from serment.core.exposure.history import Acceptance, Known, Ledger
from serment.core.exposure.picture import TRIED
from serment.core.exposure.ports import COMMON
from serment.core.exposure.posture.registry import Answer
from serment.core.exposure.present import as_report
from serment.core.exposure.products import Flaw
from serment.core.exposure.schedule import Plan, Schedule, next_at
from serment.core.exposure.text import clean
from serment.core.journal.entries import Entry, EventKind
from serment.entrypoints.desk.auditor import Auditor
from serment.entrypoints.web.practice.handouts import handout
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import (
    AcceptOrder,
    AuditFile,
    AuditOrder,
    Card,
    Exposed,
    ExposureView,
    Running,
    Trouble,
    WeeklyOrder,
)
from serment.errors import N_, NotFound, UsageError
from serment.ports import Typesetter

SCANS_SHOWN = 12
GONE_SHOWN = 30
LAPSED_FOR = timedelta(days=90)
COUNTS = RANKS[Severity.MEDIUM]  # up to this a finding counts as an open service


@dataclass
class Exposure:
    """Of one web process. `told`: the last audit each session was journalled to have seen."""

    auditor: Auditor
    host: Callable[[], tuple[Answer, ...]]
    typesetter: Typesetter
    flaws: Callable[[], tuple[Flaw, ...]] = tuple
    told: dict[str, datetime | None] = field(default_factory=dict)

    def view(self, visit: Visit) -> ExposureView:
        """The whole page."""
        visit.check(Act.READ_SCANS)
        ledger, weekly = _kept(visit)
        self._note(visit, ledger)
        today = _today(visit)
        cards = [_card(ledger, each, today) for each in _by_severity(ledger.open)]
        return ExposureView(
            report=as_report(ledger),
            cards=tuple(each for each in cards if each.accepted is None),
            accepted=tuple(each for each in cards if each.accepted is not None),
            gone=_gone(ledger),
            scans=ledger.scans[: -SCANS_SHOWN - 1 : -1],
            running=self.running(),
            failed=self._failed(),
            weekly=weekly,
            weekly_failed=_weekly_failed(weekly),
            next=next_at(weekly, visit.now),
            authorised_by=clean(weekly.plan.authorised_by or ledger.authorised_by, LONGEST),
            login=visit.session.member.login,
            today=today,
            may_scan=visit.may(Act.SCAN),
        )

    def running(self) -> Running | None:
        """The audit under way."""
        at = self.auditor.under_way()
        return None if at is None else Running(at.began, at.weekly, at.phase, at.done, at.total)

    def progress(self, visit: Visit) -> Running | None:
        """The same, for the bar; shows nothing that was found."""
        visit.check(Act.READ_SCANS)
        return self.running()

    def begin(self, visit: Visit, order: AuditOrder) -> None:
        """A whole audit."""
        visit.check(Act.SCAN)
        wish = Wish(
            targets=order.targets,
            authorised_by=order.authorised_by or _kept(visit)[0].authorised_by,
            large=order.large,
            dmz=order.dmz,
            manual_rules=order.manual_rules,
        )
        self.auditor.begin(wish, visit.session.member.id)

    def recheck(self, visit: Visit, key: tuple[str, str, int]) -> None:
        """One finding again: its check, its address, its port; for what the box forwards also the
        box."""
        visit.check(Act.SCAN)
        ledger, _ = _kept(visit)
        known = ledger.known.get(key)
        if known is None or not _is_address(known.finding):
            raise NotFound(
                N_("there is no such finding"), hint=N_("load the page again: it may be gone")
            )
        check, host, port = key
        boxes = [e.place.host for e in ledger.seen.services if e.protocol == "igd"]
        wish = Wish(
            targets=tuple(dict.fromkeys((host, *(boxes if check == "X22" else ())))),
            ports=(port,) if port else COMMON,
            only=frozenset({check}),
            authorised_by=ledger.authorised_by,
            dmz=ledger.seen.dmz,
            manual_rules=ledger.seen.manual_rules,
        )
        self.auditor.begin(wish, visit.session.member.id)

    def accept(self, visit: Visit, order: AcceptOrder) -> None:
        """Somebody answers for leaving a finding as it is."""
        visit.check(Act.SCAN)
        if order.until is None:
            raise UsageError(
                N_("an acceptance needs a last day"), hint=N_("a year from now at the latest")
            )
        wished = Acceptance(order.key, order.who, order.why, order.until, visit.now)
        key, member = visit.desk.held_key(), visit.session.member.id
        accept_finding(visit.house, key, member, wished)

    def plan(self, visit: Visit, order: WeeklyOrder) -> None:
        """Switch the weekly audit on or off, or change it."""
        visit.check(Act.SCAN)
        plan = Plan(
            order.on,
            order.weekday,
            order.hour,
            order.targets,
            order.authorised_by,
            order.large,
        )
        plan_weekly(visit.house, visit.desk.held_key(), visit.session.member.id, plan)

    def report(self, visit: Visit, kind: str, lang: str) -> AuditFile:
        """How things stand, to be taken out; journalled."""
        visit.check(Act.READ_SCANS)
        ledger, _ = _kept(visit)
        made = handout(visit, ledger, self.typesetter, self.flaws(), kind, lang)
        self._record(visit, "exposure-report")
        return made

    def posture(self, visit: Visit) -> tuple[Answer, ...]:
        """How the server itself is kept; takes some seconds."""
        visit.check(Act.SCAN)
        return self.host()

    def numbers(self, visit: Visit) -> Exposed | None:
        """For the home page; None where the session may not know."""
        if not visit.may(Act.READ_SCANS):
            return None
        ledger, weekly = _kept(visit)
        return exposed(ledger, weekly, _today(visit))

    def _failed(self) -> Trouble | None:
        error = self.auditor.failed()
        return None if error is None else Trouble(error.message, error.hint, error.values)

    def _note(self, visit: Visit, ledger: Ledger) -> None:
        last = ledger.scans[-1].at if ledger.scans else None
        session = visit.session.id
        if session in self.told and self.told[session] == last:
            return
        open_now = set(visit.practice.sessions)
        self.told = {each: at for each, at in self.told.items() if each in open_now}
        self._record(visit, "exposure")
        self.told[session] = last

    def _record(self, visit: Visit, what: str) -> None:
        entry = Entry(EventKind.SCAN_READ, visit.now, visit.session.member.id, {"what": what})
        visit.store.record(entry)


def _kept(visit: Visit) -> tuple[Ledger, Schedule]:
    """The history and the weekly audit. Where nothing was kept yet the server's key is not made for
    it: a page must open on a full disk too."""
    if not is_kept(visit.store):
        return Ledger(), Schedule()
    key = visit.desk.held_key()
    return history(visit.house, key), schedule(visit.house, key)


def exposed(ledger: Ledger, weekly: Schedule, today: date) -> Exposed:
    """What the home page says of the history."""
    cards = [_card(ledger, each, today) for each in ledger.open]
    counted = [
        each
        for each in cards
        if each.accepted is None and RANKS[each.known.finding.severity] <= COUNTS
    ]
    findings = [each.known.finding for each in counted]
    return Exposed(
        services=len(_places(findings)),
        outside=len(_places(each for each in findings if each.outside is Outside.CONFIRMED)),
        new=sum(each.new for each in counted),
        critical=sum(each.severity is Severity.CRITICAL for each in findings),
        looked_outside=bool(TRIED & set(ledger.seen.outside_by)),
        last=ledger.scans[-1].at if ledger.scans else None,
        weekly=weekly.plan.on,
        weekly_failed=weekly.failed is not None and weekly.plan.on,
    )


def _places(findings: Iterable[Finding]) -> set[tuple[str, int]]:
    return {(each.place.host, each.place.port) for each in findings}


def _card(ledger: Ledger, known: Known, today: date) -> Card:
    key = known.finding.key
    accepted = ledger.accepted.get(key)
    counts = ledger.is_accepted(key, today)
    lapsed = accepted is not None and not counts and today - accepted.until <= LAPSED_FOR
    return Card(
        known,
        new=known.since == known.seen,
        accepted=accepted if counts else None,
        lapsed=accepted if lapsed else None,
        recheck=_is_address(known.finding),
    )


def _by_severity(found: Iterable[Known]) -> list[Known]:
    return sorted(found, key=lambda each: (RANKS[each.finding.severity], each.finding.key))


def _gone(ledger: Ledger) -> tuple[Known, ...]:
    ended = [(each.gone, key) for key, each in ledger.known.items() if each.gone is not None]
    newest = sorted(ended, reverse=True)[:GONE_SHOWN]
    return tuple(ledger.known[key] for _, key in newest)


def _weekly_failed(weekly: Schedule) -> Trouble | None:
    failed = weekly.failed
    if failed is None or not weekly.plan.on:
        return None
    return Trouble(failed.message, failed.hint, failed.values, failed.at)


def _is_address(finding: Finding) -> bool:
    try:
        ip_address(finding.place.host.partition("%")[0])
    except ValueError:
        return False
    return True


def _today(visit: Visit) -> date:
    return visit.now.astimezone().date()
