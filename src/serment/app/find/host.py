"""The steps of looking at this workstation: ask the machine, let every check read its answers."""

from __future__ import annotations

from serment.core.exposure.posture.registry import Answer, examine
from serment.ports import Clock
from serment.ports.machine import Machine


def examine_host(machine: Machine, clock: Clock) -> tuple[Answer, ...]:
    """What each check states, in order of its id.

    Raises:
        Unavailable: Serment does not know this system.
    """
    system = machine.system()
    return examine(system, machine.says(), clock.now())
