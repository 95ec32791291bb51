"""What a probe is, and what it is given: one file in `probes/`, one `PROBE` or `HOST_PROBE`.

A probe recognises one protocol by talking to it and answers with facts free of patients
(`core.exposure.seen`), or with None. How to write one:

    def talk(call: Call) -> Heard | None:
        with call.line() as line:            # connected, in TLS where the service is inside TLS
            line.send(b"PING\\r\\n")
            if not line.some().startswith(b"+PONG"):
                return None                  # not ours: the next probe is asked
            call.understood()                # from here on: 5 s a wait, 15 s in all
            ...
        return Heard("redis", facts=Database(open=Answer.YES))

    PROBE = Probe("redis", talk, usual=frozenset({6379}))

It needs no care for time, for volume or for a peer that goes: `Ended` (silence, closing, too
much) and `NONSENSE` (what parsing garbage raises) may escape, and mean "not mine" before
`understood()`, "mine, and cut" after it with what was put in `call.heard` so far. It opens no
socket itself, and reads no clock.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget, Ended, Line, Silent
from serment.core.exposure.accounts import Account
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Facts, Service, Tls
from serment.errors import SermentError
from serment.ports.network import Order

# What an answer of another shape than expected may raise in a probe, or in a library it uses.
NONSENSE: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    SermentError,
    ValueError,
    OSError,
    TypeError,
    struct.error,
)
TALKING_PATIENCE: Final = 5.0  # seconds for each answer, once a protocol is understood


@dataclass(frozen=True, slots=True)
class Heard:
    """What a probe understood. Texts that the peer chose have gone through `text.clean`."""

    protocol: str  # as in `seen.Service.protocol`
    product: str = ""
    version: str = ""
    banner: str = ""
    facts: Facts = None


@dataclass(slots=True, eq=False)
class Call:
    """One service, and the way to reach it again. Used by one thread."""

    place: Place
    order: Order
    dialer: Dialer
    budget: Budget
    banner: bytes = b""  # what it says unasked, at most 4 KiB
    tls: bool = False  # the protocol is spoken inside TLS
    secured: Tls | None = None  # what was seen of TLS, once it is
    hosts: tuple[str, ...] = ()  # names its certificate is for
    name: str = ""  # the one it is called by: SNI, Host
    heard: Heard | None = None  # a probe's answer so far, kept when the talk is cut
    is_understood: bool = False
    was_cut: bool = False  # it was understood, and then stalled or never ended
    put_off: bool = False  # it was understood, and then answered for a part: not now
    hung_up: bool = False  # it closed on the last question, without a byte
    _open: list[Line] = field(default_factory=list)
    _listened: Line | None = None  # open, silent, and not yet asked anything
    _tried: set[Account] = field(default_factory=set)  # in clear and inside TLS

    def may_try(self, account: Account) -> bool:
        """Whether the order wants documented accounts and this one was not tried at this service;
        from now on it was."""
        if not self.order.default_accounts or account in self._tried:
            return False
        self._tried.add(account)
        return True

    def line(self) -> Line:
        """A connection to the service on which nothing was asked: the one that it was listened to on, or
        a new one; the one before is closed first."""
        if line := self._listened:
            self._listened = None
            return line
        self.close()
        return self._new(self.place.host, self.place.port, self.tls, self.name)

    def listen(self, limit: int, hears: Callable[[bytes], bool] = lambda said: False) -> bytes:
        """What the service says unasked. While it is silent, or says what somebody `hears` as his, the
        connection is kept for the first question, with what it said: to a small device each one more is a
        place taken, and some servers count who leaves without a word."""
        said = b""
        with contextlib.suppress(Ended, OSError):
            line = self.line()
            try:
                said = line.peek(limit)
                self._listened = line if hears(said) else None
            except Silent:
                self._listened = line
            finally:
                if not self._listened:
                    self.close()
        return said

    def keep(self, line: Line) -> None:
        """Have the next `line` be this one, on which nothing was asked."""
        self._listened = line

    def beside(self, port: int, host: str = "", tls: bool = False, name: str = "") -> Line:
        """One more connection, to another port (FTP's PASV, a redirect, UPnP's LOCATION).

        Raises:
            OutOfScope: `host` is not of the order; it must be an address, names are not asked.
        """
        return self._new(host or self.place.host, port, tls, name)

    def understood(self) -> None:
        """Say it once an answer is certainly of the protocol: there is more time from here on."""
        self.is_understood = True
        self.budget.deadline = self.budget.began + self.order.host_seconds
        self.budget.patience = TALKING_PATIENCE

    def wake(self, words: bytes, seconds: float) -> None:
        """Send something after a question that was not answered, and hear what comes, if anything:
        its beginning is the budget's `said`."""
        self.budget.patience = seconds
        with contextlib.suppress(Ended, OSError):  # a handshake that failed leaves no socket
            for line in self._open[-1:]:
                line.send(words)
                line.peek(1)

    def close(self) -> None:
        """Close all connections of this call."""
        self._listened = None
        while self._open:
            self._open.pop().close(polite=not self.order.fast)

    def cut(self) -> None:
        """End every wait on its connections, from another thread."""
        for line in list(self._open):
            line.cut()

    def _new(self, host: str, port: int, tls: bool, name: str = "") -> Line:
        line = self.dialer.line(host, port, self.budget)
        self._open.append(line)
        if tls:
            line.start_tls(name)
        return line


@dataclass(frozen=True, slots=True)
class Probe:
    """Recognises one protocol over TCP, in clear or inside TLS.

    A protocol whose server speaks first gives `hears`, and is asked when its banner sounds right;
    the others are asked in order of `rank`, those whose `usual` ports hold the service before
    (never instead of) the others. `begins`: how answers of a client-first protocol begin, to whomever.
    `wakes`: what makes such a server answer in the middle of a connection, whatever came before.
    `listens`: given a banner that nobody hears as its own, whether this one may follow it; it only listens.
    `flees`: the protocol whose question makes such a server hang up without a byte: it is asked then.
    """

    protocol: str
    talk: Callable[[Call], Heard | None]
    hears: Callable[[bytes], bool] | None = None  # given the banner; None = the client begins
    usual: frozenset[int] = frozenset()
    rank: int = 50  # DICOM 10, HTTP 20, (TLS 30), others after
    window: float = 0.4  # seconds for its first answer
    begins: tuple[bytes, ...] = ()
    wakes: bytes = b""
    flees: str = ""
    listens: Callable[[bytes], bool] | None = None

    def is_its(self, said: bytes) -> bool:
        """Whether the first bytes of a connection sound like this protocol."""
        if not said:
            return False
        return self.hears(said) if self.hears else said.startswith(self.begins)


@dataclass(frozen=True, slots=True)
class HostProbe:
    """Asks a host that is there, beside its TCP ports: UDP (SNMP, SSDP).

    `ask` gets a call whose place has port 0 and uses `call.dialer.datagram(host, port, data,
    call.budget)`; it yields whole services (proto "udp" where nothing else is true).
    """

    protocol: str
    ask: Callable[[Call], Iterator[Service]]
