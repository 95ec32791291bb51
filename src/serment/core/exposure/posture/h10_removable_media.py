"""H10: decides whether what is plugged in now would be readable by whoever finds it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from serment.core.exposure.posture import reading
from serment.core.exposure.posture.h01_disk_encryption import (
    BITLOCKER_ON,
    is_removable,
    mac_volumes,
    volumes,
)
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

NONE = N_("no removable disk is plugged in now")
SEEN = N_("no removable disk is plugged in now; USB storage devices used so far: {count}")
CLEAR = N_("not encrypted, readable by whoever finds it: {disks}")
SEALED = N_("the removable disks plugged in are encrypted: {disks}")


def linux(said: Said, now: datetime) -> Verdict:
    """`lsblk -J`: disks that are removable, hot-plugged or on USB."""
    if "block-devices" not in said:
        return reading.silent("block-devices")
    listed = reading.decoded(said["block-devices"])
    if not isinstance(listed, dict):
        return reading.silent("block-devices")
    devices = reading.rows(listed.get("blockdevices", []))
    disks = [each for each in devices if each.get("type") == "disk" and is_removable(each)]
    found = {reading.named(each.get("name", "?")): set(volumes(each)) for each in disks}
    return judged(
        {name: states == {"sealed"} for name, states in found.items() if states}, "block-devices"
    )


def judged(disks: dict[str, bool], *sources: str) -> Verdict:
    """By name, whether it is encrypted."""
    clear = sorted(name for name, sealed in disks.items() if not sealed)
    if clear:
        return failed(CLEAR, *sources, disks=", ".join(clear[:8]))
    if disks:
        return passed(SEALED, *sources, disks=", ".join(sorted(disks)[:8]))
    return passed(NONE, *sources)


def macos(said: Said, now: datetime) -> Verdict:
    """`diskutil info -all`: mounted volumes of external devices."""
    if "Device Location" not in said.get("volumes", ""):
        return reading.silent("volumes")
    return judged(dict(mac_volumes(said["volumes"], "External")), "volumes")


def windows(said: Said, now: datetime) -> Verdict:
    """Drives that are removable or on USB, and how many USBSTOR has ever seen."""
    if "volumes" not in said:
        return reading.silent("volumes")
    drives = [
        each
        for each in reading.rows(reading.decoded(said["volumes"]))
        if each.get("type") == 2 or (each.get("type") == 3 and each.get("usb") is True)
    ]
    states = {
        reading.named(each.get("letter", "?")): reading.number(each.get("protection"))
        for each in drives
    }
    if None in states.values():
        return unknown(
            N_("Windows does not say whether {disks} are encrypted"),
            "volumes",
            disks=", ".join(states),
        )
    count = reading.number((reading.table(said, "usb-storage") or {}).get("devices"))
    if not states and count:
        return passed(SEEN, "volumes", "usb-storage", count=count)
    return judged({name: state in BITLOCKER_ON for name, state in states.items()}, "volumes")


CHECK: Final = Check(
    id="H10",
    title=N_("Removable media"),
    article="32(1)(a)",
    commandment=7,
    sheets=(7, 15),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Unplug it, or format it with the Disks program and the choice “password protected "
            "(LUKS)”; never carry a record on a stick in clear."
        ),
        System.MACOS: N_(
            "In the Finder, right-click the disk and choose Encrypt; never carry a record on a stick "
            "in clear."
        ),
        System.WINDOWS: N_(
            "Right-click the drive and choose “Turn on BitLocker” (BitLocker To Go); never carry a "
            "record on a stick in clear."
        ),
    },
)
