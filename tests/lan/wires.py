"""Network namespaces of a practice: a wire for all, and each machine at an end of it (Linux).

Each is held by a process that ends with its input, so that none outlives the tests.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROUTER = "10.44.0.1"  # where the audit runs
ROUTER6 = ("fd44::1", "2001:db8:44::1")
LISTENING = (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07"))  # states in /proc/net


@dataclass(frozen=True)
class Room:
    """A network stack: commands that begin with `enter` run in it."""

    enter: tuple[str, ...]
    pid: int

    def listens(self, host: str, port: int) -> bool:
        """Whether somebody does, at this address or at all; he does not notice."""
        wanted = {_hex(host), _hex("0.0.0.0"), _hex("::")}
        for table, listening in LISTENING:
            for line in Path(f"/proc/{self.pid}/net/{table}").read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                address, _, number = local.partition(":")
                if state == listening and int(number, 16) == port and address in wanted:
                    return True
        return False


THIS = Room((), os.getpid())


@contextmanager
def wire() -> Iterator[Room | None]:
    """A wire of its own with a router; None where the system does not permit it."""
    up = f"ip link set lo up && ip link add lan type bridge && ip address add {ROUTER}/16 dev lan"
    for address in ROUTER6:
        up += f" && ip address add {address}/64 dev lan nodad"
    up += " && ip link set lan up && ip link add tried type veth peer name away"
    as_root = os.geteuid() == 0
    keep = () if as_root else ("-U", "--preserve-credentials")
    with _held(f"{up} && ip link delete tried", ("unshare", "-n" if as_root else "-rn")) as pid:
        yield Room(("nsenter", "-t", str(pid), "-n", *keep), pid) if pid else None


@contextmanager
def machine(router: Room, number: int, addresses: tuple[str, ...]) -> Iterator[Room]:
    """A machine at the wire with these addresses."""
    up = "ip link set lo up"
    with _held(up, (*router.enter, "unshare", "-n")) as pid:
        if not pid:
            raise RuntimeError("a second network namespace is not permitted here")
        room = Room((router.enter[0], "-t", str(pid), *router.enter[3:]), pid)
        end = f"m{number}"
        ip = ("ip", "link")
        _run(router, *ip, "add", end, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        _run(router, *ip, "set", end, "master", "lan", "up")
        for address in addresses:
            more = ("/64", "nodad") if ":" in address else ("/16",)
            _run(room, "ip", "address", "add", address + more[0], "dev", "eth0", *more[1:])
        _run(room, *ip, "set", "eth0", "up")
        yield room


def _run(room: Room, *words: str) -> None:
    subprocess.run([*room.enter, *words], check=True, capture_output=True)


@contextmanager
def _held(script: str, before: tuple[str, ...]) -> Iterator[int]:
    """Run a script and hold its namespace; the pid, 0 when it failed."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        yield 0
        return
    holder = subprocess.Popen(
        [*before, "sh", "-c", f"{script} && echo up && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdin and holder.stdout
    try:
        yield holder.pid if holder.stdout.readline().strip() == "up" else 0
    finally:
        with contextlib.suppress(OSError):
            holder.stdin.close()
        holder.stdout.close()
        holder.wait()


def _hex(host: str) -> str:
    """An address as /proc/net writes it: words of four bytes in this machine's order."""
    raw = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = (raw[at : at + 4] for at in range(0, len(raw), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
