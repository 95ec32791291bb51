"""The whole answer, read off the bytes in one pass, is that of the plain definition: every entry parsed,
every wrap in a set, every object by its name. Random practices, every way a breach can go."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.property.test_radius_keys import plainly

from serment.core.access.passwords import RULE_NAME
from serment.core.access.strength import Strength
from serment.core.breach.exposure import CATEGORY, TOLD, Category, Exposure
from serment.core.breach.radius import Inquiry, Radius
from serment.core.breach.vectors import Account, Copy, Listener, Server, Stolen, Vector, has_files
from serment.core.crypto.password import STANDARD
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.keystate import WrapName, change_of, wraps_at, wraps_during
from serment.core.journal.verify import Verdict
from serment.core.records.vault import EnvelopeKind

K = EventKind
T = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MEMBERS = {
    "d0" * 16: ("care", "secretariat"),
    "d1" * 16: ("secretariat",),
    "d2" * 16: ("care",),
}
DOCTOR = "d0" * 16
ENVELOPES = [f"{n:032x}" for n in range(1, 5)]
PATIENTS = [f"{n:032x}" for n in range(17, 20)]
PARTS = [f"{n:032x}" for n in range(33, 36)]
HERE = "192.0.2.1:11112"
KINDS = [kind.value for kind in EnvelopeKind]
ENVELOPE = st.sampled_from(ENVELOPES)
STEPS = st.one_of(
    st.tuples(
        st.just("arrive"),
        ENVELOPE,
        st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
        st.sampled_from(("said", "unsaid", "open")),
        st.booleans(),
    ),
    st.tuples(st.just("file"), ENVELOPE, st.sampled_from(PATIENTS)),
    st.tuples(st.just("move"), ENVELOPE, st.sampled_from(PARTS)),
    st.tuples(st.just("unfile"), ENVELOPE),
    st.tuples(st.just("list"), st.lists(ENVELOPE), st.sampled_from(list(MEMBERS))),
    st.tuples(
        st.just("read"),
        ENVELOPE,
        st.sets(st.integers(0, 4), min_size=1),
        st.sampled_from([*KINDS, "metadata", "identity"]),
        st.sampled_from(list(MEMBERS)),
        st.booleans(),
    ),
    st.tuples(st.just("wait"), st.integers(1, 70)),
)


class Life:
    """The journal of a practice, and what it holds by now."""

    def __init__(self) -> None:
        self.now, self.entries = T, list[Entry]()
        self.wraps: set[WrapName] = set()
        self.objects: dict[str, list[str]] = {}
        strength = Strength(RULE_NAME, STANDARD).details()
        for member, circles in MEMBERS.items():
            made = [WrapName("member-seed", f"member:{member}", f"password:{member}", 0)]
            made += [
                WrapName("circle-seed", f"circle:{c}@1", f"member:{member}", 0) for c in circles
            ]
            self.write(K.MEMBER_ADDED, "admin", made, password=strength)

    def write(
        self,
        kind: EventKind,
        actor: str,
        made: list[WrapName] | None = None,
        deleted: list[WrapName] | None = None,
        /,
        **details: object,
    ) -> None:
        self.now += MINUTE
        if made:
            details["wraps_made"] = [list(w) for w in made]
            self.wraps.update(made)
        if deleted:
            details["wraps_deleted"] = [list(w) for w in deleted]
            self.wraps.difference_update(deleted)
        self.entries.append(Entry(kind, self.now, actor, details))

    def live(self, act: str, *how: object) -> None:
        """One step, as far as it is possible now."""
        if act == "wait":
            self.now += how[0] * MINUTE  # type: ignore[operator]
        elif act == "list":
            envelopes = [e for e in how[0] if e in self.objects]  # type: ignore[attr-defined]
            self.write(
                K.SEARCHED, str(how[1]), envelopes=envelopes, count=len(envelopes), local=HERE
            )
        elif act == "arrive":
            if how[0] not in self.objects:
                self.arrive(*how)  # type: ignore[arg-type]
        elif how[0] in self.objects:
            getattr(self, act)(*how)

    def arrive(self, envelope: str, kinds: list[str], said: str, tls: bool) -> None:
        name = f"envelope:{envelope}"
        made = [WrapName("envelope-seed", name, r, 1) for r in ("circle:care", "recovery")]
        readers = ("circle:secretariat", "recovery")
        made += [WrapName("envelope-identity", name, r, 1) for r in readers]
        way = {"source": "dicom", "peer": "192.0.2.7:5", "local": HERE, "tls": tls}
        first = {"circle": "care", "envelope": envelope, "kind": kinds[0]}
        self.write(K.RECEPTION_OPENED, "device", made, **first, **way)
        self.objects[envelope] = kinds
        came: dict[str, object] = {"objects": len(kinds), "root": "0" * 64}
        if said == "said":
            came["kinds"] = dict(Counter(kinds))
            self.write(K.RECEPTION_CLOSED, "device", envelopes={envelope: came}, **way)
        elif said == "unsaid":
            self.objects[envelope] = [kinds[0]] * len(kinds)
            self.write(K.RECEPTION_INTERRUPTED, "device", envelopes={envelope: came})
        else:
            self.objects[envelope] = []

    def file(self, envelope: str, patient: str) -> None:
        readers = ("circle:secretariat", "recovery")
        made = [WrapName("patient-identity", f"patient:{patient}", r, 1) for r in readers]
        made = [each for each in made if each not in self.wraps]
        made.append(WrapName("envelope-identity", f"envelope:{envelope}", f"patient:{patient}", 0))
        self.write(K.FILED, DOCTOR, made, self.others("envelope-identity", envelope, made))

    def move(self, envelope: str, part: str) -> None:
        readers = ("circle:care", "recovery")
        made = [WrapName("patient-clinical", f"compartment:{part}", r, 1) for r in readers]
        made = [each for each in made if each not in self.wraps]
        made.append(WrapName("envelope-seed", f"envelope:{envelope}", f"compartment:{part}", 0))
        self.write(K.KEYS_MOVED, DOCTOR, made, self.others("envelope-seed", envelope, made))

    def unfile(self, envelope: str) -> None:
        made = [
            WrapName("envelope-identity", f"envelope:{envelope}", r, 1)
            for r in ("circle:secretariat", "recovery")
        ]
        self.write(K.UNFILED, DOCTOR, made, self.others("envelope-identity", envelope, made))

    def others(self, kind: str, envelope: str, made: list[WrapName]) -> list[WrapName]:
        subject = f"envelope:{envelope}"
        return sorted(
            w for w in self.wraps if w.kind == kind and w.subject == subject and w not in made
        )

    def read(self, envelope: str, which: set[int], kind: str, member: str, tls: bool) -> None:
        names = [f"{int(envelope, 16) * 1000 + n:032x}" for n in sorted(which)]
        self.write(
            K.READ,
            member,
            envelope=envelope,
            kind=kind,
            objects=[] if kind == "identity" else names,
            patient=PATIENTS[0] if kind == "identity" else None,
            local=HERE,
            tls=tls,
        )


def asked(entries: list[Entry], vectors: list[Vector]) -> Radius:
    inquiry = Inquiry(vectors)
    for index, entry in enumerate(entries):
        inquiry.feed(LoggedEntry(index, b"", b"", entry.encode()))
    return inquiry.conclude(Verdict(len(entries), True, 0, None, ""))


class Plain:
    """The definition (docs/decisions/0009-blast-radius.md), for practices where nobody signs in."""

    def __init__(self, life: Life, vector: Vector, known: set[str]) -> None:
        """`known`: by all that was asked about at once, for who has the files."""
        self.life, self.vector = life, vector
        entries, start, end = life.entries, vector.start, vector.end
        wraps = wraps_at(entries, end) if start == end else wraps_during(entries, start, end)
        if has_files(vector):
            last = max(e.at for e in entries if e.at <= start)
            wraps |= {
                w for e in entries if last - HOUR <= e.at <= start for w in change_of(e).deleted
            }
        self.wraps = wraps
        opened = plainly(self.wraps, known if has_files(vector) else known_by(vector))
        self.opens = {(kind, subject.partition(":")[2]) for kind, subject in opened}
        self.there = {w.subject.partition(":")[2] for w in wraps if w.kind.startswith("envelope-")}
        self.patients: dict[str, Exposure] = {}
        for subject in {w.subject for w in wraps if w.kind == "patient-identity"}:
            patient = subject.partition(":")[2]
            shown = any(e.details.get("patient") == patient for e in self.shown())
            found = self.worst(shown, ("patient-identity", patient) in self.opens)
            self.patients[patient] = found

    def shown(self) -> list[Entry]:
        """Entries that tell what this vector saw."""
        if isinstance(self.vector, Stolen):
            return []
        return [
            e
            for e in self.life.entries
            if e.kind in (K.READ, K.SEARCHED)
            and self.vector.start <= e.at <= self.vector.end
            and (not isinstance(self.vector, Account) or e.actor == self.vector.member)
            and (not isinstance(self.vector, Listener) or not e.details.get("tls"))
        ]

    def worst(self, shown: bool, opens: bool) -> Exposure:
        if shown:
            return Exposure.READ
        return Exposure.READABLE if opens else Exposure.UNINTELLIGIBLE

    def passed(self, envelope: str) -> Exposure:
        """Under way at some instant of the span."""
        if not isinstance(self.vector, Server | Listener):
            return Exposure.ABSENT
        for entry in self.life.entries:
            if entry.details.get("envelope") == envelope and entry.kind is K.RECEPTION_OPENED:
                ends = [
                    e.at
                    for e in self.life.entries
                    if envelope in e.details.get("envelopes", ())
                    and e.kind in (K.RECEPTION_CLOSED, K.RECEPTION_INTERRUPTED)
                ]
                if entry.at <= self.vector.end and all(at >= self.vector.start for at in ends):
                    if isinstance(self.vector, Server):
                        return Exposure.READABLE
                    return Exposure.ABSENT if entry.details["tls"] else Exposure.READ
        return Exposure.ABSENT

    def judge(self, envelope: str) -> tuple[Exposure, dict[str, tuple[Exposure, int]]]:
        """Its header; of each kind the exposure, and how many were read."""
        kinds = kinds_of(self.life, envelope)
        size_of_all = sum(kinds.values())
        reads = [e for e in self.shown() if e.kind is K.READ and e.details["envelope"] == envelope]
        names: dict[str, str] = {}
        whole = False
        for entry in reads:
            for name in entry.details["objects"]:
                if name not in names or names[name] not in KINDS:
                    names[name] = entry.details["kind"]
            whole |= 0 < size_of_all <= len(names)
        said = Counter(names.values())
        opens = ("envelope-seed", envelope) in self.opens
        passed, worst = self.passed(envelope), Exposure.UNINTELLIGIBLE
        unsaid = sum(n for kind, n in said.items() if kind not in kinds)
        judged: dict[str, tuple[Exposure, int]] = {}
        for kind, size in kinds.items():
            read = size if whole or passed is Exposure.READ else said[kind] + unsaid
            read = min(read, size) if size else read
            found = max(passed, self.worst(bool(read), opens))
            worst = max(worst, found)
            judged[kind] = found, read
        listed = any(
            envelope in e.details.get("envelopes", ()) or e.details.get("envelope") == envelope
            for e in self.shown()
        )
        header = self.worst(listed, ("envelope-identity", envelope) in self.opens)
        return max(worst, header, passed), judged


def known_by(vector: Vector) -> set[str]:
    match vector:
        case Stolen(known=known) | Server(known=known):
            return {f"password:{member}" for member in known}
        case Account(member):
            return {f"member:{member}"}
    return set()


def kinds_of(life: Life, envelope: str) -> Counter[str]:
    """How many objects of which kind; of the one it was opened for, none yet."""
    first = next(
        e.details["kind"]
        for e in life.entries
        if e.kind is K.RECEPTION_OPENED and e.details["envelope"] == envelope
    )
    return Counter(life.objects[envelope]) or Counter({first: 0})


def patient_of(life: Life, envelope: str) -> str | None:
    """Whom it is filed with today."""
    found = None
    for entry in life.entries:
        for wrap in change_of(entry).made:
            if wrap.kind == "envelope-identity" and wrap.subject == f"envelope:{envelope}":
                filed = wrap.recipient.startswith("patient:")
                found = wrap.recipient.partition(":")[2] if filed else None
    return found


def answer(life: Life, vectors: list[Vector]) -> dict[str, object]:
    """The worst that any of the ways gives, where the files are opened with what all of them give."""
    known = set[str]().union(*map(known_by, vectors))
    plain = [Plain(life, vector, known) for vector in vectors]
    by: dict[tuple[str, Category], Exposure] = {}
    unfiled: Counter[Exposure] = Counter()
    amounts: dict[tuple[Category, Exposure], Counter[str]] = {
        (category, found): Counter() for category in Category for found in TOLD
    }

    def note(patient: str | None, category: Category, found: Exposure) -> None:
        if patient is not None:
            by[patient, category] = max(by.get((patient, category), Exposure.ABSENT), found)

    for one in plain:
        for patient, found in one.patients.items():
            note(patient, Category.IDENTITY, found)
    for envelope in set[str]().union(*(one.there for one in plain)):
        judged = [one.judge(envelope) for one in plain if envelope in one.there]
        filed, worst = patient_of(life, envelope), max(header for header, _ in judged)
        for kind, size in kinds_of(life, envelope).items():
            category = CATEGORY[EnvelopeKind(kind)]
            found = max(kinds[kind][0] for _, kinds in judged)
            read = max(kinds[kind][1] for _, kinds in judged)
            counted = min(read, size) if found is Exposure.READ else size
            amounts[category, found]["envelopes"] += 1
            amounts[category, found]["objects"] += counted
            amounts[category, Exposure.READABLE]["objects"] += size - counted
            note(filed, category, found)
        amounts[Category.IDENTITY, worst]["envelopes"] += 1
        note(filed, Category.IDENTITY, worst)
        if filed is None:
            unfiled[worst] += 1
    of_each: dict[str, Exposure] = {}
    for (patient, _), found in by.items():
        of_each[patient] = max(found, of_each.get(patient, Exposure.ABSENT))
    return {
        "patients": {found: {p for p, each in of_each.items() if each is found} for found in TOLD},
        "unfiled": {found: unfiled[found] for found in TOLD},
        "amounts": {
            (category, found): (
                sum(of is category and each is found for (_, of), each in by.items()),
                amount["envelopes"],
                amount["objects"],
            )
            for (category, found), amount in amounts.items()
        },
    }


def told(radius: Radius) -> dict[str, object]:
    sums = radius.numbers
    return {
        "patients": {found: set(radius.ids(found)) for found in TOLD},
        "unfiled": {found: sums.unfiled[found] for found in TOLD},
        "amounts": {
            (category, found): (amount.patients, amount.envelopes, amount.objects)
            for category, amounts in sums.categories.items()
            for found, amount in amounts.items()
        },
    }


WAYS = st.tuples(
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from(("stolen", "account", "server", "listener")),
    st.sampled_from(list(MEMBERS)),
)


def way(first: int, second: int, what: str, member: str) -> Vector:
    start, end = (T + (2 + minute) * MINUTE for minute in sorted((first, second)))
    vector: Vector = {
        "stolen": Stolen(Copy.BACKUP, start, frozenset({member})),
        "account": Account(member, start, end),
        "server": Server(start, end, frozenset({member}), 0),
        "listener": Listener(HERE, start, end),
    }[what]
    return vector


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=25), st.lists(WAYS, min_size=1, max_size=2))
@example([("arrive", ENVELOPES[0], ["image"], "said", False)], [(20, 20, "stolen", "d2" * 16)])
@example(
    [
        ("arrive", ENVELOPES[0], ["image", "report", "image"], "said", True),
        ("read", ENVELOPES[0], {0}, "metadata", DOCTOR, False),
    ],
    [(0, 40, "account", DOCTOR)],
)
@example(
    [("wait", 9), ("arrive", ENVELOPES[0], ["image"], "said", False)],
    [(0, 5, "account", DOCTOR), (40, 40, "stolen", "d1" * 16)],
)
def test_the_whole_answer(
    steps: list[tuple[str, object]], ways: list[tuple[int, int, str, str]]
) -> None:
    life = Life()
    for step in steps:
        life.live(*step)
    life.now += 1000 * MINUTE
    life.live("arrive", f"{99:032x}", ["image"], "said", False)
    vectors = [way(*each) for each in ways]
    assert told(asked(life.entries, vectors)) == answer(life, vectors)
