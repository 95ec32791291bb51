"""How hard a password is to guess for somebody who has its wrap: the rule and the cost in force
when it was made, as the journal's entry keeps them (`password`), and whether they are today's.

Source: CNIL délibération n° 2022-100 (the rule), RFC 9106 (the cost).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from serment.core.access.passwords import RULE_NAME
from serment.core.crypto.password import STANDARD, Cost
from serment.errors import FormatError

KDF = "argon2id"


@dataclass(frozen=True, slots=True)
class Strength:
    """The name of the rule that the password passed, and what each guess costs."""

    rule: str
    cost: Cost

    @property
    def is_current(self) -> bool:
        """Whether it was made under today's rule, and a guess costs no less than today."""
        cost, today = self.cost, STANDARD
        return (
            self.rule == RULE_NAME
            and cost.memory_kib >= today.memory_kib
            and cost.iterations >= today.iterations
        )

    @property
    def order(self) -> tuple[bool, int]:
        """The weakest first."""
        return (self.is_current, self.cost.memory_kib * self.cost.iterations)

    @property
    def kdf(self) -> str:
        """The derivation in words: name, memory in MiB, passes, lanes."""
        cost = self.cost
        return f"{KDF} m={cost.memory_kib // 1024}MiB t={cost.iterations} p={cost.lanes}"

    def details(self) -> dict[str, Any]:
        """As an entry of the journal keeps it."""
        cost = self.cost
        return {
            "rule": self.rule,
            "kdf": KDF,
            "memory_kib": cost.memory_kib,
            "iterations": cost.iterations,
            "lanes": cost.lanes,
        }


def read_strength(details: object) -> Strength | None:
    """What an entry says; None when it does not say, or not in a way known here."""
    match details:
        case {
            "rule": str(rule),
            "kdf": str(kdf),
            "memory_kib": int(memory),
            "iterations": int(iterations),
            "lanes": int(lanes),
        } if kdf == KDF:
            try:
                return Strength(rule, Cost(memory, iterations, lanes))
            except FormatError:
                return None
    return None
