"""A practice's network of real programs, and `serment scan network` run in it.

Each machine is a network namespace with an address of 10.44.0.0/16 (`wires`), the audit runs in
another: nothing leaves this machine, no port is taken from others. Where namespaces are not
permitted the programs listen on 127.44.0.0/16, and those that would listen everywhere are left out.
What is in it is declared by the test modules (`parts`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.components import lacking
from tests.lan.parts import Machine, Part, Planted, Seen, end
from tests.lan.peak import peak_of
from tests.lan.wires import THIS, Room, machine, wire

from serment.core.exposure.ports import COMMON

SERMENT = (sys.executable, "-m", "serment")


class Lan:
    """A network of its own: starts machines in it, and audits them."""

    def __init__(self, router: Room | None) -> None:
        self._router = router
        self.network = "10.44" if router else "127.44"  # the first two numbers of its addresses
        self.here = router or THIS  # where the audit runs
        self._machines = 0

    @property
    def is_own(self) -> bool:
        """Whether its machines are namespaces of their own."""
        return self._router is not None

    @contextmanager
    def started(self, *parts: Part) -> Iterator[dict[str, str]]:
        """Start all machines that can be started here; their addresses by name."""
        hosts: dict[str, str] = {}
        with tempfile.TemporaryDirectory(prefix="lan") as folder, ExitStack() as stack:
            # Other tests of the process may have left Serment's own mask, under which nobody but
            # its owner reads a file: programs that drop their rights read theirs here.
            stack.callback(os.umask, os.umask(0o022))
            os.chmod(folder, 0o755)  # noqa: PTH101 - programs that drop their rights read theirs
            programs: list[subprocess.Popen[bytes]] = []
            try:
                for part in parts:
                    for name, planted in part.machines.items():
                        assert name not in hosts, f"two machines are called {name}"
                        hosts[name] = part.host(name, self.network)
                        if not planted.missing(self.is_own):
                            own = Path(folder) / name
                            own.mkdir()
                            planted.build(self._machine(stack, programs, name, hosts[name], own))
                yield hosts
            finally:
                end(programs)

    @contextmanager
    def audited(self, *parts: Part) -> Iterator[Seen]:
        """Start the machines of some parts and audit them once."""
        planted = {name: each for part in parts for name, each in part.machines.items()}
        ports = {port for each in planted.values() for port in each.ports}
        options = dict.fromkeys(word for part in parts for word in part.options)
        with self.started(*parts) as hosts:
            yield self.audit(hosts, planted, sorted({*COMMON, *ports} - {0}), *options)

    def audit(
        self,
        hosts: dict[str, str],
        planted: dict[str, Planted],
        ports: list[int],
        *options: str,
    ) -> Seen:
        """`serment scan network` of these hosts and ports."""
        words = ["scan", "network", *hosts.values(), "--ports", ",".join(map(str, ports))]
        words += ["--authorised-by", "Dr Fictif", "--json", *options]
        return Seen(*self.serment(*words), hosts, planted, self.is_own)

    def serment(self, *words: str) -> tuple[dict[str, Any], int, int]:
        """Run Serment inside: its JSON, its exit code, the peak memory (KiB) of all its processes."""
        process = subprocess.Popen(
            [*self.here.enter, *SERMENT, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with peak_of(process.pid) as peak:
            said, complaint = process.communicate(timeout=280)
        assert process.returncode in (0, 1), complaint.decode()
        return json.loads(said), process.returncode, sum(peak.values())

    def shown(self, *words: str) -> str:
        """What Serment writes in a terminal, without a vault."""
        command = [*self.here.enter, *SERMENT, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout + done.stderr

    def _machine(
        self,
        stack: ExitStack,
        programs: list[subprocess.Popen[bytes]],
        name: str,
        host: str,
        folder: Path,
    ) -> Machine:
        room, ipv6 = THIS, ()
        if self._router:
            self._machines += 1
            last = host.partition(".44.")[2].replace(".", ":")  # the same numbers, as IPv6 has them
            ipv6 = (f"fd44::{last}", f"2001:db8:44::{last}")
            room = stack.enter_context(machine(self._router, self._machines, (host, *ipv6)))
        return Machine(room, name, host, ipv6, folder, programs)


@contextmanager
def network() -> Iterator[Lan]:
    """A network of its own; where none is permitted, a part of loopback."""
    if not Path("/proc/self/net/tcp").exists():
        lacking("no /proc/net here: the network of real programs is not tried")
    with wire() as router:
        yield Lan(router)
