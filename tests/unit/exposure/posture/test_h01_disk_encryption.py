"""H01: every volume in use of a fixed disk lies below something encrypted, or the check fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask


def node(name: str, kind: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "size": 1000, "children": list(children), **more}


def lsblk(*disks: dict[str, Any]) -> str:
    return json.dumps({"blockdevices": disks})


ROOT = node("root", "lvm", fstype="ext4", mountpoint="/")
SEALED = node("p3", "part", node("c", "crypt", ROOT), fstype="crypto_LUKS")
BOOT = node("p2", "part", fstype="ext4", mountpoint="/boot")
EFI = node("p1", "part", fstype="vfat", mountpoint="/boot/efi")
SWAP = node("p4", "part", fstype="swap", mountpoint="[SWAP]")
DATA = node("sdb1", "part", fstype="ext4", mountpoint="/srv")


@pytest.mark.parametrize(
    ("disks", "result", "names"),
    [
        ([node("sda", "disk", EFI, BOOT, SEALED)], "pass", "sda"),
        ([node("sda", "disk", EFI, BOOT, SEALED, SWAP)], "fail", "sda"),
        ([node("sda", "disk", SEALED), node("sdb", "disk", DATA)], "fail", "sdb"),
        ([node("sda", "disk", SEALED), node("sdb", "disk", DATA, tran="usb")], "pass", "sda"),
        ([node("sda", "disk", SEALED), node("sdb", "disk", DATA, rm="1")], "pass", "sda"),
        (
            [node("sda", "disk", SEALED), node("sdc", "disk", fstype="BitLocker")],
            "pass",
            "sda, sdc",
        ),
        ([node("mmcblk0", "disk", ROOT, hotplug=True)], "fail", "mmcblk0"),  # soldered
        ([node("sda", "disk", SEALED), node("zram0", "disk", SWAP)], "pass", "sda"),
        ([node("sda", "disk", node("p", "part", fstype="zfs_member"))], "unknown", "ZFS"),
        ([node("sr0", "rom")], "unknown", "no fixed disk"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_linux(disks: list[dict[str, Any]], result: str, names: str) -> None:
    found, evidence = ask("H01", LINUX, block_devices=lsblk(*disks))
    assert (found, evidence.endswith(names) or names in evidence) == (result, True)


def test_a_mount_point_that_is_no_text() -> None:
    volume = node("sda1", "part", fstype="ext4", mountpoint=["/"])
    assert ask("H01", LINUX, block_devices=lsblk(node("sda", "disk", volume)))[0] == "fail"


def test_volume_names_are_not_shown() -> None:
    """LVM's names hold the host's name."""
    volume = node("cabinet--durand--vg-root", "lvm", fstype="ext4", mountpoint="/")
    _, evidence = ask("H01", LINUX, block_devices=lsblk(node("sda", "disk", volume)))
    assert "durand" not in evidence


INTERNAL = (
    "   Device Identifier:         disk2s1\n   Mount Point:               /Volumes/Archive\n"
    "   Device Location:           Internal\n   File System Personality:   HFS+\n"
)


@pytest.mark.parametrize(
    ("filevault", "volumes", "result"),
    [
        ("FileVault is On.\n", "", "pass"),
        ("FileVault is On.\n", INTERNAL, "fail"),
        ("FileVault is On.\n", INTERNAL + "   Encrypted:   Yes\n", "pass"),
        ("FileVault is Off.\n", "", "fail"),
        ("FileVault is On.\nEncryption in progress: Percent completed = 12\n", "", "fail"),
        ("FileVault is On, but needs to be restarted to finish.\n", "", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_macos(filevault: str, volumes: str, result: str) -> None:
    assert ask("H01", MACOS, filevault=filevault, volumes=volumes)[0] == result


@pytest.mark.parametrize(
    ("protection", "result"),
    [
        (1, "pass"),
        (6, "pass"),
        (2, "fail"),
        (0, "fail"),
        (3, "fail"),
        (5, "fail"),
        (None, "unknown"),
    ],
)
def test_windows(protection: int | None, result: str) -> None:
    drives = [
        {"letter": "C:", "type": 3, "usb": False, "protection": 1},
        {"letter": "D:", "type": 3, "usb": False, "protection": protection},
        {"letter": "E:", "type": 2, "usb": True, "protection": 2},
        {"letter": "F:", "type": 3, "usb": True, "protection": 2},
    ]
    assert ask("H01", WINDOWS, volumes=json.dumps(drives))[0] == result


def test_a_single_drive_that_powershell_does_not_list() -> None:
    alone = json.dumps({"letter": "C:", "type": 3, "usb": False, "protection": 2})
    assert ask("H01", WINDOWS, volumes=alone)[0] == "fail"
