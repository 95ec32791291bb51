"""A small Internet of network namespaces: a router, a practice behind a box, a helper, a server (Linux).

    practice 192.168.77.10, .20, .30 -- box 192.168.77.1 / 203.0.113.7 -- router -- helper 198.51.100.9
    2001:db8:77::10 (routed, no NAT)                                         |-- server 192.0.2.50

The router counts which addresses and ports the helper calls. Nothing leaves this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.components import lacking

ROOT = Path(__file__).resolve().parent.parent.parent.parent
ENVIRONMENT = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
HELPER, HELPER6, SERVER = "198.51.100.9", "2001:db8:99::9", "192.0.2.50"
BOX, BOX_OUTSIDE, CARRIER = "192.168.77.1", "203.0.113.7", "100.64.0.7"
PRACTICE, ARCHIVE, WEB, PRACTICE6 = (
    "192.168.77.10",
    "192.168.77.20",
    "192.168.77.30",
    "2001:db8:77::10",
)
LINKS = (  # machine, its end, addresses there; the other's end, addresses there
    ("box", "wan", (f"{BOX_OUTSIDE}/24", f"{CARRIER}/10", "2001:db8:1::7/64"),
     "router", "to_box", ("203.0.113.1/24", "100.64.0.1/10", "2001:db8:1::1/64")),
    ("practice", "eth0", (f"{PRACTICE}/24", f"{ARCHIVE}/24", f"{WEB}/24", f"{PRACTICE6}/64"),
     "box", "lan", (f"{BOX}/24", "2001:db8:77::1/64")),
    ("helper", "eth0", (f"{HELPER}/24", f"{HELPER6}/64"),
     "router", "to_helper", ("198.51.100.1/24", "2001:db8:99::1/64")),
    ("server", "eth0", (f"{SERVER}/24",), "router", "to_server", ("192.0.2.1/24",)),
)  # fmt: skip
ROUTES = (
    ("practice", BOX), ("practice", "2001:db8:77::1"), ("box", "203.0.113.1"),
    ("box", "2001:db8:1::1"), ("helper", "198.51.100.1"), ("helper", "2001:db8:99::1"),
    ("server", "192.0.2.1"),
)  # fmt: skip
COUNTING = """
table inet seen {
  set called { typeof ip daddr . tcp dport; flags dynamic; }
  set called6 { typeof ip6 daddr . tcp dport; flags dynamic; }
  chain forward { type filter hook forward priority 0;
    tcp flags & (syn | ack) == syn ip saddr 198.51.100.9 add @called { ip daddr . tcp dport }
    tcp flags & (syn | ack) == syn ip6 saddr 2001:db8:99::9 add @called6 { ip6 daddr . tcp dport }
  }
}
"""


@dataclass
class Internet:
    """The machines, and what runs on them."""

    folder: Path
    rooms: dict[str, tuple[str, ...]]
    programs: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, where: str, *words: object, given: str = "") -> str:
        """The output of a command there, which must succeed."""
        return subprocess.run(
            [*self.rooms[where], *map(str, words)],
            input=given, capture_output=True, text=True, check=True, timeout=120,
            env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        ).stdout  # fmt: skip

    def start(self, where: str, *words: object, **more: str) -> subprocess.Popen[str]:
        """A program there, ended with this Internet."""
        program = subprocess.Popen(
            [*self.rooms[where], *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=(self.folder / f"{where}.err").open("a"),
            text=True,
            cwd=self.folder,  # what a program writes beside itself
            env={**ENVIRONMENT, "PYTHONPATH": str(ROOT), **more},
        )
        self.programs.append(program)
        return program

    def serment(
        self, where: str, *words: str, code: int = 0, given: str = "", who: str = ""
    ) -> Any:
        """The JSON of one command on a machine, with the pairings of `who` there."""
        done = subprocess.run(
            [*self.rooms[where], sys.executable, "-m", "serment", *words, "--json"],
            input=given, capture_output=True, text=True, check=False, timeout=180,
            env={**ENVIRONMENT, "SERMENT_PEERS": self.pairings(who or where), "LC_ALL": "C"},
        )  # fmt: skip
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def pairings(self, who: str) -> str:
        """The file of pairings of one of them."""
        return str(self.folder / f"{who}.json")

    def forward(self, *rules: str) -> None:
        """What the box does with calls from outside; before, it refused them all."""
        lines = (f"add rule ip box from_outside iifname wan {rule}" for rule in rules)
        self.run(
            "box", "nft", "-f", "-", given="\n".join(["flush chain ip box from_outside", *lines])
        )

    def seen_from(self, address: str) -> None:
        """Which address the box gives to what leaves it."""
        rule = f"flush chain ip box out\nadd rule ip box out ip saddr 192.168.77.0/24 oifname wan snat to {address}\n"
        self.run("box", "nft", "-f", "-", given=rule)

    def called(self) -> set[tuple[str, int]]:
        """Which addresses and ports the helper has called; counts anew."""
        found: set[tuple[str, int]] = set()
        for name in ("called", "called6"):
            said = json.loads(self.run("router", "nft", "-j", "list", "set", "inet", "seen", name))
            (held,) = [each["set"] for each in said["nftables"] if "set" in each]
            found |= {(pair["concat"][0], pair["concat"][1]) for pair in held.get("elem", [])}
            self.run("router", "nft", "flush", "set", "inet", "seen", name)
        return found

    def wait_for(self, where: str, host: str, port: int) -> None:
        """Until somebody listens there."""
        script = f"import socket; socket.create_connection(({host!r}, {port}), 1)"
        end = time.monotonic() + 60
        while time.monotonic() < end:
            tried = subprocess.run(
                [*self.rooms[where], sys.executable, "-c", script], capture_output=True, check=False
            )
            if not tried.returncode:
                return
            time.sleep(0.2)
        raise RuntimeError(f"nobody listens on {host}:{port}")


@contextmanager
def internet(folder: Path) -> Iterator[Internet]:
    """All of it; where the system does not permit it the tests say so."""
    for program in ("unshare", "nsenter", "nft", "ip"):
        if shutil.which(program, path=ENVIRONMENT["PATH"]) is None:
            lacking(f"no {program} here: a practice and the Internet are not tried")
    with ExitStack() as stack:
        made = Internet(folder, {})
        try:
            for name in ("router", "box", "practice", "helper", "server"):
                made.rooms[name] = stack.enter_context(_room(made.rooms.get("router")))
            _wire(made)
        except (subprocess.CalledProcessError, RuntimeError):
            lacking("this system permits no network namespaces with NAT between them")
        try:
            yield made
        finally:
            for program in made.programs:
                program.kill()
                program.wait()
                if program.stdout:
                    program.stdout.close()


@contextmanager
def _room(inside: Sequence[str] | None) -> Iterator[tuple[str, ...]]:
    """A namespace of its own, held by a process that ends with its input."""
    root = os.geteuid() == 0
    before = [*inside, "unshare", "-n"] if inside else ["unshare", "-n" if root else "-rn"]
    holder = subprocess.Popen(
        [*before, "sh", "-c", "ip link set lo up && echo up && exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert holder.stdin
    assert holder.stdout
    try:
        if holder.stdout.readline().strip() != "up":
            raise RuntimeError("no namespace")
        user = () if root else ("-U", "--preserve-credentials")
        yield ("nsenter", "-t", str(holder.pid), "-n", *user)
    finally:
        with contextlib.suppress(OSError):
            holder.stdin.close()
        holder.stdout.close()
        holder.wait()


def _wire(made: Internet) -> None:
    for near, end, addresses, far, other_end, others in LINKS:
        pid = made.rooms[far][2]
        made.run(
            near, "ip", "link", "add", end, "type", "veth", "peer", "name", other_end, "netns", pid
        )
        for where, device, theirs in ((near, end, addresses), (far, other_end, others)):
            for address in theirs:
                more = ("nodad",) if ":" in address else ()
                made.run(where, "ip", "address", "add", address, "dev", device, *more)
            made.run(where, "ip", "link", "set", device, "up")
    for where, via in ROUTES:
        family = ("-6",) if ":" in via else ()
        made.run(where, "ip", *family, "route", "add", "default", "via", via)
    made.run("router", "ip", "-6", "route", "add", "2001:db8:77::/64", "via", "2001:db8:1::7")
    for where in ("router", "box"):
        for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            made.run(where, "sh", "-c", f"echo 1 > /proc/sys/net/{name}")
    made.run("router", "nft", "-f", "-", given=COUNTING)
    chains = (
        "table ip box {\n"
        " chain from_outside { type nat hook prerouting priority dstnat; }\n"
        " chain out { type nat hook postrouting priority srcnat; }\n}\n"
    )
    made.run("box", "nft", "-f", "-", given=chains)
    made.seen_from(BOX_OUTSIDE)
