"""Findings over time: new, gone, still open since when; accepted by whom, why, until when.

A finding is gone only when a later audit shows that it is: its port refused, or its service was
understood and is free of it (`coverage`). What was silent stays open. So the ledger tells when an
exposure was first seen, and the last audit before that looked there and saw nothing (`not_before`):
what the duration of an incident is read from. Holds no patient's value. What the audits saw beside is
`sighting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from serment.core.exposure.coverage import Coverage, Key, Looked, forwarded_from, is_box
from serment.core.exposure.findings import RANKS, Finding, NotChecked, Outside, Place
from serment.core.exposure.sighting import Sighting, joined
from serment.errors import N_, FormatError

SCANS_KEPT: Final = 500
KNOWN_KEPT: Final = 5000
SILENT_HOST = N_("found before at port {port}; nothing answers at that address now: it stays open")
NOT_SEEN = N_("found before at port {port} and not seen this time, nor shut: it stays open")
NOT_NAMED = N_(
    "found before at port {port} under the name {name}, by which nobody asked now: it stays open"
)


@dataclass(frozen=True, slots=True)
class Known:
    """One finding: as last stated, and when. Times are of audits, aware UTC."""

    finding: Finding
    first: datetime  # ever
    since: datetime  # of the present, or last, stretch
    seen: datetime  # last
    gone: datetime | None = None
    not_before: datetime | None = None  # an audit that looked there before `since`: nothing yet


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody answers for leaving a finding as it is."""

    key: Key
    who: str
    why: str
    until: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """One audit that was made."""

    at: datetime
    authorised_by: str
    addresses: int
    findings: int
    looked: Looked


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it, as kept."""

    known: Mapping[Key, Known] = field(default_factory=dict)
    accepted: Mapping[Key, Acceptance] = field(default_factory=dict)
    scans: tuple[Made, ...] = ()
    seen: Sighting = field(default_factory=Sighting)

    @property
    def open(self) -> list[Known]:
        """What the last audits that looked there stated."""
        return [each for each in self.known.values() if each.gone is None]

    @property
    def reached_by(self) -> tuple[int, ...]:
        """The ports outside by which what is open was last reached, or that a box said it forwards to it:
        worth trying again."""
        found = [each.finding for each in self.open]
        led = {port for each in found if (port := forwarded_from(each))}
        return tuple(sorted(led | {port for each in found for _, port in each.reached_by}))

    @property
    def authorised_by(self) -> str:
        """Who answered for the last audit that somebody had to answer for; empty before."""
        names = (each.authorised_by for each in reversed(self.scans))
        return next(filter(None, names), "")

    def is_accepted(self, key: Key, today: date) -> bool:
        """Whether somebody still answers for it."""
        found = self.accepted.get(key)
        return found is not None and today <= found.until


@dataclass(frozen=True, slots=True)
class Unseen:
    """What was found before and, where it was looked for, neither seen nor shown to be gone: open."""

    key: Key
    said: NotChecked


@dataclass(frozen=True, slots=True)
class Changes:
    """What an audit changed: new (or back), gone, still open; and what it did not see."""

    new: tuple[Known, ...]
    gone: tuple[Known, ...]
    still: tuple[Known, ...]
    unseen: tuple[Unseen, ...] = ()


def update(
    ledger: Ledger, findings: Sequence[Finding], made: Made, seen: Sighting | None = None
) -> tuple[Ledger, Changes]:
    """The ledger after one more audit, and what it changed. `seen` None: nobody kept it."""
    stated = {each.key: each for each in findings}
    fresh = {key for key in stated if key not in ledger.known or ledger.known[key].gone is not None}
    at = {key: stated[key].place for key in fresh}
    looks = _last_looks(ledger.scans, at, made.looked)
    known = dict(ledger.known)
    for key, finding in stated.items():
        before = known.get(key)
        if before is None or key in fresh:
            first = before.first if before else made.at
            known[key] = Known(finding, first, made.at, made.at, None, looks.get(key))
        else:
            finding = _remembered(before.finding, finding, made.looked)
            known[key] = replace(before, finding=finding, seen=made.at)
    now = Coverage(made.looked)
    missing = [key for key, each in ledger.known.items() if key not in stated and not each.gone]
    unnamed = _unnamed(ledger, missing, made.looked)
    ended = {
        key
        for key in missing
        if key not in unnamed and now.ends(known[key].finding, _boxes(known, known[key].since))
    }
    for key in missing:
        finding = now.left(known[key].finding)
        known[key] = replace(known[key], finding=finding, gone=made.at if key in ended else None)
    left = (
        key for key in missing if key not in ended and now.aims(key, known[key].finding.place.proto)
    )
    unseen = tuple(_unseen(key, now, unnamed.get(key, "")) for key in left)
    changes = Changes(
        tuple(known[key] for key in stated if key in fresh),
        tuple(known[key] for key in missing if key in ended),
        tuple(known[key] for key in stated if key not in fresh),
        unseen,
    )
    made = replace(made, looked=made.looked.kept)
    after = replace(ledger, known=_bounded(known), scans=(*ledger.scans, made)[-SCANS_KEPT:])
    if seen is not None:
        seen = replace(seen, not_checked=(*seen.not_checked, *(each.said for each in unseen)))
        places = {each.key[1:] for each in unseen}
        after = replace(after, seen=_joined(after, seen, now, places, bool(made.looked.only)))
    return after, changes


def _boxes(known: Mapping[Key, Known], since: datetime) -> set[Place]:
    """Where those were that told forwardings at some time since, switched off or not."""
    return {
        each.finding.place for each in known.values() if is_box(each.finding) and each.seen >= since
    }


def _unnamed(ledger: Ledger, keys: Iterable[Key], now: Looked) -> dict[Key, str]:
    """Findings of web servers that were last stated by an audit which called them by a name that this
    one did not use, and the name."""
    looked = {each.at: each.looked for each in ledger.scans}
    found = {}
    for key in keys:
        place, then = ledger.known[key].finding.place, looked.get(ledger.known[key].seen)
        if names := then.called(place) - now.called(place) if then else ():
            found[key] = min(names)
    return found


def _unseen(key: Key, now: Coverage, name: str) -> Unseen:
    check, host, port = key
    if not now.answers(host):
        return Unseen(key, NotChecked(check, host, SILENT_HOST, {"port": port}))
    if name:
        return Unseen(key, NotChecked(check, host, NOT_NAMED, {"port": port, "name": name}))
    return Unseen(key, NotChecked(check, host, NOT_SEEN, {"port": port}))


def _joined(
    after: Ledger, seen: Sighting, now: Coverage, unseen: Set[tuple[str, int]], recheck: bool
) -> Sighting:
    """What was seen before stays where nobody looked, and where what is open was not seen now."""
    still = unseen - {(each.place.host, each.place.port) for each in seen.services}

    def covers(place: Place) -> bool:
        return now.holds(place) and (place.host, place.port) not in still

    return joined(after.seen, seen, covers, recheck=recheck)


def _remembered(before: Finding, now: Finding, looked: Looked) -> Finding:
    """As stated now; but who was reached from outside stays so, as serious as then, until somebody tries
    again what he was reached by: neither an audit made from inside alone closes it, nor another port or
    address, nor a box that states a shared one."""
    if before.outside is not Outside.CONFIRMED:
        return now
    left = looked.untried(now.place.host, before.reached_by)
    if now.outside is Outside.CONFIRMED:
        return replace(now, reached_by=tuple(sorted({*left, *now.reached_by})))
    if not left and (before.reached_by or now.outside is Outside.CLOSED):
        return now  # of older ones it is not known by which port: every way is closed
    severity = min(before.severity, now.severity, key=RANKS.__getitem__)
    return replace(now, outside=before.outside, severity=severity, reached_by=left)


def accept(ledger: Ledger, acceptance: Acceptance) -> Ledger:
    """The ledger with a finding accepted; an earlier acceptance of it is replaced."""
    return replace(ledger, accepted={**ledger.accepted, acceptance.key: acceptance})


def baseline_keys(document: Any) -> frozenset[Key]:
    """The findings of an earlier `--json` answer.

    Raises:
        FormatError: it is no such answer.
    """
    try:
        return frozenset(
            (str(each["id"]), str(each["host"]), int(each["port"])) for each in document["findings"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            N_("the baseline is no answer of `serment scan network --json`"),
            hint=N_("make one: serment scan network --json > baseline.json"),
        ) from error


def _last_looks(
    scans: Sequence[Made], places: Mapping[Key, Place], now: Looked
) -> dict[Key, datetime]:
    """When each place was last looked at, by the same names; those never looked at are left out."""
    found: dict[Key, datetime] = {}
    names = {key: now.called(place) for key, place in places.items()}
    left = set(places)
    for made in sorted(scans, key=lambda each: each.at, reverse=True):
        if not left:
            break
        looked = Coverage(made.looked)
        found |= {
            key: made.at
            for key in left
            if looked.covers(key, places[key].proto)
            and names[key] <= made.looked.called(places[key])
        }
        left -= found.keys()
    return found


def _bounded(known: dict[Key, Known]) -> dict[Key, Known]:
    """Without the oldest of those that are gone, when there are far too many."""
    if len(known) <= KNOWN_KEPT:
        return known
    ended = sorted((each.gone, key) for key, each in known.items() if each.gone is not None)
    for _, key in ended[: len(known) - KNOWN_KEPT]:
        del known[key]
    return known
