"""One person, signed in: the keys he holds, where he is, how long it lasts.

Opening and closing sessions is `opening`'s work; when one is over, `core.access.sessions` decides.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime

from serment.app import circles
from serment.app.keyring import Keyring
from serment.app.protect.remembered import Remembered
from serment.app.protect.unlocking import WRONG
from serment.core.access.sessions import Lifetime, ends_at
from serment.core.crypto.secret import Seed
from serment.core.masked import Masked
from serment.core.records.vault import Member
from serment.errors import N_, AccessDenied, VaultLocked


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a request comes from; "local" is the command line of this machine."""

    address: str = "local"
    local: str = "local"
    tls: bool = False

    @property
    def host(self) -> str:
        """The address without its port, which changes with each connection."""
        host, colon, port = self.address.rpartition(":")
        return host.strip("[]") if colon and port.isdecimal() else self.address

    @property
    def here(self) -> bool:
        """Whether it is this machine."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return self.host == "local"
        mapped = address.ipv4_mapped if address.version == 6 else None
        return (mapped or address).is_loopback


@dataclass(slots=True)
class Session:
    """What one sign-in opened."""

    token: str  # 256 random bits: the cookie
    id: str  # random, named in the journal
    member: Member
    ring: Keyring
    peer: Peer
    lifetime: Lifetime
    remembered: Remembered  # what it opened lately
    proven: bool = False  # opened with a code of the second factor, too
    bearer: str | None = field(default=None, repr=False)  # 256 random bits, for DICOMweb
    pending_totp: Masked[str] | None = None
    seed: Seed | None = field(default=None, repr=False)

    def holds(self, circle: str) -> bool:
        return self.ring.holds(circle)

    @property
    def ends_at(self) -> datetime:
        """When it locks by itself if nobody does anything more."""
        return ends_at(self.lifetime)

    @property
    def care(self) -> list[str]:
        """Care circles whose keys are here."""
        return sorted(filter(circles.is_care_name, self.ring.circles))

    @property
    def identity(self) -> str | None:
        """The circle through which identities are read here, if any; `VaultLocked` once the
        session is over."""
        if self.seed is None:
            raise session_over()
        for name in (circles.SECRETARIAT, circles.DPO):
            if self.ring.holds(name):
                return name
        return None

    def close(self) -> None:
        """Drop its keys; what is being read stops there."""
        self.ring.close()
        self.remembered.close()
        self.seed = None


def check_serves(session: Session, peer: Peer) -> None:
    """What a password alone opened serves this machine only, wherever its token went."""
    if not session.proven and not peer.here:
        raise AccessDenied(
            N_("this session was opened without a code: it serves the server itself only"),
            hint=N_(
                "open one with a code of your second factor: "
                "`serment unlock --as LOGIN --token --code CODE`"
            ),
        )


def session_over() -> VaultLocked:
    return VaultLocked(N_("the session is over: the keys were dropped"), hint=N_("sign in again"))


def check_enrolled(member: Member, peer: Peer) -> None:
    """A password alone opens nothing from another machine."""
    if member.totp is None and not peer.here:
        raise wrong_from_afar()


def wrong_from_afar() -> AccessDenied:
    """The one answer to every failed sign-in from another machine: it tells nobody whether the
    password was right."""
    return AccessDenied(
        WRONG,
        hint=N_(
            "check both, and the code; members without a second factor sign in on the server "
            "itself; after three failures the account waits a minute"
        ),
    )
