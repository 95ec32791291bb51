"""A practice that does not care about shared addresses: `python asking.py PAIRINGS NAME PORT...`.

Asks its helper for a look whatever address the helper sees; prints what became of it as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from serment.adapters.peer.book import Book
from serment.adapters.peer.wire import call, hear_helper, say
from serment.core.exposure.peer import visit
from serment.core.exposure.peer.frames import Kind
from serment.core.exposure.peer.visit import Order, Purpose


def main() -> None:
    path, name, *ports = sys.argv[1:]
    entry = Book(Path(path)).named(name)
    order = Order(Purpose.LOOK, tuple(map(int, ports)))
    with call(entry.place, 60.0) as line:
        say(line, Kind.HELLO, entry.bond.id)
        to = visit.parse_challenge(entry.bond, hear_helper(line, Kind.CHALLENGE))
        say(line, Kind.ASK, visit.ask(entry.bond, to, order))
        outcome = visit.parse_answer(entry.bond, to, order, hear_helper(line, Kind.ANSWER))
    said = {"address": to.address, "status": outcome.status.name, "tried": len(outcome.tried)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
