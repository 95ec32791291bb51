"""Members, the circles they hold, devices that may send."""

from __future__ import annotations

from serment.app import circles, epochs
from serment.app.protect import devices, members
from serment.app.protect.opening import Session
from serment.core.access.rights import Act
from serment.core.masked import Masked
from serment.core.records.vault import Circle, CircleKind, Member, MemberState
from serment.entrypoints.web.practice import log
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import (
    CircleLine,
    DeviceLine,
    MemberLine,
    MembersView,
    NewDevice,
    NewMember,
)
from serment.errors import N_, NotFound

Holders = dict[str, set[str]]  # circle -> ids of the members who hold its present seed


def view(visit: Visit, dicom: str) -> MembersView:
    """Who belongs to the practice and what may send to it; logins and devices are no secret."""
    current = circles.current(visit.store)
    holders: Holders = {
        name: {member.id for member in circles.holders(visit.store, circle)}
        for name, circle in current.items()
    }
    rows = [m for m in visit.store.find(Member) if m.state is not MemberState.REMOVED]
    return MembersView(
        members=tuple(_member(visit, row, holders) for row in rows),
        circles=tuple(_circle(circle, holders) for circle in _in_order(current)),
        devices=_devices(visit),
        care_circles=tuple(sorted(n for n, c in current.items() if circles.is_care(c))),
        recovery_words=recovery_words(visit),
        may_add=visit.may(Act.MEMBERS),
        dicom=dicom,
    )


def _in_order(current: dict[str, Circle]) -> list[Circle]:
    """Care circles first, the recovery key last."""
    order = [CircleKind.CARE, CircleKind.SECRETARIAT, CircleKind.DPO, CircleKind.RECOVERY]
    return sorted(current.values(), key=lambda circle: (order.index(circle.kind), circle.id))


def recovery_words(visit: Visit) -> tuple[str, ...]:
    """The words that stand on the printed kit."""
    return epochs.words(circles.recovery(visit.store))


def _member(visit: Visit, row: Member, holders: Holders) -> MemberLine:
    held = tuple(name for name in row.circles if row.id in holders.get(name, ()))
    waiting = tuple(name for name in row.circles if name not in held)
    session: Session = visit.session
    return MemberLine(
        id=row.id,
        login=row.login,
        roles=row.roles,
        circles=held,
        waiting=waiting,
        state=row.state,
        words=members.words(row),
        created=row.created,
        second_factor=row.totp is not None,
        open=any(s.member.id == row.id for s in list(visit.practice.sessions.values())),
        may_admit=any(session.holds(name) for name in waiting) and row.id != session.member.id,
        may_remove=visit.may(Act.MEMBERS) and row.id != session.member.id,
    )


def _circle(circle: Circle, holders: Holders) -> CircleLine:
    return CircleLine(
        circle.id,
        circle.kind,
        circle.epoch,
        len(holders[circle.id]),
        circle.stopped,
        circle.stale,
        epochs.words(circle),
    )


def _devices(visit: Visit) -> tuple[DeviceLine, ...]:
    rows = devices.active(visit.store)
    last = log.last_of_devices(visit, [row.id for row in rows])
    return tuple(
        DeviceLine(
            row.id,
            row.name,
            row.ae_title,
            row.called_ae_title,
            row.address,
            row.circle,
            last.get(row.id),
        )
        for row in rows
    )


def add(visit: Visit, new: NewMember) -> bool:
    """Whether the newcomer is active at once."""
    row = members.add(
        visit.house,
        visit.session.member,
        visit.session.ring,
        new.login,
        new.password,
        list(new.roles),
        new.circle or members.DEFAULT_CARE,
    )
    return row.state is MemberState.ACTIVE


def admit(visit: Visit, member: str, compared: tuple[str, ...]) -> None:
    """Share the circles held here with somebody whose words, as they were shown, were compared."""
    acting, login = visit.session.member, _login(visit, member)
    members.admit(visit.house, acting, visit.session.ring, login, compared)


def remove(visit: Visit, member: str) -> None:
    """Delete a member's keys and end his sessions at once."""
    row = members.remove(visit.house, visit.session.member, _login(visit, member))
    visit.practice.end_member(row.id)


def _login(visit: Visit, member: str) -> str:
    row = visit.store.get(Member, member)
    if row is None:
        raise NotFound(N_("there is no such member"), hint=N_("reload the page"))
    return row.login


def add_device(visit: Visit, new: NewDevice) -> Masked[str]:
    """The new device's token; only its hash is kept."""
    made = devices.add(
        visit.house,
        visit.session.member,
        new.name,
        new.ae_title,
        new.address,
        new.circle or devices.DEFAULT_CIRCLE,
    )
    return Masked(made.token)


def remove_device(visit: Visit, device: str) -> None:
    devices.remove(visit.house, visit.session.member, device)
