"""What this machine says of itself: command output, files and registry values, by name.

Which names there are, and what their text looks like, is listed in docs/posture.md; what it means
is decided by `core.exposure.posture`.
"""

from __future__ import annotations

from typing import Protocol

from serment.core.exposure.posture.verdict import Said, System


class Machine(Protocol):
    """The machine Serment runs on, seen with no more rights than its user has."""

    def system(self) -> System:
        """Raises `Unavailable` on a system that Serment does not know."""

    def says(self) -> Said:
        """Ask everything at once, read-only, within five seconds in all.

        A name that is missing could not be asked (no such program, refused, too slow); an empty
        text was asked, and there was nothing.
        """
