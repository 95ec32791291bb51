"""H11: decides whether the system's own backup is younger than a week.

Other backup programs cannot be seen from here: nothing found reads "unknown".
"""

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

FRESH = N_("the last backup of {name} is of {date}")
OLD = N_("the last backup of {name} is of {date}, more than a week ago")
UNSEEN = N_("{name} is not set up; another backup program cannot be seen from here")
DATELESS = N_("{name} is set up, but does not say when it last ran")
NEVER = N_("{name} is set up and never ran")


def judged(name: str, made: datetime, now: datetime, *sources: str) -> Verdict:
    fresh = reading.days_since(made, now) <= MOST_DAYS
    verdict, evidence = (passed, FRESH) if fresh else (failed, OLD)
    return verdict(evidence, *sources, name=name, date=made.date())


def linux(said: Said, now: datetime) -> Verdict:
    """`gsettings` of Déjà Dup: the date of its last backup, empty before the first."""
    name, text = "Déjà Dup", said.get("backup", "")
    found = re.search(r"\blast-backup '([^'\n]{0,60})'", text)
    if not found:
        return unknown(UNSEEN, "backup", name=name)
    made = reading.moment(found[1])
    if made:
        return judged(name, made, now, "backup")
    if "periodic true" in text:
        return failed(NEVER, "backup", name=name)
    return unknown(UNSEEN, "backup", name=name)


def macos(said: Said, now: datetime) -> Verdict:
    """`tmutil latestbackup`: a path that ends in the date; `tmutil destinationinfo` where."""
    name = "Time Machine"
    found = re.search(r"([0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6})", said.get("backup", ""))
    made = reading.moment(found[1]) if found else None
    if made:
        return judged(name, made, now, "backup")
    places = said.get("backup-places", "")
    if "No destinations configured" in places or not places.strip():
        return unknown(UNSEEN, "backup-places", name=name)
    return unknown(DATELESS, "backup", "backup-places", name=name)


def windows(said: Said, now: datetime) -> Verdict:
    """File History's ProtectedUpToTime; it is zero for a while between two runs."""
    facts, name = reading.table(said, "file-history"), "File History"
    if facts is None:
        return reading.silent("file-history")
    if "ProtectedUpToTime" not in facts:
        return unknown(UNSEEN, "file-history", name=name)
    made = reading.filetime(facts["ProtectedUpToTime"])
    if made is None:
        return unknown(DATELESS, "file-history", name=name)
    return judged(name, made, now, "file-history")


CHECK: Final = Check(
    id="H11",
    title=N_("Backup"),
    article="32(1)(c)",
    commandment=8,
    sheets=(17,),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Have an encrypted backup made every day, once a week at the very least, on a disk that "
            "is then unplugged or with a certified host (HDS); try a restore twice a year."
        ),
        System.MACOS: N_(
            "System Settings > General > Time Machine: add a disk, tick Encrypt; unplug it once the "
            "backup is made, and try a restore twice a year."
        ),
        System.WINDOWS: N_(
            "Have an encrypted backup made every day, once a week at the very least (File History or "
            "your software's own), on a disk that is then unplugged; try a restore twice a year."
        ),
    },
)
