"""The helper: listens for its practices, and tries ports of the address that one calls from.

One request a connection. Before a caller is known it has seconds and a few hundred bytes; what it
may have done is decided by `core.exposure.peer`. Keeps the hour of each pairing's visits, nothing
else; tells what happened without addresses, ports or results.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget, Ended, Line
from serment.adapters.network.scope import Scope
from serment.adapters.peer.book import Book, Entry
from serment.adapters.peer.limits import (
    CALLERS,
    CALLERS_PER_ADDRESS,
    HELLO_SECONDS,
    PROOF_SECONDS,
    VISIT_SECONDS,
)
from serment.adapters.peer.trying import try_ports
from serment.adapters.peer.wire import hear, line_of, say
from serment.core.access.throttle import address_key
from serment.core.crypto.secret import Key
from serment.core.exposure.peer import pairing, visit
from serment.core.exposure.peer.frames import Kind, Why
from serment.core.exposure.peer.rules import canonical, is_shared
from serment.core.exposure.peer.visit import (
    Challenge,
    Order,
    Outcome,
    Purpose,
    Reached,
    Status,
    Tried,
)
from serment.errors import N_, AccessDenied, FormatError, SermentError, Unavailable
from serment.ports import Clock

_BACKLOG: Final = 32
_TICK: Final = 0.2
_ROOM_SECONDS: Final = 0.2  # when the system has no file left for one more caller

Told = Callable[[str, str], None]  # what happened, and the pairing's name


@dataclass(slots=True)
class Offer:
    """A code that is shown, and how often it may still be tried."""

    name: str
    code: Key
    until: datetime
    tries: int = pairing.CODE_TRIES


class Helper:
    """Listens until it is stopped."""

    def __init__(self, book: Book, clock: Clock, told: Told = lambda what, name: None) -> None:
        """
        Args:
            told: hears what happens: "paired", "wrong code", "looked", "proved", "not proved",
                "refused", "shared address", "too soon", "unable". Called from any thread.
        """
        self._book, self._clock, self._told = book, clock, told
        self._offer: Offer | None = None
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener: socket.socket | None = None

    def offer(self, name: str) -> str:
        """Let one practice pair under this name; the code to show.

        Raises:
            UsageError, Conflict: the name cannot be used.
        """
        self._book.check_name(name)
        code = pairing.new_code()
        until = self._clock.now() + pairing.CODE_LIFE
        self._offer = Offer(name, pairing.code_key(code), until)
        return code

    def listen(self, host: str, port: int) -> tuple[str, int]:
        """Begin to listen; the address and port really taken.

        Raises:
            Unavailable: they cannot be used.
            FormatError: the pairings cannot be read.
        """
        self._book.entries()
        try:
            self._listener = socket.create_server(
                (host, port),
                family=socket.AF_INET6 if ":" in host else socket.AF_INET,
                backlog=_BACKLOG,
                dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
            )
        except (OSError, UnicodeError) as error:
            raise Unavailable(
                N_("this machine cannot listen at {host}, port {port}"),
                hint=N_("choose another address or port with --listen"),
                host=host,
                port=port,
            ) from error
        self._listener.settimeout(_TICK)
        address, taken = self._listener.getsockname()[:2]
        return address, taken

    def serve(self) -> None:
        """Serve callers until `stop`."""
        assert self._listener is not None
        with self._listener:
            while not self._over.is_set():
                try:
                    connection, place = self._listener.accept()
                except TimeoutError:
                    continue
                except OSError:
                    self._over.wait(_ROOM_SECONDS)
                    continue
                self._admit(connection, canonical(str(place[0])))

    def stop(self) -> None:
        """Accept nothing more; visits under way end by themselves."""
        self._over.set()

    def _admit(self, connection: socket.socket, source: str) -> None:
        who = address_key(source)
        with self._lock:
            room = self._held.total() < CALLERS and self._held[who] < CALLERS_PER_ADDRESS
            if room:
                self._held[who] += 1
        if not room:
            _turn_away(connection)
            return
        thread = threading.Thread(target=self._serve, args=(connection, source, who), daemon=True)
        try:
            thread.start()
        except RuntimeError:
            connection.close()
            self._leave(who)

    def _leave(self, who: str) -> None:
        with self._lock:
            self._held[who] -= 1
            self._held += Counter()  # forgets who holds none

    def _serve(self, connection: socket.socket, source: str, who: str) -> None:
        try:
            with line_of(connection, HELLO_SECONDS) as line:
                self._answer(line, source)
        except (Ended, OSError):
            pass  # it went away, or said nothing in time
        finally:
            self._leave(who)

    def _answer(self, line: Line, source: str) -> None:
        """One request; a refusal says why in one byte."""
        try:
            kind, message = hear(line, Kind.HELLO, Kind.PAIR)
            if kind is Kind.PAIR:
                self._pair(line, message)
            else:
                self._visit(line, source, message)
        except FormatError:
            say(line, Kind.REFUSED, bytes([Why.NONSENSE]))
        except AccessDenied:
            say(line, Kind.REFUSED, bytes([Why.UNKNOWN]))
        except SermentError:
            self._told("unable", "")
            say(line, Kind.REFUSED, bytes([Why.UNABLE]))

    def _pair(self, line: Line, message: bytes) -> None:
        with self._lock:
            answer = self._paired(message)
        if answer is None:
            self._told("wrong code", "")
            say(line, Kind.REFUSED, bytes([Why.CODE]))
            return
        name, said = answer
        say(line, Kind.PAIRED, said)
        self._told("paired", name)

    def _paired(self, message: bytes) -> tuple[str, bytes] | None:
        """The pairing's name and the answer; None when there is no code, or another one."""
        offer, now = self._offer, self._clock.now()
        if offer is None or now >= offer.until:
            return None
        offer.tries -= 1
        if offer.tries <= 0:
            self._offer = None
        try:
            bond, said = pairing.accept(message, offer.code)
        except AccessDenied:
            return None
        self._offer = None
        self._book.add(Entry(offer.name, bond, now))
        return offer.name, said

    def _visit(self, line: Line, source: str, message: bytes) -> None:
        entry = self._book.find(message)
        if entry is None:
            raise visit.refused()
        to, said = visit.challenge(entry.bond, source, self._clock.now())
        say(line, Kind.CHALLENGE, said)
        _, asked = hear(line, Kind.ASK)
        order = self._order(entry, to, asked)
        line.budget.deadline += VISIT_SECONDS
        say(line, Kind.ANSWER, visit.answer(entry.bond, to, self._carried_out(entry, to, order)))

    def _order(self, entry: Entry, to: Challenge, asked: bytes) -> Order:
        try:
            return visit.parse_ask(entry.bond, to, asked, self._clock.now())
        except SermentError:
            self._told("refused", entry.name)
            raise

    def _carried_out(self, entry: Entry, to: Challenge, order: Order) -> Outcome:
        if is_shared(to.address):
            self._told("shared address", entry.name)
            return Outcome(Status.SHARED)
        wait = self._book.claim(entry.bond.id, order.purpose, self._clock.now())
        if wait:
            self._told("too soon", entry.name)
            return Outcome(Status.TOO_SOON, int(wait.total_seconds()) + 1)
        if order.purpose is Purpose.PROVE:
            proof = _proved(entry, to, order.ports[0])
            self._told("proved" if proof.protocol else "not proved", entry.name)
            return Outcome(Status.DONE, tried=(proof,))
        tried = try_ports(to.address, order.ports)
        self._told("looked", entry.name)
        return Outcome(Status.DONE, tried=tried)


def _proved(entry: Entry, to: Challenge, port: int) -> Tried:
    """Whether the practice's own listener answers there with a token of this moment."""
    budget = Budget(PROOF_SECONDS, PROOF_SECONDS)
    try:
        with Dialer(Scope([to.address])).line(to.address, port, budget) as line:
            nonce, said = visit.prove(entry.bond, to, port)
            say(line, Kind.PROVE, said)
            _, answer = hear(line, Kind.TOKEN)
            if visit.is_token(entry.bond, to, port, nonce, answer):
                return Tried(port, Reached.OPEN, "serment")
            return Tried(port, Reached.OPEN)
    except Ended:
        return Tried(port, Reached.SILENT)
    except FormatError:
        return Tried(port, Reached.OPEN)


def _turn_away(connection: socket.socket) -> None:
    """Tell a caller that there is no room, without waiting for it."""
    with contextlib.suppress(OSError, Ended), connection:
        line = line_of(connection, _TICK)
        say(line, Kind.REFUSED, bytes([Why.BUSY]))
