"""The home page: what a thief would read, each fact with how it stands, and what is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from serment.app import circles
from serment.app.copying import DOUBTED
from serment.app.protect import devices, kit
from serment.app.protect.filing import count_waiting
from serment.app.prove.thief import Haul, Loss, what_a_thief_reads
from serment.app.watch import checkpoints
from serment.core.access.rights import Act
from serment.core.crypto.age.header import VERSION_LINE
from serment.core.crypto.password import BLOB_BYTES
from serment.core.crypto.slip39 import THRESHOLD
from serment.core.crypto.wraps import HPKE_WRAP_BYTES, KEY_WRAP_BYTES
from serment.core.journal.verify import Verdict
from serment.core.records.vault import (
    Envelope,
    Member,
    MemberState,
    ObjectState,
    Patient,
    Role,
    Setting,
    StoredObject,
    Wrap,
    WrapKind,
    WrapMethod,
)
from serment.entrypoints.web.practice.log import last_reception
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import (
    Exposed,
    Fact,
    FactName,
    HomeView,
    KitView,
    State,
    Todo,
    TodoName,
)
from serment.errors import SermentError
from serment.ports import Place

LOOKED_AT = 50  # of the newest objects, at each look
COMPARED_BYTES = 16 << 20  # of them, whose SHA-256 is computed; of larger ones the first bytes
SEALED_BYTES = {
    WrapMethod.HPKE: HPKE_WRAP_BYTES,
    WrapMethod.KEY: KEY_WRAP_BYTES,
    WrapMethod.PASSWORD: BLOB_BYTES,
}
ROOTS = (WrapKind.MEMBER_SEED, WrapKind.CIRCLE_SEED)  # few, and all the others hang on them
CHECKPOINT_EVERY = timedelta(days=30)


def home(
    visit: Visit, verified: tuple[Verdict, datetime] | None, exposed: Exposed | None = None
) -> HomeView:
    """`verified`: what the last check of the whole journal said, and when; None = not checked.
    `exposed`: what strangers can reach; None = this session may not know."""
    store = visit.store
    objects, patients = store.count(StoredObject), store.count(Patient)
    held = kit_view(visit)
    wraps, clear = _keys(visit)
    loss = what_a_thief_reads(
        Haul(patients, objects, held.shares_here, clear, visit.practice.tables)
    )
    return HomeView(
        reach=loss.reach,
        objects=objects,
        patients=patients,
        readable_patients=loss.readable_patients,
        to_file=count_waiting(store) if visit.may(Act.FILE) else None,
        last_reception=last_reception(visit),
        receiving=visit.desk.surroundings.receiving(),
        kit=held,
        open_sessions=len(visit.practice.sessions),
        facts=(
            _sealed(visit, objects),
            _keys_away(visit, wraps, clear),
            _kit_away(visit, held.shares_here),
            _open_sessions(visit, loss),
            _journal(visit, verified),
            Fact(FactName.SWAP, State.UNKNOWN, None),
        ),
        exposed=exposed,
        todo=tuple(_todo(visit, held, exposed)),
    )


def kit_view(visit: Visit) -> KitView:
    """The recovery kit: what was declared, what was tried, what still lies here."""
    state = kit.state(visit.store)
    return KitView(state.printed, state.tried, visit.desk.surroundings.shares_here())


# What stands


def _sealed(visit: Visit, objects: int) -> Fact:
    """Headers that failed authentication in the open circles, and a look at the newest objects:
    each must begin as an age file and, as far as time allows, have the bytes that were sealed."""
    damaged = sum(table.damaged for table in list(visit.practice.tables.values()))
    damaged += _not_sealed(visit, objects)
    state = State.BAD if damaged else State.GOOD
    return Fact(FactName.OBJECTS_SEALED, state, visit.now, {"objects": objects, "damaged": damaged})


def _not_sealed(visit: Visit, objects: int) -> int:
    newest = visit.store.objects_after(max(0, objects - LOOKED_AT), LOOKED_AT)
    left, damaged = COMPARED_BYTES, 0
    for _, row in newest:
        left -= row.size
        whole = left < 0 or visit.house.packs.verify(_place(row))
        damaged += not (whole and _is_age_file(visit, row))
    return damaged


def _place(row: StoredObject) -> Place:
    return Place(row.pack, row.offset, row.size, row.sha256)


def _is_age_file(visit: Visit, row: StoredObject) -> bool:
    try:
        return visit.house.packs.read(row.pack, row.offset, len(VERSION_LINE)) == VERSION_LINE
    except SermentError:
        return False


def _keys(visit: Visit) -> tuple[int, int]:
    """How many keys are stored, and how many of them by no method that seals, or not as long as
    that method makes them: those of members and circles are looked at, of the others the method."""
    stored = visit.store.count(Wrap)
    sealed = sum(visit.store.count(Wrap, method=method) for method in WrapMethod)
    looked_at = (wrap for kind in ROOTS for wrap in visit.store.find(Wrap, kind=kind))
    odd = sum(len(wrap.blob) != SEALED_BYTES[wrap.method] for wrap in looked_at)
    return stored, stored - sealed + odd


def _keys_away(visit: Visit, wraps: int, clear: int) -> Fact:
    state = State.BAD if clear else State.GOOD
    return Fact(FactName.KEYS_AWAY, state, visit.now, {"wraps": wraps})


def _kit_away(visit: Visit, shares: int) -> Fact:
    state = State.GOOD if not shares else State.ATTENTION if shares < THRESHOLD else State.BAD
    return Fact(FactName.KIT_AWAY, state, visit.now, {"shares": shares})


def _open_sessions(visit: Visit, loss: Loss) -> Fact:
    sessions = len(visit.practice.sessions)
    return Fact(
        FactName.OPEN_SESSIONS,
        State.ATTENTION if loss.in_memory else State.GOOD,
        visit.now,
        {"sessions": sessions, "circles": loss.in_memory},
    )


def _journal(visit: Visit, verified: tuple[Verdict, datetime] | None) -> Fact:
    if verified is None:
        size = visit.store.journal_size()
        return Fact(FactName.JOURNAL_WHOLE, State.UNKNOWN, None, {"entries": size})
    verdict, when = verified
    state = State.GOOD if verdict.ok else State.BAD
    return Fact(FactName.JOURNAL_WHOLE, state, when, {"entries": verdict.entries})


# What is to be done


def _todo(visit: Visit, held: KitView, exposed: Exposed | None) -> Iterator[Todo]:
    """Most pressing first; only what this session can do something about."""
    administrator = Role.ADMINISTRATOR in visit.session.member.roles
    if held.shares_here >= THRESHOLD:
        yield Todo(TodoName.KIT_HERE)
    if visit.store.get(Setting, DOUBTED) is not None:
        yield Todo(TodoName.KEYS_COPY)
    yield from _about_exposure(exposed)
    yield from _about_circles(visit, administrator)
    yield from _about_people(visit)
    if visit.may(Act.FILE) and (waiting := count_waiting(visit.store)):
        yield Todo(TodoName.TO_FILE, waiting)
    if conflicts := _conflicts(visit):
        yield Todo(TodoName.CONFLICTS, conflicts)
    if visit.session.member.totp is None:
        yield Todo(TodoName.SECOND_FACTOR)
    if administrator and held.printed is None:
        yield Todo(TodoName.KIT_PRINTED)
    if administrator and held.tried is None:
        yield Todo(TodoName.KIT_TRIED)
    if exposed is not None and exposed.last is None and visit.may(Act.SCAN):
        yield Todo(TodoName.AUDIT_NEVER)
    if visit.may(Act.READ_JOURNAL) and _checkpoint_is_old(visit):
        yield Todo(TodoName.CHECKPOINT)


def _about_exposure(exposed: Exposed | None) -> Iterator[Todo]:
    if exposed is None:
        return
    if exposed.critical:
        yield Todo(TodoName.EXPOSED, exposed.critical)
    if exposed.new > exposed.critical:
        yield Todo(TodoName.EXPOSED_NEW, exposed.new)
    if exposed.weekly_failed:
        yield Todo(TodoName.AUDIT_FAILED)


def _about_circles(visit: Visit, administrator: bool) -> Iterator[Todo]:
    current = circles.current(visit.store).values()
    if stopped := sum(circle.stopped for circle in current):
        yield Todo(TodoName.CIRCLE_STOPPED, stopped)
    if stale := sum(circle.stale for circle in current):
        yield Todo(TodoName.CIRCLE_STALE, stale)
    if administrator and not any(circles.is_care(circle) for circle in current):
        yield Todo(TodoName.NO_DOCTOR)
    if administrator and not devices.active(visit.store):
        yield Todo(TodoName.NO_DEVICE)


def _about_people(visit: Visit) -> Iterator[Todo]:
    held = visit.session.ring.circles
    waiting = [
        member
        for member in visit.store.find(Member, state=MemberState.PENDING)
        if member.id != visit.session.member.id and held & set(member.circles)
    ]
    if waiting:
        yield Todo(TodoName.ADMIT, len(waiting))


def _conflicts(visit: Visit) -> int:
    """Objects marked as other content under a known UID, in the circles whose keys are here."""
    held = set(visit.session.care)
    if not held:
        return 0
    marked = visit.store.find(StoredObject, state=ObjectState.CONFLICT)
    envelopes = (visit.store.get(Envelope, row.envelope) for row in marked)
    return sum(envelope is not None and envelope.circle in held for envelope in envelopes)


def _checkpoint_is_old(visit: Visit) -> bool:
    taken = visit.store.get(Setting, checkpoints.TAKEN)
    if taken is None:
        return True
    return visit.now - datetime.fromisoformat(taken.value.decode()) > CHECKPOINT_EVERY
