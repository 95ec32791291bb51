"""Uploads that break off at any moment leave nothing of the patient in the process that holds
sessions: not in the memory it shares with the receiver, and in its own only what the interpreter
freed of the first bytes."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from tests.e2e.dicomweb.clinic import RELATED, stow_body
from tests.e2e.oath.memory import count_in_memory
from tests.e2e.oath.premises import Premises
from tests.e2e.serving import Server, Vault, serving
from tests.practices import patient, report, study

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

ROOT = Path(__file__).parents[3]
SHARED = "serment-intake"
RESET = struct.pack("ii", 1, 0)
LAST_READ = 256_000  # bytes: without TLS all connections share one buffer of the event loop
CUTS = 6
NUMBERS = itertools.count(1)


@dataclass
class Site:
    """A running server, and the processes of it that matter here."""

    server: Server
    token: str

    @property
    def tls(self) -> bool:
        return self.server.web.startswith("https")

    def named(self, word: str) -> list[int]:
        """Processes with that word in their command line."""
        found, top = [], psutil.Process(self.server.process.pid)
        for process in (top, *top.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [process.pid] if any(word in w for w in process.cmdline()) else []
        return found

    @property
    def web(self) -> int:
        return self.named("_web" if self.tls else "--web-process")[0]

    @property
    def remains(self) -> int:
        """Bytes of an upload that may stay."""
        return 0 if self.tls else LAST_READ

    def connect(self) -> socket.socket:
        where = urlsplit(self.server.web)
        plain = socket.create_connection((where.hostname, where.port), 30)
        if not self.tls:
            return plain
        context = ssl.create_default_context(cafile=self.server.authority)
        return context.wrap_socket(plain, server_hostname=where.hostname)

    def request(self, more: str) -> bytes:
        return (
            "POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: {RELATED}\r\n{more}\r\n\r\n"
        ).encode()

    def mapped(self) -> dict[int, int]:
        """How often the memory of an upload is mapped or open in each of the processes."""
        found = {}
        for pid in self.named(""):
            with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
                if count := _mapped(pid):
                    found[pid] = count
        return found

    @contextlib.contextmanager
    def receivers_stopped(self) -> Iterator[None]:
        pids = self.named("_receiver")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def _mapped(pid: int) -> int:
    files = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            files += SHARED in str(file.readlink())
    return Path(f"/proc/{pid}/maps").read_text().count(SHARED) + files


@pytest.fixture(scope="module", params=["tls", "http"])
def site(
    request: pytest.FixtureRequest, founded: Premises, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    premises = founded.copy(tmp_path_factory.mktemp("broken"))
    with (serving if request.param == "tls" else _without_tls)(premises.vault) as server:
        yield Site(server, premises.token)


@contextlib.contextmanager
def _without_tls(vault: Vault) -> Iterator[Server]:
    """As nobody but the bench can have it."""
    where = [f"127.0.0.1:{_free_port()}" for _ in range(2)]
    command = [sys.executable, "-m", "bench.plain", str(vault.root), *where]
    environment = {**os.environ, **vault.environment}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Server(process, ready["dicom"], ready["web"], "", vault.root)
        process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def words(number: int) -> bytes:
    """What stands in the report of that number, again and again, and nowhere else."""
    return b"Nodule fictif QUARTZ %04d " % number


def upload(number: int) -> bytes:
    text = words(number).decode() * 40_000  # 1 MB
    return stow_body([report(study(patient(number), number), number, text)])


def left(site: Site, number: int) -> int:
    """Bytes of the report in the memory of the web process."""
    said = words(number)
    return count_in_memory(site.web, {"report": said}).get("report", 0) * len(said)


def eventually(look: Callable[[], object]) -> None:
    """What it finds is nothing, or false, in the end."""
    end = time.monotonic() + 30
    while found := look():
        assert time.monotonic() < end, found
        time.sleep(0.05)


def eventually_gone(site: Site, number: int) -> None:
    """Nothing is mapped any more, nor is that report in the memory of the web process."""
    eventually(site.mapped)
    eventually(lambda: max(0, left(site, number) - site.remains))


def chunked(data: bytes) -> bytes:
    pieces = (data[at : at + 100_000] for at in range(0, len(data), 100_000))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


NO_END = "Content-Length: 3000000"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize("way", [NO_END, CHUNKED], ids=["announced", "chunked"])
@pytest.mark.parametrize("size", [0, 60_000, 700_000], ids=["head", "beginning", "middle"])
@pytest.mark.parametrize("end", ["closed", "reset"])
def test_a_cut_upload_is_gone(site: Site, way: str, size: int, end: str) -> None:
    number = next(NUMBERS)
    body = upload(number)[:size]
    for cut in range(CUTS):
        connection = site.connect()
        connection.sendall(site.request(way))
        time.sleep(0.02 * (cut % 2))  # the body comes with the head, or after it
        connection.sendall(body if way is NO_END else chunked(body))
        time.sleep(0.05)
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()
    eventually_gone(site, number)


def test_a_whole_upload_is_gone_after_its_answer(site: Site) -> None:
    """Whether its sender waits for it or not."""
    number = next(NUMBERS)
    body = upload(number)
    for waits in (True, False) * 3:
        with site.connect() as connection:
            connection.sendall(site.request(f"Content-Length: {len(body)}") + body)
            if waits:
                assert connection.recv(12) == b"HTTP/1.1 200"
    eventually_gone(site, number)


def test_what_waits_for_a_slow_receiver_is_gone_once_it_goes_on(site: Site) -> None:
    """Its sender is not there any more."""
    number = next(NUMBERS)
    body = upload(number) * 4
    with site.receivers_stopped(), site.connect() as connection:
        connection.sendall(site.request(f"Content-Length: {len(body)}"))
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            connection.sendall(body)
        eventually(lambda: site.web not in site.mapped())
    eventually_gone(site, number)


def test_a_refused_upload_is_gone(site: Site) -> None:
    """The sender stays, and sends on."""
    number = next(NUMBERS)
    with site.connect() as connection:
        connection.sendall(site.request(NO_END) + words(number) * 40_000)
        assert connection.recv(12) == b"HTTP/1.1 400"
        eventually(site.mapped)
        connection.sendall(words(number) * 40_000)
    eventually_gone(site, number)


def test_nothing_stays_when_the_receiver_is_gone(site: Site) -> None:
    """Last: the server without TLS has nobody who starts another receiver."""
    number = next(NUMBERS)
    with site.connect() as connection:
        connection.sendall(site.request(NO_END) + upload(number)[:700_000])
        eventually(lambda: site.web not in site.mapped())
        for pid in site.named("_receiver"):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: site.mapped().get(site.web))
        connection.sendall(upload(number)[:700_000])
    eventually_gone(site, number)
