"""What a port is, found out by talking to it: never by its number.

It listens first, then asks in DICOM, in HTTP and in TLS (and the same again inside TLS), then in
everything else. The first question goes out on the connection that was listened to. Who stays silent to
DICOM gets, on the same connection, what wakes other protocols: one that is only slow has more time so, and
the others are told by their answer; who hangs up on a question is told by that. A port's number decides at
most which question comes first, and how long its answer is waited for. A service that never says a word costs `Order.silent_seconds`, in which all that is asked of everybody has its whole
window; one that talks is cut at `Order.host_seconds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from serment.adapters.network import tls
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget, Cut, Ended, Gone, Silent
from serment.adapters.network.probing import NONSENSE, Call, Heard, Probe
from serment.adapters.network.scope import NEVER_SPOKEN_TO
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import BANNER_LIMIT, Answer, Service
from serment.core.exposure.text import clean
from serment.ports.network import Order

LISTENING_SECONDS: Final = 0.35  # for a service that speaks first
USUAL_WINDOW: Final = 1.5  # for the first answer, where a port's number names the protocol
FIRST_WINDOW: Final = 1.7  # the same, where it names the first question: nothing is listened for
WAKING_WINDOW: Final = 0.8  # for who stayed silent to the first question of all, and is woken
SECOND_WINDOW: Final = 1.5  # for the first answer of one that spoke and was not understood
PATIENT_WINDOW: Final = 3.0  # the same, in what its answer sounds like; it has that time besides
_BANNER_BYTES: Final = 4096
_NOT_UNDERSTOOD: Final = 1.7  # times the silent seconds: for one that talks and is not understood
_TLS: Final = Probe(
    "tls",
    tls.talk,
    usual=frozenset({443, 636, 990, 993, 995, 2762, 5001, 7443, 8443, 8444, 9443, 10443}),
    rank=30,
    window=0.5,
    begins=(b"\x15\x03", b"\x16\x03"),
)


def recognise(place: Place, order: Order, dialer: Dialer, probes: Sequence[Probe]) -> Service:
    """Talk to one open port until it is understood, or its time is over."""
    call = Call(place, order, dialer, Budget(order.silent_seconds, LISTENING_SECONDS))
    return converse(call, probes)


def converse(call: Call, probes: Sequence[Probe]) -> Service:
    """As `recognise`, with a call that somebody else may watch and cut."""
    if call.place.port in NEVER_SPOKEN_TO:
        return _service(call, Heard("printer"))
    try:
        call.banner = _listen(call, probes)
        heard = _ask_all(call, [*probes, _TLS])
        if heard and heard.protocol == _TLS.protocol:
            return _inside(call, probes)
        return _service(call, heard)
    finally:
        call.close()


def kept(call: Call) -> Service:
    """What a call had understood when its talk broke, inside TLS too."""
    call.was_cut = True
    if call.secured and call.heard:  # it spoke inside, to whoever called
        call.secured = replace(call.secured, client_certificate=Answer.REFUSED)
    return _service(call, call.heard or Heard(_TLS.protocol if call.secured else "unknown"))


def _inside(call: Call, probes: Sequence[Probe]) -> Service:
    """The same again, inside TLS, with the same call: who watches it, or keeps what it understood,
    has it all."""
    budget = call.budget
    budget.deadline = budget.began + call.order.host_seconds
    call.secured, asks, call.hosts = tls.facts(call)
    longer = _NOT_UNDERSTOOD * call.order.silent_seconds
    budget.deadline -= max(0.0, budget.left - longer)
    budget.patience, budget.refusal, budget.said = LISTENING_SECONDS, "", b""
    call.tls = True
    call.banner = _listen(call, probes)
    heard = None if tls.wants_certificate(budget.refusal, asks) else _ask_all(call, probes)
    insists = Answer.REFUSED
    if not heard:
        is_wanted = tls.wants_certificate(budget.refusal, asks)
        insists = Answer.YES if is_wanted else Answer.NOTHING
    call.secured = replace(call.secured, client_certificate=insists)
    return _service(call, heard or Heard(_TLS.protocol))


def _listen(call: Call, probes: Sequence[Probe]) -> bytes:
    """What the service says unasked, where it is not likely that it waits for the first question; inside
    TLS it may also say that it wants a certificate."""
    if not call.tls and call.place.port in _first(probes).usual:
        return b""
    heard = [each.hears for each in probes if each.hears]
    return call.listen(_BANNER_BYTES, lambda said: any(hears(said) for hears in heard))


def _first(probes: Sequence[Probe]) -> Probe:
    return min(probes, key=lambda each: each.rank)


def _ask_all(call: Call, probes: Sequence[Probe]) -> Heard | None:
    first = _first(probes)
    wakes = b"".join(each.wakes for each in probes)
    for probe, window in _rounds(call, probes):
        _give_time(call, window)
        if call.budget.left <= 0:
            call.was_cut = call.budget.heard > 0
            return None
        call.budget.patience = window
        heard = _ask(call, probe, wakes if probe is first else b"")
        if heard:
            return heard
    return None


def _give_time(call: Call, window: float) -> None:
    """More time for one that spoke and is not understood; all of the window, once it is known in what."""
    budget, order = call.budget, call.order
    if not budget.heard or call.is_understood:
        return
    ends = budget.began + _NOT_UNDERSTOOD * order.silent_seconds
    if window == PATIENT_WINDOW:
        ends = min(budget.deadline + window - budget.left, budget.began + order.host_seconds)
    budget.deadline = max(budget.deadline, ends)


def _rounds(call: Call, probes: Sequence[Probe]) -> Iterator[tuple[Probe, float]]:
    """Each probe once. Whoever said something that sounds like a protocol is asked in it at once, with
    more patience: it may just be slow, and have answered the question before. Whoever hangs up on a
    question as a protocol does is asked in that one next. Those asked of everybody come once more
    for one that spoke."""
    asked: set[str] = set()
    patiently: set[str] = set()
    for probe in _in_order(call, probes):
        if probe.protocol not in asked:
            asked.add(probe.protocol)
            yield probe, _window(call, probe, probes)
        fled = probe.protocol if call.hung_up else None
        for each in probes:
            if each.protocol not in patiently and each.is_its(call.budget.said):
                patiently.add(each.protocol)
                asked.add(each.protocol)
                yield each, PATIENT_WINDOW
            elif each.protocol not in asked and each.flees == fled:
                asked.add(each.protocol)
                yield each, each.window
    if call.budget.heard:
        for probe in probes:
            general = probe.hears is None and probe.rank <= _TLS.rank
            if general and probe.protocol not in patiently:
                yield probe, SECOND_WINDOW


def _window(call: Call, probe: Probe, probes: Sequence[Probe]) -> float:
    if call.place.port not in probe.usual:
        return probe.window
    return FIRST_WINDOW if probe is _first(probes) else USUAL_WINDOW


def _ask(call: Call, probe: Probe, wakes: bytes) -> Heard | None:
    """A probe's answer, or what it had understood when the talk ended."""
    before, call.hung_up = call.budget.heard, False
    try:
        return probe.talk(call)
    except (Ended, *NONSENSE) as end:
        call.hung_up = isinstance(end, Gone) and call.budget.heard == before
        if not call.is_understood:
            if wakes and isinstance(end, Silent):
                call.wake(wakes, WAKING_WINDOW)
            return None
        call.was_cut = call.was_cut or isinstance(end, (Cut, Silent, *NONSENSE))
        return call.heard or Heard(probe.protocol)
    finally:
        call.close()


def _in_order(call: Call, probes: Sequence[Probe]) -> list[Probe]:
    """Whose banner it is, or may become; then those that ask first, led by the one the port's number
    names."""
    named = [each for each in probes if each.hears and call.banner and each.hears(call.banner)]
    if call.banner and not named:
        named = [each for each in probes if each.listens and each.listens(call.banner)]
    asking = [each for each in probes if each.hears is None]
    return named + sorted(asking, key=lambda each: (call.place.port not in each.usual, each.rank))


def _service(call: Call, heard: Heard | None) -> Service:
    """ "Spoke, not understood" keeps none of what it said: nobody knows what that is."""
    if heard is None:
        heard = Heard("unknown" if call.budget.heard else "silent")
    return Service(
        replace(call.place, proto=heard.protocol),
        heard.protocol,
        clean(heard.product, BANNER_LIMIT),
        clean(heard.version, BANNER_LIMIT),
        clean(heard.banner, BANNER_LIMIT),
        call.secured,
        heard.facts,
        call.was_cut,
    )
