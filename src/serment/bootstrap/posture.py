"""Looks at this machine for `scan host`, and keeps what it said in a file when asked to."""

from __future__ import annotations

import json
from pathlib import Path

from serment.adapters.posture.machine import ThisMachine
from serment.adapters.system import SystemClock, write_new
from serment.app.find.host import examine_host
from serment.core.exposure.posture.registry import Answer
from serment.core.exposure.posture.verdict import Said, System


class Keeping:
    """A machine whose answers are also written to a new file (0600), as JSON.

    That file is what a recording of tests/data/posture is made from; it may name the user.
    """

    def __init__(self, machine: ThisMachine, path: Path) -> None:
        self._machine, self._path = machine, path

    def system(self) -> System:
        return self._machine.system()

    def says(self) -> Said:
        said = self._machine.says()
        value = {"system": self.system().value, "said": dict(sorted(said.items()))}
        write_new(self._path, json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")
        return said


def examine_this_host(record: Path | None) -> tuple[Answer, ...]:
    """Every check on this machine.

    Raises:
        Conflict: the file exists.
    """
    machine = ThisMachine()
    return examine_host(machine if record is None else Keeping(machine, record), SystemClock())
