"""H03: a firewall that is on and lets everything in fails like one that is off."""

from __future__ import annotations

import json

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask


def services(*active: str) -> str:
    names = ("ufw", "firewalld", "nftables", "netfilter-persistent")
    states = {name: "active" if name in active else "inactive" for name in names}
    return "\n".join(f"Id={name}.service\nActiveState={state}\n" for name, state in states.items())


RULES = "table inet f {{ chain input {{ type filter hook input priority 0; policy {policy}; }} }}"


@pytest.mark.parametrize(
    ("active", "files", "result"),
    [
        ("firewalld", {}, "pass"),
        ("ufw", {"ufw": 'ENABLED=yes\nDEFAULT_INPUT_POLICY="DROP"\n'}, "pass"),
        ("ufw", {"ufw": 'ENABLED=yes\nDEFAULT_INPUT_POLICY="ACCEPT"\n'}, "fail"),
        (
            "ufw",
            {"ufw": 'ENABLED=no\nDEFAULT_INPUT_POLICY="DROP"\n'},
            "fail",
        ),  # the service is active all the same
        ("nftables", {"nftables": RULES.format(policy="drop")}, "pass"),
        ("nftables", {"nftables": RULES.format(policy="accept")}, "fail"),
        ("nftables", {"nftables": "# hook input, policy drop\n"}, "fail"),
        ("nftables", {}, "unknown"),
        ("netfilter-persistent", {}, "unknown"),
        ("", {}, "fail"),
    ],
)
def test_linux(active: str, files: dict[str, str], result: str) -> None:
    assert ask("H03", LINUX, services=services(active), **files)[0] == result


def test_linux_without_systemd() -> None:
    text = "System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    assert ask("H03", LINUX, services=text)[0] == "unknown"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Firewall is enabled. (State = 1)", "pass"),
        ("Firewall is blocking all non-essential incoming connections. (State = 2)", "pass"),
        ("Firewall is disabled. (State = 0)", "fail"),
        ("", "unknown"),
    ],
)
def test_macos(text: str, result: str) -> None:
    assert ask("H03", MACOS, firewall=text)[0] == result


@pytest.mark.parametrize(
    ("public", "products", "result"),
    [
        (1, [], "pass"),
        (0, [], "fail"),
        (2, [], "fail"),  # not configured
        (0, [{"name": "Wall", "state": 266240}], "pass"),
        (0, [{"name": "Wall", "state": 262144}], "fail"),  # there, and off
    ],
)
def test_windows(public: int, products: list[object], result: str) -> None:
    profiles = [{"name": "Private", "enabled": 1}, {"name": "Public", "enabled": public}]
    said = json.dumps({"profiles": profiles, "products": products})
    assert ask("H03", WINDOWS, firewall=said)[0] == result
