"""One vector held against the journal: which keys there were, what came, was shown, was open.

Fed with the entries it wants, in the order of the log; then `ways` says what he could open, and
this what became of each patient and envelope. Memory grows with the patients and envelopes there
were, and with what was shown in the time asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from serment.core.access.sessions import ABSOLUTE
from serment.core.access.strength import Strength, read_strength
from serment.core.breach.arrivals import Arrivals, Begun, Ended
from serment.core.breach.changes import Told
from serment.core.breach.evidence import Fact, Findings
from serment.core.breach.groups import Groups
from serment.core.breach.keys import Keys
from serment.core.breach.numbering import Ids, raw_id
from serment.core.breach.showings import Showings, raw_ids
from serment.core.breach.vectors import (
    Account,
    Listener,
    Server,
    Stolen,
    Vector,
    has_files,
)
from serment.core.journal.copies import COPY_EVERY, FORGOTTEN, RESTORED
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import Glance, written_at
from serment.core.records.vault import WrapKind

K = EventKind
SHOWING = frozenset({K.READ, K.SEARCHED, K.EXPORTED})
SESSIONS = frozenset({K.OPENED, K.LOCKED})
KNOCKS = frozenset({K.REFUSED, K.LOGIN_FAILED})
KIT_USES = frozenset({K.KIT_MADE, K.KIT_TRIED, K.RECOVERED, K.MEMBER_RESCUED})
# That the objects of a reception were counted again, an entry about a repair says, too.
ENDINGS = frozenset({K.RECEPTION_CLOSED, K.RECEPTION_INTERRUPTED, K.REPAIRED})
_ASIDE = (RESTORED.encode(), FORGOTTEN.encode())


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """A session, from its `opened` entry."""

    member: str
    index: int
    opened: datetime
    local: object
    tls: bool


@dataclass(frozen=True, slots=True)
class PasswordSet:
    """A password wrap that was made; `strength` None when the entry does not say."""

    index: int
    at: datetime
    strength: Strength | None


@dataclass(frozen=True, slots=True)
class Coming:
    """A reception, from its `opened` entry."""

    index: int
    tls: bool
    source: object


class Examination:
    """Of one vector."""

    def __init__(self, vector: Vector, ids: Ids, groups: Groups, arrivals: Arrivals) -> None:
        """`arrivals` is fed by the caller, before this."""
        self.vector, self._ids, self._arrivals = vector, ids, arrivals
        lag = COPY_EVERY if has_files(vector) else timedelta()
        self.keys = Keys(ids, groups, vector.start, vector.end, lag)
        self.findings = Findings()
        self.sessions: dict[str, SessionSeen] = {}
        self.passwords: dict[str, list[PasswordSet]] = {}
        self.coming: dict[int, Coming] = {}
        self.kit_used: list[int] = []
        self.put_aside: int | None = None  # the entry since which a damaged database was there
        self.failed: list[tuple[str, int]] = []  # member and entry of sign-ins that came to nothing
        self.heard = False  # whether anything ever crossed the listener
        self.entries = 0  # up to the end
        self.shown = Showings(ids)
        self._start, self._end = written_at(vector.start), written_at(vector.end)
        self._sessions_from = written_at(vector.start - ABSOLUTE)
        self._last = b""
        self._needles = _needles(vector)
        self._takes: Mapping[EventKind, Callable[[int, Entry], None]] = {
            K.OPENED: self._opened,
            K.LOCKED: self._locked,
            K.READ: self._read,
            K.SEARCHED: self._searched,
            K.EXPORTED: self._exported,
            K.REFUSED: self._refused,
            K.LOGIN_FAILED: self._failed,
            K.REPAIRED: self._repaired,
            **dict.fromkeys(KIT_USES, self._kit),
        }

    @property
    def last(self) -> datetime:
        """The last entry up to the start: until then a server ran, or a command."""
        return datetime.fromisoformat((self._last or self._start).decode())

    # What is read of the journal

    def wants(self, kind: EventKind, glance: Glance, body: bytes) -> bool:
        """Whether the details of an entry that tells of no key are needed."""
        at = glance.at
        if at <= self._end:
            self.entries += 1
            if self._last < at <= self._start:
                self._last = at
        if self._needles and not self.heard:
            self.heard = any(needle in body for needle in self._needles)
        if kind in KIT_USES:
            return True
        if kind is K.REPAIRED:
            return at <= self._start and any(each in body for each in _ASIDE)
        if at > self._end:
            return False
        if kind in SESSIONS:
            return at >= self._sessions_from
        if kind in SHOWING and at >= self._start:
            return self._sees(glance)
        return kind in KNOCKS and at >= self._start and isinstance(self.vector, Server | Listener)

    def _sees(self, glance: Glance) -> bool:
        match self.vector:
            case Account(member):
                return glance.actor == member.encode()
            case Server() | Listener():
                return True
            case Stolen():
                return False

    def feed(self, index: int, entry: Entry) -> None:
        """An entry it wants."""
        take = self._takes.get(entry.kind)
        if take is not None:
            take(index, entry)

    def follow(self, index: int, at: datetime, told: Told, entry: Entry | None) -> None:
        """What an entry tells of keys; the entry itself where it makes a member's wrap."""
        self.keys.apply(at, told)
        if entry is None or entry.at > self.vector.end:
            return
        for wrap in told.tops_made:
            if wrap.kind == WrapKind.MEMBER_SEED:
                strength = read_strength(entry.details.get("password"))
                made = PasswordSet(index, entry.at, strength)
                self.passwords.setdefault(wrap.subject, []).append(made)

    def _opened(self, index: int, entry: Entry) -> None:
        session, local = entry.details.get("session"), entry.details.get("local")
        if isinstance(session, str) and entry.at <= self.vector.end:
            tls = bool(entry.details.get("tls"))
            self.sessions.setdefault(session, SessionSeen(entry.actor, index, entry.at, local, tls))

    def _locked(self, index: int, entry: Entry) -> None:
        if entry.at < self.vector.start:
            self.sessions.pop(str(entry.details.get("session")), None)

    def overlapping(self) -> list[SessionSeen]:
        """The sessions that were open at some instant asked about."""
        return [s for s in self.sessions.values() if s.opened + ABSOLUTE >= self.vector.start]

    def begun(self, index: int, at: bytes, begun: Begun) -> None:
        """A reception that passed by, until it ends."""
        if at <= self._end and (isinstance(self.vector, Server) or self._hears(begun.local)):
            self.coming.setdefault(begun.envelope, Coming(index, begun.tls, begun.source))

    def ended(self, at: bytes, ended: Iterable[Ended]) -> None:
        """Receptions that ended: before the start, they had passed."""
        if self.coming and at < self._start:
            for each in ended:
                self.coming.pop(each.envelope, None)

    def _hears(self, local: object) -> bool:
        return isinstance(self.vector, Listener) and self.vector.hears(local)

    def _counts(self, entry: Entry) -> bool:
        """Whether what the entry says was shown is seen by this vector."""
        if isinstance(self.vector, Listener):
            return self._hears(entry.details.get("local")) and not entry.details.get("tls")
        return True

    def _read(self, index: int, entry: Entry) -> None:
        if not self._counts(entry):
            return
        self.findings.note(Fact.SHOWN, index)
        self._show(entry)

    def _exported(self, index: int, entry: Entry) -> None:
        if self._counts(entry) and raw_id(entry.details.get("envelope")) is not None:
            self.findings.note(Fact.TAKEN_OUT, index)
            self._show(entry)

    def _show(self, entry: Entry) -> None:
        raw, envelope, size = raw_id(entry.details.get("envelope")), None, 0
        if raw is not None:
            envelope = self._ids.envelopes.of(raw)
            size = self._arrivals.objects(envelope)
        self.shown.opened(envelope, entry.details, size)

    def _searched(self, index: int, entry: Entry) -> None:
        if not self._counts(entry):
            return
        self.findings.note(Fact.FOUND, index)
        found = raw_ids(entry.details.get("envelopes"))
        self.shown.listed(found)
        count = entry.details.get("count")
        if isinstance(count, int) and count > len(found):
            self.findings.note(Fact.FOUND_UNNAMED, index, count - len(found))

    def _refused(self, index: int, entry: Entry) -> None:
        if self._hears(entry.details.get("local")):
            count = entry.details.get("count")
            self.findings.note(Fact.REFUSED, index, count if isinstance(count, int) else 1)

    def _failed(self, index: int, entry: Entry) -> None:
        """The password may have been right, and the code of the second factor missing or wrong."""
        self._refused(index, entry)
        member = entry.details.get("member")
        if isinstance(member, str) and (isinstance(self.vector, Server) or self._counts(entry)):
            self.failed.append((member, index))

    def _kit(self, index: int, entry: Entry) -> None:
        if self.vector.start <= entry.at <= self.vector.end:
            self.kit_used.append(index)

    def _repaired(self, index: int, entry: Entry) -> None:
        """A damaged database stands in the folder from its restoring until it is forgotten."""
        what = entry.details.get("what")
        if what == RESTORED and self.keys.aside is None:
            self.keys.aside, self.put_aside = entry.at, index
        elif what == FORGOTTEN:
            self.keys.aside = self.put_aside = None


def _needles(vector: Vector) -> tuple[bytes, ...]:
    """How an entry that crossed the listener is known without reading its details."""
    if not isinstance(vector, Listener):
        return ()
    start = b'"local":"' + vector.address.encode()
    return (start + b'"', start + b":")
