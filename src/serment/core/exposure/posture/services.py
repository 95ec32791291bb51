"""Reads which services of a Linux machine run (`systemctl show`), for several checks."""

from __future__ import annotations

from serment.core.exposure.posture import reading
from serment.core.exposure.posture.verdict import Said


def active(said: Said) -> frozenset[str] | None:
    """Names, without ".service", of the asked services that are active; None without systemd."""
    found, answered = set(), False
    for part in reading.blocks(said.get("services", "")):
        facts = reading.settings(part)
        name = facts.get("Id", "")
        answered = answered or bool(name and "ActiveState" in facts)
        if facts.get("ActiveState") == "active" and name:
            found.add(name.removesuffix(".service"))
    return frozenset(found) if answered else None
