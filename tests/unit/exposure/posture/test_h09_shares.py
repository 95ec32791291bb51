"""H09: what lets strangers in fails, what asks for an account passes and is named."""

from __future__ import annotations

import json

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask

ANYWHERE, HOME, HOME6 = "00000000", "0100007F", "00000000000000000000000001000000"
MAPPED, SIX = "0000000000000000FFFF00000100007F", "00000000000000000000000000000000"


def tcp(*sockets: tuple[str, int]) -> str:
    rows = (f" 0: {address}:{port:04X} {ANYWHERE}:0000 0A" for address, port in sockets)
    established = f" 1: 0800000A:0D3D {ANYWHERE}:01BB 01"
    return "\n".join(["  sl  local_address rem_address   st", *rows, established])


@pytest.mark.parametrize(
    ("sockets", "result", "named"),
    [
        ([], "pass", "no shared folder"),
        ([(HOME, 5900), (HOME6, 3389), (MAPPED, 21)], "pass", "no shared folder"),
        ([(ANYWHERE, 3389)], "fail", "RDP"),
        ([(SIX, 5900)], "fail", "VNC"),
        ([(ANYWHERE, 445)], "pass", "SMB"),
        ([(ANYWHERE, 22), (ANYWHERE, 11112)], "pass", "no shared folder"),
    ],
)
def test_linux(sockets: list[tuple[str, int]], result: str, named: str) -> None:
    found = ask("H09", LINUX, listening=tcp(*sockets), samba="", exports="")
    assert found[0] == result
    assert named in found[1]


@pytest.mark.parametrize(
    ("samba", "exports", "result"),
    [
        ("[scans]\n guest ok = yes\n", "", "fail"),
        ("[scans]\n; guest ok = yes\n", "", "pass"),
        ("[scans]\n public = Yes\n", "", "fail"),
        ("[global]\n server min protocol = NT1\n", "", "fail"),
        ("[global]\n server min protocol = SMB3\n", "", "pass"),
        ("", "/srv *(rw)\n", "fail"),
        ("", "/srv 192.168.1.4(rw)\n# /srv *(rw)\n", "pass"),
    ],
)
def test_who_may_open_a_folder(samba: str, exports: str, result: str) -> None:
    said = tcp((ANYWHERE, 445), (ANYWHERE, 2049))
    assert ask("H09", LINUX, listening=said, samba=samba, exports=exports)[0] == result


def test_settings_of_a_server_that_does_not_run_count_for_nothing() -> None:
    assert ask("H09", LINUX, listening=tcp(), samba="guest ok = yes", exports="/ *")[0] == "pass"


@pytest.mark.parametrize(
    ("address", "guest", "result"),
    [
        ("*.5900", 0, "fail"),
        ("127.0.0.1.5900", 0, "pass"),
        ("*.445", 0, "pass"),
        ("*.445", 1, "fail"),
    ],
)
def test_macos(address: str, guest: int, result: str) -> None:
    said = f"tcp46      0      0  {address}      *.*      LISTEN\n"
    shares = f"name:\tScans\n\t\tguest access:\t{guest}\n"
    assert ask("H09", MACOS, listening=said, shares=shares)[0] == result


OFF = {"fDenyTSConnections": 1}


@pytest.mark.parametrize(
    ("desktop", "level", "shares", "server", "result"),
    [
        (OFF, 1, {"shared": 0, "smb1": 2}, {}, "pass"),
        ({"fDenyTSConnections": 0}, 1, {"shared": 0, "smb1": 2}, {}, "fail"),
        (OFF, 1, {"shared": 0, "smb1": 1}, {}, "fail"),
        (OFF, 1, {"shared": 0, "smb1": 1}, {"SMB1": 0}, "pass"),
        (OFF, 1, {"shared": 2, "smb1": 3}, {}, "unknown"),
        (OFF, 1, {}, {}, "unknown"),
    ],
)
def test_windows(desktop: object, level: int, shares: object, server: object, result: str) -> None:
    said = {"remote_desktop": desktop, "shares": shares, "smb_server": server}
    said["remote_desktop_level"] = {"UserAuthentication": level}
    assert ask("H09", WINDOWS, **{name: json.dumps(v) for name, v in said.items()})[0] == result


def test_remote_desktop_without_network_level_authentication_is_named() -> None:
    said = {"remote_desktop": '{"fDenyTSConnections": 0}', "shares": "{}", "smb_server": "{}"}
    found = ask("H09", WINDOWS, remote_desktop_level='{"UserAuthentication": 0}', **said)
    assert "NLA off" in found[1]
