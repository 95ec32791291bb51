"""Which public keys a session may give keys to: those its own keys vouched for (`app.trust`).

The rows of circles can be written by whoever has the disk, or takes over a process of this user,
also while somebody is signed in: every key that is wrapped is wrapped to what was believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from serment.core.records.names import RECOVERY
from serment.core.records.vault import Circle
from serment.errors import N_, IntegrityError


@dataclass(frozen=True, slots=True)
class Belief:
    """The circles that one look at the database let stand; without any, no key is given."""

    circles: Mapping[str, Circle] = field(default_factory=dict)
    appointing: bytes | None = None  # verifies which circles administrators made (`app.cards`)

    def __bool__(self) -> bool:
        return bool(self.circles)

    def has(self, circle: Circle) -> bool:
        """Whether the row is, as it is now, the one that was believed."""
        known = self.circles.get(circle.id)
        return (
            known is not None
            and not circle.stopped
            and (known.epoch, known.public_key) == (circle.epoch, circle.public_key)
        )

    def check(self, circle: Circle) -> None:
        """Raise `IntegrityError` unless a key may be wrapped to that circle."""
        if not self.has(circle):
            raise IntegrityError(
                N_("no key is given to anybody while the circle {circle} is not vouched for"),
                hint=N_("sign in again; if it stays so, call your DPO: `serment circle list`"),
                circle=circle.id,
            )

    def among(self, wanted: Iterable[Circle], held: Iterable[str]) -> list[Circle]:
        """Those of the wanted circles that get the key.

        Raises:
            IntegrityError: recovery, or one whose seed is `held`, is not as it was believed.
        """
        must, circles = {RECOVERY, *held}, list(wanted)
        for circle in circles:
            if circle.id in must:
                self.check(circle)
        return [circle for circle in circles if self.has(circle)]

    def plus(self, circle: Circle) -> Belief:
        """The same, and a circle this session has just made."""
        return Belief({**self.circles, circle.id: circle}, self.appointing)
