"""The page after a breach: counts for whoever may ask; names only where this session's keys name
patients, and then journalled as shown."""

from __future__ import annotations

from itertools import chain, islice

from serment.app.respond.radius import Question, radius
from serment.core.access.rights import Act
from serment.core.breach.evidence import Fact
from serment.core.breach.exposure import TOLD, Category, Exposure
from serment.core.breach.radius import Radius
from serment.core.records import names
from serment.core.records.vault import Member
from serment.entrypoints.desk.journal import public_key
from serment.entrypoints.web.practice.patients import lines
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import (
    BreachView,
    CategoryLine,
    EvidenceLine,
    PatientLine,
    RadiusQuery,
    RadiusView,
    Three,
)

NAMED = 50  # patients shown by name


def breach(visit: Visit) -> BreachView:
    """What can be asked."""
    visit.check(Act.RADIUS)
    return BreachView(tuple(sorted(m.login for m in visit.store.find(Member))), visit.now)


def ask(visit: Visit, query: RadiusQuery) -> RadiusView:
    """The answer, journalled."""
    visit.check(Act.RADIUS)
    key, member = public_key(visit.desk), visit.session.member.id
    found = radius(visit.house, visit.desk.surroundings, key, member, _question(query))
    numbers = found.numbers
    return RadiusView(
        patients=_three(numbers.patients),
        unfiled=_three(numbers.unfiled),
        categories=tuple(_category(found, category) for category in Category),
        metadata=found.metadata.readable,
        evidence=tuple(_evidence(visit, found)),
        named=_named(visit, found),
        kit=any(each.fact is Fact.KIT_HERE for each in found.evidence),
        whole=found.trust.whole,
        harmless=found.harmless,
    )


def _question(query: RadiusQuery) -> Question:
    if query.what in ("disk", "backup"):
        return Question(stolen=query.what, at=query.start, known=query.known)
    return Question(
        accounts=(query.account,) if query.what == "account" else (),
        server=query.what == "server",
        listeners=(query.listener,) if query.what == "listener" else (),
        known=query.known if query.what == "server" else (),
        start=query.start,
        end=query.end,
    )


def _three(counts: dict[Exposure, int]) -> Three:
    read, readable, unintelligible = (counts.get(each, 0) for each in TOLD)
    return read, readable, unintelligible


def _category(found: Radius, category: Category) -> CategoryLine:
    amounts = found.numbers.categories[category]
    patients = _three({each: amount.patients for each, amount in amounts.items()})
    objects = _three({each: amount.objects for each, amount in amounts.items()})
    return CategoryLine(category, patients, None if category is Category.IDENTITY else objects)


def _evidence(visit: Visit, found: Radius) -> list[EvidenceLine]:
    logins = {names.member(id_): login for id_, login in visit.logins().items()}
    return [
        EvidenceLine(
            each.message,
            {key: logins.get(str(value), value) for key, value in each.values.items()},
            each.count,
            each.entries,
        )
        for each in found.evidence
    ]


def _named(visit: Visit, found: Radius) -> tuple[PatientLine, ...] | None:
    if not visit.may(Act.SEARCH):
        return None
    filing = visit.filing()
    filing.learn()
    reached = chain(found.ids(Exposure.READ), found.ids(Exposure.READABLE))
    with visit.house.lock:
        known = ((patient, filing.book.get(patient)) for patient in reached)
        shown = [(patient, who) for patient, who in islice(known, NAMED) if who is not None]
    return lines(visit, shown)
