"""The small form of the key state answers as the plain one: every wrap of every instant, followed
step by step."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from serment.core.breach.changes import ChangeReader
from serment.core.breach.groups import Groups
from serment.core.breach.keys import Keys
from serment.core.breach.numbering import Ids
from serment.core.breach.reach import reached, secret_of
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.keystate import WrapName, change_of, wraps_at, wraps_during

T = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
MEMBERS, CIRCLES = ("a",), ("care",)
ENVELOPES, PATIENTS, COMPARTMENTS = ("e1" * 16,), ("f1" * 16, "f2" * 16), ("c1" * 16, "c2" * 16)


def names() -> list[WrapName]:
    """Every wrap that such a vault could have."""
    found = [WrapName("member-seed", f"member:{m}", f"password:{m}", 0) for m in MEMBERS]
    holders = [("recovery", 1), *[(f"circle:{c}", e) for c in CIRCLES for e in (1, 2)]]
    for circle in CIRCLES:
        seed = f"circle:{circle}@1"
        found += [WrapName("circle-seed", seed, f"member:{m}", 0) for m in MEMBERS]
        found += [WrapName("circle-seed", f"circle:{circle}@2", f"member:{m}", 0) for m in MEMBERS]
        found.append(WrapName("circle-seed", seed, f"circle:{circle}", 2))
    for patient in PATIENTS:
        found += [WrapName("patient-identity", f"patient:{patient}", r, e) for r, e in holders]
    for part in COMPARTMENTS:
        found += [WrapName("patient-clinical", f"compartment:{part}", r, e) for r, e in holders]
    for envelope in ENVELOPES:
        name = f"envelope:{envelope}"
        found += [WrapName("envelope-seed", name, r, e) for r, e in holders]
        found += [WrapName("envelope-identity", name, r, e) for r, e in holders]
        found += [WrapName("envelope-seed", name, f"compartment:{c}", 0) for c in COMPARTMENTS]
        found += [WrapName("envelope-identity", name, f"patient:{p}", 0) for p in PATIENTS]
    return found


NAMES = names()
ROOTS = ["recovery", *[f"password:{m}" for m in MEMBERS], *[f"circle:{c}" for c in CIRCLES]]
BELOW = [name for name in NAMES if name.kind not in ("member-seed", "circle-seed")]
ENTRIES = st.lists(
    st.sampled_from((NAMES, BELOW)).flatmap(
        lambda names: st.tuples(
            st.integers(0, 20), st.lists(st.sampled_from(names)), st.sets(st.sampled_from(names))
        )
    ),
    max_size=12,
)


def log(changes: list[tuple[int, list[WrapName], set[WrapName]]]) -> list[Entry]:
    """Entries in the order of their times; what one makes it does not delete."""
    return [
        Entry(
            EventKind.KEYS_MOVED,
            T + timedelta(minutes=minute),
            "member",
            {
                "wraps_made": [list(w) for w in dict.fromkeys(made)],
                "wraps_deleted": [list(w) for w in sorted(deleted - set(made))],
            },
        )
        for minute, made, deleted in sorted(changes, key=lambda change: change[0])
    ]


class Told(Keys):
    """Keys fed with entries as they are written."""

    def __init__(self, start: datetime, end: datetime, lag: timedelta = timedelta()) -> None:
        self.ids, groups = Ids(), Groups()
        self._reader = ChangeReader(self.ids, groups)
        super().__init__(self.ids, groups, start, end, lag)

    def feed(self, entries: list[Entry]) -> None:
        for entry in entries:
            told = self._reader.read(entry.encode())
            if told is not None:
                self.apply(entry.at, told)


def plainly(wraps: Collection[WrapName], known: Collection[str]) -> set[tuple[str, str]]:
    """(kind, subject) of everything that opens: every wrap tried until nothing more does."""
    held, opened = {(name, epoch) for name in known for epoch in (0, 1, 2)}, set()
    while True:
        reach = [w for w in wraps if (w.recipient, w.epoch) in held]
        now = {(w.kind, w.subject) for w in reach}
        if now <= opened:
            return opened
        opened |= now
        for _, subject in now:
            circle, at, epoch = subject.partition("@")
            held.add((circle, int(epoch)) if at else (subject, 0))


def smallest(keys: Told, known: Collection[str]) -> set[tuple[str, str]]:
    """The same, asked of `Keys`; of the wraps of people and circles, those that `reached` follows."""
    opened, found = keys.opened_by(known), set()
    for number, raw in keys.ids.patients.ids():
        if opened.patient(number):
            found.add(("patient-identity", f"patient:{raw.hex()}"))
    for number, raw in keys.ids.compartments.ids():
        if opened.compartment(number):
            found.add(("patient-clinical", f"compartment:{raw.hex()}"))
    for number, raw in keys.ids.envelopes.ids():
        if opened.content(number):
            found.add(("envelope-seed", f"envelope:{raw.hex()}"))
        if opened.identity(number):
            found.add(("envelope-identity", f"envelope:{raw.hex()}"))
    return found


def of_patients(opened: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {each for each in opened if each[0] not in ("member-seed", "circle-seed")}


@settings(max_examples=300, deadline=None)
@given(ENTRIES, st.sets(st.sampled_from(ROOTS)), st.integers(0, 20), st.integers(0, 20))
def test_an_instant_and_a_span(
    changes: list[tuple[int, list[WrapName], set[WrapName]]],
    known: set[str],
    first: int,
    second: int,
) -> None:
    entries = log(changes)
    start, end = (T + timedelta(minutes=m) for m in sorted((first, second)))
    for since, until in ((start, start), (start, end)):
        keys = Told(since, until)
        keys.feed(entries)
        wraps = wraps_at(entries, since) if since == until else wraps_during(entries, since, until)
        assert smallest(keys, known) == of_patients(plainly(wraps, known))
        assert set(keys.tops) == {w for w in wraps if w.kind in ("member-seed", "circle-seed")}


@settings(max_examples=300, deadline=None)
@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(ROOTS)))
def test_what_is_reached_is_what_opens_step_by_step(wraps: set[WrapName], known: set[str]) -> None:
    secrets = {secret_of(subject) for _, subject in plainly(wraps, known)}
    above = {s for s in secrets if not s.name.startswith("envelope:")}
    found = reached(wraps, known)
    assert {h for h in found if h.name not in known and not h.name.startswith("envelope:")} == {
        s for s in above if s.name not in known
    }


@settings(max_examples=200, deadline=None)
@given(ENTRIES, st.sets(st.sampled_from(ROOTS)), st.integers(0, 20), st.integers(0, 15))
def test_what_was_deleted_shortly_before_still_counts(
    changes: list[tuple[int, list[WrapName], set[WrapName]]],
    known: set[str],
    minute: int,
    lag: int,
) -> None:
    entries, at = log(changes), T + timedelta(minutes=minute)
    keys = Told(at, at, timedelta(minutes=lag))
    keys.feed(entries)
    before = [entry.at for entry in entries if entry.at <= at]
    last = max(before, default=at)
    keys.settle(last)
    lately = (
        {
            wrap
            for entry in entries
            if last - timedelta(minutes=lag) <= entry.at <= at
            for wrap in change_of(entry).deleted
        }
        if lag
        else set()
    )
    wraps = wraps_at(entries, at) | lately
    assert smallest(keys, known) == of_patients(plainly(wraps, known))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(BELOW), unique=True), st.sets(st.sampled_from(BELOW)))
@example(
    [WrapName("envelope-seed", f"envelope:{ENVELOPES[0]}", "circle:care", 2)],
    {WrapName("envelope-seed", f"envelope:{ENVELOPES[0]}", "circle:care", 1)},
)
@example(
    [WrapName("envelope-seed", f"envelope:{ENVELOPES[0]}", "recovery", 1)],
    {WrapName("envelope-seed", f"envelope:{ENVELOPES[0]}", "circle:care", 1)},
)
def test_the_usual_entry_is_read_by_its_bytes_as_any_other(
    made: list[WrapName], deleted: set[WrapName]
) -> None:
    before, entry = log([(0, sorted(deleted), set()), (1, made, deleted)])
    usual, odd = (Told(T + timedelta(minutes=1), T + timedelta(minutes=1)) for _ in range(2))
    for _ in range(2):  # the second time by its shape
        usual.feed([before, entry])
        odd.feed([before.with_details(zone=1), entry.with_details(zone=1)])
    roots = set(ROOTS)
    for each in [set[str](), *({root} for root in roots), roots]:
        assert smallest(usual, each) == smallest(odd, each)


def test_what_moves_from_one_key_to_another_is_still_there() -> None:
    """Made and deleted in one entry, as when an arrival is filed with another patient."""
    name = f"envelope:{ENVELOPES[0]}"
    for kind, parents in (
        ("envelope-seed", [f"compartment:{each}" for each in COMPARTMENTS]),
        ("envelope-identity", [f"patient:{each}" for each in PATIENTS]),
    ):
        one, other = (WrapName(kind, name, parent, 0) for parent in parents)
        keys = Told(T + timedelta(minutes=9), T + timedelta(minutes=9))
        keys.feed(log([(0, [one], set()), (1, [other], {one})]))
        assert keys.is_there(0)
        keys.feed(log([(2, [], {other})]))
        assert not keys.is_there(0)
