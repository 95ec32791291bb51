"""Members, circles and devices as the page shows and changes them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.practices import PASSWORD, patient, report, study
from tests.unit.protect.thief import write
from tests.unit.web_practice.pages import HERE, Pages

from serment.app import circles
from serment.app.protect import members
from serment.core.crypto.keys import fingerprint_words, new_seed, public_key
from serment.core.masked import Masked
from serment.core.records.vault import CircleKind, Device, MemberState, Role, Wrap, WrapKind
from serment.entrypoints.web.views import NewDevice, NewMember
from serment.errors import AccessDenied, Conflict, NotFound, UsageError

SCANNER = NewDevice("Scanner", "CT1", "192.0.2.5", "")


def test_who_holds_what(pages: Pages) -> None:
    admin, doctor = pages.sign_in("admin"), pages.sign_in("docteur")
    view = pages.web.members(admin)
    lines = {line.login: line for line in view.members}
    assert {login: line.circles for login, line in lines.items()} == {
        "admin": (),
        "docteur": ("secretariat", "care"),
        "chirurgien": ("secretariat", "chirurgie"),
        "secretaire": ("secretariat",),
        "dpo": ("dpo",),
    }
    assert all(line.state is MemberState.ACTIVE and not line.waiting for line in lines.values())
    assert {login for login, line in lines.items() if line.open} == {"admin", "docteur"}
    assert {login for login, line in lines.items() if line.may_remove} == set(lines) - {"admin"}
    assert [(c.name, c.members) for c in view.circles] == [
        ("care", 1),
        ("chirurgie", 1),
        ("secretariat", 3),
        ("dpo", 1),
        ("recovery", 0),
    ]
    assert view.circles[-1].kind is CircleKind.RECOVERY
    assert view.care_circles == ("care", "chirurgie")
    assert view.recovery_words == pages.world.founded.recovery_words
    assert view.dicom == "127.0.0.1:11112"
    assert (view.may_add, pages.web.members(doctor).may_add) == (True, False)
    assert not any(line.may_remove for line in pages.web.members(doctor).members)


def test_a_member_comes_and_goes(pages: Pages) -> None:
    admin, doctor = pages.sign_in("admin"), pages.sign_in("docteur")
    new = NewMember("remplacante", PASSWORD, (Role.SECRETARY,), "")
    assert pages.web.add_member(doctor, new) is True  # she holds what the newcomer needs
    theirs = pages.sign_in("remplacante")
    line = next(m for m in pages.web.members(admin).members if m.login == "remplacante")
    with pytest.raises(AccessDenied):
        pages.web.remove_member(doctor, line.id)
    pages.web.remove_member(admin, line.id)
    assert pages.web.session(theirs, active=True, peer=HERE) is None
    assert "remplacante" not in [m.login for m in pages.web.members(admin).members]
    stale = {c.name for c in pages.web.members(admin).circles if c.stale}
    assert stale == {"secretariat"}
    pages.web.lock(doctor)
    pages.sign_in("docteur")  # a remaining member's next session makes the new epoch
    circles = {c.name: (c.epoch, c.stale) for c in pages.web.members(admin).circles}
    assert circles["secretariat"] == (2, False)
    with pytest.raises(NotFound):
        pages.web.remove_member(admin, "0" * 32)


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (NewMember("X Y", PASSWORD, (Role.DPO,), ""), UsageError),
        (NewMember("faible", Masked("motdepasse"), (Role.DPO,), ""), UsageError),
        (NewMember("sans", PASSWORD, (), ""), UsageError),
        (NewMember("docteur", PASSWORD, (Role.DPO,), ""), Conflict),
        (NewMember("autre", PASSWORD, (Role.DOCTOR,), "secretariat"), UsageError),
    ],
)
def test_who_cannot_be_added(pages: Pages, new: NewMember, error: type[Exception]) -> None:
    with pytest.raises(error):
        pages.web.add_member(pages.sign_in("admin"), new)


def test_a_member_who_waits_can_be_admitted_by_those_who_hold_it_only(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    assert not pages.web.add_member(admin, NewMember("stagiaire", PASSWORD, (Role.DPO,), ""))
    for who, may in (("admin", False), ("secretaire", False), ("dpo", True)):
        view = pages.web.members(pages.sign_in(who))
        (line,) = [m for m in view.members if m.login == "stagiaire"]
        assert (line.state, line.waiting, line.may_admit) == (MemberState.PENDING, ("dpo",), may)
    with pytest.raises(AccessDenied):
        pages.web.admit(admin, line.id, line.words)


def test_the_words_on_the_page_are_those_of_the_key_that_gets_in(pages: Pages) -> None:
    """Somebody who writes the database exchanges the newcomer's key behind the page."""
    doctor, store = pages.sign_in("docteur"), pages.world.house.store
    pages.web.add_member(pages.sign_in("admin"), NewMember("interne", PASSWORD, (Role.DOCTOR,), ""))
    (line,) = [m for m in pages.web.members(doctor).members if m.login == "interne"]
    row = members.find(store, "interne")
    write(pages.world, [replace(row, public_key=public_key(new_seed()))])
    for compared in (line.words, ()):
        with pytest.raises(Conflict, match="compared"):
            pages.web.admit(doctor, line.id, compared)
    assert not store.find(Wrap, kind=WrapKind.CIRCLE_SEED, recipient=f"member:{line.id}")
    write(pages.world, [row])
    pages.web.admit(doctor, line.id, line.words)


def test_a_stopped_circle_shows_the_words_of_its_key(pages: Pages) -> None:
    store = pages.world.house.store
    dpo = circles.current(store)["dpo"]
    forged = replace(dpo, epoch=2, public_key=public_key(new_seed()))
    write(pages.world, [forged])
    lines = {c.name: c for c in pages.web.members(pages.sign_in("docteur")).circles}
    assert {name for name, line in lines.items() if line.stopped} == {"dpo"}
    assert lines["dpo"].words == fingerprint_words(forged.public_key)


def test_the_login_of_a_removed_member_is_not_given_again(pages: Pages) -> None:
    """The journal names him by it; the list does not show him, so the refusal says why."""
    admin = pages.sign_in("admin")
    new = NewMember("passager", PASSWORD, (Role.SECRETARY,), "")
    pages.web.add_member(pages.sign_in("docteur"), new)
    (line,) = [m for m in pages.web.members(admin).members if m.login == "passager"]
    pages.web.remove_member(admin, line.id)
    with pytest.raises(Conflict, match="removed"):
        pages.web.add_member(admin, new)


def test_devices_come_and_go(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    token = pages.web.add_device(admin, SCANNER).reveal()
    (row,) = pages.world.house.store.find(Device)
    assert token.encode() not in row.token_hash
    (line,) = pages.web.members(admin).devices
    assert (line.name, line.ae_title, line.circle, line.last) == ("Scanner", "CT1", "care", None)
    pages.world.receive([report(study(patient()))], device=row.id)
    assert pages.web.members(admin).devices[0].last == pages.world.house.clock.now()
    with pytest.raises(Conflict):
        pages.web.add_device(admin, SCANNER)
    with pytest.raises(UsageError):
        pages.web.add_device(admin, NewDevice("X", "CT2", "nowhere", "care"))
    pages.web.remove_device(admin, row.id)
    assert pages.web.members(admin).devices == ()


@pytest.mark.parametrize("who", ["docteur", "secretaire", "dpo"])
def test_only_an_administrator_changes_devices_and_declares_the_kit(pages: Pages, who: str) -> None:
    session = pages.sign_in(who)
    with pytest.raises(AccessDenied):
        pages.web.add_device(session, SCANNER)
    with pytest.raises(AccessDenied):
        pages.web.remove_device(session, "0" * 32)
    with pytest.raises(AccessDenied):
        pages.web.declare_kit(session)
    assert not pages.web.settings(session).may_declare


def test_settings_say_what_is_fixed(pages: Pages) -> None:
    view = pages.web.settings(pages.sign_in("admin"))
    assert (view.idle_minutes, view.absolute_hours, view.journal_months) == (30, 12, 12)
    assert view.format_version == 1
    assert view.may_declare
    assert (view.kit.printed, view.kit.tried, view.kit.shares_here) == (None, None, 0)
