"""Probes of file services and peers that mean no good: bounded, led nowhere, told as what they are."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.unit.network.calling import HOST, call
from tests.unit.network.speaking import ask, heard

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import READ_LIMIT
from serment.adapters.network.probes import afp, ftp, nfs, rsync, smb
from serment.adapters.network.probing import Heard, Probe
from serment.adapters.network.shares.ftp import PASS_SECONDS
from serment.core.exposure.seen import Answer, Files

YES, NO, NOTHING = Answer.YES, Answer.REFUSED, Answer.NOTHING
ELSEWHERE = "192,0,2,9"
LISTED = b"drwxr-xr-x 2 0 0 0 Nov 22 08:00 d\r\n-rw-r--r-- 1 0 0 0 Nov 22 08:00 IM000001\r\n"


def answer(command: bytes, port: int, listed: bytes) -> bytes:
    """What a lenient FTP server says; PASV names an address elsewhere."""
    match command.split()[0]:
        case b"USER":
            return b"331 a word?\r\n"
        case b"PASS":
            return b"230-hello\r\n 230 not the end\r\n230 in\r\n"
        case b"PWD":
            return b'257 "/"\r\n'
        case b"CWD":
            return b"250 there\r\n"
        case b"PASV":
            return f"227 ({ELSEWHERE},{port >> 8},{port & 255})\r\n".encode()
        case b"LIST":
            return b"150 it comes\r\n"
        case _:
            return b"502 what?\r\n"


@contextmanager
def ftp_server(
    listed: bytes = LISTED,
    answer: Callable[[bytes, int, bytes], bytes] = answer,
    banner: bytes = b"220 (vsFTPd 3.0.3)\r\n",
) -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and the commands it was given. Every folder holds the same."""
    told: list[bytes] = []

    def talk(peer: socket.socket, data: socket.socket) -> None:
        peer.sendall(banner)
        for command in peer.makefile("rb"):
            told.append(command.rstrip())
            peer.sendall(answer(command, data.getsockname()[1], listed))
            if command.startswith((b"LIST", b"MLSD")):
                with data.accept()[0] as way:
                    way.sendall(listed)
                if command.startswith(b"LIST"):
                    peer.sendall(b"226 all\r\n")

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = server.accept()
                threading.Thread(target=one, args=(peer,), daemon=True).start()

    def one(peer: socket.socket) -> None:
        with peer, socket.create_server((HOST, 0)) as data, contextlib.suppress(OSError):
            talk(peer, data)

    with socket.create_server((HOST, 0), backlog=50) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], told
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def files_of(found: Heard | None) -> Files:
    assert found
    assert isinstance(found.facts, Files)
    return found.facts


def test_pasv_leads_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses in PASV are not even looked at: data connections go to the server itself."""
    called: set[str] = set()
    real = Dialer._place

    def place(self: Dialer, host: str, port: int) -> object:
        called.add(host)
        return real(self, host, port)

    monkeypatch.setattr(Dialer, "_place", place)
    with ftp_server() as (port, told):
        found = files_of(ask(ftp.PROBE, port, b"220 "))
    assert called == {HOST}
    assert b"PASV" in told
    assert (found.anonymous, found.listed, found.encrypted) == (YES, {"dicom": 3}, NO)


def test_nothing_is_asked_but_what_lists() -> None:
    with ftp_server() as (port, told):
        ask(ftp.PROBE, port, b"220 ")
    asked = {command.split()[0] for command in told}
    assert asked <= set(b"USER PASS PWD CWD EPSV PASV MLSD LIST AUTH".split())
    assert told[:2] == [b"USER anonymous", b"PASS serment-audit@"]


@pytest.mark.parametrize("name", [b"a\x1b[2Jb", b"a\rDELE x", b"a\x7f", b"\xff\xf4\x00a"])
def test_names_that_would_be_commands_are_not_said_again(name: bytes) -> None:
    listed = b"drwxr-xr-x 2 0 0 0 Nov 22 08:00 " + name + b"\r\n"
    with ftp_server(listed) as (port, told):
        assert files_of(ask(ftp.PROBE, port, b"220 ")).anonymous is YES
    assert [command for command in told if command.startswith(b"CWD")] == [b"CWD /"]


def test_a_password_is_waited_for() -> None:
    """Servers wait some seconds before they refuse one."""
    assert PASS_SECONDS >= 5
    patience: list[float] = []
    with ftp_server() as (port, _):
        asked = call(port)

        class Watching(ftp.Session):
            def ask(self, command: str, *words: str):  # type: ignore[no-untyped-def]
                if command == "PASS":
                    patience.append(asked.budget.patience)
                return super().ask(command, *words)

        Watching(asked).password("x")
        assert patience == [PASS_SECONDS]
        assert asked.budget.patience == 1.0
        asked.close()


def test_who_greets_as_ftp_and_is_a_mail_server() -> None:
    def smtp(command: bytes, port: int, listed: bytes) -> bytes:
        return b"500 unrecognised\r\n"

    with ftp_server(answer=smtp) as (port, _):
        assert ask(ftp.PROBE, port, b"220 ") is None
    assert not ftp.PROBE.hears(b"220 mail.example ESMTP Postfix")  # type: ignore[misc]
    assert ftp.PROBE.hears(b"220-Bienvenue")  # type: ignore[misc]


@pytest.mark.parametrize("code", [421, 530])
def test_who_does_not_let_us_in(code: int) -> None:
    def closed(command: bytes, port: int, listed: bytes) -> bytes:
        return f"{code} no\r\n".encode()

    with ftp_server(answer=closed) as (port, _):
        found = files_of(ask(ftp.PROBE, port, b"220 "))
    assert (found.anonymous, found.encrypted) == ((NOTHING, NOTHING) if code == 421 else (NO, NO))


FLOOD = b"A" * (READ_LIMIT + 4096)
MiB = 1 << 20


@pytest.mark.parametrize(
    ("probe", "words", "first"),
    [
        (ftp.PROBE, (b"220-" + b"more\r\n220-" * 60_000,), True),
        (ftp.PROBE, (b"220 " + FLOOD,), True),
        (rsync.PROBE, (b"@RSYNCD: 31.0\n", b"@RSYNCD: " + FLOOD), True),
        (rsync.PROBE, (b"@RSYNCD: " + FLOOD,), True),
        (rsync.PROBE, (b"@RSYNCD: 31.0\n", b"motd\n" * 100_000), True),
        (smb.PROBE, (b"\xff\xff\xff\xff" + FLOOD, b"\xff\xff\xff\xff" + FLOOD), False),
        (smb.PROBE, (b"\0\xff\xff\xff" + FLOOD,), False),
        (smb.PROBE, (b"\0\0\0\x40\xfeSMB" + bytes(60),), False),
        (smb.PROBE, (b"\x85\0\0\0" * 100_000,), False),
        (nfs.PROBE, (b"\xff\xff\xff\xff" + FLOOD,), False),
        (nfs.PROBE, (struct.pack(">III", 0x8000_0020, 0x5E13, 1) + b"\xff" * 24,), False),
        (nfs.PROBE, (b"\0\0\0\0" * 100_000,), False),
        (afp.PROBE, (struct.pack(">BBHiII", 1, 3, 1, 0, 0xFFFFFFFF, 0) + FLOOD,), False),
        (afp.PROBE, (struct.pack(">BBHiII", 0, 5, 0, 0, 0, 0) * 50_000,), False),
        (afp.PROBE, (struct.pack(">BBHiII", 1, 3, 1, 0, 12, 0) + b"\xff" * 12,), False),
    ],
)
def test_lengths_that_lie_and_words_without_end(
    probe: Probe, words: tuple[bytes, ...], first: bool
) -> None:
    """Four gigabytes are announced, and as many bytes sent as are taken: it is not understood, or
    understood and nothing was counted."""
    found = heard(probe, *words, first=first)
    if found is not None:
        facts = found.facts
        assert facts is None or (isinstance(facts, Files) and not facts.listed)


@pytest.mark.parametrize("probe", [smb.PROBE, nfs.PROBE, afp.PROBE])
@pytest.mark.parametrize(
    "word", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"\0" * 80]
)
def test_services_of_others_cost_one_answer(probe: Probe, word: bytes) -> None:
    assert heard(probe, word) is None


def test_the_port_mapper_states_exports_only_for_a_port_that_is_not_asked() -> None:
    """NFS listens on 2049 and is of the order: it states them itself."""

    def reply(*numbers: int) -> bytes:
        return struct.pack(f">{len(numbers)}I", *numbers)

    def framed(number: int, body: bytes) -> bytes:
        head = reply(number, 1, 0, 0, 0)
        return struct.pack(">I", 0x80000000 | len(head + body)) + head + body

    known = reply(1, 100003, 3, 6, 2049, 0)
    words = (framed(0x5E13, reply(1)), framed(0x5E14, reply(0) + known))
    found = heard(nfs.PROBE, *words)
    assert found == Heard("nfs", facts=Files())  # 2049 is not among this call's ports
