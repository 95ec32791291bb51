"""H11: a week is the last that passes; a backup that cannot be seen is unknown, not absent."""

from __future__ import annotations

import json

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask

DEJA = "org.gnome.DejaDup last-backup '{date}'\norg.gnome.DejaDup periodic {periodic}\n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (DEJA.format(date="2026-11-15T10:00:00.123456Z", periodic="true"), "pass"),
        (DEJA.format(date="2026-11-14T08:00:00Z", periodic="true"), "fail"),
        (DEJA.format(date="", periodic="true"), "fail"),
        (DEJA.format(date="", periodic="false"), "unknown"),
        ("No such schema “org.gnome.DejaDup”\n", "unknown"),
    ],
)
def test_linux(text: str, result: str) -> None:
    assert ask("H11", LINUX, backup=text)[0] == result


@pytest.mark.parametrize(
    ("latest", "places", "result"),
    [
        ("/Volumes/.timemachine/X/2026-11-21-183012.backup\n", "Name : Disk\n", "pass"),
        ("/Volumes/Disk/Backups.backupdb/mac/2026-09-01-101010\n", "Name : Disk\n", "fail"),
        ("Failed to mount backup destination, error: 18\n", "Name : Disk\n", "unknown"),
        ("", "tmutil: No destinations configured.\n", "unknown"),
    ],
)
def test_macos(latest: str, places: str, result: str) -> None:
    found = ask("H11", MACOS, backup=latest, backup_places=places)
    assert found[0] == result
    assert "/Volumes" not in found[1]


def ticks(seconds: int) -> int:
    return (seconds + 11_644_473_600) * 10_000_000


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"ProtectedUpToTime": ticks(1795200000)}, "pass"),  # 20 November 2026
        ({"ProtectedUpToTime": ticks(1785000000)}, "fail"),
        ({"ProtectedUpToTime": 0}, "unknown"),  # between two runs
        ({}, "unknown"),
    ],
)
def test_windows(value: dict[str, int], result: str) -> None:
    assert ask("H11", WINDOWS, file_history=json.dumps(value))[0] == result
