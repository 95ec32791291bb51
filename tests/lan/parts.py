"""Machines of a fictional practice: declared in one place, with what is wrong beside each.

Each module has a part of the network: medical 1, web 2, files 3, data 4, remote 5, two networks 6,
hostile 7. It reads:

    PART = Part(3)                                    # its addresses are 10.44.3.0/24

    @PART.machine({21: ("X13", "X14")}, needs="vsftpd", counts={"X13": 3})
    def ftp_open(machine: Machine) -> None:
        machine.start(21, machine.tool("vsftpd"), machine.write("vsftpd.conf", "..."))

    @PART.machine({6379: ()}, needs="redis")          # no ids: a control
    def redis_closed(machine: Machine) -> None: ...

    @pytest.fixture(scope="module")
    def seen(lan: Lan) -> Iterator[Seen]:             # starts them, audits them once, ends them
        with lan.audited(PART) as found:
            yield found                               # .findings() .finding() .service() .said

    @pytest.mark.parametrize("name", PART.machines)
    def test_machines(seen: Seen, name: str) -> None:
        seen.check(name)                              # every id there, and nothing else >= medium
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.components import lacking
from tests.conftest import COMPONENTS, find
from tests.lan.wires import Room

READY_SECONDS = 60.0
DYING = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()  # with the tests
GRAVE = ("critical", "high", "medium")
Ports = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class Planted:
    """One machine as declared: ports with the ids that must be stated there."""

    name: str
    ports: Ports
    build: Callable[[Machine], None]
    needs: tuple[str, ...]
    counts: Mapping[str, int]  # `readable.count` of a finding, by id
    everywhere: bool  # its programs listen on every address: only where it has a stack of its own

    def missing(self, is_own: bool) -> list[str]:
        """What is not installed or permitted here."""
        names = [name for each in self.needs for name in COMPONENTS[each] if find(name) is None]
        return names + ["network namespaces"] * (self.everywhere and not is_own)


@dataclass
class Part:
    """The machines of one test module; `options` are words of the command line."""

    number: int
    options: tuple[str, ...] = ()
    machines: dict[str, Planted] = field(default_factory=dict)

    def machine(
        self,
        ports: Ports,
        needs: str | tuple[str, ...] = (),
        counts: Mapping[str, int] = {},
        everywhere: bool = False,
    ) -> Callable[[Callable[[Machine], None]], Callable[[Machine], None]]:
        """Declare a machine: the function starts its programs and is named as it."""
        wanted = (needs,) if isinstance(needs, str) else needs

        def declare(build: Callable[[Machine], None]) -> Callable[[Machine], None]:
            name = build.__name__
            assert name not in self.machines
            self.machines[name] = Planted(name, ports, build, wanted, counts, everywhere)
            return build

        return declare

    def host(self, name: str, network: str) -> str:
        """The address of a machine."""
        return f"{network}.{self.number}.{10 + list(self.machines).index(name)}"


@dataclass
class Machine:
    """One machine of the network while its programs are started."""

    room: Room
    name: str
    host: str
    ipv6: tuple[str, ...]  # its addresses of fd44::/64 and 2001:db8:44::/64, where it has any
    folder: Path  # empty, its own, readable by everybody
    programs: list[subprocess.Popen[bytes]]

    def start(self, port: int, *command: object, env: Mapping[str, str] = {}) -> int:
        """Start a program in the foreground; its pid once `port` listens, TCP or UDP.

        Raises:
            RuntimeError: it ended before, or took too long; with what it wrote.
        """
        with (self.folder / "output.log").open("ab") as log:
            process = subprocess.Popen(
                [*self.room.enter, *DYING, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **env},
                start_new_session=True,
            )
        self.programs.append(process)
        latest = time.monotonic() + READY_SECONDS
        while not self.room.listens(self.host, port):
            if process.poll() is not None or time.monotonic() > latest:
                said = (self.folder / "output.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{command[0]} does not listen on {port}: {said}")
            time.sleep(0.02)
        return process.pid

    def python(self, port: int, script: Path, *words: object) -> int:
        """The same for a Python script."""
        return self.start(port, sys.executable, "-W", "ignore", script, *words)

    def run(self, *command: object, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end on this machine; fails, with what it said, when it fails."""
        words = [*self.room.enter, *map(str, command)]
        more = {"cwd": self.folder, "capture_output": True, "text": True, **more}
        done = subprocess.run(words, **more, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done

    def write(self, name: str, text: str | bytes) -> Path:
        """A file of the machine."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    @staticmethod
    def tool(name: str) -> str:
        """The path of a stock command of the machine's components."""
        found = find(name)
        assert found, f"{name} is not installed: declare what the machine needs"
        return found


@dataclass(frozen=True)
class Seen:
    """An audit of some parts: what `--json` said, its exit code, peak memory of both processes."""

    said: dict[str, Any]
    status: int
    peak_kib: int
    hosts: dict[str, str]  # of each machine, by name
    planted: dict[str, Planted]
    is_own: bool  # machines had network stacks of their own

    def findings(self, name: str, port: int | None = None) -> list[dict[str, Any]]:
        """What is stated of a machine (and port)."""
        self.check_present(name)
        return [
            each
            for each in self.said["findings"]
            if each["host"] == self.hosts[name] and port in (None, each["port"])
        ]

    def finding(self, name: str, port: int, id: str) -> dict[str, Any]:
        """One finding; fails when it is not stated once."""
        found = [each for each in self.findings(name, port) if each["id"] == id]
        assert len(found) == 1, self.findings(name)
        return found[0]

    def service(self, name: str, port: int) -> dict[str, Any]:
        """What `--json` says a port is."""
        self.check_present(name)
        return next(
            service
            for host in self.said["hosts"]
            if host["host"] == self.hosts[name]
            for service in host["services"]
            if service["port"] == port
        )

    def check(self, name: str) -> None:
        """Every planted id is stated at its port, with its count, and nothing else >= medium."""
        planted, found = self.planted[name], self.findings(name)
        stated = {(each["port"], each["id"]) for each in found}
        wanted = {(port, id) for port, ids in planted.ports.items() for id in ids}
        grave = {(each["port"], each["id"]) for each in found if each["severity"] in GRAVE}
        assert (wanted - stated, grave - wanted) == (set(), set()), found
        for id, count in planted.counts.items():
            counts = [each["readable"]["count"] for each in found if each["id"] == id]
            assert counts and set(counts) == {count}, found

    def check_present(self, name: str) -> None:
        """End the test here when the machine's programs are not installed."""
        if absent := self.planted[name].missing(self.is_own):
            lacking(f"not here: {', '.join(absent)}: make components")


def end(programs: Sequence[subprocess.Popen[bytes]]) -> None:
    """End programs and what they started."""
    for each in reversed(programs):
        _signal(each, signal.SIGTERM)
    latest = time.monotonic() + 1
    for each in programs:
        with contextlib.suppress(subprocess.TimeoutExpired):
            each.wait(max(0.01, latest - time.monotonic()))
        _signal(each, signal.SIGKILL)
        each.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
