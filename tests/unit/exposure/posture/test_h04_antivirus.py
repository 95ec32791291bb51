"""H04: present, protecting, and with signatures of the last seven days."""

from __future__ import annotations

import json

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask


@pytest.mark.parametrize(
    ("clamav", "others", "result"),
    [
        ("ClamAV-VDB:15 Nov 2026 09-00 +0000:27822:1:90:X", "", "pass"),
        ("ClamAV-VDB:14 Nov 2026 08-00 +0000:27821:1:90:X", "", "fail"),
        ("", "", "fail"),
        ("", "Sophos", "unknown"),
    ],
)
def test_linux(clamav: str, others: str, result: str) -> None:
    assert ask("H04", LINUX, clamav=clamav, antivirus=others)[0] == result


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"xprotect": "Version: 5321 Installed: 2026-11-04 02:13:54 +0000\n"}, "pass"),
        ({"xprotect": "Version: 5100 Installed: 2026-05-04 02:13:54 +0000\n"}, "fail"),
        ({"xprotect_date": "/x y/XProtect.yara 1793758434"}, "pass"),
        ({"xprotect_date": ""}, "unknown"),
    ],
)
def test_macos(said: dict[str, str], result: str) -> None:
    assert ask("H04", MACOS, **said)[0] == result


NEW = {"on": True, "signatures": "2026-11-21T23:10:04"}


@pytest.mark.parametrize(
    ("states", "defender", "result"),
    [
        ([397568], None, "pass"),  # 0x061100: on, up to date
        ([266256], None, "fail"),  # 0x041010: on, out of date
        ([393472], None, "fail"),  # 0x060100: off
        ([393472, 266240], None, "pass"),  # Defender steps back for another one
        ([], NEW, "pass"),  # a server
        ([], {**NEW, "signatures": "2026-11-01T00:00:00"}, "fail"),
        ([], {**NEW, "on": False}, "fail"),
        ([], None, "fail"),
    ],
)
def test_windows(states: list[int], defender: object, result: str) -> None:
    products = [{"name": "Shield", "state": state} for state in states]
    said = json.dumps({"products": products, "defender": defender})
    assert ask("H04", WINDOWS, antivirus=said)[0] == result
