"""H06: each way to a session without a password is known, and nobody's name is shown."""

from __future__ import annotations

import json

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask

ABSENT = "The domain/default pair of (/Library/Preferences/com.apple.loginwindow, autoLoginUser) does not exist\n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "pass"),
        ("[daemon]\n#  AutomaticLoginEnable = true\n#  AutomaticLogin = lea\n", "pass"),
        ("[daemon]\nAutomaticLoginEnable=True\nAutomaticLogin=lea\n", "fail"),
        ("[daemon]\nTimedLoginEnable=true\nTimedLogin=lea\n", "fail"),
        ("[Autologin]\nUser=lea\nSession=plasma\n", "fail"),
        ("[Autologin]\nUser=\nSession=\n", "pass"),
        ("[Seat:*]\nautologin-user=lea\n", "fail"),
        ("[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin lea %I\n", "fail"),
    ],
)
def test_linux(text: str, result: str) -> None:
    found = ask("H06", LINUX, login_screens=text)
    assert found[0] == result
    assert "lea" not in found[1]


@pytest.mark.parametrize(("text", "result"), [(ABSENT, "pass"), ("lea\n", "fail"), ("", "unknown")])
def test_macos(text: str, result: str) -> None:
    found = ask("H06", MACOS, automatic_login=text)
    assert found[0] == result
    assert "lea" not in found[1]


@pytest.mark.parametrize(
    ("value", "result"),
    [({}, "pass"), ({"AutoAdminLogon": "0"}, "pass"), ({"AutoAdminLogon": "1"}, "fail")],
)
def test_windows(value: dict[str, str], result: str) -> None:
    assert ask("H06", WINDOWS, logon=json.dumps(value))[0] == result
