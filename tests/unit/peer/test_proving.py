"""The practice's own listener: a token for its helper in this visit, nothing for anybody else."""

from __future__ import annotations

import contextlib
import socket

import pytest
from tests.e2e.network.running import free_port
from tests.unit.exposure.peer.bonds import paired
from tests.unit.peer.helpers import HOST, NOW

from serment.adapters.network.line import Ended, Line
from serment.adapters.peer.limits import PROOF_CALLERS
from serment.adapters.peer.proving import listening
from serment.adapters.peer.wire import hear, line_of, say
from serment.core.exposure.peer import visit
from serment.core.exposure.peer.frames import Kind
from serment.errors import Unavailable

PRACTICE, HELPER = paired()
TO, _ = visit.challenge(HELPER, "203.0.113.7", NOW)


def called(port: int) -> Line:
    return line_of(socket.create_connection((HOST, port), 5), 5.0)


def token(port: int, message: bytes) -> bytes:
    """What the listener answers to this message; nothing when it hangs up."""
    with contextlib.suppress(Ended), called(port) as line:
        say(line, Kind.PROVE, message)
        return hear(line, Kind.TOKEN)[1]
    return b""


def test_its_helper_gets_a_token_once() -> None:
    port = free_port()
    with listening(PRACTICE, TO, port):
        nonce, message = visit.prove(HELPER, TO, port)
        assert visit.is_token(HELPER, TO, port, nonce, token(port, message))
        assert token(port, visit.prove(HELPER, TO, port)[1]) == b""
    with pytest.raises(OSError):
        socket.create_connection((HOST, port), 1)


def test_others_get_nothing_and_do_not_end_it() -> None:
    port = free_port()
    _, strange = paired()
    other, _ = visit.challenge(HELPER, "203.0.113.7", NOW)
    with listening(PRACTICE, TO, port):
        for message in (
            visit.prove(strange, TO, port)[1],  # another helper
            visit.prove(HELPER, other, port)[1],  # another visit
            visit.prove(HELPER, TO, port + 1)[1],  # another port
            bytes(60),
        ):
            assert token(port, message) == b""
        with called(port) as line:
            line.send(b"GET / HTTP/1.1\r\n\r\n")
            assert line.rest(100) == b""
        nonce, message = visit.prove(HELPER, TO, port)
        assert visit.is_token(HELPER, TO, port, nonce, token(port, message))


def test_a_crowd_ends_it() -> None:
    port = free_port()
    with listening(PRACTICE, TO, port):
        for _ in range(PROOF_CALLERS):
            assert token(port, bytes(60)) == b""
        assert token(port, visit.prove(HELPER, TO, port)[1]) == b""


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server((HOST, 0)) as taken:
        listener = listening(PRACTICE, TO, taken.getsockname()[1])
        with pytest.raises(Unavailable), listener:
            pass
