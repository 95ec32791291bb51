"""Locking: by itself after 30 idle minutes and 12 hours, by a restart, by a button; polling keeps
nothing open; what is locked holds neither keys nor rows."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from tests.e2e.oath.client import BASE, Client
from tests.e2e.oath.premises import Premises
from tests.e2e.serving import serving
from tests.practices import PASSWORD, World, memory_world, patient, report, study

from serment.adapters.documents.typesetting import Typst
from serment.adapters.memory.network import MemoryNetwork
from serment.app.protect.opening import Session
from serment.core.crypto.keys import new_key
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Role
from serment.entrypoints.desk.auditor import Auditor
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.dicomweb.app import dicomweb_routes
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.web.app import create_app
from serment.entrypoints.web.practice import WebPractice
from serment.entrypoints.web.practice.exposure import Exposure
from serment.errors import VaultLocked

MINUTE = 60
NEARLY = 30 * MINUTE - 1
HERE = Path(__file__).parent


@dataclass
class Machine:
    """Surroundings of no importance here."""

    def shares_here(self) -> int:
        return 0

    def receiving(self) -> bool:
        return True

    def free_bytes(self) -> int:
        return 10**9

    def vault_bytes(self) -> int:
        return 0

    def decoder_lacks(self) -> list[str]:
        return []

    def talker_lacks(self) -> list[str]:
        return []

    def damaged_files(self) -> list[tuple[str, datetime]]:
        return []

    def loose_files(self) -> list[str]:
        return []


@pytest.fixture(scope="module")
def staffed() -> World:
    """A practice in memory with one study; its clock stands still until told."""
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    world.receive([report(study(patient()))])
    return world


@pytest.fixture
def world(staffed: World) -> Iterator[World]:
    yield staffed
    staffed.practice.lock_all()


def wait(world: World, seconds: float) -> None:
    world.house.clock.advance(seconds)


def is_open(world: World, session: Session) -> bool:
    """As the server's own look, every second, finds it: no activity."""
    world.practice.expire()
    return session.token in world.practice.sessions


def last_reason(world: World) -> str:
    locked = [e for row in world.house.store.journal() if (e := entry_of(row)) is not None]
    return str([e for e in locked if e.kind is EventKind.LOCKED][-1].details["reason"])


def test_thirty_idle_minutes_lock(world: World) -> None:
    session = world.open("docteur")
    wait(world, NEARLY)
    assert is_open(world, session)
    assert world.practice.tables
    wait(world, 1)
    assert not is_open(world, session)
    assert world.practice.tables == {}
    assert session.ring.circles == frozenset()
    assert last_reason(world) == "idle"
    with pytest.raises(VaultLocked):
        world.practice.session(session.token)


def test_what_a_person_does_puts_it_off_until_twelve_hours(world: World) -> None:
    session = world.open("docteur")
    for _ in range(24):
        wait(world, NEARLY)
        assert world.practice.session(session.token) is session
    wait(world, 24)  # 24 times 29:59 and 24 seconds: twelve hours
    with pytest.raises(VaultLocked):
        world.practice.session(session.token)
    assert last_reason(world) == "absolute"


# Requests, through the application itself


@dataclass
class Site:
    """The pages and DICOMweb over a practice in memory."""

    world: World

    def __post_init__(self) -> None:
        world = self.world
        key = new_key()
        self.desk = Desk(world.practice, world.reads, world.searches, Machine(), lambda: key)
        intake = AsyncIntakeClient(Path("none.sock"))
        audits = Exposure(Auditor(world.house, lambda: key, MemoryNetwork()), tuple, Typst())
        pages = WebPractice(self.desk, None, intake, "127.0.0.1:11112", audits)  # no decoder
        routes = dicomweb_routes(self.desk, None, intake)
        self.app = create_app(pages, ["127.0.0.1"], routes)

    def get(self, path: str, session: Session, method: str = "GET", **more: str) -> int:
        """The status of one request with the session's cookie and token."""
        own = {"host": "127.0.0.1", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
        own |= {"cookie": f"__Host-serment={session.token}", **more}
        if path.startswith(BASE):
            own["authorization"] = f"Bearer {self.world.practice.bear(session)}"
        route, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": route,
            "raw_path": route.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in own.items()],
            "client": ("127.0.0.1", 50123),
            "server": ("127.0.0.1", 8443),
        }
        return asyncio.run(_status(self.app, scope))


async def _status(app: Callable[..., object], scope: dict[str, object]) -> int:
    sent: list[dict[str, object]] = []
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, object]:
        following = next(asked, None)
        if following is None:
            await asyncio.Event().wait()
        return following or {}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(str(sent[0]["status"]))


# What a page, or a viewer, asks by itself every few seconds
POLLING = [
    ("/pulse", {}),
    ("/studies", {"x-serment-live": "1"}),
    ("/", {"x-serment-live": "1"}),
    (f"{BASE}/studies", {}),
]
# What a person did: an address entered or a link, a form, a mark that our scripts set
ACTS = [
    ("/studies", "GET", {"sec-fetch-mode": "navigate"}),
    ("/active", "POST", {}),
    ("/pulse", "GET", {"x-serment-active": "1"}),
]


@pytest.mark.parametrize(("path", "headers"), POLLING)
def test_polling_keeps_nothing_open(world: World, path: str, headers: dict[str, str]) -> None:
    site, session = Site(world), world.open("docteur")
    for _ in range(29):
        wait(world, MINUTE)
        assert site.get(path, session, **headers) == 200
    wait(world, MINUTE)
    assert site.get(path, session, **headers) == 401
    assert not is_open(world, session)


@pytest.mark.parametrize(("path", "method", "headers"), ACTS)
def test_an_act_does(world: World, path: str, method: str, headers: dict[str, str]) -> None:
    site, session = Site(world), world.open("docteur")
    wait(world, NEARLY)
    assert site.get(path, session, method, **headers) in (200, 204)
    wait(world, NEARLY)
    assert is_open(world, session)
    assert session.ends_at - world.house.clock.now() == timedelta(seconds=1)


# What stays


def test_a_restart_drops_the_keys(premises: Premises) -> None:
    """Even one that nobody asked for: the web process is killed, the supervisor starts another."""
    vault = premises.vault
    premises.receive([report(study(patient()))])
    with serving(vault) as server:
        client = Client(server, vault.json("unlock", "--as", "docteur", "--token")["token"])
        assert client.get(f"{BASE}/studies").status == 200
        web = next(
            child
            for child in psutil.Process(server.process.pid).children()
            if "_web" in child.cmdline()
        )
        os.kill(web.pid, signal.SIGKILL)
        status = _status_soon(premises)
        assert status["locked"] is True
        assert status["circles"] == []
        assert client.get(f"{BASE}/studies").status == 401


def _status_soon(premises: Premises) -> dict[str, object]:
    """Once the server answers again."""
    for _ in range(300):
        done = premises.vault.run("status", "--json", code=None)
        if done.code == 0:
            return done.json
        time.sleep(0.2)
    raise AssertionError(done)


def test_nothing_refers_to_keys_and_names_after_the_lock(premises: Premises) -> None:
    """Nothing of ours keeps them. What the interpreter leaves in freed memory is another matter,
    which the threat model states."""
    left, right = "QUARTZ", "IMAGINAIRE"
    premises.receive([report(study(patient(1, f"{left}{right}^Zoe")))])
    command = [sys.executable, str(HERE / "after_lock.py"), str(premises.root)]
    command += [premises.vault.environment["SERMENT_PASSWORD_FILE"], left, right]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["open"]["names"] > 0
    assert found["open"]["keys"] > found["before"]["keys"] + 5
    assert found["locked"] == {"names": 0, "keys": found["before"]["keys"]}
    assert found["tables"] == 0
    assert PASSWORD.reveal() not in done.stdout
