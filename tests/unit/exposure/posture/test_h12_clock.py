"""H12: a clock that nobody sets fails, also when it happens to be right."""

from __future__ import annotations

import json

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask

CHRONY = "Reference ID    : {source}\nSystem time     : {offset} seconds slow of NTP time\nLeap status     : {leap}\n"


@pytest.mark.parametrize(
    ("source", "offset", "leap", "result"),
    [
        ("C0A80101 (192.168.1.1)", "0.000041211", "Normal", "pass"),
        ("C0A80101 (192.168.1.1)", "7.500000000", "Normal", "fail"),
        ("00000000 ()", "0.000000000", "Not synchronised", "fail"),
        ("7F7F0101 ()", "0.000000000", "Normal", "fail"),  # its own clock
    ],
)
def test_chrony(source: str, offset: str, leap: str, result: str) -> None:
    said = CHRONY.format(source=source, offset=offset, leap=leap)
    assert ask("H12", LINUX, chrony=said, clock="NTPSynchronized=yes")[0] == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("NTP=yes\nNTPSynchronized=yes\n", "pass"),
        ("NTP=yes\nNTPSynchronized=no\n", "fail"),
        ("System has not been booted with systemd as init system\n", "unknown"),
    ],
)
def test_linux(text: str, result: str) -> None:
    assert ask("H12", LINUX, clock=text)[0] == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Network Time: On\n", "pass"),
        ("Network Time: Off\n", "fail"),
        ("You need administrator access to run this tool... exiting!\n", "unknown"),
    ],
)
def test_macos(text: str, result: str) -> None:
    assert ask("H12", MACOS, clock=text)[0] == result


RECENT, OLD = ((day + 11_644_473_600) * 10_000_000 for day in (1795000000, 1780000000))


@pytest.mark.parametrize(
    ("kind", "start", "known", "result"),
    [
        ("NTP", 3, RECENT, "pass"),
        ("NT5DS", 2, RECENT, "pass"),
        ("NTP", 3, OLD, "fail"),
        ("NoSync", 3, RECENT, "fail"),
        ("NTP", 4, RECENT, "fail"),
        ("NTP", 3, None, "unknown"),
    ],
)
def test_windows(kind: str, start: int, known: int | None, result: str) -> None:
    said = {"clock": {"Type": kind}, "clock_service": {"Start": start}}
    said["clock_set"] = {} if known is None else {"LastKnownGoodTime": known}
    assert ask("H12", WINDOWS, **{name: json.dumps(v) for name, v in said.items()})[0] == result
