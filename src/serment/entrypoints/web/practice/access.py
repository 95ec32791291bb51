"""Coming in, staying, going out: what a page knows of the session it belongs to."""

from __future__ import annotations

from dataclasses import replace

from serment.app import circles
from serment.app.protect import devices, members
from serment.app.protect.filing import count_waiting
from serment.app.protect.opening import Peer, Session
from serment.app.protect.sessions import check_serves
from serment.core.access.rights import Act
from serment.core.masked import Masked
from serment.core.records.vault import Envelope, Member, Setting, StoredObject
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.web import views
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Page, Pulse, SessionView, Welcome
from serment.errors import N_, AccessDenied, NotFound, VaultLocked
from serment.ports import Progress

AUTHORITY = "authority"

EVERYBODY = frozenset({Page.HOME, Page.JOURNAL, Page.MEMBERS, Page.SETTINGS})
BY_RIGHT = (
    (Act.SEARCH, Page.STUDIES),
    (Act.SEARCH, Page.PATIENTS),
    (Act.FILE, Page.TO_FILE),
    (Act.READ_SCANS, Page.EXPOSURE),
    (Act.RADIUS, Page.BREACH),
)


def welcome(desk: Desk) -> Welcome:
    """What anybody may know: the practice's name, and whether something can arrive."""
    store = desk.house.store
    ready = any(circles.is_care(c) for c in circles.current(store).values())
    receiving = ready and bool(devices.active(store)) and desk.surroundings.receiving()
    return Welcome(desk.house.practice, receiving)


def authority(desk: Desk) -> bytes:
    """The certificate (PEM) that browsers need to know this server."""
    setting = desk.house.store.get(Setting, AUTHORITY)
    if setting is None:
        raise NotFound(
            N_("the authority's certificate is missing"), hint=N_("run `serment doctor`")
        )
    return setting.value


def sign_in(
    desk: Desk,
    login: str,
    password: Masked[str],
    code: str,
    peer: views.Peer,
    progress: Progress | None,
) -> Session:
    """A session; the code counts as soon as the member has a second factor."""
    where = _where(peer)
    with desk.refused.throttled(desk.house, where):
        return desk.practice.sign_in(login, password, code, where, True, progress)


def session(desk: Desk, token: str, active: bool, peer: views.Peer) -> Session | None:
    """The session of a cookie, or None when there is none that serves this peer: a cookie that
    went elsewhere opens nothing there unless a code was given for it."""
    try:
        found = desk.practice.session(token, active=False)
        check_serves(found, _where(peer))
        return desk.practice.session(token, active)
    except VaultLocked:
        return None
    except AccessDenied as refusal:
        desk.refused.note(desk.house, replace(found, peer=_where(peer)), refusal)
        return None


def _where(peer: views.Peer) -> Peer:
    return Peer(peer.address, peer.local, peer.tls)


def session_view(visit: Visit) -> SessionView:
    """The session as every page shows it; admissions since it began are followed."""
    session = visit.session
    member = visit.store.get(Member, session.member.id) or session.member
    session.member = member
    if _waiting(session):
        visit.practice.widen(session)
    pages = {page for act, page in BY_RIGHT if visit.may(act)}
    return SessionView(
        id=session.token,
        practice=visit.house.practice,
        member=member.id,
        login=member.login,
        roles=member.roles,
        state=member.state,
        circles=tuple(sorted(session.ring.circles)),
        waiting=_waiting(session),
        words=members.words(member),
        pages=EVERYBODY | pages,
        images=visit.may(Act.READ_CLINICAL),
        second_factor=member.totp is not None,
        left_seconds=left_seconds(visit),
    )


def _waiting(session: Session) -> tuple[str, ...]:
    return tuple(name for name in session.member.circles if not session.holds(name))


def left_seconds(visit: Visit) -> int:
    """Until the session locks by itself."""
    return max(0, int((visit.session.ends_at - visit.now).total_seconds()))


def pulse(visit: Visit) -> Pulse:
    """What an open page asks every few seconds."""
    under_way = visit.store.find(Envelope, closed=False)
    return Pulse(
        version=visit.version(),
        to_file=count_waiting(visit.store) if visit.may(Act.FILE) else 0,
        receiving=sum(visit.store.count(StoredObject, envelope=e.id) for e in under_way),
        left_seconds=left_seconds(visit),
    )
