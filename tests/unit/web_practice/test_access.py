"""Coming in, staying and going out: passwords, codes, throttling, idle locks, admission."""

from __future__ import annotations

import pyotp
import pytest
from tests.practices import PASSWORD, patient, report, study
from tests.unit.web_practice.pages import AFAR, HERE, Pages

from serment.app.protect import opening
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.masked import Masked
from serment.core.records.vault import MemberState, Role
from serment.entrypoints.web.practice.log import newest_first
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import NewDevice, NewMember, Page, Peer, StudyQuery
from serment.errors import AccessDenied, Busy, UsageError, VaultLocked
from serment.ports import Matches

WRONG = Masked("Mauvais-Tilleul-48-Pomme")


def journalled(pages: Pages, kind: EventKind) -> int:
    entries = map(entry_of, pages.world.house.store.journal())
    return sum(entry is not None and entry.kind is kind for entry in entries)


def code(pages: Pages, secret: str) -> str:
    return pyotp.TOTP(secret).at(pages.world.house.clock.now())


def test_everything_wrong_looks_the_same_and_is_journalled(pages: Pages) -> None:
    said = set()
    for login, password in (("docteur", WRONG), ("personne", PASSWORD), ("", PASSWORD)):
        with pytest.raises(AccessDenied) as refused:
            pages.web.sign_in(login, password, "", HERE)
        said.add((refused.value.message, refused.value.hint))
    assert len(said) == 1
    assert journalled(pages, EventKind.LOGIN_FAILED) == 3


def test_three_failures_make_the_address_wait_whatever_its_port(pages: Pages) -> None:
    for port in (1, 2, 3):
        with pytest.raises(AccessDenied):
            pages.web.sign_in("docteur", WRONG, "", Peer(f"127.0.0.1:{port}", HERE.local, True))
    for _ in range(2):
        with pytest.raises(Busy):
            pages.web.sign_in("secretaire", PASSWORD, "", HERE)
    assert journalled(pages, EventKind.LOGIN_FAILED) == 3
    assert journalled(pages, EventKind.REFUSED) == 0  # one entry for each caller and minute
    pages.web.flush(final=True)
    found = newest_first(pages.world.house.store, b'"refused"')
    (details,) = [each.entry.details for each in found]
    assert {"peer": "127.0.0.1", "local": HERE.local, "tls": True, "count": 2}.items() <= (
        details.items()
    )
    assert details["reasons"] == {"too many failed attempts": 2}
    pages.world.house.clock.advance(61)
    assert pages.web.session(pages.sign_in("secretaire"), active=True, peer=HERE)


def test_from_another_machine_a_password_alone_is_refused(pages: Pages) -> None:
    with pytest.raises(AccessDenied) as refused:
        pages.web.sign_in("docteur", PASSWORD, "", AFAR)
    assert "members without a second factor sign in on the server" in refused.value.hint
    with pytest.raises(AccessDenied, match="login or the password") as wrong:
        pages.web.sign_in("docteur", WRONG, "", AFAR)
    # nothing tells that the password was right
    assert (wrong.value.message, wrong.value.hint) == (refused.value.message, refused.value.hint)
    assert pages.world.practice.locked()


@pytest.mark.parametrize(
    ("address", "host", "here"),
    [
        ("local", "local", True),
        ("127.0.0.1:443", "127.0.0.1", True),
        ("::1:50000", "::1", True),
        ("[::1]:50000", "::1", True),
        ("::ffff:127.0.0.1:50000", "::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.7:50000", "::ffff:192.0.2.7", False),
        ("192.0.2.7:50000", "192.0.2.7", False),
        ("fe80::1%eth0:50000", "fe80::1%eth0", False),
        ("", "", False),
        ("somewhere", "somewhere", False),
    ],
)
def test_which_peers_are_this_machine(address: str, host: str, here: bool) -> None:
    peer = opening.Peer(address)
    assert (peer.host, peer.here) == (host, here)


def test_the_second_factor_is_enrolled_and_then_asked_for(pages: Pages) -> None:
    session = pages.sign_in("docteur")
    with pytest.raises(UsageError):
        pages.web.confirm_second_factor(session, "123456")
    factor = pages.web.new_second_factor(session, "")
    secret = factor.secret.reveal()
    assert factor.uri.reveal().startswith("otpauth://totp/")
    assert secret in factor.uri.reveal()
    with pytest.raises(AccessDenied, match="not the code of now"):
        pages.web.confirm_second_factor(session, "000000")
    pages.web.confirm_second_factor(session, code(pages, secret))
    assert pages.web.session(session, active=True, peer=HERE).second_factor
    pages.web.lock(session)
    with pytest.raises(AccessDenied, match="login or the password"):
        pages.sign_in("docteur")
    pages.world.house.clock.advance(120)
    right = code(pages, secret)
    assert pages.web.session(pages.sign_in("docteur", right, AFAR), active=True, peer=AFAR)
    with pytest.raises(AccessDenied, match="used already"):
        pages.sign_in("docteur", right, AFAR)


def test_a_cookie_opened_without_a_code_serves_this_machine_only(pages: Pages) -> None:
    session = pages.sign_in("docteur")
    pages.world.house.clock.advance(60)
    assert pages.web.session(session, active=True, peer=AFAR) is None
    view = pages.web.session(session, active=False, peer=HERE)
    assert view is not None
    assert view.left_seconds == 29 * 60  # what was refused put nothing off
    pages.desk.refused.flush(pages.world.house, final=True)
    assert journalled(pages, EventKind.REFUSED) == 1


def test_changing_the_phone_takes_a_code_of_the_present_one(pages: Pages) -> None:
    session, clock = pages.sign_in("docteur"), pages.world.house.clock
    secret = pages.web.new_second_factor(session, "").secret.reveal()
    pages.web.confirm_second_factor(session, code(pages, secret))
    for wrong in ("", "000000"):
        with pytest.raises(AccessDenied, match="not the code of now"):
            pages.web.new_second_factor(session, wrong)
    assert pages.web.pending_second_factor(session) is None
    clock.advance(60)
    right = code(pages, secret)
    other = pages.web.new_second_factor(session, right).secret.reveal()
    assert other != secret
    with pytest.raises(AccessDenied, match="used already"):
        pages.web.new_second_factor(session, right)
    with pytest.raises(Busy):  # guesses are counted as at the door
        for _ in range(3):
            pages.web.new_second_factor(session, "000000")


def test_what_a_page_knows_of_its_session(pages: Pages) -> None:
    views = {who: pages.web.session(pages.sign_in(who), active=True, peer=HERE) for who in WHO}
    everybody = {Page.HOME, Page.JOURNAL, Page.MEMBERS, Page.SETTINGS}
    names = everybody | {Page.STUDIES, Page.PATIENTS}
    assert views["docteur"].pages == names | {Page.TO_FILE, Page.BREACH}
    assert views["secretaire"].pages == names | {Page.TO_FILE}
    assert views["dpo"].pages == names | {Page.EXPOSURE, Page.BREACH}
    assert views["admin"].pages == everybody | {Page.EXPOSURE, Page.BREACH}
    assert [who for who in WHO if views[who].images] == ["docteur"]
    assert views["docteur"].circles == ("care", "secretariat")
    assert views["admin"].circles == ()
    assert views["docteur"].left_seconds == 30 * 60
    assert len(views["docteur"].words) == 8


WHO = ("docteur", "secretaire", "dpo", "admin")


def test_only_a_person_puts_off_the_idle_lock(pages: Pages) -> None:
    session, clock = pages.sign_in("docteur"), pages.world.house.clock
    clock.advance(29 * 60)
    assert pages.web.session(session, active=True, peer=HERE).left_seconds == 30 * 60
    clock.advance(29 * 60)
    pages.web.pulse(session)
    pages.web.home(session)
    pages.web.worklist(session, StudyQuery())
    assert pages.web.session(session, active=False, peer=HERE).left_seconds == 60
    clock.advance(61)
    assert pages.web.session(session, active=True, peer=HERE) is None
    assert pages.world.practice.locked()
    assert not pages.world.practice.tables
    with pytest.raises(VaultLocked):
        pages.web.worklist(session, StudyQuery())


def test_locking_one_and_locking_all(pages: Pages) -> None:
    one, other = pages.sign_in("docteur"), pages.sign_in("secretaire")
    pages.web.lock(one)
    pages.web.lock(one)  # harmless
    assert pages.web.session(one, active=True, peer=HERE) is None
    assert set(pages.world.practice.tables) == {"secretariat"}
    with pytest.raises(VaultLocked):
        pages.web.lock_all(one)
    pages.web.lock_all(other)
    assert pages.world.practice.locked()
    assert not pages.world.practice.tables


@pytest.mark.parametrize("asked", ["identities", "filing", "searching"])
def test_a_session_locked_during_a_request_is_told_so(pages: Pages, asked: str) -> None:
    practice = pages.world.practice
    visit = Visit(pages.desk, practice.session(pages.sign_in("docteur")))
    practice.lock(visit.session)
    with pytest.raises(VaultLocked):
        if asked == "searching":
            visit.searching.studies(Matches())
        else:
            getattr(visit, asked)()


def test_an_admission_reaches_a_session_that_is_open(pages: Pages) -> None:
    admin = pages.sign_in("admin")
    new = NewMember("interne", PASSWORD, (Role.DOCTOR,), "")
    assert pages.web.add_member(admin, new) is False
    waiting = pages.sign_in("interne")
    view = pages.web.session(waiting, active=True, peer=HERE)
    assert (view.state, view.waiting, view.circles) == (
        MemberState.PENDING,
        ("secretariat", "care"),
        (),
    )
    doctor = pages.sign_in("docteur")
    (line,) = [m for m in pages.web.members(doctor).members if m.login == "interne"]
    assert line.may_admit
    assert line.words == view.words
    pages.web.admit(doctor, line.id, line.words)
    view = pages.web.session(waiting, active=True, peer=HERE)
    assert (view.state, view.waiting) == (MemberState.ACTIVE, ())
    assert view.images
    assert pages.web.worklist(waiting, StudyQuery()).total == 0


def test_the_sign_in_page_tells_little(pages: Pages) -> None:
    assert not pages.web.welcome().receiving  # no device yet
    admin = pages.sign_in("admin")
    pages.web.add_device(admin, NewDevice("Scanner", "CT1", "192.0.2.5", "care"))
    assert pages.web.welcome().receiving
    pages.machine.receives = False
    assert not pages.web.welcome().receiving


class Told:
    """Remembers what a bar would show."""

    def __init__(self) -> None:
        self.expected = self.done = 0

    def total(self, count: int) -> None:
        self.expected = count

    def step(self, count: int = 1) -> None:
        self.done += count


def test_signing_in_tells_how_far_it_is_once_the_password_was_right(pages: Pages) -> None:
    pages.world.receive([report(study(patient()))])
    wrong, right = Told(), Told()
    with pytest.raises(AccessDenied):
        pages.web.sign_in("docteur", WRONG, "", HERE, wrong)
    pages.web.sign_in("docteur", PASSWORD, "", HERE, right)
    assert (wrong.expected, wrong.done) == (0, 0)
    assert right.expected == right.done > 0
