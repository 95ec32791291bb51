"""What the process that talks says of its own work, beside what it saw, and what it asks.

It names what it is going to ask before it asks it, and each conversation when it ends: so whoever
hears it knows what is missing, however it ended. What was seen is `core.exposure.seen`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

Ranges = tuple[tuple[int, int], ...]  # low, high

LIMITS_ALONE: Final = "limits-alone"  # its argument: without the filter of system calls
OVER_UDP: Final = 0  # in the place of a port: what is asked of the host itself
_RANGES: Final = 4000  # of one line


@dataclass(frozen=True, slots=True)
class Begun:
    """The first line: it works, denied these by the system (names of `confinement`), and has not talked
    to anybody yet."""

    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """These ports of a host will be talked to; `OVER_UDP` is one of them."""

    host: str
    ports: Ranges


@dataclass(frozen=True, slots=True)
class Asked:
    """A conversation has ended. `services`: how many lines before this one tell of it; `done`, `total`:
    how far it is with all of them over TCP."""

    host: str
    port: int
    services: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class WhoIsNear:
    """A question: the addresses of the neighbour table, now that all were called."""


@dataclass(frozen=True, slots=True)
class Near:
    """The answer to it."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """The last line: everything was asked."""


def dues(host: str, ports: Iterable[int]) -> Iterator[Due]:
    """What will be asked of a host, over UDP too, in as many lines as it takes."""
    runs: list[list[int]] = []
    for port in sorted({OVER_UDP, *ports}):
        if runs and port == runs[-1][1] + 1:
            runs[-1][1] = port
        else:
            runs.append([port, port])
    for at in range(0, len(runs), _RANGES):
        yield Due(host, tuple((low, high) for low, high in runs[at : at + _RANGES]))
