"""Until when systems receive security updates. A table of facts with their sources; no logic beyond
looking a row up.

Dates are the last day of free updates for everybody; `extended` is the last day for those who
enrolled or pay, which a machine does not show. Written 22 November 2026. Sources:
Debian and Ubuntu: package distro-info-data of that day (columns eol-lts, eol-server). Windows:
learn.microsoft.com/lifecycle, and the extension of the updates of Windows 10 announced on
29 June 2026. RHEL and its rebuilds: access.redhat.com/support/policy/updates/errata. openSUSE:
en.opensuse.org/Lifetime. Linux Mint: that of its Ubuntu base. macOS: Apple publishes no dates;
the three newest are maintained, so the autumn of the third year (CERN, "macOS versions").
Fedora says it itself in os-release (SUPPORT_END).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Lifetime:
    name: str
    ends: date | None  # None: rolling, without end
    extended: date | None = None


def _row(name: str, ends: str, extended: str = "") -> Lifetime:
    later = date.fromisoformat(extended) if extended else None
    return Lifetime(name, date.fromisoformat(ends), later)


LINUX: Final[Mapping[tuple[str, str], Lifetime]] = {
    ("debian", "9"): _row("Debian 9", "2022-06-30"),
    ("debian", "10"): _row("Debian 10", "2024-06-30"),
    ("debian", "11"): _row("Debian 11", "2026-08-31"),
    ("debian", "12"): _row("Debian 12", "2028-06-30"),
    ("debian", "13"): _row("Debian 13", "2030-06-30"),
    ("ubuntu", "16.04"): _row("Ubuntu 16.04", "2021-04-30", "2026-04-23"),
    ("ubuntu", "18.04"): _row("Ubuntu 18.04", "2023-05-31", "2028-04-26"),
    ("ubuntu", "20.04"): _row("Ubuntu 20.04", "2025-05-29", "2030-04-23"),
    ("ubuntu", "22.04"): _row("Ubuntu 22.04", "2027-06-01", "2032-04-21"),
    ("ubuntu", "24.04"): _row("Ubuntu 24.04", "2029-05-31", "2034-04-25"),
    ("ubuntu", "24.10"): _row("Ubuntu 24.10", "2025-07-10"),
    ("ubuntu", "25.04"): _row("Ubuntu 25.04", "2026-01-15"),
    ("ubuntu", "25.10"): _row("Ubuntu 25.10", "2026-07-09"),
    ("ubuntu", "26.04"): _row("Ubuntu 26.04", "2031-05-29", "2036-04-23"),
    ("linuxmint", "20"): _row("Linux Mint 20", "2025-05-29"),
    ("linuxmint", "21"): _row("Linux Mint 21", "2027-06-01"),
    ("linuxmint", "22"): _row("Linux Mint 22", "2029-05-31"),
    ("opensuse-leap", "15.5"): _row("openSUSE Leap 15.5", "2024-12-31"),
    ("opensuse-leap", "15.6"): _row("openSUSE Leap 15.6", "2026-04-30"),
    ("opensuse-leap", "16.0"): _row("openSUSE Leap 16.0", "2027-10-31"),
    ("rhel", "7"): _row("RHEL 7", "2024-06-30", "2028-06-30"),
    ("rhel", "8"): _row("RHEL 8", "2029-05-31"),
    ("rhel", "9"): _row("RHEL 9", "2032-05-31"),
    ("rhel", "10"): _row("RHEL 10", "2035-05-31"),
    ("centos", "7"): _row("CentOS 7", "2024-06-30"),
    ("arch", ""): Lifetime("Arch Linux", None),
    ("opensuse-tumbleweed", ""): Lifetime("openSUSE Tumbleweed", None),
}
REBUILDS: Final = {"almalinux": "rhel", "rocky": "rhel", "ol": "rhel"}

MACOS: Final[Mapping[int, Lifetime]] = {
    10: _row("macOS 10", "2022-09-30"),
    11: _row("macOS 11", "2023-10-31"),
    12: _row("macOS 12", "2024-10-31"),
    13: _row("macOS 13", "2025-10-31"),
    14: _row("macOS 14", "2026-10-31"),
    15: _row("macOS 15", "2027-10-31"),
    26: _row("macOS 26", "2028-10-31"),
}

_HOME: Final[Mapping[int, Lifetime]] = {
    7601: _row("Windows 7", "2020-01-14"),
    9600: _row("Windows 8.1", "2023-01-10"),
    19044: _row("Windows 10 21H2", "2023-06-13"),
    19045: _row("Windows 10 22H2", "2025-10-14", "2027-10-12"),
    22000: _row("Windows 11 21H2", "2023-10-10"),
    22621: _row("Windows 11 22H2", "2024-10-08"),
    22631: _row("Windows 11 23H2", "2025-11-11"),
    26100: _row("Windows 11 24H2", "2026-10-13"),
    26200: _row("Windows 11 25H2", "2027-10-12"),
}
_ENTERPRISE: Final[Mapping[int, Lifetime]] = {
    **_HOME,
    19044: _row("Windows 10 21H2", "2024-06-11"),
    22000: _row("Windows 11 21H2", "2024-10-08"),
    22621: _row("Windows 11 22H2", "2025-10-14"),
    22631: _row("Windows 11 23H2", "2026-11-10"),
    26100: _row("Windows 11 24H2", "2027-10-12"),
    26200: _row("Windows 11 25H2", "2028-10-10"),
}
_LONG: Final[Mapping[int, Lifetime]] = {
    14393: _row("Windows 10 LTSB 2016", "2026-10-13"),
    17763: _row("Windows 10 LTSC 2019", "2029-01-09"),
    19044: _row("Windows 10 LTSC 2021", "2027-01-12"),
    26100: _row("Windows 11 LTSC 2024", "2029-10-09"),
}
_SERVER: Final[Mapping[int, Lifetime]] = {
    7601: _row("Windows Server 2008 R2", "2020-01-14"),
    9200: _row("Windows Server 2012", "2023-10-10", "2026-10-13"),
    9600: _row("Windows Server 2012 R2", "2023-10-10", "2026-10-13"),
    14393: _row("Windows Server 2016", "2027-01-12"),
    17763: _row("Windows Server 2019", "2029-01-09"),
    20348: _row("Windows Server 2022", "2031-10-14"),
    26100: _row("Windows Server 2025", "2034-11-14"),
}
_OLD: Final = _row("Windows 10", "2024-06-11")


def of_linux(family: str, version: str) -> Lifetime | None:
    """By ID and VERSION_ID of os-release; families that count by their first number do."""
    family = REBUILDS.get(family, family)
    for known in (version, version.partition(".")[0], ""):
        if (family, known) in LINUX:
            return LINUX[family, known]
    return None


def of_windows(build: int, edition: str, installation: str) -> Lifetime | None:
    """By CurrentBuildNumber, EditionID and InstallationType of the registry."""
    if installation.startswith("Server"):
        return _SERVER.get(build)
    if edition in ("EnterpriseS", "EnterpriseSN", "IoTEnterpriseS"):
        return _LONG.get(build)
    long = edition.startswith(("Enterprise", "Education", "IoTEnterprise"))
    found = (_ENTERPRISE if long else _HOME).get(build)
    return found or (_OLD if 10240 <= build < 19044 else None)
