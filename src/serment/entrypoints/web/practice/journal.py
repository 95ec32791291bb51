"""The journal as a page of plain lines: ids become logins, devices and, with a key, patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from serment.app.watch.checkpoints import newest, take
from serment.app.watch.expiry import months_kept
from serment.app.watch.sentences import describe
from serment.app.watch.verification import verify_journal
from serment.core.access.rights import Act
from serment.core.journal.caller import LOCAL
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.verify import Verdict
from serment.core.records.names import NameKind, parse_name
from serment.core.records.vault import Envelope, Member
from serment.entrypoints.desk.journal import public_key
from serment.entrypoints.web.practice.identities import full_name, identity_of, named
from serment.entrypoints.web.practice.log import (
    Numbered,
    count_unreadable,
    first_at,
    newest_first,
)
from serment.entrypoints.web.practice.readers import is_about
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import JournalLine, JournalQuery, JournalView
from serment.errors import FormatError

PAGE = 100
SHORT = 6  # characters of an id that nobody here may name

Wanted = Callable[[Entry], bool]


def journal(visit: Visit, query: JournalQuery) -> JournalView:
    """The entries of one local day, newest first, as far as this session may read them."""
    own = _check_may(visit, query)
    wanted = _filter(visit, query, own)
    day = query.day or _default_day(visit, query, wanted)
    found = _of_day(visit, day, wanted)
    hours = [0] * 24
    for each in found:
        hours[each.entry.at.astimezone().hour] += 1
    pages = max(1, -(-len(found) // PAGE))
    page = min(query.page, pages)
    words, day_of = _Words(visit), _range(visit, day)
    checkpoint = newest(visit.store)
    view = JournalView(
        lines=tuple(words.line(each) for each in found[(page - 1) * PAGE : page * PAGE]),
        day=day,
        hours=tuple(hours),
        total=len(found),
        page=page,
        pages=pages,
        members=_members(visit, own),
        about=words.patient(query.patient) if query.patient else "",
        size=visit.store.journal_size(),
        checkpoint=checkpoint.at if checkpoint else None,
        own=own,
        unreadable=0 if own else count_unreadable(visit.store, *day_of),
        months=months_kept(visit.store),
    )
    if words.shown:  # names of patients
        visit.note("patient", words.shown)
    return view


def _check_may(visit: Visit, query: JournalQuery) -> bool:
    """Whether only the session's own acts may be shown."""
    if visit.may(Act.READ_JOURNAL):
        return False
    if query.patient and visit.may(Act.READ_PATIENT_JOURNAL):
        return False
    visit.check(Act.READ_OWN_JOURNAL)
    return True


def _members(visit: Visit, own: bool) -> tuple[tuple[str, str], ...]:
    me = visit.session.member.id
    everybody = sorted(visit.store.find(Member), key=lambda member: member.login)
    return tuple((m.id, m.login) for m in everybody if not own or m.id == me)


def _filter(visit: Visit, query: JournalQuery, own: bool) -> Wanted:
    tests: list[Wanted] = []
    if own:
        tests.append(lambda entry: entry.actor == visit.session.member.id)
    if query.member:
        tests.append(lambda entry: query.member in (entry.actor, entry.details.get("member")))
    if query.kinds:
        tests.append(lambda entry: entry.kind in query.kinds)
    if query.patient:
        envelopes = {e.id for e in visit.store.find(Envelope, patient=query.patient)}
        tests.append(lambda entry: is_about(entry, query.patient, envelopes))
    return lambda entry: all(test(entry) for test in tests)


def _default_day(visit: Visit, query: JournalQuery, wanted: Wanted) -> date:
    """Today; for one patient the last day on which something happened to his file."""
    if query.patient:
        for each in newest_first(visit.store, query.patient.encode()):
            if wanted(each.entry):
                return each.entry.at.astimezone().date()
    return visit.now.astimezone().date()


def _of_day(visit: Visit, day: date, wanted: Wanted) -> list[Numbered]:
    first, stop = _range(visit, day)
    entries: Iterable[Numbered] = newest_first(visit.store, limit=stop - first, stop=stop)
    return [each for each in entries if wanted(each.entry)]


def _range(visit: Visit, day: date) -> tuple[int, int]:
    """The numbers of the entries of that day: of the first, and of the first after it."""
    start, end = _local(day), _local(day + timedelta(days=1))
    return first_at(visit.store, start), first_at(visit.store, end)


def _local(day: date) -> datetime:
    """Midnight on this machine's clock."""
    return datetime.combine(day, time()).astimezone()


@dataclass(slots=True)
class _Words:
    """Puts names in the place of ids; each is looked up once."""

    visit: Visit
    _logins: dict[str, str] = field(init=False)
    _devices: dict[str, str] = field(init=False)
    _patients: dict[str, str | None] = field(init=False, default_factory=dict)
    shown: set[str] = field(init=False, default_factory=set)  # envelopes of whom it named

    def __post_init__(self) -> None:
        self._logins, self._devices = self.visit.logins(), self.visit.devices()

    def line(self, each: Numbered) -> JournalLine:
        entry, details = each.entry, each.entry.details
        values = describe(entry).values
        patient = self._patient_of(entry)
        return JournalLine(
            index=each.index,
            kind=entry.kind,
            at=entry.at,
            actor=self.actor(str(values["actor"])),
            subject=self.patient(patient) if patient else self.subject(str(values["subject"])),
            patient=patient if patient and self._named(patient) else None,
            peer=str(details.get("peer") or ""),
            tls=_tls(details),
            values={**{k: values[k] for k in ("count", "reason")}, "what": _what(entry, values)},
        )

    def actor(self, said: str) -> str:
        return self._logins.get(said) or self._devices.get(said) or said

    def subject(self, said: str) -> str:
        """A name of `core.records.names`, or a plain word, as people read it."""
        if said in self._devices:
            return self._devices[said]
        try:
            name = parse_name(said)
        except FormatError:
            return said
        if name.kind is NameKind.MEMBER:
            return self._logins.get(name.id, said)
        if name.kind is NameKind.ENVELOPE and (arrival := self._arrival(name.id)):
            return arrival
        return f"#{name.id[:SHORT]}" if name.id else said

    def patient(self, patient: str) -> str:
        return self._named(patient) or f"patient {patient[:SHORT]}"

    def _arrival(self, envelope: str) -> str | None:
        """Whose an arrival says it is, while it is not filed."""
        if self.visit.session.identity is None:
            return None
        row = self.visit.identities().study_of(envelope)
        if row is None:
            return None
        self.shown.add(envelope)
        return full_name(identity_of(self.visit, row).name)

    def _named(self, patient: str) -> str | None:
        if patient not in self._patients:
            self._patients[patient] = name = named(self.visit, patient)
            if name is not None:
                self.shown |= {e.id for e in self.visit.store.find(Envelope, patient=patient)}
        return self._patients[patient]

    def _patient_of(self, entry: Entry) -> str | None:
        """The one patient an entry is about: named in it, or the one its envelope is filed to."""
        details = entry.details
        if isinstance(details.get("patient"), str):
            return str(details["patient"])
        match details.get("filed"):
            case [[_, str(patient)]]:
                return patient
        if entry.kind in _OF_ENVELOPE and isinstance(details.get("envelope"), str):
            envelope = self.visit.store.get(Envelope, details["envelope"])
            return envelope.patient if envelope else None
        return None


def _tls(details: Mapping[str, object]) -> bool | None:
    """Whether it came encrypted; None where that is no question: on this machine, or in a session,
    whose opening says so."""
    tls = details.get("tls")
    return tls if isinstance(tls, bool) and details.get("peer") != LOCAL else None


def _what(entry: Entry, values: Mapping[str, object]) -> object:
    """The word for what was opened: the page has the table of its translations."""
    raw = entry.details.get("kind") or entry.details.get("what")
    return raw if isinstance(raw, str) and entry.kind is not EventKind.OPENED else values["what"]


_OF_ENVELOPE = frozenset({EventKind.FILED, EventKind.UNFILED, EventKind.READ, EventKind.EXPORTED})


def verify(visit: Visit, kept: str) -> Verdict:
    """Check the whole log; anybody signed in may."""
    visit.check(Act.KEEP_CHECKPOINT)
    # Browsers send the lines of a form with CR LF; a note ends with one newline.
    note = kept.replace("\r\n", "\n").strip()
    return verify_journal(
        visit.store, visit.house.vault, public_key(visit.desk), f"{note}\n" if note else None
    )


def checkpoint(visit: Visit) -> str:
    """The newest signed checkpoint; that it was taken, and when, is kept and journalled."""
    visit.check(Act.KEEP_CHECKPOINT)
    return take(visit.store, visit.house.clock, visit.session.member.id).note
