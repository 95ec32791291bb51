"""H09: decides whether the machine lets others in: shared folders, SMBv1, remote desktop.

What really answers on the network is the network audit's (X13 to X21).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from serment.core.exposure.posture import reading
from serment.core.exposure.posture.verdict import (
    Check,
    Said,
    System,
    Verdict,
    failed,
    passed,
    unknown,
)
from serment.errors import N_

FOUND = N_("open to others: {services}")
SHARED = N_("folders are shared, for those who have an account ({services})")
NOTHING = N_("no shared folder, no remote desktop")
MAYBE = N_("shared folders: {count}; who may open them is only shown to an administrator")

DOORS: Final[Mapping[int, str]] = {  # what a workstation of a practice should not offer
    21: "FTP",
    23: "Telnet",
    548: "AFP",
    873: "rsync",
    3283: "Apple Remote Desktop",
    3389: "RDP",
    5900: "VNC",
    5901: "VNC",
}
FOLDERS: Final[Mapping[int, str]] = {139: "SMB", 445: "SMB", 2049: "NFS"}
_LISTEN: Final = "0A"  # state of a listening socket in /proc/net/tcp
_HOME_V4: Final = re.compile(r"[0-9A-F]{6}7F")  # 127.0.0.0/8, bytes in host order
_HOME_V6: Final = ("00000000000000000000000001000000", "0000000000000000FFFF0000")


def judged(doors: Iterable[str], folders: Iterable[str], *sources: str) -> Verdict:
    """What is open to anybody first, then what asks for an account."""
    open_doors, shared = sorted(set(doors)), sorted(set(folders))
    if open_doors:
        return failed(FOUND, *sources, services=", ".join(open_doors[:8]))
    if shared:
        return passed(SHARED, *sources, services=", ".join(shared[:8]))
    return passed(NOTHING, *sources)


def linux(said: Said, now: datetime) -> Verdict:
    """Listening sockets of /proc/net/tcp, the guests of smb.conf, the hosts of exports."""
    if "listening" not in said:
        return reading.silent("listening")
    ports = listening(said["listening"])
    doors = [DOORS[port] for port in ports if port in DOORS]
    folders = {FOLDERS[port] for port in ports if port in FOLDERS}
    if "SMB" in folders:
        doors += guests(said.get("samba", ""))
    if "NFS" in folders and exported(said.get("exports", "")):
        doors.append("NFS (*)")
    return judged(doors, folders, "listening", *(n for n in ("samba", "exports") if n in said))


def listening(text: str) -> set[int]:
    """Ports that other machines can reach, of /proc/net/tcp and tcp6 (proc(5))."""
    ports = set()
    for line in text.splitlines():
        words = line.split()
        if len(words) < 4 or words[3] != _LISTEN:
            continue
        address, _, port = words[1].partition(":")
        if _HOME_V4.fullmatch(address) or address == _HOME_V6[0]:
            continue
        if address.startswith(_HOME_V6[1]) and address.endswith("7F"):
            continue
        if re.fullmatch(r"[0-9A-F]{4}", port):
            ports.add(int(port, 16))
    return ports


def guests(text: str) -> list[str]:
    """What Samba gives to those without account (smb.conf(5))."""
    found = set()
    for _, facts in reading.sections(text):
        names = {name.lower(): value.lower() for name, value in facts.items()}
        if "yes" in (names.get("guest ok"), names.get("public"), names.get("guest only")):
            found.add("SMB (guest ok)")
        oldest = names.get("server min protocol", names.get("min protocol", ""))
        if oldest in ("nt1", "core", "coreplus", "lanman1", "lanman2"):
            found.add("SMBv1")
    return sorted(found)


def exported(text: str) -> bool:
    """Whether a folder goes to every host (exports(5))."""
    lines = (line.split() for line in text.splitlines() if not line.lstrip().startswith("#"))
    return any(word.startswith("*") for words in lines for word in words[1:])


def macos(said: Said, now: datetime) -> Verdict:
    """`netstat -an`: what listens beyond this machine; `sharing -l`: folders for guests."""
    if "listening" not in said:
        return reading.silent("listening")
    ports = set()
    for line in said["listening"].splitlines():
        words = line.split()
        if len(words) >= 6 and words[-1] == "LISTEN":
            address, _, port = words[3].rpartition(".")
            if not (address.startswith("127.") or address == "::1"):
                ports.add(reading.number(port) or 0)
    doors = [DOORS[port] for port in ports if port in DOORS]
    folders = [FOLDERS[port] for port in ports if port in FOLDERS]
    if folders and re.search(r"guest access:\s*1", said.get("shares", "")):
        doors.append("SMB (guest access)")
    return judged(doors, folders, "listening", "shares")


def windows(said: Said, now: datetime) -> Verdict:
    """Terminal Server and LanmanServer in the registry, Win32_Share, the feature SMB1Protocol."""
    desktop = reading.table(said, "remote-desktop")
    facts = reading.table(said, "shares")
    if desktop is None or facts is None:
        return reading.silent("shares")
    doors = []
    if reading.number(desktop.get("fDenyTSConnections")) == 0:
        level = (reading.table(said, "remote-desktop-level") or {}).get("UserAuthentication")
        doors.append("RDP" if reading.number(level) == 1 else "RDP (NLA off)")
    smb = reading.number((reading.table(said, "smb-server") or {}).get("SMB1"))
    if reading.number(facts.get("smb1")) == 1 and smb != 0:
        doors.append("SMBv1")
    sources = ("remote-desktop", "remote-desktop-level", "shares", "smb-server")
    if doors:
        return failed(FOUND, *sources, services=", ".join(doors))
    count = reading.number(facts.get("shared"))
    if count:
        return unknown(MAYBE, *sources, count=count)
    return passed(NOTHING, *sources) if count == 0 else reading.silent("shares")


CHECK: Final = Check(
    id="H09",
    title=N_("Shares and remote access"),
    article="32(1)(b)",
    commandment=3,
    sheets=(6, 8),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Ask your installer to stop the services named, or to put them behind a VPN; a shared "
            "folder is for named accounts, never for guests."
        ),
        System.MACOS: N_(
            "System Settings > General > Sharing: turn off Screen Sharing, Remote Management and "
            "File Sharing unless you use them; give folders to named accounts only."
        ),
        System.WINDOWS: N_(
            "Settings > System > Remote Desktop: off. “Turn Windows features on or off”: untick SMB "
            "1.0. Shared folders: remove “Everyone”, name the accounts."
        ),
    },
)
