"""What was refused to whom: counted for each member and minute in the journal, however it was asked.

One for each process. Wrong passwords are not counted here: `Practice.sign_in` journals each. There
are few: after three of one login or address, it must wait, and what is tried meanwhile is counted
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from serment.app.house import House
from serment.app.protect import reading
from serment.app.protect.opening import Peer, Session
from serment.app.watch.refusals import Refusals
from serment.errors import N_, Busy, SermentError

NO_KEY = N_("no key of this session opens it")
TOO_OFTEN = N_("too many failed attempts")
NOBODY = "web"  # who asks without a session


class Refused:
    """One count for each member, and one for who is nobody yet; written when its minute ended."""

    def __init__(self) -> None:
        self._counts: dict[str, Refusals] = {}

    def note(self, house: House, session: Session, refusal: SermentError) -> None:
        """Count what a session was refused."""
        member = session.member
        self._note(house, member.id, session.peer, refusal, member.login)

    def note_stranger(self, house: House, peer: Peer, refusal: SermentError) -> None:
        """Count what somebody without a session was refused."""
        self._note(house, NOBODY, peer, refusal, "")

    @contextmanager
    def throttled(self, house: House, peer: Peer) -> Iterator[None]:
        """Count passwords and codes that were not even tried, because too many were wrong."""
        try:
            yield
        except Busy as refusal:
            self._note(house, NOBODY, peer, refusal, "")
            raise

    def _note(self, house: House, actor: str, peer: Peer, refusal: SermentError, who: str) -> None:
        with house.lock:
            counts = self._counts.setdefault(actor, Refusals(house.store, house.clock, actor))
            reason = _reason(refusal)
            counts.note(peer.host, reason, calling=who, local=peer.local, tls=peer.tls)

    def flush(self, house: House, final: bool = False) -> None:
        """Write what is due; at shutdown (`final`) everything."""
        with house.lock:
            for counts in self._counts.values():
                counts.flush(final)


def _reason(refusal: SermentError) -> str:
    """The message that was shown, without its values, to be read by others than who was refused."""
    if isinstance(refusal, Busy):
        return TOO_OFTEN
    named = refusal.message == reading.NO_KEY or "{" in refusal.message
    return NO_KEY if named else refusal.message
