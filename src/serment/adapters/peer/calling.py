"""The practice's side: pairs with a helper, asks it for a look, proves to it that an address is its own."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence

from serment.adapters.network.line import Line
from serment.adapters.peer import proving
from serment.adapters.peer.book import Book, Entry
from serment.adapters.peer.limits import HELLO_SECONDS, VISIT_SECONDS
from serment.adapters.peer.wire import call, hear_helper, say
from serment.core.exposure.outside import Looked, Sight
from serment.core.exposure.peer import pairing, visit
from serment.core.exposure.peer.frames import Kind
from serment.core.exposure.peer.rules import canonical, is_shared
from serment.core.exposure.peer.visit import Challenge, Order, Outcome, Purpose, Reached, Status
from serment.core.exposure.places import parse_place
from serment.core.exposure.scope import Proof
from serment.errors import N_, AccessDenied, Busy
from serment.ports import Clock
from serment.ports.peer import Paired


class FarPeers:
    """`ports.peer.Peers` over TCP, with the pairings of one file."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book, self._clock = book, clock

    def known(self) -> tuple[Paired, ...]:
        """See `Peers`."""
        return tuple(_told(each) for each in self._book.entries())

    def pair(self, name: str, place: str, code: str) -> Paired:
        """See `Peers`."""
        self._book.check_name(name)
        parse_place(place)
        wooing, message = pairing.propose(code)
        with call(place, 2 * HELLO_SECONDS) as line:
            say(line, Kind.PAIR, message)
            bond = pairing.conclude(wooing, hear_helper(line, Kind.PAIRED))
        entry = Entry(name, bond, self._clock.now(), place)
        self._book.add(entry)
        return _told(entry)

    def forget(self, name: str) -> None:
        """See `Peers`."""
        self._book.forget(name)

    def look(self, name: str, ports: Sequence[int], boxes: Collection[str]) -> Looked:
        """See `Peers`. Nothing is asked for an address that is shared."""
        entry, order = self._book.named(name), Order(Purpose.LOOK, tuple(ports))
        with _begun(entry) as (line, to):
            if is_shared(to.address, boxes):
                return Looked(name, to.address, shared=True)
            outcome = _ask(line, entry, to, order)
        sights = (
            Sight(to.address, each.port, each.reached is Reached.OPEN, each.protocol)
            for each in outcome.tried
        )
        return Looked(name, to.address, outcome.status is Status.SHARED, tuple(sights))

    def prove(self, name: str, address: str, port: int) -> Proof:
        """See `Peers`."""
        entry, order = self._book.named(name), Order(Purpose.PROVE, (port,))
        with _begun(entry) as (line, to):
            if to.address != canonical(address):
                raise _elsewhere(address, to.address)
            with proving.listening(entry.bond, to, port):
                outcome = _ask(line, entry, to, order)
        if not any(
            each.port == port and each.reached is Reached.OPEN and each.protocol == "serment"
            for each in outcome.tried
        ):
            raise _not_reached(address, port, outcome)
        return Proof(to.address, port, name, self._clock.now())


@contextlib.contextmanager
def _begun(entry: Entry) -> Iterator[tuple[Line, Challenge]]:
    """A line to the helper and its challenge, for a block."""
    with call(entry.place, HELLO_SECONDS) as line:
        say(line, Kind.HELLO, entry.bond.id)
        yield line, visit.parse_challenge(entry.bond, hear_helper(line, Kind.CHALLENGE))


def _ask(line: Line, entry: Entry, to: Challenge, order: Order) -> Outcome:
    budget = line.budget
    budget.deadline += VISIT_SECONDS
    budget.patience = VISIT_SECONDS
    say(line, Kind.ASK, visit.ask(entry.bond, to, order))
    outcome = visit.parse_answer(entry.bond, to, order, hear_helper(line, Kind.ANSWER))
    if outcome.status is Status.TOO_SOON:
        raise Busy(
            N_("the helper {name} looks once an hour: again in {minutes} min"),
            hint=N_("run the audit again then, or pair another helper"),
            name=entry.name,
            minutes=-(-outcome.wait // 60),
        )
    return outcome


def _told(entry: Entry) -> Paired:
    return Paired(entry.name, entry.place, entry.since)


def _elsewhere(address: str, seen: str) -> AccessDenied:
    return AccessDenied(
        N_("the helper sees this machine at {seen}, not at {address}"),
        hint=N_("an address is proved from the machine, or from behind the box, that has it"),
        seen=seen,
        address=address,
    )


def _not_reached(address: str, port: int, outcome: Outcome) -> AccessDenied:
    if outcome.status is Status.SHARED:
        return AccessDenied(
            N_("{address} is shared with strangers: it cannot be proved to be yours"),
            hint=N_("ask the operator for an address of your own"),
            address=address,
        )
    return AccessDenied(
        N_("the helper could not reach our own listener on {address}, port {port}"),
        hint=N_("have the box forward that TCP port to this machine for the time of the audit"),
        address=address,
        port=port,
    )
