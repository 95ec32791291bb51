"""H08: the groups that may become the administrator, and nobody's name in the evidence."""

from __future__ import annotations

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("uid=1001(lea) gid=1001(lea) groups=1001(lea),100(users)\n", "pass"),
        ("uid=1001(lea) gid=1001(lea) groups=1001(lea),27(sudo)\n", "fail"),
        ("uid=1001(lea) gid=10(wheel) groups=10(wheel)\n", "fail"),
        ("uid=0(root) gid=0(root) groups=0(root)\n", "fail"),
        ("uid=1001(sudo) gid=1001(sudo_lea) groups=1001(sudo_lea)\n", "pass"),  # names, no group
        ("id: cannot find name\n", "unknown"),
    ],
)
def test_unix(text: str, result: str) -> None:
    found = ask("H08", LINUX, account=text)
    assert found[0] == result
    assert "lea" not in found[1]


def test_macos() -> None:
    text = "uid=501(lea) gid=20(staff) groups=20(staff),12(everyone){more}\n"
    assert ask("H08", MACOS, account=text.format(more=",80(admin)"))[0] == "fail"
    assert ask("H08", MACOS, account=text.format(more=",98(_lpadmin)"))[0] == "pass"


@pytest.mark.parametrize(
    ("sid", "result"),
    [("S-1-5-32-544", "fail"), ("S-1-5-32-545", "pass"), ("S-1-5-32-5440", "pass")],
)
def test_windows(sid: str, result: str) -> None:
    text = f'"VORDEFINIERT\\X","Alias","{sid}","Gruppe, die nur zum Ablehnen verwendet wird"\r\n'
    assert ask("H08", WINDOWS, groups=text)[0] == result
