"""What finding needs of helpers outside: pairings, a look from outside, a proof of control.

The adapter speaks with the helper; which ports are worth a look, and what the answer means for
findings, is `app.find.outside`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serment.core.exposure.outside import Looked
from serment.core.exposure.scope import Proof


@dataclass(frozen=True, slots=True)
class Paired:
    """One pairing, without its keys. `place`: where the helper listens; empty on the helper's side."""

    name: str
    place: str
    since: datetime  # aware UTC


class Peers(Protocol):
    """The helpers this machine is paired with."""

    def known(self) -> tuple[Paired, ...]:
        """Both sides' pairings, by name."""

    def pair(self, name: str, place: str, code: str) -> Paired:
        """Make keys with a helper that shows a code.

        Raises:
            AccessDenied: the code was refused.
            Conflict: there is a pairing of that name.
            Unavailable: nobody answers there.
        """

    def forget(self, name: str) -> None:
        """Raises:
        NotFound: there is no such pairing.
        """

    def look(self, name: str, ports: Sequence[int], boxes: Collection[str]) -> Looked:
        """Have ports of this practice's own address tried from outside.

        Args:
            boxes: outside addresses that the practice's boxes state.

        Raises:
            NotFound: there is no such pairing.
            Unavailable: the helper does not answer.
            AccessDenied: the two do not recognise each other.
            Busy: its hour is not over.
        """

    def prove(self, name: str, address: str, port: int) -> Proof:
        """Listen on a port of a public address, and have the helper take a fresh token there.

        Raises:
            AccessDenied: the helper sees another address, or got no token.
            NotFound, Unavailable, Busy: as above.
        """


class Helping(Protocol):
    """This machine as a helper of others."""

    def offer(self, name: str) -> str:
        """Let one practice pair under this name, for ten minutes; the code to show.

        Raises:
            UsageError, Conflict: the name cannot be used.
        """

    def listen(self, host: str, port: int) -> tuple[str, int]:
        """Begin to listen; the address and port really taken.

        Raises:
            Unavailable: they cannot be used.
        """

    def serve(self) -> None:
        """Serve callers until `stop`."""

    def stop(self) -> None:
        """Accept nothing more."""
