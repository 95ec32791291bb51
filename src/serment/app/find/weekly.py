"""The weekly audit's plan, and what became of the last one: sealed under the key the server holds.

When it is due is `core.exposure.schedule`; who runs it is an entry point's business. Each change is
journalled with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from serment.app.find.held import opened, sealed
from serment.app.find.history import LEDGER
from serment.app.house import House
from serment.core.crypto.secret import Key
from serment.core.exposure.schedule import Failure, Plan, Schedule, check_plan
from serment.core.exposure.scope import names_in
from serment.core.exposure.written import unreadable
from serment.core.exposure.written_values import read_value, write_value
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Setting
from serment.errors import N_, SermentError, UsageError
from serment.ports import Store, Transaction

SCHEDULE = "exposure-schedule"  # setting
ACTOR = "Serment"  # in the journal: nobody in person
LONGEST = 400  # characters of a name, or of a target


def is_kept(store: Store) -> bool:
    """Whether an audit or a plan was ever kept: without one nobody needs the server's key."""
    return any(store.get(Setting, name) is not None for name in (LEDGER, SCHEDULE))


def schedule(house: House, key: Key) -> Schedule:
    """The plan and how the last attempt ended; off before anybody decided.

    Raises:
        IntegrityError: it was not sealed under this key.
        FormatError: it is none.
    """
    return _opened(house.store.get(Setting, SCHEDULE), house.vault, key)


def plan_weekly(house: House, key: Key, actor: str, plan: Plan) -> Schedule:
    """Somebody switches it on, changes it, or switches it off; an earlier failure is forgotten.

    Raises:
        UsageError: no such day or hour, nobody answers for it, or a target that is none.
    """
    check_plan(plan)
    _check_words(plan)
    now = house.clock.now()
    what = "weekly-on" if plan.on else "weekly-off"
    details = {"what": what, "weekday": plan.weekday, "hour": plan.hour}
    with house.store.change(Entry(EventKind.SCAN_PLANNED, now, actor, details)) as tx:
        before = _opened(tx.get(Setting, SCHEDULE), house.vault, key)
        after = replace(before, plan=replace(plan, since=now), failed=None)
        tx.put(_sealed(after, house.vault, key))
    return after


def _check_words(plan: Plan) -> None:
    names_in(plan.targets)
    if max(map(len, (plan.authorised_by, *plan.targets))) > LONGEST:
        raise UsageError(N_("a name or reason is longer than {limit} characters"), limit=LONGEST)


def ended_well(house: House, key: Key, began: datetime, tx: Transaction) -> None:
    """Part of the transaction that keeps a weekly audit: it counts from when it began."""
    before = _opened(tx.get(Setting, SCHEDULE), house.vault, key)
    tx.put(_sealed(replace(before, done=began, failed=None), house.vault, key))


def ended_badly(house: House, key: Key, actor: str, error: SermentError, *, weekly: bool) -> None:
    """Journal an audit that could not be finished; of a weekly one keep why, for the home page."""
    now = house.clock.now()
    with house.store.change(
        Entry(EventKind.SCAN_FAILED, now, actor, {"reason": error.message})
    ) as tx:
        if not weekly:
            return
        before = _opened(tx.get(Setting, SCHEDULE), house.vault, key)
        failure = Failure(now, error.message, dict(error.values), error.hint)
        tx.put(_sealed(replace(before, failed=failure), house.vault, key))


def _opened(setting: Setting | None, vault: str, key: Key) -> Schedule:
    value = opened(setting, SCHEDULE, vault, key)
    if value is None:
        return Schedule()
    try:
        return _read(value)
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable() from error


def _sealed(made: Schedule, vault: str, key: Key) -> Setting:
    return sealed(_write(made), SCHEDULE, vault, key)


def _write(made: Schedule) -> dict[str, Any]:
    plan, failed = made.plan, made.failed
    return {
        "version": 1,
        "on": plan.on,
        "weekday": plan.weekday,
        "hour": plan.hour,
        "targets": list(plan.targets),
        "authorised_by": plan.authorised_by,
        "large": plan.large,
        "since": _text(plan.since),
        "done": _text(made.done),
        "failed": None
        if failed is None
        else [failed.at.isoformat(), failed.message, write_value(failed.values), failed.hint],
    }


def _read(value: Any) -> Schedule:
    if value["version"] != 1:
        raise ValueError
    plan = Plan(
        bool(value["on"]),
        int(value["weekday"]),
        int(value["hour"]),
        tuple(map(str, value["targets"])),
        str(value["authorised_by"]),
        bool(value["large"]),
        _moment(value["since"]),
    )
    failed = None
    if value["failed"] is not None:
        at, message, values, hint = value["failed"]
        failed = Failure(
            datetime.fromisoformat(at), str(message), dict(read_value(values)), str(hint)
        )
    return Schedule(plan, _moment(value["done"]), failed)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
