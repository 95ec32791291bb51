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

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.components import lacking
from tests.conftest import COMPONENTS, find

if TYPE_CHECKING:
    from tests.lan.lan import Lan

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

    def missing(self) -> list[str]:
        """What is not installed here."""
        return [
            name for each in self.needs for name in COMPONENTS[each] if name and find(name) is None
        ]


@dataclass
class Part:
    """The machines of one test module; `options` are words of the command line."""

    number: int
    options: tuple[str, ...] = ()
    machines: dict[str, Planted] = field(default_factory=dict)

    def machine(
        self, ports: Ports, needs: str | tuple[str, ...] = (), counts: Mapping[str, int] = {}
    ) -> Callable[[Callable[[Machine], None]], Callable[[Machine], None]]:
        """Declare a machine: the function starts its programs and is named as it."""
        wanted = (needs,) if isinstance(needs, str) else needs

        def declare(build: Callable[[Machine], None]) -> Callable[[Machine], None]:
            name = build.__name__
            assert name not in self.machines
            self.machines[name] = Planted(name, ports, build, wanted, counts)
            return build

        return declare

    def host(self, name: str, network: str) -> str:
        """The address of a machine."""
        return f"{network}.{self.number}.{10 + list(self.machines).index(name)}"


@dataclass
class Machine:
    """One address of the network while its programs are started."""

    lan: Lan
    name: str
    host: str
    folder: Path  # empty, its own, readable by everybody

    def start(self, port: int, *command: object, host: str = "", **more: Any) -> int:
        """Start a program in the foreground; its pid once `port` listens (on `host`, else here)."""
        return self.lan.start(host or self.host, port, *command, folder=self.folder, **more)

    def python(self, port: int, script: Path, *words: object) -> int:
        """The same for a Python script."""
        return self.start(port, sys.executable, "-W", "ignore", script, *words)

    def run(self, *command: object, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, inside the network."""
        return self.lan.run(*command, cwd=self.folder, **more)

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
        if absent := self.planted[name].missing():
            lacking(f"not installed here: {', '.join(absent)}: make components")
