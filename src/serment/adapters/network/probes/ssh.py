"""SSH: what it is, and whether it offers to sign in with a password. None is ever tried.

An encrypted session is begun, because only there a server says which ways it offers; then "none"
is asked for a user whose name says who asks. Source: RFC 4253 (transport), RFC 4252 (signing in).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from serment.adapters.network.line import Cut, Line
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.crypto import ssh
from serment.core.crypto.ssh import Begun, Clear, Exchange, Protection, Suite
from serment.core.exposure.seen import Answer, Remote

VERSION: Final = b"SSH-2.0-SERMENT_AUDIT"
USER: Final = b"serment-audit"
_GREETING: Final = re.compile(
    rb"SSH-(\d\.\d{1,2})-([\x21-\x7e]{0,100})(?: ([\x20-\x7e]{0,150}))?\r?\n"
)
_LINES: Final = 20  # that may stand before the greeting, RFC 4253 section 4.2
_PACKETS: Final = 30
_KEYS: Final = (
    *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa", "ssh-dss"),
)
_BY_PASSWORD: Final = frozenset({"password", "keyboard-interactive"})
_REFUSED, _SUCCESS, _ACCEPTED = 51, 52, 6
_KEXINIT, _NEWKEYS, _KEX_FIRST, _KEX_ANSWER = 20, 21, 30, 31
_SERVICE, _SIGN_IN = 5, 50
_IN_PASSING: Final = frozenset({2, 4, 7, 53, 80})  # ignored, debugged, extensions, banner, global


@dataclass(slots=True)
class _Session:
    """Packets over a line, encrypted or not yet."""

    line: Line
    ours: Protection = field(default_factory=Clear)
    theirs: Protection = field(default_factory=Clear)
    _sent: int = 0
    _received: int = 0

    def send(self, content: bytes) -> None:
        block = self.ours.block
        padding = 4 + -(len(content) + 9 - self.ours.apart) % block  # four bytes at least
        packet = struct.pack(">IB", 1 + len(content) + padding, padding) + content + bytes(padding)
        self.line.send(self.ours.seal(self._sent, packet))
        self._sent += 1

    def receive(self, *wanted: int) -> bytes:
        """The next packet of a wanted kind; `Cut` when there is another instead."""
        for _ in range(_PACKETS):
            rest = self.theirs.length(self.line.exactly(self.theirs.head))
            packet = self.theirs.open(self._received, self.line.exactly(rest))
            self._received += 1
            content = packet[5 : len(packet) - packet[4]]
            if content and content[0] in wanted:
                return content
            if not content or content[0] not in _IN_PASSING:
                break
        raise Cut


def hears(banner: bytes) -> bool:
    """Whether a banner is SSH's, perhaps after other lines."""
    return banner.startswith(b"SSH-") or b"\nSSH-" in banner


def talk(call: Call) -> Heard | None:
    """Read the greeting; begin a session; ask which ways to sign in it offers."""
    with call.line() as line:
        greeting = _greeting(line)
        if greeting is None:
            return None
        call.understood()
        said = greeting.rstrip(b"\r\n")
        call.heard = Heard("ssh", *product(greeting), said.decode("ascii"), Remote())
        if not said.startswith((b"SSH-2", b"SSH-1.99")):
            return call.heard
        session = _Session(line)
        line.send(VERSION + b"\r\n")
        if _encrypt(session, said):
            call.heard = replace(call.heard, facts=judge(_ask(session)))
        return call.heard


def product(untrusted: bytes) -> tuple[str, str]:
    """Product and version of a greeting; the comment belongs to the version (it names who built
    it)."""
    found = _GREETING.fullmatch(untrusted)
    name = found[2].decode("ascii") if found else ""
    comment = (found[3] or b"").decode("ascii") if found else ""
    known = re.fullmatch(
        r"(OpenSSH(?:_for_Windows)?|dropbear|Cisco|libssh|ROSSSH)(?:[_-](.*))?", name
    )
    if known is None:
        return name, comment
    family = {"dropbear": "Dropbear", "ROSSSH": "MikroTik RouterOS"}.get(known[1], known[1])
    return family, f"{known[2] or ''} {comment}".strip()


def our_packet() -> bytes:
    """What we can do (RFC 4253 section 7.1), strongest first."""
    both = [tuple(ssh.CIPHERS)] * 2 + [tuple(ssh.MACS)] * 2 + [("none",)] * 2 + [()] * 2
    lists: Sequence[Sequence[str]] = [tuple(ssh.EXCHANGES), _KEYS, *both]
    names = b"".join(ssh.string(",".join(each).encode("ascii")) for each in lists)
    return bytes([_KEXINIT]) + ssh.cookie() + names + bytes(5)


def agree(untrusted: bytes) -> Suite | None:
    """What both sides can do, of the server's packet; None when there is nothing in common."""
    at, lists = 17, list[list[str]]()
    for _ in range(8):
        names, at = _text(untrusted, at)
        lists.append(names.decode("ascii", "replace").split(","))
    exchanges, _, cipher, cipher_back, mac, mac_back, *_ = lists
    exchange = _first(ssh.EXCHANGES, exchanges)
    chosen = _first(ssh.CIPHERS, [each for each in cipher if each in cipher_back])
    check = _first(ssh.MACS, [each for each in mac if each in mac_back])
    if not exchange or not chosen or not (check or "gcm" in chosen):
        return None
    return Suite(exchange, chosen, check)


def judge(untrusted: bytes) -> Remote:
    """What an answer to "none" says: inside already, or the ways that are left."""
    if untrusted[:1] == bytes([_SUCCESS]):
        return Remote(without_password=Answer.YES)
    ways = _text(untrusted, 1)[0].decode("ascii", "replace").split(",")
    is_password = not _BY_PASSWORD.isdisjoint(ways)
    return Remote(without_password=Answer.REFUSED, password_only=is_password)


def _greeting(line: Line) -> bytes | None:
    for _ in range(_LINES):
        said = line.until(b"\n", 512)
        if said.startswith(b"SSH-"):
            return said if _GREETING.fullmatch(said) else None
    return None


def _encrypt(session: _Session, their_version: bytes) -> bool:
    """Exchange keys; False when there is no way that both know."""
    mine = our_packet()
    session.send(mine)
    theirs = session.receive(_KEXINIT)
    suite = agree(theirs)
    if suite is None:
        return False
    exchange = Exchange(suite)
    session.send(bytes([_KEX_FIRST]) + exchange.public)
    answer = session.receive(_KEX_ANSWER)
    host_key, at = _text(answer, 1)
    half, _ = _text(answer, at)
    begun = Begun(VERSION, their_version, mine, theirs)
    ours, back = exchange.finish(begun, host_key, half)
    session.receive(_NEWKEYS)
    session.send(bytes([_NEWKEYS]))
    session.ours, session.theirs = ours, back
    return True


def _ask(session: _Session) -> bytes:
    session.send(bytes([_SERVICE]) + ssh.string(b"ssh-userauth"))
    session.receive(_ACCEPTED)
    words = (USER, b"ssh-connection", b"none")
    session.send(bytes([_SIGN_IN]) + b"".join(map(ssh.string, words)))
    return session.receive(_REFUSED, _SUCCESS)


def _first(known: Iterable[str], said: list[str]) -> str:
    return next((each for each in known if each in said), "")


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">I", data, at)
    if size > len(data) - at - 4:
        raise ValueError
    return data[at + 4 : at + 4 + size], at + 4 + size


PROBE = Probe("ssh", talk, hears, usual=frozenset({22, 2222}), rank=51)
