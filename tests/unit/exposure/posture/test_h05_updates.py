"""H05: the end of the system first, then what waits, then how long nobody asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask, verdict

from serment.core.exposure.posture import lifetimes


def stamp(day: str) -> str:
    return f"/x {int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())}"


def history(day: str) -> str:
    return f"\nStart-Date: {day}  10:30:01\nCommandline: apt upgrade\nUpgrade: a:amd64 (1, 2)\n"


NONE = "\nWARNING: apt does not have a stable CLI interface.\n\nListing...\n"
ONE = (
    NONE
    + "curl/stable-security 2 amd64 [upgradable from: 1]\nvim/stable 2 amd64 [upgradable from: 1]\n"
)


@pytest.mark.parametrize(
    ("version", "asked", "upgraded", "pending", "result"),
    [
        ("12", "2026-11-21", "2026-11-01", NONE, "pass"),
        ("12", "2026-11-21", "2025-01-01", NONE, "pass"),  # nothing waits
        ("12", "2026-11-21", "2026-11-01", ONE, "pass"),  # it came since
        ("12", "2026-11-21", "2026-10-01", ONE, "fail"),
        ("12", "2026-09-01", "2026-09-01", NONE, "fail"),
        ("10", "2026-11-21", "2026-11-21", NONE, "fail"),
        ("99", "2026-11-21", "2026-11-21", NONE, "unknown"),
    ],
)
def test_debian(version: str, asked: str, upgraded: str, pending: str, result: str) -> None:
    said = {"os_release": f'ID=debian\nVERSION_ID="{version}"\n', "apt_dates": stamp(asked)}
    found = ask("H05", LINUX, apt_history=history(upgraded), apt_pending=pending, **said)
    assert found[0] == result


def test_what_apt_did_not_say_in_time_is_not_taken_for_nothing() -> None:
    said = {"os_release": "ID=debian\nVERSION_ID=12\n", "apt_dates": stamp("2026-11-21")}
    assert ask("H05", LINUX, apt_history=history("2025-01-01"), **said)[0] == "unknown"
    assert ask("H05", LINUX, apt_history=history("2026-11-20"), **said)[0] == "pass"


def test_one_security_update_is_counted_of_two() -> None:
    said = {"os_release": "ID=debian\nVERSION_ID=12\n", "apt_dates": stamp("2026-11-21")}
    found = verdict("H05", LINUX, apt_pending=ONE, **said)
    assert (found.result.value, found.values["count"]) == ("fail", 1)


def test_fedora_says_its_own_end() -> None:
    release = "ID=fedora\nVERSION_ID=43\nSUPPORT_END={end}\n"
    day = stamp("2026-11-18").split()[1]
    for end, result in (("2026-12-02", "pass"), ("2026-05-13", "fail")):
        said = release.format(end=end)
        assert ask("H05", LINUX, os_release=said, rpm_dates=f"1700000000\n{day}\n")[0] == result


def test_an_ended_system_is_to_be_replaced() -> None:
    found = verdict("H05", MACOS, version="ProductVersion:\t\t12.7.6\n", updates="")
    assert "replaced" in found.remedy


@pytest.mark.parametrize(
    ("version", "asked", "waiting", "result"),
    [
        ("15.7.2", "2026-11-21", 0, "pass"),
        ("15.7.2", "2026-11-21", 2, "fail"),
        ("15.7.2", "2026-09-21", 0, "fail"),
        ("13.7.8", "2026-11-21", 0, "fail"),
    ],
)
def test_macos(version: str, asked: str, waiting: int, result: str) -> None:
    text = (
        f"{{\n    LastRecommendedUpdatesAvailable = {waiting};\n"
        f'    LastSuccessfulDate = "{asked} 08:11:41 +0000";\n}}\n'
    )
    assert ask("H05", MACOS, version=f"ProductVersion:\t\t{version}\n", updates=text)[0] == result


@pytest.mark.parametrize(
    ("build", "edition", "kind", "days", "result"),
    [
        ("26200", "Professional", "Client", ["11/12/2026"], "pass"),
        ("26100", "Professional", "Client", ["11/12/2026"], "fail"),  # ended in October
        ("26100", "Enterprise", "Client", ["11/12/2026"], "pass"),
        ("26100", "EnterpriseS", "Client", ["11/12/2026"], "pass"),
        ("26100", "ServerStandard", "Server", ["11/12/2026"], "pass"),
        ("26200", "Core", "Client", ["9/9/2026", None, "1/5/2026"], "fail"),
        ("26200", "Core", "Client", [], "unknown"),
        ("19045", "Core", "Client", ["10/14/2025"], "fail"),
        ("19045", "Core", "Client", ["11/12/2026"], "pass"),  # enrolled in the extended updates
        ("7601", "Professional", "Client", ["11/12/2026"], "fail"),
        ("29999", "Core", "Client", ["11/12/2026"], "unknown"),
    ],
)
def test_windows(build: str, edition: str, kind: str, days: list[object], result: str) -> None:
    facts = {"CurrentBuildNumber": build, "EditionID": edition, "InstallationType": kind}
    found = ask("H05", WINDOWS, version=json.dumps(facts), updates=json.dumps(days))
    assert found[0] == result


def test_rebuilds_and_point_releases_share_their_rows() -> None:
    assert lifetimes.of_linux("rocky", "9.4") == lifetimes.of_linux("rhel", "9")
    assert lifetimes.of_linux("linuxmint", "22.1") == lifetimes.of_linux("linuxmint", "22")
    assert lifetimes.of_linux("ubuntu", "24") is None
