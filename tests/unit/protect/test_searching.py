"""Searching as one member of two care circles: pages are cut from what both hold."""

from __future__ import annotations

from dataclasses import replace

from tests.practices import World, memory_world, patient, report, study

from serment.app.protect import members
from serment.app.protect.opening import Session
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Member, MemberState, Role
from serment.ports import Matches

EACH = 3


def two_teams() -> World:
    """A doctor who works in two teams, and a surgeon who works in one."""
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    world.add("chirurgien", Role.DOCTOR, care="chirurgie")
    with world.signed_in("docteur") as session:
        members.admit(world.house, session.member, session.ring, "chirurgien")
    (doctor,) = world.house.store.find(Member, login="docteur")
    both = replace(doctor, circles=(*doctor.circles, "chirurgie"), state=MemberState.PENDING)
    entry = Entry(EventKind.MEMBER_ADDED, world.house.clock.now(), "test", {})
    with world.house.store.change(entry) as tx:
        tx.put(both)
    with world.signed_in("chirurgien") as session:
        members.admit(world.house, session.member, session.ring, "docteur")
    return world


def two_circles() -> World:
    """The doctor's two teams received as many reports."""
    world = two_teams()
    for at, circle in enumerate(("care", "chirurgie")):
        exam = study(patient(1), 10 + at)
        world.receive((report(exam, number + 1) for number in range(EACH)), circle)
    return world


def uids(world: World, session: Session, matches: Matches) -> list[str]:
    found = world.searching(session).instances(matches)
    return [str(row["SOPInstanceUID"]) for row in found]


def test_a_page_is_cut_after_the_circles_are_put_together() -> None:
    world = two_circles()
    with world.signed_in("docteur") as session:
        assert session.care == ["care", "chirurgie"]
        every = uids(world, session, Matches())
        assert len(set(every)) == 2 * EACH
        for limit in (1, 2, EACH + 1, 2 * EACH):
            pages = [
                uids(world, session, Matches(limit=limit, offset=offset))
                for offset in range(0, 2 * EACH, limit)
            ]
            assert all(len(page) <= limit for page in pages)
            assert [uid for page in pages for uid in page] == every
        assert uids(world, session, Matches(offset=EACH + 1)) == every[EACH + 1 :]


def test_whether_more_follows_is_asked_of_both() -> None:
    world = two_circles()
    with world.signed_in("docteur") as session:
        searching = world.searching(session)
        last, none = 2 * EACH - 1, 2 * EACH
        assert searching.any(Matches(limit=1, offset=last), "instance")
        assert not searching.any(Matches(limit=1, offset=none), "instance")
