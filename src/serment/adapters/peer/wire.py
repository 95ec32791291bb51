"""Messages of `core.exposure.peer.frames` over one connection: bounded, and every wait has an end."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

from serment.adapters.network.line import Budget, Ended, Line
from serment.adapters.peer.limits import LINE_BYTES
from serment.core.exposure.peer.frames import HEAD, Kind, Why, build, nonsense, parse_head
from serment.core.exposure.peer.pairing import wrong_code
from serment.core.exposure.peer.visit import refused
from serment.core.exposure.places import parse_place
from serment.errors import N_, Busy, SermentError, Unavailable

_PLACES: Final = 4  # of one name that are tried


def line_of(connected: socket.socket, seconds: float) -> Line:
    """A line that lasts so long and reads `LINE_BYTES` at most."""
    return Line(connected, Budget(seconds, seconds), LINE_BYTES)


def say(line: Line, kind: Kind, message: bytes) -> None:
    """Send one message."""
    line.send(build(kind, message))


def hear(line: Line, *wanted: Kind) -> tuple[Kind, bytes]:
    """The next message, of a wanted kind.

    Raises:
        FormatError: it is another one.
        Ended: it did not come in time.
    """
    kind, length = parse_head(line.exactly(HEAD.size), *wanted)
    return kind, line.exactly(length)


def hear_helper(line: Line, wanted: Kind) -> bytes:
    """What the helper answers.

    Raises:
        SermentError: it refuses; its reason, as ours.
    """
    kind, message = hear(line, wanted, Kind.REFUSED)
    if kind is Kind.REFUSED:
        raise _refusal(message[0])
    return message


@contextlib.contextmanager
def call(place: str, seconds: float) -> Iterator[Line]:
    """A line to a helper, for a block; a name is looked up once. Over IPv4 where there is a choice: there
    the helper sees the practice's box, over IPv6 this machine alone.

    Raises:
        UsageError: it is no HOST:PORT.
        Unavailable: nobody answers there, or it went away within the block.
    """
    host, port = parse_place(place)
    try:
        with line_of(_connected(host, port, seconds), seconds) as line:
            yield line
    except (OSError, UnicodeError, Ended) as error:
        raise Unavailable(
            N_("the helper outside does not answer at {place}"),
            hint=N_("see that `serment scan peer serve` runs there and can be reached"),
            place=place,
        ) from error


def _connected(host: str, port: int, seconds: float) -> socket.socket:
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places.sort(key=lambda each: each[0] != socket.AF_INET)
    for family, kind, number, _, place in places[:_PLACES]:
        opened = socket.socket(family, kind, number)
        opened.settimeout(seconds)
        try:
            opened.connect(place)
        except OSError:
            opened.close()
            continue
        return opened
    raise ConnectionError


def _refusal(why: int) -> SermentError:
    match why:
        case Why.UNKNOWN:
            return refused()
        case Why.CODE:
            return wrong_code()
        case Why.BUSY:
            return Busy(
                N_("the helper outside has too many callers"), hint=N_("try again in a minute")
            )
        case Why.UNABLE:
            return Unavailable(
                N_("the helper outside cannot look now"), hint=N_("its own terminal says why")
            )
        case _:
            return nonsense()
