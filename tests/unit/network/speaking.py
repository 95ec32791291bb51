"""A peer that says prepared words on loopback, and what a probe makes of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.unit.network.calling import HOST, call

from serment.adapters.network.line import Ended
from serment.adapters.network.probing import NONSENSE, Heard, Probe


@contextmanager
def saying(*words: bytes, first: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A server: to each message of each connection its next word, then it closes. `first`: it
    greets with its first word. Its port, and what it was told."""
    told: list[bytes] = []
    with socket.create_server((HOST, 0)) as server:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError):
                    peer, _ = server.accept()
                    with peer:
                        peer.settimeout(5)
                        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        _talk(peer, list(words), first, told)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1], told
        finally:
            over.set()
            with suppress(OSError):
                socket.create_connection((HOST, server.getsockname()[1]), timeout=1).close()
            thread.join(2)


def _talk(peer: socket.socket, words: list[bytes], first: bool, told: list[bytes]) -> None:
    if first:
        peer.sendall(words.pop(0))
    for word in words:
        said = peer.recv(65536)
        if not said:
            return
        told.append(said)
        peer.sendall(word)


def heard(probe: Probe, *words: bytes, first: bool = False, **order: object) -> Heard | None:
    """What a probe makes of a peer that says these words, as `recognise` would have it."""
    with saying(*words, first=first) as (port, _):
        return ask(probe, port, words[0] if first else b"", **order)


def ask(probe: Probe, port: int, banner: bytes = b"", **order: object) -> Heard | None:
    """What a probe makes of a port of loopback; what it had understood when the talk ended."""
    asked = call(port, banner, **order)
    try:
        return probe.talk(asked)
    except (Ended, *NONSENSE):
        return (asked.heard or Heard(probe.protocol)) if asked.is_understood else None
    finally:
        asked.close()


def cut_short(word: bytes) -> Sequence[bytes]:
    """Every beginning of a word, and the word with each byte's bits turned round."""
    beginnings = [word[:size] for size in range(len(word))]
    return [
        *beginnings,
        *(word[:at] + bytes([word[at] ^ 0xFF]) + word[at + 1 :] for at in range(len(word))),
    ]
