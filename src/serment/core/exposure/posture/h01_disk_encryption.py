"""H01: decides whether every fixed disk is unreadable to whoever walks away with it.

Disks that can be unplugged are H10's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

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

STARTING: Final = {"/boot", "/boot/efi", "/efi"}  # the firmware reads these before any password
NO_DISK: Final = ("zram", "loop", "ram", "fd", "sr", "md")
SEALED: Final = {"crypto_LUKS", "BitLocker"}
OWN_CIPHER: Final = "zfs_member"  # may encrypt by itself, which lsblk does not show
DEEP: Final = 40

ALL = N_("every fixed disk is encrypted: {disks}")
CLEAR = N_("not encrypted, readable by whoever takes the computer: {disks}")
GOING_ON = N_("encryption is not finished: {disks}")
PAUSED = N_("encryption is suspended: {disks}")
NONE = N_("no fixed disk was named")


def linux(said: Said, now: datetime) -> Verdict:
    """`lsblk -J`: each mounted or formatted volume must lie below a volume of type crypt."""
    if "block-devices" not in said:
        return reading.silent("block-devices")
    listed = reading.decoded(said["block-devices"])
    devices = reading.rows(listed.get("blockdevices", []) if isinstance(listed, dict) else [])
    fixed = [disk for disk in devices if is_fixed(disk)]
    found = {reading.named(disk.get("name", "?")): list(volumes(disk)) for disk in fixed}
    used = {name: states for name, states in found.items() if states}
    clear = [name for name, states in used.items() if "clear" in states]
    if clear:
        return failed(CLEAR, "block-devices", disks=", ".join(sorted(clear)[:8]))
    if any("own" in states for states in used.values()):
        return unknown(N_("encryption inside ZFS is not read"), "block-devices")
    if not used:
        return unknown(NONE, "block-devices")
    return passed(ALL, "block-devices", disks=", ".join(sorted(used)[:8]))


def is_fixed(disk: dict[str, Any]) -> bool:
    name = str(disk.get("name", ""))
    return (
        disk.get("type") == "disk"
        and not name.startswith(NO_DISK)
        and not is_removable(disk)
        and reading.number(disk.get("size")) != 0
    )


def is_removable(disk: dict[str, Any]) -> bool:
    """A USB stick or disk, a memory card: what goes with whoever takes it.

    lsblk calls a soldered memory card hot-pluggable, too: what the system runs from stays.
    """
    flags = (disk.get("rm"), disk.get("hotplug"))
    loose = any(flag in (True, "1") for flag in flags) or disk.get("tran") == "usb"
    return loose and not runs_from(disk)


def runs_from(node: dict[str, Any], depth: int = 0) -> bool:
    """Whether the system's root lies on it."""
    children = reading.rows(node.get("children") or []) if depth < DEEP else []
    return node.get("mountpoint") == "/" or any(runs_from(each, depth + 1) for each in children)


def volumes(node: dict[str, Any], sealed: bool = False, depth: int = 0) -> Iterator[str]:
    """How each volume in use below this one lies: "sealed", "clear", or "own" for ZFS."""
    kind = str(node.get("fstype") or "")
    sealed = sealed or node.get("type") == "crypt" or kind in SEALED
    children = reading.rows(node.get("children") or []) if depth < DEEP else []
    for child in children:
        yield from volumes(child, sealed, depth + 1)
    mount = str(node.get("mountpoint") or "")
    if children or not (mount or kind) or mount in STARTING or (kind == "vfat" and not mount):
        return
    yield "sealed" if sealed else "own" if kind == OWN_CIPHER else "clear"


def macos(said: Said, now: datetime) -> Verdict:
    """`fdesetup status` for the system; `diskutil info -all` for further internal volumes."""
    if "filevault" not in said:
        return reading.silent("filevault")
    text = said["filevault"]
    if "in progress" in text:
        return failed(GOING_ON, "filevault", disks="FileVault")
    if "FileVault is Off" in text:
        return failed(CLEAR, "filevault", disks="FileVault is Off")
    if "FileVault is On." not in text:
        return unknown(N_("the answer about FileVault is not understood"), "filevault")
    clear = [disk for disk in mac_volumes(said.get("volumes", ""), "Internal") if not disk[1]]
    if clear:
        names = ", ".join(name for name, _ in clear[:8])
        return failed(CLEAR, "filevault", "volumes", disks=names)
    return passed(ALL, "filevault", disks="FileVault is On")


def mac_volumes(text: str, location: str) -> list[tuple[str, bool]]:
    """Device and whether it is encrypted, of mounted volumes there ("Internal", "External").

    The system's own volumes are left to FileVault's answer.
    """
    found = []
    for part in text.split("**********"):
        facts = reading.settings(part, ":")
        mount = facts.get("Mount Point", "")
        if facts.get("Device Location") != location or not mount.startswith("/"):
            continue
        if mount == "/" or mount.startswith("/System/Volumes/") or facts.get("Virtual") == "Yes":
            continue
        ciphers = (facts.get("FileVault", ""), facts.get("Encrypted", ""))
        encrypted = any(answer.startswith("Yes") for answer in ciphers)
        found.append((reading.named(facts.get("Device Identifier", "?")), encrypted))
    return found


def windows(said: Said, now: datetime) -> Verdict:
    """The shell's `System.Volume.BitLockerProtection` of each fixed drive; no administrator needed."""
    if "volumes" not in said:
        return reading.silent("volumes")
    drives = [
        drive
        for drive in reading.rows(reading.decoded(said["volumes"]))
        if drive.get("type") == 3 and drive.get("usb") is not True
    ]
    states = {
        reading.named(each.get("letter", "?")): reading.number(each.get("protection"))
        for each in drives
    }
    for codes, evidence in ((BITLOCKER_OFF, CLEAR), (BITLOCKER_MOVING, GOING_ON), ({5}, PAUSED)):
        these = [name for name, state in states.items() if state in codes]
        if these:
            return failed(evidence, "volumes", disks=", ".join(these[:8]))
    if not states or None in states.values() or not set(states.values()) <= BITLOCKER_ON:
        return unknown(
            N_("Windows does not say whether {disks} are encrypted"),
            "volumes",
            disks=", ".join(states) or "C:",
        )
    return passed(ALL, "volumes", disks=", ".join(states))


BITLOCKER_ON: Final = {1, 6}  # 6: on, and locked
BITLOCKER_OFF: Final = {0, 2}  # 0: cannot be encrypted
BITLOCKER_MOVING: Final = {3, 4, 8}  # encrypting, decrypting, waiting for activation

CHECK: Final = Check(
    id="H01",
    title=N_("Disk encryption"),
    article="32(1)(a)",
    commandment=7,
    sheets=(7, 21),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Have the system reinstalled with the option “encrypt the disk” (LUKS), after a backup: "
            "a stolen computer must not give up a single record."
        ),
        System.MACOS: N_(
            "System Settings > Privacy & Security > FileVault: turn it on, and keep the recovery "
            "key outside the practice. Encrypt the other disks from the Finder."
        ),
        System.WINDOWS: N_(
            "Settings > Privacy & security > Device encryption (or BitLocker in the Control Panel): "
            "turn it on for every drive, and keep the recovery key outside the practice."
        ),
    },
)
