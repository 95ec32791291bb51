"""H02: thirty minutes is the last that passes; a lock that is off fails whatever its delay."""

from __future__ import annotations

import json

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask


@pytest.mark.parametrize(
    ("idle", "enabled", "delay", "result"),
    [
        (300, "true", 0, "pass"),
        (1800, "true", 0, "pass"),
        (1800, "true", 60, "fail"),
        (0, "true", 0, "fail"),
        (300, "false", 0, "fail"),
    ],
)
def test_gnome(idle: int, enabled: str, delay: int, result: str) -> None:
    session = f"org.gnome.desktop.session idle-delay uint32 {idle}\n"
    saver = (
        f"org.gnome.desktop.screensaver lock-delay uint32 {delay}\n"
        f"org.gnome.desktop.screensaver lock-enabled {enabled}\n"
    )
    said = {"desktop": "ubuntu:GNOME", "gnome_session": session, "gnome_screensaver": saver}
    assert ask("H02", LINUX, **said)[0] == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "pass"),  # nobody chose: five minutes
        ("[Daemon]\nTimeout=30\nLockGrace=0\n", "pass"),
        ("[Daemon]\nTimeout=45\n", "fail"),
        ("[Daemon]\nAutolock=false\n", "fail"),
        ("[Greeter]\nAutolock=false\n", "pass"),
    ],
)
def test_kde(text: str, result: str) -> None:
    assert ask("H02", LINUX, desktop="KDE", kde_lock=text)[0] == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "unknown"),
        ("readonly TMOUT=900\n", "pass"),
        ("# TMOUT=900\n", "unknown"),
        ("TMOUT=7200", "fail"),
    ],
)
def test_a_machine_without_desktop(text: str, result: str) -> None:
    assert ask("H02", LINUX, desktop="", shell_timeout=text)[0] == result


def test_another_desktop_is_not_guessed() -> None:
    assert ask("H02", LINUX, desktop="XFCE", gnome_session="", gnome_screensaver="")[0] == "unknown"


@pytest.mark.parametrize(
    ("lock", "saver", "display", "result", "minutes"),
    [
        ("immediate", "600", 30, "pass", "10 min"),
        ("immediate", "does not exist", 0, "pass", "20 min"),  # macOS's own choice
        ("1200 seconds", "900", 0, "fail", "35 min"),
        ("immediate", "0", 0, "fail", ""),
        ("-1.000000 seconds", "60", 1, "fail", ""),
    ],
)
def test_macos(lock: str, saver: str, display: int, result: str, minutes: str) -> None:
    said = {"screen_lock": f"x sysadminctl[1:2] screenLock delay is {lock}\n"}
    found = ask("H02", MACOS, screen_saver=saver, power=f" displaysleep  {display}\n", **said)
    assert found[0] == result
    assert minutes in found[1]


def asleep(seconds: int) -> str:
    return "".join(f"x: 0x{value:08x}\n" for value in (0, 0xFFFFFFFF, 1, seconds, seconds))


NO_SAVER = {"screen_saver": "{}", "screen_saver_policy": "{}"}
SAVER = {
    "ScreenSaveActive": "1",
    "ScreenSaverIsSecure": "1",
    "ScreenSaveTimeOut": "900",
    "SCRNSAVE.EXE": "scrnsave.scr",
}


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({**NO_SAVER, "system_policy": '{"InactivityTimeoutSecs": 900}'}, "pass"),
        ({**NO_SAVER, "system_policy": '{"InactivityTimeoutSecs": 3600}'}, "fail"),
        ({"screen_saver": json.dumps(SAVER)}, "pass"),
        ({"screen_saver": json.dumps({**SAVER, "ScreenSaverIsSecure": "0"})}, "fail"),
        ({"screen_saver": "{}", "screen_saver_policy": json.dumps(SAVER)}, "pass"),
        ({**NO_SAVER, "sleep": asleep(1200), "wake_password": asleep(1)}, "pass"),
        ({**NO_SAVER, "sleep": asleep(1200), "wake_password": asleep(0)}, "fail"),
        ({**NO_SAVER, "sleep": asleep(0), "wake_password": asleep(1)}, "fail"),
    ],
)
def test_windows(said: dict[str, str], result: str) -> None:
    assert ask("H02", WINDOWS, **{"system_policy": "{}", **said})[0] == result
