"""Listens for DICOM associations, one thread each, and stops them properly.

Decides what becomes of a caller: served here, handed over to another process, or told that there
are too many: in the standard's terms by a few short-lived threads, and simply closed when even these
are busy. Leaves to others: how many there may be (`places`), the association itself, who may call.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

from serment.entrypoints.dimse.association import TOO_MANY, Association, Ends
from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.dimse.places import Leave, Places
from serment.entrypoints.dimse.wire import TICK, Wire
from serment.errors import N_, SermentError, Unavailable
from serment.ports import Clock, Receiver

_BACKLOG: Final = 128
_TURNED_AWAY_AT_ONCE: Final = 8

Fault = Callable[[Exception], None]
HandOver = Callable[[socket.socket, Leave], bool]
"""Have a connection served elsewhere; whether it is. Gives its place back once it has ended."""


class DicomServer:
    """A C-ECHO and C-STORE provider on one address.

    >>> # server = DicomServer(receiver, clock); server.start("127.0.0.1", 11112); server.stop()
    """

    def __init__(
        self,
        receiver: Receiver,
        clock: Clock,
        limits: Limits | None = None,
        on_fault: Fault | None = None,
        hand_over: HandOver | None = None,
    ) -> None:
        """
        Args:
            on_fault: told of every error that is nobody's refusal: a fault of ours, or of the
                system. Called from any thread.
            hand_over: asked first for each known caller that has a place.
        """
        self._receiver, self._clock = receiver, clock
        self._limits = limits or Limits()
        self._on_fault = on_fault or (lambda fault: None)
        self._hand_over = hand_over or (lambda connection, leave: False)
        self._places = Places(self._limits)
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._wires: dict[threading.Thread, Wire] = {}
        self._turning_away = 0
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None

    def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; return the address and port really taken (0 asks the system for one).

        Raises:
            Unavailable: the address or port cannot be used.
        """
        self._listener = _listen(host, port)
        self._listener.settimeout(TICK)
        self._accepting = threading.Thread(target=self._accept, name="dicom-listener", daemon=True)
        self._accepting.start()
        address, taken = self._listener.getsockname()[:2]
        return address, taken

    @property
    def active(self) -> int:
        """How many associations are served here now."""
        with self._changed:
            return len(self._wires)

    def take(self, connection: socket.socket, leave: Leave) -> None:
        """Serve a connection that has its place already."""
        try:
            association, wire = self._prepared(connection)
            thread = threading.Thread(
                target=self._serve,
                args=(association, leave),
                name="dicom-association",
                daemon=True,
            )
            with self._changed:
                self._wires[thread] = wire
                self._start(thread)
        except (OSError, RuntimeError) as error:  # gone already, or no thread to be had
            leave()
            connection.close()
            self._on_fault(error)

    def stop(self) -> None:
        """Accept nothing more, let instances under way end, abort the associations, return."""
        self._stopping.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):  # wakes the accepting thread where it can
                self._listener.shutdown(socket.SHUT_RDWR)
        if self._accepting is not None:
            self._accepting.join()
        if self._listener is not None:
            self._listener.close()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._wires, self._limits.stop_seconds):
                for wire in self._wires.values():
                    wire.cut()
                self._changed.wait_for(lambda: not self._wires, self._limits.stop_seconds)

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                connection, peer = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:  # out of file descriptors, or reset before we came
                if self._stopping.is_set():
                    return
                self._on_fault(error)
                self._stopping.wait(TICK)
                continue
            self._welcome(connection, _host(peer))

    def _welcome(self, connection: socket.socket, address: str) -> None:
        known = self._knows(address)
        leave = self._places.enter(address, known)
        if leave is None:
            self._refuse(connection, address)
        elif known and self._hand_over(connection, leave):
            connection.close()
        else:
            self.take(connection, leave)

    def _prepared(self, connection: socket.socket) -> tuple[Association, Wire]:
        peer, limits, stopping = connection.getpeername(), self._limits, self._stopping.is_set
        ends = Ends(_host(peer), _name(peer), _name(connection.getsockname()))
        wire = Wire(connection, self._clock, stopping, limits.send_seconds, limits.whole_reads)
        return Association(wire, ends, self._receiver, limits, stopping), wire

    def _refuse(self, connection: socket.socket, address: str) -> None:
        try:
            with self._changed:
                patient = self._turning_away < _TURNED_AWAY_AT_ONCE
                if patient:
                    association, _wire = self._prepared(connection)
                    threading.Thread(
                        target=self._turn_away,
                        args=(association,),
                        name="dicom-refusal",
                        daemon=True,
                    ).start()
                    self._turning_away += 1
            if not patient:
                self._receiver.refused("", "", address, TOO_MANY)
                connection.close()
        except (OSError, RuntimeError) as error:
            connection.close()
            self._on_fault(error)

    def _knows(self, address: str) -> bool:
        try:
            return self._receiver.knows(address)
        except SermentError as error:
            self._on_fault(error)
            return False

    def _start(self, thread: threading.Thread) -> None:
        try:
            thread.start()
        except RuntimeError:
            del self._wires[thread]
            raise

    def _serve(self, association: Association, leave: Leave) -> None:
        try:
            association.run()
        except Exception as fault:  # noqa: BLE001 - the loop of an entry point
            self._on_fault(fault)
        finally:
            leave()
            with self._changed:
                del self._wires[threading.current_thread()]
                self._changed.notify_all()

    def _turn_away(self, association: Association) -> None:
        try:
            association.turn_away()
        except Exception as fault:  # noqa: BLE001 - the loop of an entry point
            self._on_fault(fault)
        finally:
            with self._changed:
                self._turning_away -= 1


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Windows would let two programs share the port; elsewhere it only shortens a restart.
        if not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        with contextlib.suppress(OSError):
            listener.close()
        raise Unavailable(
            N_("cannot listen for DICOM on {host}:{port}"),
            hint=N_("another program may use this port; choose one with --dicom HOST:PORT"),
            host=host,
            port=port,
        ) from error
    return listener


def _host(address: tuple[str, int]) -> str:
    """The IP address; an IPv4 one also when it comes through an IPv6 socket."""
    return address[0].removeprefix("::ffff:") if "." in address[0] else address[0]


def _name(address: tuple[str, int]) -> str:
    host, port = _host(address), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
