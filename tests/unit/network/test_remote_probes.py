"""What remote access says, word for word, and what is made of it; and of the same words cut short,
changed and without end."""

from __future__ import annotations

import struct

import pytest
from tests.unit.network.speaking import ask, cut_short, heard, saying

from serment.adapters.network.probes import rdp, snmp, ssh, telnet, vnc
from serment.adapters.network.probing import Probe
from serment.core.crypto.ssh import CIPHERS, EXCHANGES, MACS, Begun, Clear, Exchange, Suite, string
from serment.core.exposure.seen import Answer, Remote
from serment.errors import FormatError

YES, NO, NOTHING = Answer.YES, Answer.REFUSED, Answer.NOTHING

CONFIRM = b"\xd0\0\0\x12\x34\0"


def confirmed(negotiation: bytes = b"") -> bytes:
    """An RDP server's answer."""
    body = CONFIRM + negotiation
    return struct.pack(">BBHB", 3, 0, 5 + len(body), len(body)) + body


def kexinit(exchange: str, cipher: str, mac: str) -> bytes:
    """A server's key exchange packet, content only."""
    lists = (exchange, "ssh-ed25519", cipher, cipher, mac, mac, "none", "none", "", "")
    return b"\x14" + bytes(16) + b"".join(string(each.encode()) for each in lists) + bytes(5)


def plain(content: bytes) -> bytes:
    """An SSH packet in clear."""
    padding = 4 + -(len(content) + 9) % 8
    return struct.pack(">IB", 1 + len(content) + padding, padding) + content + bytes(padding)


GREETING = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"
SSH_TALK = (GREETING, plain(kexinit("curve25519-sha256", "aes128-ctr", "hmac-sha2-256")))
VNC_NONE = (b"RFB 003.008\n", b"\1\1", bytes(4))
TELNET = b"\xff\xfd\x18\xff\xfb\x01\xff\xfa\x18\x01\xff\xf0\r\nDebian\r\nlogin: "
BARE_SHELLS = (
    b"# ",
    b"$ ",
    b"/ # ",
    b"\r\nRouter>",
    b"BusyBox v1.36.1 built-in shell (ash)\n\n~ $ ",
    b"\x1b[32m[root@nas ~]#\x1b[0m ",
    b"Microsoft Windows [Version 6.1.7601]\r\n\r\nC:\\Windows\\system32>",
)
NO_SHELLS = (
    b"220 ready >",
    b"220-Welcome\r\n220 Give your name $ ",
    b"220 mail.example ESMTP <ready>",
    b"SSH-2.0-dropbear #",
    b"+OK POP3 <1896.697170952@mail.example>",
    b"* OK IMAP4rev1 >",
    b"-ERR unknown #",
    b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>",
    b"<stream:stream version='1.0'>",
    b'{"price": "10 $',
    b"@RSYNCD: 31.0 #",
    b"OK MPD 0.23.5\n",
    b"Sun Nov 22 12:00:00 2026\r\n",
    b"Printer ready\r\n>\r\n",
    b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0#",
    b"\x01\x02\x03$",
)
RDP_NLA = confirmed(b"\3\0\x08\0\5\0\0\0")


@pytest.mark.parametrize(
    ("probe", "words", "first", "expected"),
    [
        (vnc.PROBE, VNC_NONE, True, Remote(YES, clear=True)),
        (vnc.PROBE, (b"RFB 003.008\n", b"\2\1\2", b"\0\0\0\1"), True, Remote(NO, clear=True)),
        (vnc.PROBE, (b"RFB 003.008\n", b"\1\2"), True, Remote(NO, clear=True)),
        (vnc.PROBE, (b"RFB 005.000\n", b"\1\5"), True, Remote(NO)),  # RealVNC, encrypted
        (vnc.PROBE, (b"RFB 003.007\n", b"\1\1"), True, Remote(YES, clear=True)),
        (vnc.PROBE, (b"RFB 003.003\n", b"\0\0\0\1"), True, Remote(YES, clear=True)),
        (vnc.PROBE, (b"RFB 003.003\n", b"\0\0\0\2"), True, Remote(NO, clear=True)),
        (vnc.PROBE, (b"RFB 003.003\n", b"\0\0\0\0\0\0\0\4busy"), True, Remote(NOTHING)),
        (vnc.PROBE, (b"RFB 003.008\n", b"\0\0\0\0\4busy"), True, Remote(NOTHING)),
        (vnc.PROBE, (b"RFB 003.008\n", b"\1\x13\0\2", b"\0\1\0\0\1\1"), True, Remote(YES)),
        (vnc.PROBE, (b"RFB 003.008\n", b"\1\x13\0\2", b"\0\1\0\0\1\2"), True, Remote(NO)),
        (rdp.PROBE, (RDP_NLA,), False, Remote(network_level=YES)),
        (rdp.PROBE, (confirmed(b"\2\0\x08\0\1\0\0\0"),), False, Remote(network_level=NO)),
        (rdp.PROBE, (confirmed(b"\3\0\x08\0\2\0\0\0"),), False, Remote(network_level=NO)),
        (rdp.PROBE, (confirmed(),), False, Remote(network_level=NO)),
        (telnet.PROBE, (TELNET,), True, Remote(NO, clear=True)),
        (telnet.PROBE, (b"\xff\xfb\1\r\n/ # ",), True, Remote(YES, clear=True)),
        (telnet.PROBE, (b"\xff\xfb\1\r\nRouter>",), True, Remote(YES, clear=True)),
        (telnet.PROBE, (b"\xff\xfb\1\r\n\x1b[1mNAS\x1b[0m login: ",), True, Remote(NO, clear=True)),
        (telnet.PROBE, (b"\r\nUser name: ",), True, Remote(NO, clear=True)),
        (telnet.PROBE, (b"\xff\xfb\1 1) status\r\n",), True, Remote(NOTHING, clear=True)),
        # without a word of negotiation; who says b"" keeps the connection, and waits
        *((telnet.PROBE, (bare, b""), True, Remote(YES, clear=True)) for bare in BARE_SHELLS),
        (telnet.PROBE, (b"Debian GNU/Linux 12\r\nnas login: ", b""), True, Remote(NO, clear=True)),
        (ssh.PROBE, SSH_TALK, True, Remote()),
        (ssh.PROBE, (b"SSH-1.5-Cisco-1.25\n",), True, Remote()),
        (ssh.PROBE, (GREETING, plain(kexinit("unheard-of", "none", "none"))), True, Remote()),
    ],
)  # fmt: skip
def test_what_protects_the_door_is_read(
    probe: Probe, words: tuple[bytes, ...], first: bool, expected: Remote
) -> None:
    found = heard(probe, *words, first=first)
    assert found is not None
    assert (found.protocol, found.facts) == (probe.protocol, expected)


@pytest.mark.parametrize(
    "probe", [ssh.PROBE, telnet.PROBE, vnc.PROBE], ids=lambda each: each.protocol
)
@pytest.mark.parametrize(
    "banner",
    [b"", b"220 vsftpd\r\n", b"RFC 003.008\n", b"SHS-2.0", b"\xff\xff\xff\xff", b"+PONG\r\n", b"@RSYNCD: 31\n"],
)  # fmt: skip
def test_what_others_say_is_not_its(probe: Probe, banner: bytes) -> None:
    assert probe.hears is not None
    assert not probe.hears(banner)


@pytest.mark.parametrize("banner", NO_SHELLS)
def test_what_only_ends_like_a_prompt_is_no_shell(banner: bytes) -> None:
    assert not telnet.hears(banner)
    assert heard(telnet.PROBE, banner, b"", first=True) is None


def test_a_shell_waits_at_its_prompt() -> None:
    """This one closes after it."""
    assert heard(telnet.PROBE, b"# ", first=True) is None


def test_characters_without_end_are_no_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 864; a piece of them may end with any character."""
    monkeypatch.setattr(telnet, "_LIMIT", 64)
    line = bytes(range(0x24, 0x24 + 61)) + b"#"
    assert heard(telnet.PROBE, line * 40, b"", first=True) is None


@pytest.mark.parametrize(
    "word", [b"", b"\3\0\0\x13\x0e\xe0\0\0\0\0\0\2\0\x08\0\1\0\0\0", b"\3\0\xff\xff\6\xd0" + bytes(99),
             b"HTTP/1.1 400 Bad\r\n\r\n", bytes(64)],
)  # fmt: skip
def test_a_request_come_back_or_a_wrong_length_is_no_rdp(word: bytes) -> None:
    assert heard(rdp.PROBE, word) is None


@pytest.mark.parametrize(
    ("probe", "words"),
    [(vnc.PROBE, VNC_NONE), (telnet.PROBE, (TELNET,)), (rdp.PROBE, (b"", RDP_NLA)), (ssh.PROBE, SSH_TALK)],
    ids=["vnc", "telnet", "rdp", "ssh"],
)  # fmt: skip
def test_words_cut_short_and_changed_end_in_an_answer(
    probe: Probe, words: tuple[bytes, ...]
) -> None:
    for at, word in enumerate(words):
        for changed in cut_short(word)[:: max(1, len(word) // 40)]:
            found = heard(probe, *words[:at], changed, first=True)
            assert found is None or found.protocol == probe.protocol


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (ssh.PROBE, (GREETING, b"\xff\xff\xff\xff" + bytes(70_000))),
        (ssh.PROBE, (b"welcome\r\n" * 8000,)),
        (telnet.PROBE, (b"\xff\xfd\x18" * 20_000,)),
        (telnet.PROBE, (b"\xff\xfa" + bytes(70_000),)),
        (vnc.PROBE, (b"RFB 003.008\n", b"\xff" + bytes(70_000))),
    ],
)
def test_what_has_no_end_is_left(probe: Probe, words: tuple[bytes, ...]) -> None:
    with saying(*words, first=True) as (port, told):
        found = ask(probe, port, words[0])
    assert found is None or isinstance(found.facts, Remote)
    assert sum(map(len, told)) < 200_000  # nor is it answered without end


def test_telnet_declines_what_it_is_offered() -> None:
    text, answers, rest = telnet.separate(
        b"\xff\xfd\x18\xff\xfb\x01ab\xff\xfa\x18\x01\xff\xf0c\xff\xfb"
    )
    assert (text, answers, rest) == (b"abc", b"\xff\xfc\x18\xff\xfe\x01", b"\xff\xfb")


def test_who_asks_stands_in_the_other_sides_log() -> None:
    assert b"mstshash=SERMENT" in rdp.request()
    assert b"SERMENT_AUDIT" in ssh.VERSION
    assert ssh.USER == b"serment-audit"  # nobody's account


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (GREETING, ("OpenSSH", "9.2p1 Debian-2+deb12u3")),
        (b"SSH-2.0-dropbear_2020.81\r\n", ("Dropbear", "2020.81")),
        (b"SSH-2.0-OpenSSH_for_Windows_8.1\r\n", ("OpenSSH_for_Windows", "8.1")),
        (b"SSH-2.0-Cisco-1.25\n", ("Cisco", "1.25")),
        (b"SSH-2.0-ROSSSH\r\n", ("MikroTik RouterOS", "")),
        (b"SSH-2.0-Something\r\n", ("Something", "")),
    ],
)
def test_a_greeting_names_a_product(greeting: bytes, expected: tuple[str, str]) -> None:
    assert ssh.product(greeting) == expected


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("mac", MACS)
def test_both_sides_of_an_exchange_read_each_other(exchange: str, cipher: str, mac: str) -> None:
    suite = ssh.agree(kexinit(exchange, cipher, mac))
    assert suite == Suite(exchange, cipher, mac)
    one, other = Exchange(suite), Exchange(suite)
    begun = Begun(b"SSH-2.0-a", b"SSH-2.0-b", b"x", b"y")
    begin = Clear()
    ours, theirs = one.finish(begun, b"key", other.public[4:])
    assert begin.length(struct.pack(">I", 20)) == 20
    packet = struct.pack(">IB", 28, 6) + bytes(27)
    sealed = ours.seal(3, packet)
    assert sealed != packet
    back, _ = one.finish(begun, b"key", other.public[4:])  # the same keys, from their beginning
    rest = back.length(sealed[: back.head])
    assert len(sealed) == back.head + rest
    assert theirs is not ours
    if "gcm" in cipher or exchange.startswith("curve"):
        changed = bytearray(sealed[back.head :])
        changed[-1] ^= 1
        with pytest.raises(FormatError):
            back.open(3, bytes(changed))


@pytest.mark.parametrize("half", [b"", b"x", bytes(32), bytes(31)])
def test_a_half_that_is_none_is_refused(half: bytes) -> None:
    for name in ("curve25519-sha256", "diffie-hellman-group14-sha256"):
        exchange = Exchange(Suite(name, "aes128-ctr", "hmac-sha1"))
        with pytest.raises(FormatError):
            exchange.finish(Begun(b"", b"", b"", b""), b"", half if name[0] == "c" else half[:0])


def answer(description: bytes) -> bytes:
    """An agent's answer to our question."""
    said = snmp.request(1)
    pair = b"\x06\x08\x2b\6\1\2\1\1\1\0" + b"\x04" + bytes([len(description)]) + description
    inner = b"\x30" + bytes([len(pair)]) + pair
    listed = b"\x30" + bytes([len(inner)]) + inner
    body = b"\x02\x03SER\x02\1\0\x02\1\0" + listed
    pdu = b"\xa2" + bytes([len(body)]) + body
    head = b"\x02\1\1\x04\x06public"
    assert head in said
    return b"\x30" + bytes([len(head + pdu)]) + head + pdu


def test_a_device_is_named_by_its_kind_and_never_by_its_name() -> None:
    described = snmp.parse(answer(b"Linux accueil-dr-exemple 6.1.0"))
    assert described is not None
    assert snmp.product(described) == "Linux"
    assert snmp.product(b"accueil-dr-exemple") == ""


def test_an_answer_of_snmp_cut_short_is_none() -> None:
    whole = answer(b"Linux")
    assert snmp.parse(whole) == b"Linux"
    assert {snmp.parse(whole[:size]) for size in range(len(whole))} == {None}
    for changed in cut_short(whole):
        assert len(snmp.parse(changed) or b"") <= 5
    other = whole.replace(b"\2\1\1\1\0", b"\2\1\1\5\0")  # sysName
    assert snmp.parse(other) is None
    for nonsense in (
        b"",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x80",
        b"\x30\x89" + bytes(20),
        b"\x30",
    ):
        assert snmp.parse(nonsense) is None


def test_both_versions_of_snmp_are_asked() -> None:
    assert (snmp.request(0)[2:5], snmp.request(1)[2:5]) == (b"\2\1\0", b"\2\1\1")


def test_ssh_ways_are_told_apart() -> None:
    def ways(names: bytes) -> Remote:
        return ssh.judge(b"\x33" + string(names) + b"\0")

    assert ways(b"publickey") == Remote(NO)
    assert ways(b"publickey,password") == Remote(NO, password_only=True)
    assert ways(b"keyboard-interactive") == Remote(NO, password_only=True)
    assert ssh.judge(b"\x34") == Remote(YES)
