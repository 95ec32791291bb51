"""H04: decides whether an antivirus protects the machine, with signatures of this week."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from serment.core.exposure.posture import reading
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

MOST_DAYS: Final = 7
MAC_MOST_DAYS: Final = 60  # Apple publishes XProtect signatures every few weeks

FRESH = N_("{name} is there, its signatures are of {date}")
STALE = N_("{name} is there, but its signatures are of {date}")
CURRENT = N_("{name} protects and says it is up to date")
OLD = N_("{name} says its signatures are out of date")
IDLE = N_("{name} is there but does not protect")
NONE = N_("no antivirus was found")
UNREAD = N_("{name} is installed; its signatures are not read")
_CLAMAV = re.compile(r"ClamAV-VDB:([0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}-[0-9]{2} [+-][0-9]{4})")


def dated(name: str, made: datetime, most: int, now: datetime, *sources: str) -> Verdict:
    fresh = reading.days_since(made, now) <= most
    verdict, evidence = (passed, FRESH) if fresh else (failed, STALE)
    return verdict(evidence, *sources, name=name, date=made.date())


def linux(said: Said, now: datetime) -> Verdict:
    """The head of ClamAV's daily database; other products by their folder, unread."""
    if "clamav" not in said or "antivirus" not in said:
        return reading.silent("clamav")
    made = [made for text in _CLAMAV.findall(said["clamav"]) if (made := reading.moment(text))]
    if made:
        return dated("ClamAV", max(made), MOST_DAYS, now, "clamav")
    others = [reading.named(line) for line in said["antivirus"].splitlines() if line.strip()]
    if others:
        return unknown(UNREAD, "antivirus", name=", ".join(others[:3]))
    return failed(NONE, "clamav", "antivirus")


def macos(said: Said, now: datetime) -> Verdict:
    """The date of the signatures of XProtect, which every Mac has."""
    found = re.search(r"Installed:\s*([0-9 :+-]{10,40})", said.get("xprotect", ""))
    made = reading.moment(found[1]) if found else None
    if made:
        return dated("XProtect", made, MAC_MOST_DAYS, now, "xprotect")
    lines = [line.split() for line in said.get("xprotect-date", "").splitlines()]
    times = [time for words in lines if words and (time := reading.epoch(words[-1]))]
    if not times:
        return reading.silent("xprotect")
    return dated("XProtect", max(times), MAC_MOST_DAYS, now, "xprotect-date")


def windows(said: Said, now: datetime) -> Verdict:
    """The security centre's antivirus products; on servers, which have none, Defender itself."""
    if "antivirus" not in said:
        return reading.silent("antivirus")
    facts = reading.table(said, "antivirus") or {}
    products = [
        (reading.named(each.get("name", "?")), state)
        for each in reading.rows(facts.get("products"))
        if (state := reading.number(each.get("state"))) is not None
    ]
    on = [(name, state) for name, state in products if state & 0xF000 == 0x1000]
    if any(not state & 0xF0 for _, state in on):
        return passed(CURRENT, "antivirus", name=next(n for n, state in on if not state & 0xF0))
    if on:
        return failed(OLD, "antivirus", name=on[0][0])
    if products:
        return failed(IDLE, "antivirus", name=products[0][0])
    return defender(facts.get("defender"), now)


def defender(value: object, now: datetime) -> Verdict:
    if not isinstance(value, dict) or "on" not in value:
        return failed(NONE, "antivirus")
    made = reading.moment(value.get("signatures"))
    if value["on"] is not True:
        return failed(IDLE, "antivirus", name="Defender")
    if made is None:
        return unknown(UNREAD, "antivirus", name="Defender")
    return dated("Defender", made, MOST_DAYS, now, "antivirus")


CHECK: Final = Check(
    id="H04",
    title=N_("Antivirus"),
    article="32(1)(b)",
    commandment=3,
    sheets=(6,),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Ask your installer for an antivirus that updates itself every day, ClamAV for example."
        ),
        System.MACOS: N_(
            "System Settings > General > Software Update > (i): turn on “Install Security Responses "
            "and system files”, then update; XProtect comes with it."
        ),
        System.WINDOWS: N_(
            "Windows Security > Virus & threat protection: turn on real-time protection and look for "
            "updates; renew or remove an antivirus whose subscription has ended."
        ),
    },
)
