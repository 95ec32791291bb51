"""A practice's network of real programs, and `serment scan network` run in it.

It is a network namespace of its own with the addresses 10.44.0.0/16: nothing leaves the machine,
no port is taken from others. Where namespaces are not permitted the same programs listen on
127.44.0.0/16. What is in it is declared by the test modules (`parts`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.components import lacking
from tests.lan.parts import Machine, Part, Planted, Seen
from tests.lan.peak import peak_of

from serment.core.exposure.ports import COMMON

READY_SECONDS = 60.0


class Lan:
    """A network of its own: starts programs in it, and audits them."""

    def __init__(self, network: str, enter: tuple[str, ...], pid: int) -> None:
        self.network = network  # the first two numbers of its addresses
        self._enter = enter
        self._pid = pid
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def is_own(self) -> bool:
        """Whether it is a namespace of its own."""
        return bool(self._enter)

    def start(
        self, host: str, port: int, *command: object, folder: Path, env: Mapping[str, str] = {}
    ) -> int:
        """Start a program; its pid once host and port listen. RuntimeError when it ends before."""
        log = (folder / "output.log").open("ab")
        process = subprocess.Popen(
            [*self._enter, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **env},
            start_new_session=True,
        )
        log.close()
        self._running.append(process)
        end = time.monotonic() + READY_SECONDS
        while not self.listens(host, port):
            if process.poll() is not None or time.monotonic() > end:
                said = (folder / "output.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{command[0]} does not listen on {host}:{port}: {said}")
            time.sleep(0.02)
        return process.pid

    def run(self, *command: object, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end inside the network; fails when it fails."""
        words = [*self._enter, *map(str, command)]
        return subprocess.run(words, check=True, capture_output=True, text=True, **more)

    def listens(self, host: str, port: int) -> bool:
        """Whether somebody does, without a connection that he would see."""
        wanted = {_hex(host), _hex("::" if ":" in host else "0.0.0.0"), _hex("::")}
        for table, listening in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
            for line in Path(f"/proc/{self._pid}/net/{table}").read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                address, _, number = local.partition(":")
                if state == listening and int(number, 16) == port and address in wanted:
                    return True
        return False

    @contextmanager
    def started(self, *parts: Part) -> Iterator[dict[str, str]]:
        """Start all machines that can be started here; their addresses by name."""
        before = len(self._running)
        hosts: dict[str, str] = {}
        with tempfile.TemporaryDirectory(prefix="lan") as folder:
            os.chmod(folder, 0o755)  # noqa: PTH101 - programs that drop their rights read theirs
            try:
                for part in parts:
                    for name, planted in part.machines.items():
                        assert name not in hosts, f"two machines are called {name}"
                        hosts[name] = part.host(name, self.network)
                        if not planted.missing():
                            own = Path(folder) / name
                            own.mkdir()
                            planted.build(Machine(self, name, hosts[name], own))
                yield hosts
            finally:
                self._end(before)

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
        return Seen(*self.serment(*words), hosts, planted)

    def serment(self, *words: str) -> tuple[dict[str, Any], int, int]:
        """Run Serment inside: its JSON, its exit code, the peak memory (KiB) of all its processes."""
        process = subprocess.Popen(
            [*self._enter, sys.executable, "-m", "serment", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with peak_of(process.pid) as peak:
            said, complaint = process.communicate(timeout=280)
        assert process.returncode in (0, 1), complaint.decode()
        return json.loads(said), process.returncode, sum(peak.values())

    def _end(self, before: int) -> None:
        ending, self._running = self._running[before:], self._running[:before]
        for process in reversed(ending):
            _signal(process, signal.SIGTERM)
        end = time.monotonic() + 5
        for process in ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.01, end - time.monotonic()))
            _signal(process, signal.SIGKILL)
            process.wait()


@contextmanager
def network() -> Iterator[Lan]:
    """A network of its own; where none is permitted, a part of loopback."""
    if not Path("/proc/self/net/tcp").exists():
        lacking("no /proc/net here: the network of real programs is not tried")
    holder = _namespace()
    if holder is None:
        yield Lan("127.44", (), os.getpid())
        return
    try:
        keep = () if os.geteuid() == 0 else ("-U", "--preserve-credentials")
        yield Lan("10.44", ("nsenter", "-t", str(holder.pid), "-n", *keep), holder.pid)
    finally:
        assert holder.stdin
        holder.stdin.close()
        holder.wait()


def _namespace() -> subprocess.Popen[str] | None:
    """A process in a namespace of its own that lives until its input ends."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return None
    flags = "-n" if os.geteuid() == 0 else "-rn"
    # An address of loopback brings its whole range with it.
    up = "ip link set lo up && ip address add 10.44.0.1/16 dev lo && echo up && exec cat"
    holder = subprocess.Popen(
        ["unshare", flags, "sh", "-c", up],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdin and holder.stdout
    if holder.stdout.readline().strip() == "up":
        return holder
    holder.stdin.close()
    holder.wait()
    return None


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _hex(host: str) -> str:
    """An address as /proc/net writes it: words of four bytes in this machine's order."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    raw = socket.inet_pton(family, host)
    return "".join(
        int.from_bytes(raw[at : at + 4], sys.byteorder).to_bytes(4, "big").hex().upper()
        for at in range(0, len(raw), 4)
    )
