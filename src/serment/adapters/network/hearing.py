"""Hears the process that talks out, whatever becomes of it: what it told stays, what is missing is said.

A line that is too long or not understood is dropped alone. What the process had still to ask when it
ended, and what it told in lines that were dropped, is named at the end (`seen.Missed`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Final

from serment.adapters.network.lines import LINE_LIMIT, decode
from serment.adapters.network.telling import Asked, Due, Over, WhoIsNear
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Answered, Missed, Service
from serment.errors import N_, FormatError, Unavailable
from serment.ports.network import Progress

DROPPED_MOST: Final = 1000  # lines; from whoever tells more nonsense nothing is heard any more
_LONGEST: Final = 64  # times a line's bound: one that is longer has no end


def too_early() -> Unavailable:
    """What an audit ends with that talked to nobody."""
    return Unavailable(
        N_("the process that talks to the network ended too early"),
        hint=N_("run the scan again; `serment doctor` may say more"),
    )


class Hearing:
    """One audit's process, heard from the line after `Begun` to its last."""

    def __init__(
        self,
        pipe: IO[bytes],
        waiting: Callable[[], AbstractContextManager[None]],
        progress: Callable[[Progress], None],
        tell_neighbours: Callable[[], None],
    ) -> None:
        """
        Args:
            waiting: bounds the time of the block in which the next line is waited for.
            progress: told how far it is.
            tell_neighbours: answers its question for the neighbour table.
        """
        self._pipe, self._waiting = pipe, waiting
        self._progress, self._tell_neighbours = progress, tell_neighbours
        self._due: dict[str, set[int]] = {}
        self._told = 0  # services since the last conversation's end
        self._dropped = 0
        self._is_swept = False  # it said all that it was going to ask

    def run(self) -> Iterator[Service | Answered | Missed]:
        """What it saw, then what is missing, if anything is.

        Raises:
            Unavailable: it ended before it talked to anybody.
        """
        while self._dropped <= DROPPED_MOST and (line := self._next()) is not None:
            try:
                value = decode(line, Service, Answered, Progress, Due, Asked, WhoIsNear, Over)
            except FormatError:
                self._dropped += 1
                continue
            match value:
                case Service():
                    self._told += 1
                    yield value
                case Answered():
                    yield value
                case Over():
                    yield from self._missed(ended=False)
                    return
                case _:
                    self._note(value)
        if not self._is_swept:
            raise too_early()
        yield from self._missed(ended=True)

    def _note(self, value: object) -> None:
        match value:
            case WhoIsNear():
                self._tell_neighbours()
            case Due(host, ranges):
                ports = self._due.setdefault(host, set())
                for low, high in ranges:
                    ports.update(range(max(low, 0), min(high, 65535) + 1))
            case Asked(host, port, services, done, total):
                due = self._due.setdefault(host, set())
                (due.discard if services == self._told else due.add)(port)
                self._told = 0
                self._progress(Progress("services", done, total))
            case Progress():
                self._is_swept = self._is_swept or value.phase == "services"
                self._progress(value)

    def _missed(self, *, ended: bool) -> Iterator[Missed]:
        places = tuple(
            Place(host, port) for host, ports in self._due.items() for port in sorted(ports)
        )
        if ended or places or self._dropped:
            yield Missed(places, ended, self._dropped)

    def _next(self) -> bytes | None:
        """The next line, and the beginning of one that is too long; None where they end. What stands
        there without a newline is the middle of a word, and no line."""
        with self._waiting():
            line = self._pipe.readline(LINE_LIMIT + 1)
            rest = line
            for _ in range(_LONGEST):
                if rest.endswith(b"\n"):
                    return line
                if not rest:
                    break
                rest = self._pipe.readline(LINE_LIMIT)
        return None
