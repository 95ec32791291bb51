"""Computes the blast radius from the journal, and journals that it was asked for.

What was asked is turned into vectors here (logins into members); what they open is `core.breach`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from serment.app.house import House
from serment.app.steps import Steps
from serment.core.breach.exposure import Exposure
from serment.core.breach.radius import Inquiry, Radius
from serment.core.breach.vectors import (
    Account,
    Copy,
    Listener,
    Server,
    Stolen,
    Vector,
    check_asked,
    told,
)
from serment.core.journal.checkpoints import origin
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.log import entry_of
from serment.core.journal.verify import Verifier
from serment.core.records.vault import Member
from serment.errors import N_, FormatError, NotFound, UsageError
from serment.ports import Progress, Store, Surroundings

AT_ONCE = 2000  # rows between two steps of the bar


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as people say it: logins, times (aware), addresses. `end` None is now."""

    stolen: str | None = None
    at: datetime | None = None
    known: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    server: bool = False
    listeners: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


def radius(
    house: House,
    surroundings: Surroundings,
    public_key: bytes,
    actor: str,
    question: Question,
    progress: Progress | None = None,
) -> Radius:
    """The answer, journalled.

    Args:
        public_key: the journal's.
        actor: who asks, for the journal.

    Raises:
        UsageError: nothing, or something that cannot be, was asked.
        NotFound: no such member ever, or nothing ever crossed that address.
    """
    store, now = house.store, house.clock.now()
    vectors = _vectors(store, surroundings, question, now)
    founded = _founded(store)
    for vector in vectors:
        check_asked(vector, now, founded)
    found = _compute(store, public_key, house.vault, vectors, Steps(progress))
    _record(house, actor, found)
    return found


def _compute(
    store: Store, public_key: bytes, vault: str, vectors: list[Vector], steps: Steps
) -> Radius:
    """One pass over the log, which is verified meanwhile."""
    # In this order: what is written meanwhile is then in no checkpoint that is looked at.
    checkpoints, tree = store.checkpoints(), store.journal_tree()
    verifier, inquiry = Verifier(checkpoints, public_key, origin(vault)), Inquiry(vectors)
    steps.expect(tree.size)
    for row in _stepping(store.journal(0, tree.size), steps):
        verifier.feed(row)
        inquiry.feed(row)
    return inquiry.conclude(verifier.verdict(tree))


def _stepping(rows: Iterable[LoggedEntry], steps: Steps) -> Iterator[LoggedEntry]:
    for count, row in enumerate(rows, 1):
        yield row
        if count % AT_ONCE == 0:
            steps.done(AT_ONCE)


def _founded(store: Store) -> datetime | None:
    """When the log begins; None when its first entry cannot be read."""
    try:
        first = next((entry_of(row) for row in store.journal(0, 1)), None)
    except FormatError:
        return None
    return first.at if first is not None else None


def _record(house: House, actor: str, found: Radius) -> None:
    patients, unfiled = found.numbers.patients, found.numbers.unfiled
    details = {
        "vectors": [told(vector) for vector in found.vectors],
        "read": patients[Exposure.READ],
        "readable": patients[Exposure.READABLE],
        "unintelligible": patients[Exposure.UNINTELLIGIBLE],
        "unfiled": unfiled.total(),
        "count": patients[Exposure.READ] + patients[Exposure.READABLE],
    }
    entry = Entry(EventKind.RADIUS_COMPUTED, house.clock.now(), actor, details)
    house.store.record(entry)


# What was asked


def _vectors(
    store: Store, surroundings: Surroundings, asked: Question, now: datetime
) -> list[Vector]:
    _check_times(asked)
    known = frozenset(_member(store, login) for login in asked.known)
    vectors: list[Vector] = []
    if asked.stolen is not None and asked.at is not None:
        copy = _copy(asked.stolen)
        shares = surroundings.shares_here() if copy is Copy.DISK else None
        vectors.append(Stolen(copy, asked.at, known, shares))
    if asked.start is not None:
        end = asked.end or now
        vectors += [Account(_member(store, login), asked.start, end) for login in asked.accounts]
        if asked.server:
            vectors.append(Server(asked.start, end, known, surroundings.shares_here()))
        vectors += [Listener(address, asked.start, end) for address in asked.listeners]
    return vectors


def _check_times(asked: Question) -> None:
    spans = bool(asked.accounts or asked.server or asked.listeners)
    if asked.stolen is None and not spans:
        raise UsageError(
            N_("what was lost is not said"),
            hint=N_(
                "name at least one: `--stolen disk`, `--stolen backup`, `--account LOGIN`, "
                "`--server`, `--listener HOST:PORT`"
            ),
        )
    if (asked.stolen is None) is not (asked.at is None):
        raise UsageError(
            N_("a theft needs what was stolen and when"),
            hint=N_("for example `--stolen disk --at 2026-11-20T08:00`"),
        )
    if asked.known and asked.stolen is None and not asked.server:
        raise UsageError(
            N_("a known password goes with stolen files or a controlled server"),
            hint=N_(
                "add `--stolen disk --at TIME` or `--server --from TIME`; what he reached who "
                "signed in with it: `--account LOGIN --from TIME`"
            ),
        )
    if spans and asked.start is None:
        raise UsageError(
            N_("from when on is not said"),
            hint=N_("for example `--from 2026-11-20T08:00 --to 2026-11-20T18:00`"),
        )
    if not spans and (asked.start or asked.end):
        raise UsageError(
            N_("a span of time goes with an account, the server or a listener"),
            hint=N_("a theft has one instant: `--at`"),
        )


def _copy(text: str) -> Copy:
    try:
        return Copy(text)
    except ValueError as error:
        raise UsageError(
            N_("what was stolen is `disk` or `backup`"),
            hint=N_("`disk`: the server's; `backup`: a copy of the vault's folder"),
        ) from error


def _member(store: Store, login: str) -> str:
    """The id of whoever has, or had, that login."""
    for member in store.find(Member, login=login):
        return member.id
    raise NotFound(
        N_("there never was a member with the login {login}"),
        hint=N_("write it as it was added; removed members keep their login"),
        login=login,
    )
