"""What was refused to whom: counted for each member and minute in the journal, however it was asked.

One for each process. Wrong passwords are not counted here: `Practice.sign_in` journals each.
"""

from __future__ import annotations

from serment.app.house import House
from serment.app.protect.opening import Session
from serment.app.watch.refusals import Refusals
from serment.errors import N_, SermentError

NO_KEY = N_("no key of this session opens it")
NOBODY = "web"  # who asks without a session


class Refused:
    """One count for each member, and one for who is nobody yet; written when its minute ended."""

    def __init__(self) -> None:
        self._counts: dict[str, Refusals] = {}

    def note(self, house: House, session: Session, refusal: SermentError) -> None:
        """Count what a session was refused."""
        member = session.member
        self._note(house, member.id, session.peer.host, refusal, member.login)

    def note_stranger(self, house: House, host: str, refusal: SermentError) -> None:
        """Count what somebody without a session was refused."""
        self._note(house, NOBODY, host, refusal, "")

    def _note(self, house: House, actor: str, host: str, refusal: SermentError, who: str) -> None:
        """The message that was shown, without its values."""
        reason = NO_KEY if "{" in refusal.message else refusal.message
        with house.lock:
            counts = self._counts.setdefault(actor, Refusals(house.store, house.clock, actor))
            counts.note(host, reason, calling=who)

    def flush(self, house: House, final: bool = False) -> None:
        """Write what is due; at shutdown (`final`) everything."""
        with house.lock:
            for counts in self._counts.values():
                counts.flush(final)
