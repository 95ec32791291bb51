"""Who is talked to when: hosts side by side, few connections to each, and an end to every talk.

A host with few open ports may be a medical device: it gets one connection at a time, unless the
order is fast. A watcher cuts the connections of whoever uses up its time, so that no library waits
longer than its service is worth.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget
from serment.adapters.network.probing import Call, HostProbe, Probe
from serment.adapters.network.recognise import LISTENING_SECONDS, converse, kept
from serment.adapters.network.telling import OVER_UDP
from serment.adapters.system import SystemClock
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Service
from serment.ports.network import Order

HOSTS_AT_ONCE: Final = 64
_DEVICE_PORTS: Final = 8  # a host with more open ones is a server or a trap, not a modality
_QUIET_PORTS: Final = 3  # a host with fewer, whatever they are, may be one
_MEDICAL_PORTS: Final = frozenset({104, 2575, 2761, 2762, 4242, 11112})
_LANES: Final = 8  # connections at once to such a host; to a service there is still one
_HOST_TIMES: Final = 4  # times `Order.host_seconds`: all the services of one host together
_LOOK_SECONDS: Final = 0.25
_GRACE_SECONDS: Final = 2.0  # between a service's end and the cutting of its connections


@dataclass(frozen=True, slots=True)
class Conversation:
    """One that has ended: with a port, or with the host over UDP (`OVER_UDP`)."""

    host: str
    port: int
    services: list[Service] = field(default_factory=list)


class Talks:
    """One audit's conversations; `run` once."""

    def __init__(
        self,
        order: Order,
        dialer: Dialer,
        probes: Sequence[Probe],
        host_probes: Sequence[HostProbe],
    ) -> None:
        self._order, self._dialer = order, dialer
        self._probes, self._host_probes = probes, host_probes
        self._now = SystemClock().monotonic
        self._calls: set[Call] = set()
        self._lock = threading.Lock()
        self._heard: queue.SimpleQueue[Conversation | None] = queue.SimpleQueue()

    def run(
        self, hosts: Iterable[str], open_ports: Iterable[tuple[str, int]]
    ) -> Iterator[Conversation]:
        """Talk to everybody; each conversation when it ends, one with each port and each host."""
        over = threading.Event()
        threading.Thread(target=self._watch, args=(over,), daemon=True).start()
        workers = self._begin(deque(self._lanes(hosts, open_ports)))
        while workers:
            ended = self._heard.get()
            if ended is None:
                workers -= 1
            else:
                yield ended
        over.set()

    def _begin(self, lanes: deque[_Lane]) -> int:
        """Start the threads; how many. Fewer are slower, where the system has no room for more."""
        wanted, begun = min(HOSTS_AT_ONCE, len(lanes)), 0
        while begun < wanted:
            try:
                threading.Thread(target=self._work, args=(lanes,), daemon=True).start()
            except RuntimeError:
                if not begun:
                    raise
                break
            begun += 1
        return begun

    def _lanes(
        self, hosts: Iterable[str], open_ports: Iterable[tuple[str, int]]
    ) -> Iterator[_Lane]:
        """What one thread does one after the other: a host, or a share of a crowded one."""
        ports: dict[str, list[int]] = {host: [] for host in hosts}
        for host, port in open_ports:
            ports.setdefault(host, []).append(port)
        for host, theirs in sorted(ports.items(), key=lambda pair: len(pair[1])):
            crowded = self._order.fast or not _may_be_device(theirs)
            waiting = deque(Place(host, port, "tcp") for port in sorted(theirs))
            shared = _Host(host, waiting, self._order.host_seconds)
            for number in range(max(min(_LANES, len(theirs)), 1) if crowded else 1):
                yield _Lane(shared, asks_host=number == 0)

    def _work(self, lanes: deque[_Lane]) -> None:
        while True:
            try:
                lane = lanes.popleft()
            except IndexError:
                break
            self._host(lane)
        self._heard.put(None)

    def _host(self, lane: _Lane) -> None:
        host = lane.host
        while (place := host.next(self._now())) is not None:
            service = self._service(place, host.is_over(self._now()))
            host.understood += service.protocol not in ("unknown", "silent")
            self._heard.put(Conversation(host.address, place.port, [service]))
        if lane.asks_host:
            found = [each for probe in self._host_probes for each in self._udp(host.address, probe)]
            self._heard.put(Conversation(host.address, OVER_UDP, found))

    def _service(self, place: Place, over: bool) -> Service:
        if over:
            return Service(replace(place, proto="silent"), "silent", cut=True)
        call = self._call(place)
        try:
            return converse(call, self._probes)
        except Exception:  # noqa: BLE001 - the child's loop; a message may hold a patient's value
            return kept(call)
        finally:
            self._end(call)

    def _udp(self, address: str, probe: HostProbe) -> list[Service]:
        call = self._call(Place(address))
        found: list[Service] = []
        try:
            found.extend(probe.ask(call))
        except Exception:  # noqa: BLE001, S110 - as above; what was found until then stays
            pass
        finally:
            self._end(call)
        return found

    def _call(self, place: Place) -> Call:
        budget = Budget(self._order.silent_seconds, LISTENING_SECONDS)
        call = Call(place, self._order, self._dialer, budget)
        with self._lock:
            self._calls.add(call)
        return call

    def _end(self, call: Call) -> None:
        call.close()
        with self._lock:
            self._calls.discard(call)

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            with self._lock:
                late = [call for call in self._calls if call.budget.left < -_GRACE_SECONDS]
            for call in late:
                call.cut()


def _may_be_device(ports: Sequence[int]) -> bool:
    """Whether a host with these open ports gets one connection at a time.

    What it is shows only when it has been talked to: its usual ports and their small number stand
    in for that. A service never gets more than one at a time, whatever the host is.
    """
    if len(ports) > _DEVICE_PORTS:
        return False
    return len(ports) <= _QUIET_PORTS or not _MEDICAL_PORTS.isdisjoint(ports)


class _Host:
    """What is still to be asked of one host, shared by its lanes."""

    def __init__(self, address: str, waiting: deque[Place], seconds: float) -> None:
        self.address = address
        self.understood = 0
        self._waiting = waiting
        self._seconds = seconds
        self._began: float | None = None

    def next(self, now: float) -> Place | None:
        self._began = now if self._began is None else self._began
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def is_over(self, now: float) -> bool:
        """All its time is used: less of it where nothing at all was understood."""
        limit = self._seconds * (_HOST_TIMES if self.understood else 1)
        return self._began is not None and now - self._began > limit


class _Lane:
    def __init__(self, host: _Host, *, asks_host: bool) -> None:
        self.host, self.asks_host = host, asks_host
