"""What somebody could still open, told without any key: whether wraps lead from what is sealed up to
a circle that somebody holds, or to the recovery kit.

Looks at names only: whether a wrap is authentic shows when its key is used.
"""

from __future__ import annotations

from collections.abc import Collection

from serment.app import circles
from serment.core.records import names
from serment.core.records.vault import Circle, Member, MemberState, Wrap, WrapKind
from serment.ports import OneOf, Store

ABOVE = {  # what is filed hangs on a key of its patient
    WrapKind.ENVELOPE_SEED: WrapKind.PATIENT_CLINICAL,
    WrapKind.ENVELOPE_IDENTITY: WrapKind.PATIENT_IDENTITY,
}


class Reach:
    """The recipients that somebody holds, read once; what hangs on them, asked in pieces."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held = _held(store)

    def lost_circles(self) -> list[Circle]:
        """Those whose present key neither a member nor the kit has."""
        now = circles.current(self._store).values()
        return [c for c in now if (names.circle(c.id), c.epoch) not in self._held]

    def opened(self, kind: WrapKind, subjects: Collection[str]) -> set[str]:
        """Which of the subjects some wrap leads to; in memory are their wraps at a time."""
        wraps = self._store.find(Wrap, kind=kind, subject=OneOf(subjects)) if subjects else []
        if kind not in ABOVE:
            return {wrap.subject for wrap in wraps if self._is_held(wrap)}
        above = self.opened(ABOVE[kind], {w.recipient for w in wraps if not self._is_held(w)})
        return {w.subject for w in wraps if self._is_held(w) or w.recipient in above}

    def _is_held(self, wrap: Wrap) -> bool:
        return (wrap.recipient, wrap.epoch) in self._held


def _held(store: Store) -> set[tuple[str, int]]:
    """Recipients with their epochs: members, recovery, and the circles their wraps lead to."""
    staying = [m for m in store.find(Member) if m.state is not MemberState.REMOVED]
    held = {(names.member(member.id), 0) for member in staying}
    known = {(names.circle(c.id), c.epoch) for c in store.find(Circle)}
    held |= {each for each in known if each[0] == names.RECOVERY}
    pending = store.find(Wrap, kind=WrapKind.CIRCLE_SEED)
    while reached := [w for w in pending if (w.recipient, w.epoch) in held]:
        pending = [w for w in pending if (w.recipient, w.epoch) not in held]
        opened = [names.parse_name(wrap.subject) for wrap in reached]
        held |= {(names.circle(name.id), name.epoch) for name in opened} & known
    return held
