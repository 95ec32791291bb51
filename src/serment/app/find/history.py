"""The history of audits in the vault: sealed under a key the server holds, since it must be written
while the practice is locked and holds no patient data. Each change is journalled with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from serment.app.find.held import opened, sealed
from serment.app.find.network import Prepared
from serment.app.house import House
from serment.core.crypto.secret import Key
from serment.core.exposure.coverage import looked_at
from serment.core.exposure.findings import Finding
from serment.core.exposure.history import (
    Acceptance,
    Changes,
    Ledger,
    Made,
    accept,
    update,
)
from serment.core.exposure.report import Report
from serment.core.exposure.sighting import Sighting
from serment.core.exposure.written import read_ledger, write_ledger
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Setting
from serment.errors import N_, NotFound, UsageError
from serment.ports import Transaction

LEDGER = "exposure-ledger"  # setting
LONGEST = 400  # characters of a reason or a name
FURTHEST_DAYS = 366


def history(house: House, key: Key) -> Ledger:
    """What is known of every audit; empty before the first.

    Raises:
        IntegrityError: it was not sealed under this key.
        FormatError: it is none, or a newer program's.
    """
    return _opened(house.store.get(Setting, LEDGER), house.vault, key)


def made_of(prepared: Prepared, report: Report) -> Made:
    """What the history keeps of an audit beside its findings: who answered for it, what it looked at."""
    wish, scope = prepared.wish, prepared.scope
    looked = looked_at(
        scope.addresses, wish.ports, wish.only, report.not_checked, report.scan, prepared.names
    )
    return Made(report.at, report.authorised_by, len(scope.addresses), len(report.findings), looked)


def record(
    house: House,
    key: Key,
    actor: str,
    findings: Sequence[Finding],
    made: Made,
    seen: Sighting | None = None,
    also: Callable[[Transaction], None] = lambda tx: None,
) -> Changes:
    """Add one audit, with what it saw; `also` writes more in the same transaction."""
    entry = Entry(EventKind.SCAN_MADE, house.clock.now(), actor, {"count": len(findings)})
    with house.store.change(entry) as tx:
        ledger, changes = update(
            _opened(tx.get(Setting, LEDGER), house.vault, key), findings, made, seen
        )
        tx.put(_sealed(ledger, house.vault, key))
        tx.note(
            new=len(changes.new),
            gone=len(changes.gone),
            still=len(changes.still),
            addresses=made.addresses,
        )
        also(tx)
    return changes


def accept_finding(house: House, key: Key, actor: str, acceptance: Acceptance) -> None:
    """Somebody answers for leaving a finding as it is, for a year at most.

    Raises:
        NotFound: no such finding is open.
        UsageError: no name, no reason, or a day that is past or too far.
    """
    now = house.clock.now()
    _check_words(acceptance, now)
    check, host, port = acceptance.key
    details = {"what": check, "place": f"{host}:{port}", "until": acceptance.until.isoformat()}
    with house.store.change(Entry(EventKind.FINDING_ACCEPTED, now, actor, details)) as tx:
        ledger = _opened(tx.get(Setting, LEDGER), house.vault, key)
        if acceptance.key not in {each.finding.key for each in ledger.open}:
            raise NotFound(
                N_("no open finding {check} at {place}"),
                hint=N_("see `serment scan history`"),
                check=check,
                place=f"{host}:{port}",
            )
        tx.put(_sealed(accept(ledger, acceptance), house.vault, key))


def _check_words(acceptance: Acceptance, now: datetime) -> None:
    if not acceptance.who.strip() or not acceptance.why.strip():
        raise UsageError(
            N_("an acceptance needs a name and a reason"), hint=N_("--by NAME --why TEXT")
        )
    if max(len(acceptance.who), len(acceptance.why)) > LONGEST:
        raise UsageError(N_("a name or reason is longer than {limit} characters"), limit=LONGEST)
    days = (acceptance.until - _day(now)).days
    if not 0 <= days <= FURTHEST_DAYS:
        raise UsageError(
            N_("an acceptance ends today at the earliest and in a year at the latest"),
            hint=N_("--until 2027-01-31"),
        )


def _day(now: datetime) -> date:
    return now.astimezone().date()


def _opened(setting: Setting | None, vault: str, key: Key) -> Ledger:
    value = opened(setting, LEDGER, vault, key)
    return Ledger() if value is None else read_ledger(value)


def _sealed(ledger: Ledger, vault: str, key: Key) -> Setting:
    return sealed(write_ledger(ledger), LEDGER, vault, key)
