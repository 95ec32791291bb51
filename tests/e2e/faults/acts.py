"""What people do in a vault, one act after the other, in a process of its own: `python acts.py ROOT`.

After each act, once the call that did it has returned, a line on standard output says so, as an answer
to whoever asked would: {"act", "leaves", "root"}, the journal as it is then. Recorded by
`test_acts_survive`, nothing else starts it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serment.bootstrap.world import alone_desk
from serment.core.crypto.entropy import random_bytes
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records import names
from serment.core.records.vault import Wrap, WrapKind, WrapMethod
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import answer

PASSWORD = Masked("Tilleul-Phare-47-Grenade")


def ask(desk: Desk, command: str, who: str, **options: Any) -> None:
    answer(desk, Request(command, options, who, PASSWORD, PASSWORD))


GIVEN = names.compartment("c" * 32), names.member("d" * 32)


def give(desk: Desk) -> None:
    """A wrap of a key that opens nothing, as a grant would make it."""
    wrap = Wrap(WrapKind.PATIENT_CLINICAL, *GIVEN, 0, WrapMethod.HPKE, random_bytes(1168))
    with desk.house.store.change(_entry(desk)) as tx:
        tx.add(wrap)


def take(desk: Desk) -> None:
    """Delete that wrap again, as an erasure or the end of a grant would."""
    with desk.house.store.change(_entry(desk)) as tx:
        for wrap in tx.find(Wrap, recipient=GIVEN[1]):
            tx.delete(wrap)


def _entry(desk: Desk) -> Entry:
    return Entry(EventKind.KEYS_MOVED, desk.house.clock.now(), "test")


ACTS: dict[str, Callable[[Desk], None]] = {
    "filed and opened": lambda desk: ask(desk, "search", "docteur", query=""),
    "copied": lambda desk: desk.house.store.copy_keys(),
    "added": lambda desk: ask(
        desk, "member add", "docteur", login="confrere", roles=["doctor"], circle="care"
    ),
    "removed": lambda desk: ask(desk, "member remove", "admin", login="confrere"),
    "renewed": lambda desk: ask(desk, "search", "docteur", query=""),
    "given": lambda desk: give(desk),
    "taken": lambda desk: take(desk),
    "forgotten": lambda desk: desk.house.store.forget(),
    "kept for": lambda desk: ask(desk, "journal retention", "admin", months=24),
}


def main(root: Path) -> None:
    """Do all of them, and say so."""
    with alone_desk(root) as desk:
        for name, act in ACTS.items():
            act(desk)
            tree = desk.house.store.journal_tree()
            said = {"act": name, "leaves": tree.size, "root": tree.root().hex()}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
