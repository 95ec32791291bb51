"""Real file services behind a relay that garbles what they say: bounded, never a crash, no name kept.

One answer of a talk is changed, cut short, drowned or repeated; the probe says what it understood
until then, or that it is not its protocol.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random

import pytest
from tests.components import lacking
from tests.lan import test_files
from tests.lan.parts import Machine, end
from tests.lan.wires import THIS
from tests.unit.network.calling import HOST
from tests.unit.network.speaking import ask

from serment.adapters.network import probing
from serment.adapters.network.lines import decode, encode
from serment.adapters.network.probing import Heard, Probe
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Files, Http, Service

SEEDS = range(20)
FLOOD = 2 << 20  # bytes
LEFT_OPEN = 0.2  # seconds, after an answer was garbled
GREETING = {"vsftpd_anonymous": b"220 ", "rsync_open": b"@RSYNCD: 31.0"}
MACHINES = {
    "vsftpd_anonymous": 21,
    "samba_guest": 445,
    "samba_version_1_only": 445,
    "rsync_open": 873,
    "afp_guest": 548,
    "webdav_open": 80,
}


@dataclass
class Relay:
    """Between a probe and a server, on the server's own address, as FTP's data connections go
    past it; the `turn`th piece that the server says is garbled."""

    port: int
    target: tuple[str, int]
    random: Random
    turn: int
    said: int = 0

    def garbled(self, piece: bytes) -> bytes:
        at = self.random.randrange(len(piece))
        match self.random.randrange(6):
            case 0:
                return piece[:at]
            case 1:
                return piece[:at] + bytes([self.random.randrange(256)]) + piece[at + 1 :]
            case 2:
                return piece[: at & ~3] + b"\xff\xff\xff\xff" + piece[(at & ~3) + 4 :]
            case 3:
                return self.random.randbytes(len(piece))
            case 4:
                return piece * (FLOOD // len(piece))
            case _:
                return piece[:at] + b"\x1b[2J\r\n<b>" + piece[at:]

    def serve(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(self.target) as far:
            back = threading.Thread(target=self._ask, args=(near, far), daemon=True)
            back.start()
            while piece := far.recv(65536):
                self.said += 1
                if self.said == self.turn:
                    near.sendall(self.garbled(piece))
                    back.join(LEFT_OPEN)
                    break
                near.sendall(piece)
            near.shutdown(socket.SHUT_RDWR)  # closing alone would wait for the other thread

    @staticmethod
    def _ask(near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := near.recv(65536):
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)


@contextmanager
def relay(target: tuple[str, int], seed: int) -> Iterator[Relay]:
    random = Random(seed)
    with socket.create_server((target[0], 0), backlog=50) as listening:
        found = Relay(listening.getsockname()[1], target, random, random.randrange(1, 14))
        thread = threading.Thread(target=found.serve, args=(listening,), daemon=True)
        thread.start()
        yield found
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, tuple[str, int]]]:
    """Started on loopback itself, where this process can talk to them."""
    if not Path("/proc/self/net/tcp").exists():
        lacking("no /proc/net here")
    wanted = {name: test_files.PART.machines[name] for name in MACHINES}
    if absent := [name for each in wanted.values() for name in each.missing(False)]:
        lacking(f"not installed here: {', '.join(absent)}: make components")
    if os.geteuid():
        lacking("the usual ports of file services are root's")
    found, programs = {}, []
    with tempfile.TemporaryDirectory(prefix="lan") as folder:
        Path(folder).chmod(0o755)
        before = os.umask(0o022)  # other tests of the process may have left Serment's own
        try:
            for name, planted in wanted.items():
                own = Path(folder) / name
                own.mkdir()
                host = test_files.PART.host(name, "127.44")
                planted.build(Machine(THIS, name, host, (), own, programs))
                found[name] = host, MACHINES[name]
            yield found
        finally:
            os.umask(before)
            end(programs)


def probe_of(name: str) -> Probe:
    module = {"vsftpd": "ftp", "samba": "smb", "webdav": "http"}
    short = name.partition("_")[0]
    found: Probe = import_module(
        f"serment.adapters.network.probes.{module.get(short, short)}"
    ).PROBE
    return found


def through(server: tuple[str, int], name: str, seed: int, turn: int | None = None) -> Heard | None:
    with relay(server, seed) as between:
        between.turn = between.turn if turn is None else turn
        greeting = GREETING.get(name, b"")
        return ask(probe_of(name), between.port, greeting, host=server[0], fast=True)


@pytest.mark.parametrize("name", MACHINES)
def test_a_relay_that_changes_nothing_is_not_noticed(
    servers: dict[str, tuple[str, int]], name: str
) -> None:
    heard = through(servers[name], name, 0, turn=0)
    assert heard
    assert isinstance(heard.facts, Files)
    assert sum(heard.facts.listed.values()) == test_files.COUNTED


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MACHINES)
def test_garbled_answers_are_survived(
    servers: dict[str, tuple[str, int]], name: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "TALKING_PATIENCE", 0.5)  # many of them wait to the end of it
    heard = through(servers[name], name, seed)
    if heard is None:
        return
    assert heard.protocol in ("http", probe_of(name).protocol, "webdav", "igd", "elasticsearch")
    service = Service(Place(HOST, 1), heard.protocol, facts=heard.facts)
    line = encode(service)
    assert decode(line, Service) == service
    assert isinstance(heard.facts, Files | Http)
    for planted in (b"FICTIF", b"Nemo", b"IM0000", b"1970", b"exports"):
        assert planted not in line
