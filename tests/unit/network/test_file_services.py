"""What file services say, word for word, and what is made of it; and of words cut short or garbled."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.adapters.network.probing import NONSENSE
from serment.adapters.network.shares import afp, ftp, nfs, ntlm, rpc, srvsvc, walk
from serment.adapters.network.shares.smb_session import entries
from serment.adapters.network.shares.walk import Entry, Refused, Tally
from serment.adapters.network.web.folders import dav_entries
from serment.core.exposure.findings import Readable, Unit
from serment.core.masked import Masked
from serment.errors import FormatError


def name_of(text: str) -> bytes:
    raw = (text + "\0").encode("utf-16-le")
    words = struct.pack("<III", len(raw) // 2, 0, len(raw) // 2)
    return words + raw + bytes(-len(raw) % 4)


def shares_answer(*shares: tuple[str, int]) -> bytes:
    """A NetrShareEnum answer as Samba packs it, after the header of its PDU."""
    count = len(shares)
    head = struct.pack("<IIIIII", 1, 1, 0x20004, count, 0x20008, count)
    rows = b"".join(struct.pack("<III", 0x2000C, kind, 0x20010) for _, kind in shares)
    texts = b"".join(name_of(name) + name_of("said of it") for name, _ in shares)
    return head + rows + texts + struct.pack("<III", count, 0, 0)


SHARES = shares_answer(("radios", 0), ("C$", 0x80000000), ("imprimante", 1), ("IPC$", 0x80000003))
CHALLENGE = (
    b"\xa1\x30"  # a token around it, as SPNEGO has one
    + b"NTLMSSP\0"
    + struct.pack("<IHHII8s8xHHI", 2, 0, 0, 56, 0x02000001, b"saltsalt", 12, 12, 56)
    + struct.pack("<BBHI", 10, 0, 20348, 15 << 24)
    + struct.pack("<HH8s", 7, 8, b"timestmp")
)


def smb_page(*names: tuple[str, int]) -> bytes:
    """FileDirectoryInformation (MS-FSCC 2.4.10)."""
    page = b""
    for number, (name, attributes) in enumerate(names, 1):
        raw = name.encode("utf-16-le")
        size = 64 + len(raw) + -len(raw) % 8
        onward = size if number < len(names) else 0
        page += struct.pack("<I52xII", onward, attributes, len(raw)) + raw + bytes(-len(raw) % 8)
    return page


PAGE = smb_page((".", 0x10), ("radios", 0x10), ("lien", 0x410), ("patients.csv", 0x20))
LISTING = (
    b"total 12\r\n"
    b"drwxr-xr-x    2 0        0            4096 Nov 22 08:00 radios d'hiver\r\n"
    b"-rw-r--r--    1 ftp      ftp             0 Jan  1  2020 bilan.pdf\r\n"
    b"lrwxrwxrwx    1 0        0               4 Nov 22 08:00 lien -> /etc\r\n"
    b"-rw-r--r--   1 owner           0 Nov 22 08:00 sans groupe.dcm\r\n"
    b"11-22-26  08:00AM       <DIR>          examens\r\n"
    b"11-22-2026  08:00AM            1,024 patients.csv\r\n"
    b"+i8388621.48594,m825718503,r,s280,\tdjb.html\r\n"
)
MACHINE = (
    b"type=cdir;perm=el; /\r\nType=dir;modify=20260101; radios\r\n"
    b"size=3;type=file; a b.dcm\r\nsize=3;type=OS.unix=slink; lien\r\n garbage\r\n"
)
DAV = (
    '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">'
    "<D:response><D:href>/dav/</D:href><D:collection/></D:response>"
    "<D:response><D:href>http://x/dav/b%C3%A9.pdf</D:href></D:response>"
    "<D:response><D:href>/dav/sub</D:href><D:propstat><D:collection/></D:propstat></D:response>"
    "<D:response><D:href>/elsewhere/c.dcm</D:href></D:response>"
    "<D:response><D:href>http://[/dav/d</D:href></D:response></D:multistatus>"
)


def afp_entry(name: str, node: int, is_folder: bool) -> bytes:
    raw = name.encode()
    one = struct.pack(">IHIIH", node, 10, 0, 0, len(raw)) + raw
    return struct.pack(">HBB", 4 + len(one), 0x80 * is_folder, 0) + one


FOLDER = struct.pack(">HHH", 0x2100, 0x2100, 2) + afp_entry("radios", 17, True)
FOLDER += afp_entry("IM0001", 18, False)


def test_shared_folders_are_named_and_nothing_else() -> None:
    assert srvsvc.read_shares(SHARES) == ["radios"]
    assert srvsvc.read_shares(shares_answer()) == []


def test_a_list_of_shares_in_two_pieces() -> None:
    head = srvsvc.HEADER.pack(5, 0, 2, 0x01, 0x10, 24 + 100, 0, 2) + bytes(8)
    assert srvsvc.read_fragment(head + SHARES[:100] + b"beyond") == (SHARES[:100], False)
    with pytest.raises(FormatError):
        srvsvc.read_fragment(head.replace(b"\5\0\2", b"\5\0\3") + SHARES)  # a fault


def test_a_challenge_is_found_and_the_guests_answer_depends_on_it() -> None:
    found = ntlm.read_challenge(CHALLENGE)
    assert (found.nonce, found.version) == (b"saltsalt", "10.0.20348")
    said = ntlm.as_guest(found, b"12345678")
    assert "guest".encode("utf-16-le") in said
    assert b"timestmp" in said
    other = ntlm.read_challenge(CHALLENGE.replace(b"saltsalt", b"saltsalz"))
    assert said != ntlm.as_guest(other, b"12345678")


def test_the_proof_of_the_empty_password() -> None:
    """MS-NLMP 3.3.2, worked out by OpenSSL from its formula."""
    challenge = ntlm.Challenge(bytes.fromhex("0123456789abcdef"), b"")
    said = ntlm.as_guest(challenge, bytes.fromhex("aaaaaaaaaaaaaaaa"))
    length, _, at = struct.unpack_from("<HHI", said, 20)
    assert said[at : at + length][:16].hex() == "67daac3015ed77a747b53f85de072367"


def test_a_session_of_nobody_names_nobody() -> None:
    said = ntlm.as_nobody()
    assert struct.unpack_from("<HHI", said, 36)[0] == 0  # the user's name
    assert struct.unpack_from("<I", said, 60)[0] & 0x800


def test_a_page_of_an_smb_folder() -> None:
    assert list(entries(PAGE)) == [
        *((".", True), ("radios", True)),
        *(("lien", False), ("patients.csv", False)),
    ]


def test_ftp_listings() -> None:
    assert ftp.parse_list(LISTING) == [
        *(("d", "radios d'hiver"), ("-", "bilan.pdf"), ("l", "lien")),
        *(("-", "sans groupe.dcm"), ("d", "examens"), ("-", "patients.csv")),
    ]
    assert ftp.parse_machine(MACHINE) == [("d", "radios"), ("-", "a b.dcm")]


def test_a_webdav_folder() -> None:
    assert dav_entries(DAV, "/dav/") == [Entry(Masked("bé.pdf")), Entry(Masked("sub"), "/dav/sub/")]


def test_an_afp_folder() -> None:
    assert afp.entries(FOLDER) == [("radios", 17), ("IM0001", 0)]


READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "shares": (srvsvc.read_shares, SHARES),
    "fragment": (srvsvc.read_fragment, bytes(24) + SHARES),
    "challenge": (lambda data: ntlm.as_guest(ntlm.read_challenge(data), bytes(8)), CHALLENGE),
    "smb folder": (lambda data: list(entries(data)), PAGE),
    "ftp list": (ftp.parse_list, LISTING),
    "ftp machine list": (ftp.parse_machine, MACHINE),
    "webdav": (lambda data: dav_entries(data.decode("utf-8", "replace"), "/dav/"), DAV.encode()),
    "afp": (afp.entries, FOLDER),
    "xdr": (lambda data: rpc.Reader(data).text(), rpc.opaque(b"/srv/radios")),
    "nfs attributes": (lambda data: nfs._attributes(rpc.Reader(data)), bytes(64)),
}


@pytest.mark.parametrize("name", READERS)
def test_words_cut_short_or_changed_are_nonsense_and_no_more(name: str) -> None:
    read, whole = READERS[name]
    broken = [whole[:size] for size in range(len(whole))]
    for at in range(len(whole)):
        broken += [whole[:at] + bytes([value]) + whole[at + 1 :] for value in (0, 0x1B, 0xFF)]
    for each in broken:
        try:
            read(each)
        except NONSENSE:
            continue


@pytest.mark.parametrize("name", READERS)
@given(st.data())
def test_any_words_are_read(name: str, data: st.DataObject) -> None:
    read, whole = READERS[name]
    start = data.draw(st.integers(0, len(whole)))
    try:
        read(whole[:start] + data.draw(st.binary(max_size=300)))
    except NONSENSE:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"-rw-r--r-- 1 " + b"a " * 50_000,
        (b"-rwxrwxrwx 1 1 1 1 " * 50 + b"\n") * 500,
        b"11-22-26 08:00AM 1" + b" 1" * 50_000,
    ],
)
def test_no_listing_takes_for_ever(data: bytes) -> None:
    ftp.parse_list(data)


@pytest.mark.parametrize("piece", ["<D:response>", "<D:response><D:href>", "<D:href>/dav/"])
def test_no_multistatus_takes_for_ever(piece: str) -> None:
    assert dav_entries(piece * 20_000, "/nowhere/") == []


def folders(depth: int, each: int) -> Callable[[str], list[Entry[str]]]:
    """Everything is a folder with as many folders and one file in it."""

    def show(path: str) -> list[Entry[str]]:
        shown.append(path)
        inner = [Entry(Masked(f"d{number}"), f"{path}/d{number}") for number in range(each)]
        return [*inner, Entry(Masked("a.dcm")), Entry(Masked("..")), Entry(Masked("."), path)]

    shown: list[str] = []
    show.shown = shown  # type: ignore[attr-defined]
    return show


def test_a_walk_ends_at_depth_two() -> None:
    tally, show = Tally(), folders(9, 1)
    assert len(list(walk.walk("", show, tally))) == 3
    assert show.shown == ["", "/d0", "/d0/d0"]  # type: ignore[attr-defined]
    assert tally == Tally({"dicom": 3}, more=False)


def test_a_walk_lists_few_folders_and_says_that_there_are_more() -> None:
    tally, show = Tally(), folders(9, 40)
    assert len(list(walk.walk("", show, tally))) == walk.FOLDERS
    assert tally.more
    assert tally.readable == Readable(walk.FOLDERS, True, Unit.FILES)


def test_medical_names_come_first_and_what_is_refused_is_passed_over() -> None:
    def show(path: str) -> list[Entry[str]]:
        if path in ("", "dossiers patients"):
            tried.append(path)
            inner = [Entry(Masked(name), name) for name in ("a", "b", "dossiers patients")]
            return inner if not path else [Entry(Masked("bilan.pdf"))]
        tried.append(path)
        raise Refused

    tried: list[str] = []
    tally = Tally()
    assert len(list(walk.walk("", show, tally))) == 2
    assert tried == ["", "dossiers patients", "a", "b"]
    assert tally.listed == {"document": 1}


def test_a_folder_without_end_is_left() -> None:
    def show(path: str) -> object:
        number = 0
        while True:
            number += 1
            yield Entry(Masked(f"IM{number:06}"))

    tally = Tally()
    list(walk.walk("", show, tally))  # type: ignore[arg-type]
    assert tally.more
    assert tally.listed == {"dicom": walk.ENTRIES}


def test_a_name_in_a_folder_prints_masked() -> None:
    """So that no traceback, log or message of the audit shows whose file it is."""
    entry = Entry(Masked("MARCHANDEAU Zoe.pdf"), "/images/MARCHANDEAU Zoe.pdf")
    assert "MARCHANDEAU" not in f"{entry} {entry!r} {entry.name}"
    tally = Tally()
    assert list(walk.walk("/", lambda _: [Entry(Masked("MARCHANDEAU.dcm"))], tally)) == [None]
    assert tally.listed
