"""Who may come in: login, password, code, and how often they may be tried.

Everything wrong looks the same. What is opened afterwards is `opening`'s work.
"""

from __future__ import annotations

from serment.app.house import House
from serment.app.protect.second_factor import check_code, not_of_now
from serment.app.protect.sessions import Peer, check_enrolled, wrong_from_afar
from serment.app.protect.unlocking import WRONG, unlock
from serment.core.access.throttle import Attempts
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records.vault import Member
from serment.errors import N_, AccessDenied, FormatError, IntegrityError


class Door:
    """Of one process: failed attempts and used codes are remembered until it ends."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.attempts = Attempts()
        self._codes: dict[str, int] = {}  # last time step used, by member

    def pass_through(
        self, login: str, password: Masked[str], code: str, peer: Peer, need_code: bool
    ) -> tuple[Member, Seed, bool]:
        """The member, his seed, and whether he gave a code of his second factor.

        Raises:
            AccessDenied: login, password or code wrong, or a second factor is missing from afar.
            Busy: too many attempts for this login or address.
            IntegrityError, FormatError: his seed, or what seals it, is damaged.
        """
        with self._house.lock:
            self.attempts.begin(login, peer.host, self._house.clock.now())
        try:
            opened = self._try(login, password, code, peer, need_code)
        finally:
            with self._house.lock:
                self.attempts.ended(login, peer.host)
        with self._house.lock:
            self.attempts.know(login, peer.host)
        return opened

    def _try(
        self, login: str, password: Masked[str], code: str, peer: Peer, need_code: bool
    ) -> tuple[Member, Seed, bool]:
        proven = False
        try:
            member, seed = unlock(self._house, login, password)
            if need_code:
                check_enrolled(member, peer)
            if need_code or code:
                proven = self._use_code(member, check_code(self._house, member, seed, code))
        except AccessDenied as refusal:
            self._failed(login, peer)
            if not peer.here and refusal.message == WRONG:
                raise wrong_from_afar() from None
            raise
        except (IntegrityError, FormatError):
            self.record_failure(login, peer)
            raise
        with self._house.lock:
            self.attempts.succeeded(login, peer.host)
        return member, seed, proven

    def prove(self, member: Member, seed: Seed, code: str, peer: Peer) -> None:
        """Check the present code of somebody who is in already; guesses are throttled as at the
        door. Nothing is asked of a member without a second factor."""
        now = self._house.clock.now()
        with self._house.lock:
            self.attempts.begin(member.login, peer.host, now)
        try:
            self._use_code(member, check_code(self._house, member, seed, code))
        except AccessDenied as refusal:
            self._failed(member.login, peer)
            raise (not_of_now() if refusal.message == WRONG else refusal) from None
        finally:
            with self._house.lock:
                self.attempts.ended(member.login, peer.host)

    def _use_code(self, member: Member, counter: int | None) -> bool:
        """A code opens once (RFC 6238 section 5.2); whether there was one."""
        if counter is None:
            return False
        with self._house.lock:
            if counter <= self._codes.get(member.id, 0):
                raise AccessDenied(
                    N_("this code has been used already"), hint=N_("wait for the next one")
                )
            self._codes[member.id] = counter
        return True

    def _failed(self, login: str, peer: Peer) -> None:
        with self._house.lock:
            alarming = self.attempts.failed(login, peer.host, self._house.clock.now())
            self.record_failure(login, peer, alarming)

    def record_failure(self, login: str, peer: Peer, alarming: bool = False) -> None:
        """Journal that a sign-in came to nothing, whatever was wrong with it."""
        known = self._house.store.find(Member, login=login)
        details = {
            "member": known[0].id if known else None,
            "peer": peer.address,
            "local": peer.local,
            "tls": peer.tls,
            "alarming": alarming,
        }
        now = self._house.clock.now()
        self._house.store.record(Entry(EventKind.LOGIN_FAILED, now, "web", details))
