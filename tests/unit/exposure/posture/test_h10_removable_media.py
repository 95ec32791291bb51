"""H10: what is plugged in and in clear fails; nothing plugged in passes, and says "now"."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask

FIXED = {"name": "sda", "type": "disk", "mountpoint": "/", "fstype": "ext4"}
CLEAR = {"name": "sdb1", "type": "part", "fstype": "exfat", "mountpoint": "/media/stick"}
SEALED = {
    "name": "sdb1",
    "type": "part",
    "fstype": "crypto_LUKS",
    "children": [{"name": "c", "type": "crypt", "fstype": "ext4", "mountpoint": "/media/stick"}],
}


@pytest.mark.parametrize(
    ("children", "more", "result"),
    [
        ([CLEAR], {"rm": True}, "fail"),
        ([CLEAR], {"rm": False, "tran": "usb"}, "fail"),
        ([CLEAR], {"hotplug": "1"}, "fail"),
        ([SEALED], {"rm": True}, "pass"),
        ([SEALED, CLEAR], {"rm": True}, "fail"),
        ([], {"rm": True}, "pass"),  # an empty card reader
        ([CLEAR], {"rm": False}, "pass"),  # a fixed disk: H01's
        ([{**CLEAR, "mountpoint": "/"}], {"hotplug": True}, "pass"),  # the system's: H01's
    ],
)
def test_linux(children: list[Any], more: dict[str, Any], result: str) -> None:
    disk = {"name": "sdb", "type": "disk", "children": children, **more}
    assert ask("H10", LINUX, block_devices=json.dumps({"blockdevices": [FIXED, disk]}))[0] == result


def record(location: str, more: str = "") -> str:
    return (
        "   Device Identifier:         disk4s2\n   Mount Point:               /Volumes/STICK\n"
        f"   Device Location:           {location}\n{more}"
    )


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (record("External"), "fail"),
        (record("External", "   FileVault:                 Yes\n"), "pass"),
        (record("Internal"), "pass"),
        (record("External").replace("/Volumes/STICK", "Not mounted"), "pass"),
        ("", "unknown"),
    ],
)
def test_macos(text: str, result: str) -> None:
    assert ask("H10", MACOS, volumes=text)[0] == result


@pytest.mark.parametrize(
    ("kind", "usb", "protection", "result"),
    [
        (2, True, 2, "fail"),
        (3, True, 2, "fail"),
        (3, False, 2, "pass"),
        (2, True, 1, "pass"),
        (2, True, None, "unknown"),
    ],
)
def test_windows(kind: int, usb: bool, protection: int | None, result: str) -> None:
    drive = {"letter": "E:", "type": kind, "usb": usb, "protection": protection}
    assert ask("H10", WINDOWS, volumes=json.dumps([drive]), usb_storage="{}")[0] == result


def test_windows_tells_how_many_were_seen() -> None:
    found = ask("H10", WINDOWS, volumes="[]", usb_storage='{"devices": 14}')
    assert (found[0], "14" in found[1]) == ("pass", True)
