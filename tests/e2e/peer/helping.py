"""A helper that runs in the Internet of the tests, and practices paired with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.peer.internet import HELPER, Internet

PORT = 7311


@contextmanager
def helper(net: Internet, name: str = "", host: str = HELPER) -> Iterator[str]:
    """`serment scan peer serve` outside, for a block; the code it shows for a practice `name`."""
    shown = ("--pair", name) if name else ()
    place = f"[{host}]:{PORT}" if ":" in host else f"{host}:{PORT}"
    program = net.start(
        "helper", sys.executable, "-m", "serment", "scan", "peer", "serve", "--listen", place,
        *shown, "--json", SERMENT_PEERS=net.pairings("helper"), LC_ALL="C",
    )  # fmt: skip
    assert program.stdout
    try:
        yield json.loads(program.stdout.readline())["code"]
    finally:
        program.kill()
        program.wait()


@contextmanager
def paired(net: Internet, name: str, where: str = "practice", host: str = HELPER) -> Iterator[None]:
    """A helper that knows a practice, which calls it by the same name; nobody has asked it yet."""
    with helper(net, name, host) as code:
        place = f"[{host}]:{PORT}" if ":" in host else f"{host}:{PORT}"
        net.serment(where, "scan", "peer", "pair", name, place, given=code + "\n")
        net.called()
        yield


def audit(net: Internet, *words: str, where: str = "practice", code: int = 1) -> dict[str, Any]:
    """`serment scan network` on a machine."""
    by = ("--authorised-by", "Dr Exemple")
    answer: dict[str, Any] = net.serment(where, "scan", "network", *words, *by, code=code)
    return answer


def outside(answer: dict[str, Any]) -> dict[tuple[str, str, int], str]:
    """How each finding was seen from outside."""
    return {
        (each["id"], each["host"], each["port"]): each["outside"] for each in answer["findings"]
    }
