"""H05: decides whether the system still receives security updates, and took them this month."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from serment.core.exposure.posture import lifetimes, reading
from serment.core.exposure.posture.verdict import (
    Check,
    Said,
    System,
    Verdict,
    failed,
    passed,
    unknown,
)
from serment.errors import N_

MOST_DAYS: Final = 30

ENDED = N_("{name} has received no security updates since {date}")
UNLISTED = N_("it is not known here until when {name} receives security updates")
NOT_ASKED = N_("{name} last looked for updates on {date}")
WAITING = N_("security updates waiting: {count}; {name} last installed updates on {date}")
WAITING_LONG = N_("security updates waiting: {count}; when {name} last installed any is not known")
OLD = N_("{name} last installed a system update on {date}")
CURRENT = N_("{name}, supported until {ends}; last looked for or installed updates on {date}")
ROLLING = N_("{name}; last looked for or installed updates on {date}")
UNCOUNTED = N_(
    "{name} last looked for updates on {date}; whether security updates wait is not known"
)
NO_DATE = N_("{name}, supported until {ends}; when updates were last installed is not known")
REPLACE = N_(
    "Have this computer upgraded to a supported version, or replaced; until then, disconnect it "
    "from the network or forbid it the Internet."
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a system's updates."""

    name: str
    life: lifetimes.Lifetime | None
    sources: tuple[str, ...]
    looked: datetime | None = None  # last asked for updates
    installed: datetime | None = None
    waiting: int | None = None  # security updates; None: not known


def judged(seen: Seen, now: datetime) -> Verdict:
    """Its end first, then its updates."""
    life = seen.life
    latest = max((each for each in (seen.looked, seen.installed) if each), default=None)
    fresh = latest is not None and reading.days_since(latest, now) <= MOST_DAYS
    if life and life.ends and now.date() > life.ends:
        enrolled = life.extended and now.date() <= life.extended and seen.installed and fresh
        if not enrolled:
            return failed(ENDED, *seen.sources, remedy=REPLACE, name=life.name, date=life.ends)
    if seen.waiting and not recent(seen.installed, now):
        return behind(seen)
    if latest is None:
        if life and life.ends:
            return unknown(NO_DATE, *seen.sources, name=seen.name, ends=life.ends)
        return unknown(UNLISTED, *seen.sources, name=seen.name)
    if not fresh:
        evidence = NOT_ASKED if latest == seen.looked else OLD
        return failed(evidence, *seen.sources, name=seen.name, date=latest.date())
    if seen.waiting is None and not recent(seen.installed, now):
        return unknown(UNCOUNTED, *seen.sources, name=seen.name, date=latest.date())
    if life is None:
        return unknown(UNLISTED, *seen.sources, name=seen.name)
    if life.ends is None:
        return passed(ROLLING, *seen.sources, name=life.name, date=latest.date())
    ends = life.extended if now.date() > life.ends and life.extended else life.ends
    return passed(CURRENT, *seen.sources, name=life.name, ends=ends, date=latest.date())


def recent(then: datetime | None, now: datetime) -> bool:
    return then is not None and reading.days_since(then, now) <= MOST_DAYS


def behind(seen: Seen) -> Verdict:
    if seen.installed is None:
        return failed(WAITING_LONG, *seen.sources, name=seen.name, count=seen.waiting)
    day = seen.installed.date()
    return failed(WAITING, *seen.sources, name=seen.name, count=seen.waiting, date=day)


def linux(said: Said, now: datetime) -> Verdict:
    """os-release, and the traces of apt or of the rpm database."""
    if "os-release" not in said:
        return reading.silent("os-release")
    facts = reading.settings(said["os-release"])
    family, version = facts.get("ID", ""), facts.get("VERSION_ID", "")
    life = lifetimes.of_linux(family, version)
    name = life.name if life else reading.named(facts.get("PRETTY_NAME") or family or "Linux")
    ends = reading.moment(facts.get("SUPPORT_END", ""))
    if life is None and ends:
        life = lifetimes.Lifetime(name, ends.date())
    times = [reading.epoch(word) for word in said.get("rpm-dates", "").split()]
    packages = max((each for each in times if each), default=None)
    if packages:
        return judged(Seen(name, life, ("os-release", "rpm-dates"), installed=packages), now)
    asked = (
        reading.epoch(line.split()[-1])
        for line in said.get("apt-dates", "").splitlines()
        if line.split()
    )
    sources = tuple(n for n in ("os-release", *APT) if n in said)
    seen = Seen(
        name,
        life,
        sources,
        looked=max((each for each in asked if each), default=None),
        installed=upgraded(said.get("apt-history", "")),
        waiting=counted(said.get("apt-pending")),
    )
    return judged(seen, now)


def counted(pending: str | None) -> int | None:
    """Security updates in `apt list --upgradable`; None when apt did not finish."""
    if pending is None or "Listing..." not in pending:
        return None
    return len(_SECURITY.findall(pending))


APT: Final = ("apt-dates", "apt-history", "apt-pending")
_SECURITY: Final = re.compile(r"^[^\s/]{1,200}/[^\s]{0,200}-security\b", re.M)


def upgraded(history: str) -> datetime | None:
    """The start of the last run of apt that upgraded anything (apt's history.log)."""
    latest = None
    for part in reading.blocks(history):
        facts = reading.settings(part, ":")
        start = reading.moment(" ".join(facts.get("Start-Date", "").split()))
        if "Upgrade" in facts and start and (latest is None or start > latest):
            latest = start
    return latest


def macos(said: Said, now: datetime) -> Verdict:
    """`sw_vers`, and the dates that Software Update keeps."""
    version = reading.settings(said.get("version", ""), ":").get("ProductVersion", "")
    major = reading.number(version.partition(".")[0])
    if major is None:
        return reading.silent("version")
    facts = reading.settings(said.get("updates", "").replace(";", ""))
    dates = [reading.moment(facts.get(name, "")) for name in LOOKED]
    seen = Seen(
        f"macOS {reading.named(version)}",
        lifetimes.MACOS.get(major),
        ("version", "updates"),
        looked=max((each for each in dates if each), default=None),
        waiting=reading.number(facts.get("LastRecommendedUpdatesAvailable", "")),
    )
    return judged(seen, now)


LOOKED: Final = ("LastFullSuccessfulDate", "LastSuccessfulDate", "LastBackgroundSuccessfulDate")


def windows(said: Said, now: datetime) -> Verdict:
    """The registry's version and build, and the days on which system updates were installed."""
    facts = reading.table(said, "version")
    build = reading.number((facts or {}).get("CurrentBuildNumber"))
    if facts is None or build is None:
        return reading.silent("version")
    edition, kind = (str(facts.get(name, "")) for name in ("EditionID", "InstallationType"))
    life = lifetimes.of_windows(build, edition, kind)
    listed = reading.decoded(said.get("updates", ""))
    days = listed if isinstance(listed, list) else [listed]
    installed = max((each for each in map(reading.moment, days) if each), default=None)
    name = life.name if life else f"Windows ({build})"
    return judged(Seen(name, life, ("version", "updates"), installed=installed), now)


CHECK: Final = Check(
    id="H05",
    title=N_("Updates"),
    article="32(1)(b)",
    commandment=3,
    sheets=(6, 15),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Install the updates now, and have automatic security updates turned on "
            "(unattended-upgrades, dnf-automatic)."
        ),
        System.MACOS: N_(
            "System Settings > General > Software Update: install what waits, and turn on automatic "
            "updates."
        ),
        System.WINDOWS: N_(
            "Settings > Windows Update: install what waits, restart, and leave automatic updates on."
        ),
    },
)
